//! Comments without a blank in front of them. OPA's reader takes them wherever a token may begin, as behind quotes and
//! brackets; ours asks for the blank.

use crate::builtins::{Call, Failure};
use saphyr_parser::{Parser, ScanError};

/// What our reader says of them, at the place of the `#`.
const REFUSAL: &str = "comments must be separated from other tokens by whitespace";

/// The text with blanks in front of the comments that our reader refuses. `None` if there are none.
/// Every comment takes another reading, which is charged.
pub(super) fn separated(call: &mut Call<'_, '_>, text: &str) -> Result<Option<String>, Failure> {
    let mut out: Option<String> = None;
    if !may_be_glued(text) {
        return Ok(None);
    }
    while let Some(at) = refused_comment(out.as_deref().unwrap_or(text)) {
        call.charge(1 + text.len().saturating_mul(16))?;
        out.get_or_insert_with(|| text.to_owned()).insert(at, ' ');
    }
    Ok(out)
}

/// Whether a `#` stands behind something else than a blank.
fn may_be_glued(text: &str) -> bool {
    let mut before = '\n';
    text.chars().any(|c| {
        let is_glued = c == '#' && !before.is_ascii_whitespace();
        before = c;
        is_glued
    })
}

/// Where the first comment is that our reader refuses, in bytes.
fn refused_comment(text: &str) -> Option<usize> {
    let is_refusal = |error: &ScanError| error.info() == REFUSAL;
    let error = Parser::new_from_str(text)
        .find_map(Result::err)
        .filter(is_refusal)?;
    let (at, c) = text.char_indices().nth(error.marker().index())?;
    (c == '#').then_some(at)
}
