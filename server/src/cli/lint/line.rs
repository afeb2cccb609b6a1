//! One line for each finding: `FILE:LINE:COLUMN: SEVERITY: CODE: MESSAGE`, as editors and `grep` like it.

use std::fmt::Write as _;

use super::report::{Report, message, severity};

/// The findings.
pub(super) fn write(report: &Report) -> String {
    let mut text = String::new();
    for problem in &report.problems {
        // Writing to a `String` cannot fail.
        let _ = match report.place(problem) {
            Some(place) => write!(text, "{}:{}:{}: ", place.file, place.start.row, place.start.col),
            None => Ok(()),
        };
        let diagnostic = &problem.diagnostic;
        let words = message(diagnostic).replace('\n', " ");
        let _ = writeln!(
            text,
            "{}: {}: {words}",
            severity(diagnostic),
            diagnostic.code.as_str()
        );
    }
    text
}
