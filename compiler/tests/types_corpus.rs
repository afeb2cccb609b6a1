//! Type errors of the conformance data: OPA's code, place and headline, all of them and no others.

#[allow(dead_code, reason = "each test uses its part of the cases")]
mod corpus;

use bumpalo::Bump;
use corpus::Case;
use gavel_compiler::analyse::{AnalyseOptions, analyse};
use gavel_compiler::diagnostic::{Code, Diagnostic};
use gavel_compiler::parse::{self, ParseOptions};
use gavel_compiler::source::SourceMap;
use std::collections::BTreeSet;

/// Cases that end otherwise here, each with the reason.
const KNOWN: &[(&str, &str)] = &[
    (
        "programs/negation-v2/1621",
        "OPA places the error at the last name resolved in the module",
    ),
    (
        "programs/partial/247",
        "OPA places the error at the last name resolved in the module",
    ),
];

/// Module, row, column, headline.
type Finding = (usize, u64, u64, String);

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

fn wanted(case: &Case) -> Option<BTreeSet<Finding>> {
    let all_types = !case.wants.is_empty() && case.wants.iter().all(|want| want.code == "rego_type_error");
    let found = case
        .wants
        .iter()
        .map(|want| (want.module, want.row, want.col, first_line(&want.message)));
    all_types.then(|| found.collect())
}

/// Errors of a case whose modules parse.
fn found(case: &Case) -> Option<BTreeSet<Finding>> {
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
        modules.push(parse::parse_module(&bump, &sources, file, options).ok()?);
    }
    let options = AnalyseOptions {
        error_limit: None,
        strict: case.strict,
        keep_unsupported: true,
        annotations: true,
        ..AnalyseOptions::default()
    };
    let finding = |diagnostic: Diagnostic| {
        let headline = first_line(&diagnostic.message);
        let Some(span) = diagnostic.span else {
            return (diagnostic.code == Code::RegoType).then_some((0, 0, 0, headline));
        };
        let module = files.iter().position(|file| *file == span.file)?;
        let position = sources.position(span);
        (diagnostic.code == Code::RegoType).then_some((
            module,
            u64::from(position.row),
            u64::from(position.col),
            headline,
        ))
    };
    match analyse(&sources, &modules, &options) {
        Ok(_) => Some(BTreeSet::new()),
        Err(errors) => Some(errors.into_iter().filter_map(finding).collect()),
    }
}

#[test]
fn type_errors_are_those_of_opa() {
    let Some(folder) = corpus::folder() else {
        println!("skipped: no conformance data beside the workspace (set GAVEL_SHARED)");
        return;
    };
    let mut total = 0;
    let mut failures = Vec::new();
    let mut headlines = 0;
    for name in ["errors", "tricky", "programs"] {
        for file in corpus::files(&folder.join(name), "jsonl") {
            for case in corpus::json_cases(&file) {
                let Some(wanted) = wanted(&case) else { continue };
                if KNOWN.iter().any(|(note, _)| *note == case.note) {
                    continue;
                }
                total += 1;
                let found = found(&case).unwrap_or_default();
                let place = |finding: &Finding| (finding.0, finding.1, finding.2);
                let same: BTreeSet<_> = found.iter().map(place).collect();
                if same != wanted.iter().map(place).collect() {
                    failures.push(format!("{}: {found:?}, OPA {wanted:?}", case.note));
                } else if found != wanted {
                    headlines += 1;
                    println!("other headline {}: {found:?}, OPA {wanted:?}", case.note);
                }
            }
        }
    }
    for failure in &failures {
        println!("FAIL {failure}");
    }
    println!(
        "{total} programs with type errors, {} differ, {headlines} in headlines only",
        failures.len()
    );
    assert!(total > 0 && failures.is_empty());
}
