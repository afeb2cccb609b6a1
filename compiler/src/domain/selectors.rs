//! Selectors: regular expressions of operations, mappers and resources, anchored as the reference anchors them.

use super::limits;
use crate::source::Span;
use gavel_runtime::re2::{self, Translation};

/// A selector that is a regular expression.
#[derive(Clone, Debug)]
pub struct Selector {
    /// With anchors.
    pub pattern: String,
    /// As written, in the file.
    pub span: Span,
    /// What the pattern matches otherwise than it looks, with what was probably meant.
    pub(super) slip: Option<(String, String)>,
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
    let translation = re2::translate(&pattern).map_err(|error| error.to_string())?;
    let slip = slip(written, &pattern, &translation);
    Ok(Selector { pattern, span, slip })
}

/// Alternatives of which only the outer ones are anchored, and a leading star, which repeats the anchor.
fn slip(written: &str, pattern: &str, translation: &Translation) -> Option<(String, String)> {
    if translation.has_branches && !translation.is_anchored() {
        let message =
            format!("selector `{written}` means `{pattern}`, whose alternatives are not all anchored");
        let inner = written.strip_prefix('^').unwrap_or(written);
        let inner = inner.strip_suffix('$').unwrap_or(inner);
        return Some((message, format!("for whole texts write `^(?:{inner})$`")));
    }
    let rest = written.strip_prefix('*')?;
    let what = if rest.is_empty() {
        "every text".to_owned()
    } else {
        format!("every text that ends in `{rest}`")
    };
    Some((
        format!("selector `{written}` means `{pattern}`, which matches {what}"),
        format!("write `.*{rest}`"),
    ))
}
