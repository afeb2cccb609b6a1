//! The findings as SARIF 2.1.0, which code scanners and editors read.

use std::collections::BTreeSet;

use gavel_compiler::check::Problem;
use gavel_compiler::diagnostic::Severity;
use gavel_compiler::source::Position;
use serde_json::{Value, json};

use super::report::{Place, Report, message};
use crate::error::Failure;

/// The log of one run, indented.
///
/// # Errors
/// None that is known: the log holds texts and numbers only.
pub(super) fn write(report: &Report) -> Result<String, Failure> {
    let codes = report.problems.iter().map(|problem| problem.diagnostic.code);
    let codes: BTreeSet<&str> = codes.map(|code| code.as_str()).collect();
    let rules: Vec<Value> = codes.iter().map(|code| json!({ "id": code })).collect();
    let results: Vec<Value> = report
        .problems
        .iter()
        .map(|problem| result(report, problem))
        .collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "gavel", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    let text = serde_json::to_string_pretty(&log);
    text.map(|text| text + "\n")
        .map_err(|error| Failure::Operator(format!("JSON: {error}")))
}

fn result(report: &Report, problem: &Problem) -> Value {
    let diagnostic = &problem.diagnostic;
    let level = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let mut words = message(diagnostic).to_owned();
    for help in &diagnostic.help {
        words.push_str("\nhelp: ");
        words.push_str(help);
    }
    let locations: Vec<Value> = report
        .place(problem)
        .map(|place| json!({ "physicalLocation": location(&place) }))
        .into_iter()
        .collect();
    let related: Vec<Value> = diagnostic
        .labels
        .iter()
        .map(|label| {
            let place = report.place_of(label.span);
            json!({ "physicalLocation": location(&place), "message": { "text": label.text } })
        })
        .collect();
    json!({
        "ruleId": diagnostic.code.as_str(),
        "level": level,
        "message": { "text": words },
        "locations": locations,
        "relatedLocations": related,
        "properties": { "source": problem.stage.as_str() },
    })
}

fn location(place: &Place<'_>) -> Value {
    let Position { row, col } = place.start;
    json!({
        "artifactLocation": { "uri": uri(place.file) },
        "region": {
            "startLine": row,
            "startColumn": col,
            "endLine": place.end.row,
            "endColumn": place.end.col,
        },
    })
}

/// A path as a URI reference: bytes that have no place in one are escaped.
fn uri(path: &str) -> String {
    let mut uri = if path.starts_with('/') { "file://" } else { "" }.to_owned();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}
