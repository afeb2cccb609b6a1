//! Every module of the conformance data parses, or is refused where OPA refuses it.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    dead_code,
    reason = "a test that tells what it ran; its cases have members for other tests"
)]

mod corpus;

use bumpalo::Bump;
use corpus::Case;
use gavel_compiler::diagnostic::Diagnostic;
use gavel_compiler::parse::{self, BaseDialect, ParseOptions};
use gavel_compiler::source::SourceMap;

fn parse(text: &str, base: BaseDialect) -> Result<(), (u32, u32, String)> {
    let mut sources = SourceMap::default();
    let file = sources.add_file("case.rego", text);
    let bump = Bump::new();
    let options = ParseOptions {
        base,
        annotations: true,
        ..ParseOptions::default()
    };
    parse::parse_module(&bump, &sources, file, options)
        .map(|_| ())
        .map_err(|errors| first(&sources, &errors))
}

fn parse_query(text: &str) -> Result<(), (u32, u32, String)> {
    let mut sources = SourceMap::default();
    let file = sources.add_file("query", text);
    let bump = Bump::new();
    parse::parse_query(&bump, &sources, file, ParseOptions::default())
        .map(|_| ())
        .map_err(|errors| first(&sources, &errors))
}

fn first(sources: &SourceMap, errors: &[Diagnostic]) -> (u32, u32, String) {
    let error = errors.first().expect("an error");
    let (row, col) = error.span.map_or((0, 0), |span| {
        let position = sources.position(span);
        (position.row, position.col)
    });
    (row, col, error.message.clone())
}

/// What goes wrong with the modules and the query of a case that must parse.
fn accept(case: &Case, failures: &mut Vec<String>) {
    for module in &case.modules {
        if let Err((row, col, message)) = parse(module, case.dialect) {
            failures.push(format!("{}: {row}:{col}: {message}", case.note));
        }
    }
    if let Some(query) = &case.query
        && let Err((row, col, message)) = parse_query(query)
    {
        failures.push(format!("{}: query {query:?}: {row}:{col}: {message}", case.note));
    }
}

#[track_caller]
fn report(what: &str, total: usize, failures: &[String]) {
    for failure in failures {
        println!("FAIL {failure}");
    }
    println!(
        "{what}: {} passed, {} failed",
        total - failures.len(),
        failures.len()
    );
    assert!(
        failures.is_empty(),
        "{what}: {} of {total} failed",
        failures.len()
    );
}

#[test]
fn suite_modules_parse() {
    let Some(folder) = corpus::folder() else {
        println!("skipped: no conformance data beside the workspace (set GAVEL_SHARED)");
        return;
    };
    let (mut total, mut failures) = (0, Vec::new());
    for (name, dialect) in [("v0", BaseDialect::V0), ("v1", BaseDialect::V1)] {
        for file in corpus::files(&folder.join("suite").join(name), "yaml") {
            for case in corpus::yaml_cases(&file, dialect) {
                total += 1;
                accept(&case, &mut failures);
            }
        }
    }
    report("suite", total, &failures);
}

#[test]
fn tricky_modules_and_programs_parse() {
    let Some(folder) = corpus::folder() else {
        println!("skipped: no conformance data beside the workspace (set GAVEL_SHARED)");
        return;
    };
    let (mut total, mut failures) = (0, Vec::new());
    for name in ["tricky", "programs"] {
        for file in corpus::files(&folder.join(name), "jsonl") {
            for case in corpus::json_cases(&file) {
                if case
                    .want
                    .as_ref()
                    .is_some_and(|want| want.code == "rego_parse_error")
                {
                    refuse(&case, &mut failures, &mut (0, 0));
                } else {
                    accept(&case, &mut failures);
                }
                total += 1;
            }
        }
    }
    report("tricky and programs", total, &failures);
}

/// What goes wrong with a case that must be refused. `columns`: right ones and all.
fn refuse(case: &Case, failures: &mut Vec<String>, columns: &mut (u32, u32)) {
    let Some(want) = &case.want else { return };
    let module = case.modules.get(want.module).map_or("", String::as_str);
    let wanted = format!("{}:{}: {}", want.row, want.col, want.message);
    match parse(module, case.dialect) {
        Ok(()) => failures.push(format!("{}: accepted, want {wanted}", case.note)),
        Err((row, col, message)) => {
            if u64::from(row) != want.row {
                failures.push(format!("{}: {row}:{col}: {message}, want {wanted}", case.note));
            }
            columns.0 += u32::from(u64::from(col) == want.col);
            columns.1 += 1;
        }
    }
}

#[test]
fn broken_modules_are_refused_where_opa_refuses_them() {
    let Some(folder) = corpus::folder() else {
        println!("skipped: no conformance data beside the workspace (set GAVEL_SHARED)");
        return;
    };
    let (mut total, mut failures, mut columns) = (0, Vec::new(), (0, 0));
    for file in corpus::files(&folder.join("errors"), "jsonl") {
        for case in corpus::json_cases(&file) {
            total += 1;
            if case
                .want
                .as_ref()
                .is_some_and(|want| want.code == "rego_parse_error")
            {
                refuse(&case, &mut failures, &mut columns);
            } else {
                accept(&case, &mut failures);
            }
        }
    }
    println!("columns: {} of {}", columns.0, columns.1);
    report("errors", total, &failures);
}
