//! Coverage as text for people, as JSON with the members of OPA's coverage reports, and as LCOV for tools that show it
//! beside the source.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;

use super::lines::{Coverage, FileCoverage, Line, count, percent};

/// For people: a line for each file and each module with the rows that were not reached.
pub(crate) fn text(coverage: &Coverage) -> String {
    let (reached, all) = coverage.total();
    let mut out = format!(
        "coverage {:.1}% ({reached} of {all} lines of Rego)\n",
        percent((reached, all))
    );
    for file in &coverage.files {
        let (reached, all) = file.total();
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "{} {:.1}% ({reached}/{all})",
            file.name,
            percent((reached, all))
        );
        let mut modules: BTreeMap<u32, (&str, BTreeMap<u32, Line>)> = BTreeMap::new();
        for (row, line) in &file.lines {
            let known = modules.values_mut().find(|(name, _)| *name == line.module);
            match known {
                Some((_, lines)) => lines.insert(*row, line.clone()),
                None => {
                    let first = modules.entry(*row).or_insert((&line.module, BTreeMap::new()));
                    first.1.insert(*row, line.clone())
                }
            };
        }
        for (name, lines) in modules.values() {
            let of = count(lines.values());
            let missed = rows(lines, false);
            let missed = if missed.is_empty() {
                String::new()
            } else {
                let list: Vec<String> = missed.iter().map(|range| shown(*range)).collect();
                format!(", not reached: {}", list.join(", "))
            };
            let _ = writeln!(out, "  {name} {:.1}% ({}/{}){missed}", percent(of), of.0, of.1);
        }
    }
    out
}

fn shown((first, last): (u32, u32)) -> String {
    if first == last {
        first.to_string()
    } else {
        format!("{first}-{last}")
    }
}

/// Ranges of rows that were reached, or were not; rows between that do not count do not divide them.
fn rows(lines: &BTreeMap<u32, Line>, reached: bool) -> Vec<(u32, u32)> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    let mut open = false;
    for (row, line) in lines {
        let fits = (line.hits > 0) == reached;
        match ranges.last_mut().filter(|_| open && fits) {
            Some(last) => last.1 = *row,
            None if fits => ranges.push((*row, *row)),
            None => {}
        }
        open = fits;
    }
    ranges
}

/// OPA's members: `files` by name with ranges of rows and sums, then the sums of all.
pub(crate) fn json(coverage: &Coverage) -> String {
    let ranges = |file: &FileCoverage, reached| -> Vec<serde_json::Value> {
        let range = |(first, last): (u32, u32)| json!({"start": {"row": first}, "end": {"row": last}});
        rows(&file.lines, reached).into_iter().map(range).collect()
    };
    let mut files = serde_json::Map::new();
    for file in &coverage.files {
        let (reached, all) = file.total();
        let report = json!({
            "covered": ranges(file, true),
            "not_covered": ranges(file, false),
            "covered_lines": reached,
            "not_covered_lines": all - reached,
            "coverage": rounded(percent((reached, all))),
        });
        files.insert(file.name.clone(), report);
    }
    let (reached, all) = coverage.total();
    let report = json!({
        "files": files,
        "covered_lines": reached,
        "not_covered_lines": all - reached,
        "coverage": rounded(percent((reached, all))),
    });
    format!("{report:#}\n")
}

fn rounded(percent: f64) -> f64 {
    (percent * 100.0).round() / 100.0
}

/// A record for each file: how often each line was reached.
pub(crate) fn lcov(coverage: &Coverage) -> String {
    let mut out = String::new();
    for file in &coverage.files {
        let (reached, all) = file.total();
        let _ = writeln!(out, "TN:\nSF:{}", file.name);
        for (row, line) in &file.lines {
            let _ = writeln!(out, "DA:{row},{}", line.hits);
        }
        let _ = writeln!(out, "LF:{all}\nLH:{reached}\nend_of_record");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Coverage {
        let line = |module: &str, hits| Line {
            module: module.to_owned(),
            hits,
        };
        let lines = [
            (7, line("mrn:a", 2)),
            (8, line("mrn:a", 0)),
            (10, line("mrn:a", 0)),
            (12, line("mrn:a", 1)),
            (20, line("mrn:b", 0)),
        ];
        Coverage {
            files: vec![FileCoverage {
                name: "shop.yml".to_owned(),
                lines: lines.into_iter().collect(),
            }],
        }
    }

    #[test]
    fn each_format() {
        assert_eq!(
            text(&sample()),
            "coverage 40.0% (2 of 5 lines of Rego)\nshop.yml 40.0% (2/5)\n  mrn:a 50.0% (2/4), not reached: 8-10\n  \
             mrn:b 0.0% (0/1), not reached: 20\n"
        );
        assert_eq!(
            lcov(&sample()),
            "TN:\nSF:shop.yml\nDA:7,2\nDA:8,0\nDA:10,0\nDA:12,1\nDA:20,0\nLF:5\nLH:2\nend_of_record\n"
        );
        let report: serde_json::Value = serde_json::from_str(&json(&sample())).unwrap();
        assert_eq!(report["coverage"], 40.0);
        assert_eq!(
            report["files"]["shop.yml"]["not_covered"][0],
            json!({"start": {"row": 8}, "end": {"row": 10}})
        );
    }

    #[test]
    fn nothing_is_covered_whole() {
        let nothing = Coverage { files: Vec::new() };
        assert_eq!(text(&nothing), "coverage 100.0% (0 of 0 lines of Rego)\n");
    }
}
