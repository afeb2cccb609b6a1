//! Writes a report into a folder: a Markdown page with machine, commit, commands, verdicts, figures and tables, and
//! its plots.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use crate::outcome::{Curve, Report};
use crate::plot;

/// Writes page and plots.
///
/// # Errors
/// A folder that cannot be written.
pub(crate) fn write(report: &Report, verdicts: &[(&str, String)], folder: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    // Before anything is written, so that what is written is no change of the commit.
    let page = page(report, verdicts);
    std::fs::create_dir_all(folder).map_err(failed)?;
    for curve in &report.curves {
        std::fs::write(folder.join(format!("{}.svg", curve.file)), plot::svg(curve)).map_err(failed)?;
    }
    std::fs::write(folder.join("README.md"), page).map_err(failed)
}

fn page(report: &Report, verdicts: &[(&str, String)]) -> String {
    let mut page = String::from(
        "# A whole report\n\nWritten by `report`; [what each figure means](../README.md#figures).\n\n",
    );
    // Writing to a `String` cannot fail.
    for (name, value) in [
        ("processor", processor()),
        ("kernel", said("uname", &["-sr"])),
        ("compiler", said("rustc", &["--version"])),
        ("date", said("date", &["-u", "+%Y-%m-%d"])),
        ("commit", commit()),
        ("load before", load()),
        (
            "commands",
            "`benches/peers/get.sh; cargo run --release -p gavel-benches --bin report`".to_owned(),
        ),
    ] {
        let _ = writeln!(page, "* {name}: {value}");
    }
    for (title, text) in verdicts {
        let _ = writeln!(page, "\n## {title}\n\n{}", text.trim_end());
    }
    page.push_str("\n## Figures\n\n| figure | value |\n|---|---|\n");
    for (name, value) in &report.figures {
        let _ = writeln!(page, "| `{name}` | {value:.3} |");
    }
    page.push_str("\n## Beside the figures\n\n");
    for note in &report.notes {
        let _ = writeln!(page, "* {note}");
    }
    for (title, table) in &report.tables {
        let _ = writeln!(page, "\n## {title}\n\n{}", table.trim_end());
    }
    for curve in &report.curves {
        let _ = writeln!(
            page,
            "\n## {}\n\n![{}]({}.svg)\n",
            curve.title, curve.title, curve.file
        );
        table(&mut page, curve);
    }
    page
}

fn table(page: &mut String, curve: &Curve) {
    let _ = writeln!(
        page,
        "| line | {} | {} |\n|---|---|---|",
        curve.across, curve.upwards
    );
    for line in &curve.lines {
        for (across, upwards) in &line.points {
            let _ = writeln!(page, "| {} | {across:.0} | {upwards:.1} |", line.name);
        }
    }
}

/// Model and number of processors.
fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{model}, {count} usable")
}

fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("unknown").to_owned()
}

fn commit() -> String {
    let changed = match said("git", &["status", "--porcelain"]).is_empty() {
        true => "",
        false => ", with changes",
    };
    format!("{}{changed}", said("git", &["rev-parse", "--short", "HEAD"]))
}

/// What a command prints; nothing when it is not there.
fn said(command: &str, words: &[&str]) -> String {
    let output = Command::new(command)
        .args(words)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .output();
    output
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default()
}
