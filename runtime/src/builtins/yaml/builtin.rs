//! `yaml.unmarshal` and `yaml.is_valid`.

use super::block::without_lines;
use super::brackets::with_blanks;
use super::comments;
use super::decode::decode;
use super::document::Document;
use super::quotes::{self, Unfolded};
use super::stream::{has_glued_anchor, has_unclear_tabs, is_indented_by_tabs, is_refused};
use crate::builtins::bytes::byte_of;
use crate::builtins::operand::{args, string};
use crate::builtins::{BuiltinResult, Call, Failure};
use crate::error::EvalErrorKind;
use crate::value::Value;

/// `yaml.unmarshal(text)`: the first document; the others must be well-formed too.
pub(in crate::builtins) fn unmarshal<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    read(call, string(text)?)
}

/// `yaml.is_valid(text)`: false for what is no string.
pub(in crate::builtins) fn is_valid<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    let Some(text) = text.as_str() else {
        return Ok(Value::FALSE);
    };
    match read(call, text) {
        Ok(_) => Ok(Value::TRUE),
        Err(Failure::Error(_)) => Ok(Value::FALSE),
        Err(abort) => Err(abort),
    }
}

fn read<'r>(call: &mut Call<'_, 'r>, text: &'r str) -> BuiltinResult<'r> {
    call.charge(1 + text.len().saturating_mul(16))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // For OPA's reader all of these are line feeds, wherever they stand.
    let text = if text.contains(['\u{85}', '\r']) {
        let lines = text.replace("\r\n", "\n").replace(['\u{85}', '\r'], "\n");
        call.arena.text(&lines)?
    } else {
        text
    };
    if !text.chars().all(is_allowed) {
        return Err(Failure::BUILTIN);
    }
    let folded = if quotes::has_separators(text) || quotes::may_fold(text) {
        quotes::folded(text)
    } else {
        Err(Unfolded::Unclear)
    };
    let text = match &folded {
        Ok(folded) => call.arena.text(folded)?,
        Err(Unfolded::Unclear) => text,
        Err(Unfolded::Refused) => return Err(Failure::BUILTIN),
    };
    if is_refused(text) || is_indented_by_tabs(text) {
        return Err(Failure::BUILTIN);
    }
    if folded.is_err() && quotes::has_separators(text) {
        return Err(Failure::Abort(EvalErrorKind::StrictBuiltin));
    }
    let mut document = first_document(call, text);
    // Only what our reader refuses may have comments that it takes for none.
    if document.is_err()
        && let Some(separated) = comments::separated(call, text)?
    {
        document = first_document(call, call.arena.text(&separated)?);
    }
    match document? {
        Some(document) => decode(call, &document),
        None => Ok(Value::NULL),
    }
}

/// The first document of a text, with or without what the two readers may differ about.
fn first_document<'r>(call: &mut Call<'_, 'r>, text: &'r str) -> Result<Option<Document<'r>>, Failure> {
    match has_glued_anchor(text) || has_unclear_tabs(text) {
        true => unclear_document(call, text),
        false => document(call, text),
    }
}

/// The first document of a text.
fn document<'r>(call: &mut Call<'_, 'r>, text: &'r str) -> Result<Option<Document<'r>>, Failure> {
    match Document::read(text) {
        Err(Failure::Abort(EvalErrorKind::StrictBuiltin)) => {
            let rewritten = with_blanks(text).ok_or(EvalErrorKind::StrictBuiltin)?;
            match comments::separated(call, &rewritten)? {
                Some(separated) => Document::read(call.arena.text(&separated)?),
                None => Document::read(call.arena.text(&rewritten)?),
            }
        }
        read => read,
    }
}

/// The first document of a text with what the two readers may differ about. They do not in the content of block scalars.
fn unclear_document<'r>(call: &mut Call<'_, 'r>, text: &'r str) -> Result<Option<Document<'r>>, Failure> {
    let mut blocks = Vec::new();
    if let Ok(document) = Document::read_with_blocks(text, &mut blocks) {
        // What comes before the first block is read alike, and so on: the blocks are where OPA's reader has them.
        let rest = without_lines(text, &blocks);
        if !has_glued_anchor(&rest) && !has_unclear_tabs(&rest) {
            return Ok(document);
        }
    }
    if has_glued_anchor(text) {
        return Err(Failure::Abort(EvalErrorKind::StrictBuiltin));
    }
    // OPA's reader has other rules for tabs.
    let rewritten = with_blanks(text).filter(|text| !has_unclear_tabs(text));
    let rewritten = call.arena.text(&rewritten.ok_or(EvalErrorKind::StrictBuiltin)?)?;
    document(call, rewritten)
}

/// The characters of YAML.
fn is_allowed(c: char) -> bool {
    let is_printable = match c {
        '\t' | '\n' | '\r' | '\u{85}' => true,
        c if c.is_control() => false,
        c => !matches!(c, '\u{fffe}' | '\u{ffff}'),
    };
    is_printable && byte_of(c).is_none()
}
