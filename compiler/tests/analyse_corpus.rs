//! Every valid program of the conformance data passes the analysis; every broken one is refused with OPA's codes and rows.
#![expect(clippy::print_stdout, reason = "a test that tells what it ran")]

#[allow(dead_code, reason = "each test uses its part of the cases")]
mod corpus;

use bumpalo::Bump;
use corpus::Case;
use gavel_compiler::analyse::{AnalyseOptions, analyse, analyse_query};
use gavel_compiler::diagnostic::Diagnostic;
use gavel_compiler::parse::{self, BaseDialect, ParseOptions};
use gavel_compiler::source::SourceMap;
use gavel_runtime::value::Constant;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Cases that end otherwise here, each with the reason.
const KNOWN: &[(&str, &str)] = &[
    ("time/time caching", "calls a builtin that OPA's test runner adds"),
    (
        "programs/negation-v2/1621",
        "OPA places the error at the last name resolved in the module",
    ),
    (
        "programs/partial/247",
        "OPA places the error at the last name resolved in the module",
    ),
];

/// A finding as cases state it: code, module, row.
type Place = (String, usize, u64);

struct Found {
    place: Place,
    col: u64,
    message: String,
}

enum Outcome {
    Accepted,
    Parse,
    Refused(Vec<Found>),
}

fn constant(value: &Value) -> Constant {
    match value {
        Value::Null => Constant::Null,
        Value::Bool(value) => Constant::Bool(*value),
        Value::Number(number) => Constant::number(&number.to_string()),
        Value::String(text) => Constant::String(text.clone()),
        Value::Array(items) => Constant::Array(items.iter().map(constant).collect()),
        Value::Object(entries) => Constant::object(
            entries
                .iter()
                .map(|(key, value)| (Constant::String(key.clone()), constant(value)))
                .collect(),
        ),
    }
}

fn run(case: &Case) -> Outcome {
    let mut sources = SourceMap::default();
    let bump = Bump::new();
    let options = ParseOptions {
        base: case.dialect,
        annotations: true,
        ..ParseOptions::default()
    };
    let mut modules = Vec::new();
    let mut files = Vec::new();
    for (index, text) in case.modules.iter().enumerate() {
        let file = sources.add_file(&format!("test-{index}.rego"), text);
        files.push(file);
        match parse::parse_module(&bump, &sources, file, options) {
            Ok(module) => modules.push(module),
            Err(_) => return Outcome::Parse,
        }
    }
    let analysis = AnalyseOptions {
        error_limit: None,
        strict: case.strict,
        base: case.data.as_ref().map(constant),
        keep_unsupported: true,
        annotations: true,
        ..AnalyseOptions::default()
    };
    let place = |sources: &SourceMap, diagnostics: Vec<Diagnostic>| {
        let found = diagnostics.into_iter().map(|diagnostic| {
            let (module, row, col) = diagnostic.span.map_or((0, 0, 0), |span| {
                let position = sources.position(span);
                let module = files
                    .iter()
                    .position(|file| *file == span.file)
                    .unwrap_or(usize::MAX);
                (module, u64::from(position.row), u64::from(position.col))
            });
            Found {
                place: (diagnostic.code.as_str().to_owned(), module, row),
                col,
                message: diagnostic.message,
            }
        });
        Outcome::Refused(found.collect())
    };
    let unit = match analyse(&sources, &modules, &analysis) {
        Ok(unit) => unit,
        Err(diagnostics) => return place(&sources, diagnostics),
    };
    let Some(query) = &case.query else {
        return Outcome::Accepted;
    };
    let file = sources.add_file("query", query);
    let options = ParseOptions {
        base: BaseDialect::V1,
        ..ParseOptions::default()
    };
    let Ok(query) = parse::parse_query(&bump, &sources, file, options) else {
        return Outcome::Parse;
    };
    match analyse_query(&sources, &unit, &query, &analysis) {
        Ok(_) => Outcome::Accepted,
        Err(diagnostics) => place(&sources, diagnostics),
    }
}

/// Passed and failed cases.
#[derive(Default)]
struct Tally {
    total: usize,
    failures: Vec<String>,
}

impl Tally {
    #[track_caller]
    fn report(&self, what: &str) {
        let is_known = |failure: &&String| {
            KNOWN.iter().any(|(note, _)| {
                failure
                    .strip_prefix(note)
                    .is_some_and(|rest| rest.starts_with(": "))
            })
        };
        let (known, failures): (Vec<&String>, Vec<&String>) = self.failures.iter().partition(is_known);
        for failure in &failures {
            println!("FAIL {failure}");
        }
        let (known, failed) = (known.len(), failures.len());
        println!(
            "{what}: {} passed, {known} known, {failed} failed",
            self.total - known - failed
        );
        assert!(failures.is_empty(), "{what}: {failed} of {} failed", self.total);
    }

