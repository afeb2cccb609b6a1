//! Workflow commands of GitHub Actions: each finding becomes an annotation at its line of the change.

use std::fmt::Write as _;

use gavel_compiler::diagnostic::Severity;

use super::report::{Report, message};

/// One command for each finding.
pub(super) fn write(report: &Report) -> String {
    let mut text = String::new();
    for problem in &report.problems {
        let diagnostic = &problem.diagnostic;
        let command = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let _ = write!(text, "::{command} ");
        if let Some(place) = report.place(problem) {
            let (start, end) = (place.start, place.end);
            let _ = write!(text, "file={},line={},", property(place.file), start.row);
            // Columns are only taken for a piece of one line.
            let _ = if start.row == end.row {
                write!(text, "col={},endColumn={},", start.col, end.col)
            } else {
                write!(text, "endLine={},", end.row)
            };
        }
        let mut words = message(diagnostic).to_owned();
        for help in &diagnostic.help {
            let _ = write!(words, "\nhelp: {help}");
        }
        let title = property(diagnostic.code.as_str());
        let _ = writeln!(text, "title={title}::{}", data(&words));
    }
    text
}

/// A text behind the colons.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
