//! Selectors: regular expressions of operations, mappers and resources, anchored as the reference anchors them.

use super::limits;
use crate::source::Span;
use gavel_runtime::re2;

/// A selector that is a regular expression.
#[derive(Clone, Debug)]
pub struct Selector {
    /// With anchors.
    pub pattern: String,
    /// As written, in the file.
    pub span: Span,
}

/// Adds `^` and `$` where the text does not start and end with them. This works on the text: `a|b` becomes `^a|b$`, and a
/// pattern that ends in an escaped `\$` gets no anchor. Decisions depend on it, so it is kept to the letter.
///
/// # Errors
/// The message of a pattern that is wrong even with its anchors.
pub(super) fn anchor(written: &str, span: Span) -> Result<Selector, String> {
    if written.len() > limits::SELECTOR_BYTES_MAX {
        return Err(format!(
            "a selector has {} bytes; at most {} are allowed",
            written.len(),
            limits::SELECTOR_BYTES_MAX
        ));
    }
    let head = if written.starts_with('^') { "" } else { "^" };
    let tail = if written.ends_with('$') { "" } else { "$" };
    let pattern = format!("{head}{written}{tail}");
    match re2::translate(&pattern) {
        Ok(_) => Ok(Selector { pattern, span }),
        Err(error) => Err(error.to_string()),
    }
}
