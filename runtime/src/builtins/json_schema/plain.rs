//! Operands as JSON documents: a text is parsed, an object or array is taken as its JSON would be.

use crate::builtins::bytes::without_bytes;
use crate::builtins::{Call, Failure};
use crate::error::EvalErrorKind;
use crate::json::{self, Escape, JsonErrorKind, Numbers};
use crate::limits::BUILTIN_DEPTH_MAX;
use crate::number;
use crate::value::{Kind, Value};
use std::borrow::Cow;

/// Why an operand is no document.
#[derive(Debug)]
pub(super) enum NoDocument {
    /// OPA's text.
    Text(&'static str),
    Failure(Failure),
}

impl From<Failure> for NoDocument {
    fn from(failure: Failure) -> NoDocument {
        NoDocument::Failure(failure)
    }
}

impl From<EvalErrorKind> for NoDocument {
    fn from(kind: EvalErrorKind) -> NoDocument {
        NoDocument::Failure(kind.into())
    }
}

/// The JSON text of an operand; that of a string is the string itself, and not checked.
pub(super) fn text_of<'r>(call: &mut Call<'_, 'r>, operand: Value<'r>) -> Result<&'r str, NoDocument> {
    let text = match operand.kind() {
        Kind::String(text) => match without_bytes(text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(text) => call.arena.text(&text)?,
        },
        Kind::Object(_) | Kind::Array(_) => {
            let scratch = &mut call.caches.scratch;
            scratch.clear();
            json::write(scratch, operand, Escape::Plain)
                .map_err(|_| NoDocument::Text("json: invalid number literal"))?;
            let text = std::str::from_utf8(scratch).map_err(|_| Failure::BUILTIN)?;
            call.arena.text(text)?
        }
        _ => return Err(NoDocument::Text("wrong type, expected string or object")),
    };
    call.charge(1 + text.len() / 8)?;
    Ok(text)
}

/// The document of a JSON text.
pub(super) fn parse<'r>(call: &mut Call<'_, 'r>, text: &'r str) -> Result<Value<'r>, NoDocument> {
    json::parse(call.arena, text.as_bytes(), Numbers::Text).map_err(|error| match error.kind {
        JsonErrorKind::Memory => EvalErrorKind::ArenaExhausted.into(),
        _ => NoDocument::Text("invalid JSON string"),
    })
}

/// The document of an operand.
pub(super) fn document<'r>(call: &mut Call<'_, 'r>, operand: Value<'r>) -> Result<Value<'r>, NoDocument> {
    if matches!(operand.kind(), Kind::Object(_) | Kind::Array(_)) && is_plain(call, operand, 0)? {
        return Ok(operand);
    }
    let text = text_of(call, operand)?;
    parse(call, text)
}

/// Whether a value is the one that its JSON reads as: no sets, only strings as keys, only UTF-8 in strings.
fn is_plain(call: &mut Call<'_, '_>, value: Value<'_>, depth: usize) -> Result<bool, Failure> {
    call.charge(1)?;
    if depth > BUILTIN_DEPTH_MAX {
        return Err(EvalErrorKind::DepthExceeded.into());
    }
    Ok(match value.kind() {
        Kind::String(text) => is_text(text),
        Kind::Number(text) => number::json_number(text),
        Kind::Set(_) => false,
        Kind::Array(items) => {
            for item in items {
                if !is_plain(call, *item, depth + 1)? {
                    return Ok(false);
                }
            }
            true
        }
        Kind::Object(members) => {
            for member in members {
                let has_text_key = member.key.as_str().is_some_and(is_text);
                if !has_text_key || !is_plain(call, member.value, depth + 1)? {
                    return Ok(false);
                }
            }
            true
        }
        _ => true,
    })
}

fn is_text(text: &str) -> bool {
    // The characters in question all begin with this byte.
    memchr::memchr(0xf4, text.as_bytes()).is_none() || matches!(without_bytes(text), Cow::Borrowed(_))
}
