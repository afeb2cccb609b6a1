//! The findings as one JSON document. Names and members are those of the reference's lint library where it has them.

use gavel_compiler::check::Problem;
use gavel_compiler::diagnostic::Severity;
use gavel_compiler::source::Position;
use serde::Serialize;

use super::report::{Place, Report, message, severity};
use crate::error::Failure;

#[derive(Serialize)]
struct Document<'r> {
    #[serde(rename = "fileCount")]
    file_count: usize,
    #[serde(rename = "errorCount")]
    error_count: usize,
    #[serde(rename = "warningCount")]
    warning_count: usize,
    diagnostics: Vec<Finding<'r>>,
}

#[derive(Serialize)]
struct Finding<'r> {
    source: &'static str,
    severity: &'static str,
    category: &'static str,
    message: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Location<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity: Option<Entity<'r>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related: Vec<Related<'r>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    help: &'r [String],
}

#[derive(Serialize)]
struct Location<'r> {
    file: &'r str,
    start: Point,
    end: Point,
}

#[derive(Serialize)]
struct Point {
    line: u32,
    column: u32,
}

#[derive(Serialize)]
struct Entity<'r> {
    domain: &'r str,
    r#type: &'r str,
    id: &'r str,
    field: &'r str,
}

#[derive(Serialize)]
struct Related<'r> {
    message: &'r str,
    location: Location<'r>,
}

/// The document, indented.
///
/// # Errors
/// None that is known: the document holds texts and numbers only.
pub(super) fn write(report: &Report) -> Result<String, Failure> {
    let document = Document {
        file_count: report.files.len(),
        error_count: report.count(Severity::Error),
        warning_count: report.count(Severity::Warning),
        diagnostics: report
            .problems
            .iter()
            .map(|problem| finding(report, problem))
            .collect(),
    };
    let text = serde_json::to_string_pretty(&document);
    text.map(|text| text + "\n")
        .map_err(|error| Failure::Operator(format!("JSON: {error}")))
}

fn finding<'r>(report: &'r Report, problem: &'r Problem) -> Finding<'r> {
    let diagnostic = &problem.diagnostic;
    let labels = diagnostic.labels.iter().map(|label| Related {
        message: &label.text,
        location: location(report.place_of(label.span)),
    });
    Finding {
        source: problem.stage.as_str(),
        severity: severity(diagnostic),
        category: diagnostic.code.as_str(),
        message: message(diagnostic),
        location: report.place(problem).map(location),
        entity: diagnostic.entity.as_deref().map(|entity| Entity {
            domain: &entity.domain,
            r#type: entity.kind,
            id: &entity.id,
            field: &entity.field,
        }),
        related: labels.collect(),
        help: &diagnostic.help,
    }
}

fn location(place: Place<'_>) -> Location<'_> {
    let point = |position: Position| Point {
        line: position.row,
        column: position.col,
    };
    Location {
        file: place.file,
        start: point(place.start),
        end: point(place.end),
    }
}