    fn accept(&mut self, case: &Case) {
        self.total += 1;
        let compile_error = case
            .want_error_code
            .as_deref()
            .filter(|code| code.starts_with("rego_"));
        match (run(case), compile_error) {
            (Outcome::Accepted, None) | (Outcome::Parse, Some("rego_parse_error")) => {}
            (Outcome::Refused(found), Some(code)) if found.iter().any(|found| found.place.0 == code) => {}
            (Outcome::Accepted, Some(code)) => self
                .failures
                .push(format!("{}: accepted, want {code}", case.note)),
            (Outcome::Parse, _) => self.failures.push(format!("{}: does not parse", case.note)),
            (Outcome::Refused(found), _) => {
                let found: Vec<String> = found.iter().map(Found::text).collect();
                self.failures
                    .push(format!("{}: refused: {}", case.note, found.join("; ")));
            }
        }
    }
}

impl Found {
    fn text(&self) -> String {
        let (code, module, row) = &self.place;
        format!("{code} {module}:{row}:{} {}", self.col, self.message)
    }
}

#[test]
fn suite_is_accepted() {
    let Some(folder) = corpus::folder() else {
        println!("skipped: no conformance data beside the workspace (set GAVEL_SHARED)");
        return;
    };
    let mut tally = Tally::default();
    for (name, dialect) in [("v0", BaseDialect::V0), ("v1", BaseDialect::V1)] {
        for file in corpus::files(&folder.join("suite").join(name), "yaml") {
            for case in corpus::yaml_cases(&file, dialect) {
                tally.accept(&case);
            }
        }
    }
    tally.report("suite");
}

#[test]
fn tricky_modules_and_programs_are_accepted() {
    let Some(folder) = corpus::folder() else {
        println!("skipped: no conformance data beside the workspace (set GAVEL_SHARED)");
        return;
    };
    let mut tally = Tally::default();
    for name in ["tricky", "programs"] {
        for file in corpus::files(&folder.join(name), "jsonl") {
            for case in corpus::json_cases(&file) {
                if case.wants.is_empty() {
                    tally.accept(&case);
                } else {
                    refuse(&case, &mut tally, &mut Precision::default());
                }
            }
        }
    }
    tally.report("tricky and programs");
}

/// How exact the refusals are beyond code and row.
#[derive(Default)]
struct Precision {
    columns: (usize, usize),
    messages: (usize, usize),
    other_messages: Vec<String>,
}

fn refuse(case: &Case, tally: &mut Tally, precision: &mut Precision) {
    tally.total += 1;
    let wanted: BTreeSet<Place> = case
        .wants
        .iter()
        .map(|want| (want.code.clone(), want.module, want.row))
        .collect();
    let found = match run(case) {
        Outcome::Refused(found) => found,
        Outcome::Accepted => {
            tally
                .failures
                .push(format!("{}: accepted, want {}", case.note, wants(case)));
            return;
        }
        Outcome::Parse => {
            if !wanted.iter().any(|(code, ..)| code == "rego_parse_error") {
                tally.failures.push(format!("{}: does not parse", case.note));
            }
            return;
        }
    };
    let places: BTreeSet<Place> = found.iter().map(|found| found.place.clone()).collect();
    if places != wanted {
        let found: Vec<String> = found.iter().map(Found::text).collect();
        let found = found.join("; ");
        tally
            .failures
            .push(format!("{}: {found}, want {}", case.note, wants(case)));
        return;
    }
    let mut by_place: BTreeMap<&Place, Vec<&Found>> = BTreeMap::new();
    for found in &found {
        by_place.entry(&found.place).or_default().push(found);
    }
    for want in &case.wants {
        let key = (want.code.clone(), want.module, want.row);
        let here = by_place.get(&key).map_or(&[][..], Vec::as_slice);
        precision.columns.1 += 1;
        precision.columns.0 += usize::from(here.iter().any(|found| found.col == want.col));
        precision.messages.1 += 1;
        let first_line = |text: &str| text.lines().next().unwrap_or("").to_owned();
        if here
            .iter()
            .any(|found| first_line(&found.message) == first_line(&want.message))
        {
            precision.messages.0 += 1;
        } else {
            let found: Vec<&str> = here.iter().map(|found| found.message.as_str()).collect();
            precision
                .other_messages
                .push(format!("{}: {found:?}, OPA {:?}", case.note, want.message));
        }
    }
}

fn wants(case: &Case) -> String {
    let wants: Vec<String> = case
        .wants
        .iter()
        .map(|want| {
            format!(
                "{} {}:{}:{} {}",
                want.code, want.module, want.row, want.col, want.message
            )
        })
        .collect();
    wants.join("; ")
}

#[test]
fn broken_programs_are_refused_as_opa_refuses_them() {
    let Some(folder) = corpus::folder() else {
        println!("skipped: no conformance data beside the workspace (set GAVEL_SHARED)");
        return;
    };
    let (mut tally, mut precision) = (Tally::default(), Precision::default());
    for file in corpus::files(&folder.join("errors"), "jsonl") {
        for case in corpus::json_cases(&file) {
            if case.wants.iter().all(|want| want.code != "rego_parse_error") {
                refuse(&case, &mut tally, &mut precision);
            }
        }
    }
    for other in &precision.other_messages {
        println!("message {other}");
    }
    println!("columns: {} of {}", precision.columns.0, precision.columns.1);
    println!("messages: {} of {}", precision.messages.0, precision.messages.1);
    tally.report("errors");
}
