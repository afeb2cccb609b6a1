//! Diagnostics as text for a terminal: headline, place in the file that the author edits, advice.

use std::fmt::Write as _;

use gavel_compiler::diagnostic::{Diagnostic, Severity};
use gavel_compiler::domain::kind_of;
use gavel_compiler::source::{SourceMap, Span};

/// All errors: one alone, or a numbered list under the sentence that scripts look for.
pub(crate) fn problems(sources: &SourceMap, diagnostics: &[Diagnostic]) -> String {
    let errors: Vec<&Diagnostic> = diagnostics
        .iter()
        .filter(|d| d.severity == Severity::Error)
        .collect();
    if let [only] = errors.as_slice() {
        return one(sources, only);
    }
    let mut text = format!("validation failed with {} errors:", errors.len());
    for (nth, error) in errors.iter().enumerate() {
        // Writing to a `String` cannot fail.
        let _ = write!(
            text,
            "\n  {}. [{}] {}",
            nth + 1,
            kind_of(error.code),
            error.message
        );
        details(sources, error, "     ", &mut text);
    }
    text
}

/// One finding.
pub(crate) fn one(sources: &SourceMap, diagnostic: &Diagnostic) -> String {
    let mut text = diagnostic.headline();
    details(sources, diagnostic, "  ", &mut text);
    text
}

/// One finding behind words of its own.
pub(crate) fn without_code(sources: &SourceMap, diagnostic: &Diagnostic) -> String {
    let mut text = diagnostic.message.clone();
    details(sources, diagnostic, "  ", &mut text);
    text
}

fn details(sources: &SourceMap, diagnostic: &Diagnostic, indent: &str, text: &mut String) {
    if let Some(span) = diagnostic.span {
        let _ = write!(
            text,
            "\n{indent}--> {}: {}",
            place(sources, span),
            diagnostic.code.as_str()
        );
    }
    for label in &diagnostic.labels {
        let _ = write!(text, "\n{indent}{}: {}", place(sources, label.span), label.text);
    }
    for help in &diagnostic.help {
        let _ = write!(text, "\n{indent}= help: {help}");
    }
}

fn place(sources: &SourceMap, span: Span) -> String {
    let span = sources.on_disk(span);
    let position = sources.position(span);
    format!(
        "{}:{}:{}",
        sources.source(span.file).name,
        position.row,
        position.col
    )
}
