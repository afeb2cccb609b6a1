//! JSON texts: reading and writing.

use super::operand::{args, boolean, object, string};
use super::output::Text;
use super::{BuiltinResult, Call, Failure};
use crate::arena::{Arena, List};
use crate::error::EvalErrorKind;
use crate::json::{self, Escape, JsonError, JsonErrorKind, Numbers, Unprintable};
use crate::number;
use crate::value::{Kind, Value};

/// Memory for texts being written that is kept from call to call.
const SCRATCH_BYTES_KEPT: usize = 1 << 20;

/// `json.marshal(x)`
pub(super) fn marshal<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value] = self::args(args)?;
    Ok(Value::string(compact(call, value)?))
}

/// JSON as Go's encoder writes it, with `<`, `>` and `&` escaped.
pub(super) fn compact<'r>(call: &mut Call<'_, 'r>, value: Value<'r>) -> Result<&'r str, Failure> {
    let scratch = &mut call.caches.scratch;
    scratch.clear();
    let written = json::write(scratch, value, Escape::Html).map_err(|why| match why {
        Unprintable::NoText => Failure::BUILTIN,
        Unprintable::TooLong => EvalErrorKind::ArenaExhausted.into(),
        Unprintable::TooDeep => EvalErrorKind::DepthExceeded.into(),
    });
    let text = std::str::from_utf8(scratch).map_err(|_| Failure::BUILTIN);
    let text = written.and(text).and_then(|text| Ok(call.arena.text(text)?));
    scratch.clear();
    scratch.shrink_to(SCRATCH_BYTES_KEPT);
    let text = text?;
    call.charge(text.len() / 8)?;
    Ok(text)
}

/// `json.marshal_with_options(x, {"pretty", "prefix", "indent"})`
pub(super) fn marshal_with_options<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value, options] = self::args(args)?;
    let (mut prefix, mut indent) = ("", "\t");
    let (mut pretty, mut implied) = (None, false);
    for entry in object(options)? {
        match string(entry.key)? {
            "prefix" => (prefix, implied) = (string(entry.value)?, true),
            "indent" => (indent, implied) = (string(entry.value)?, true),
            "pretty" => pretty = Some(boolean(entry.value)?),
            _ => return Err(Failure::TYPE),
        }
    }
    let compact = compact(call, value)?;
    if !pretty.unwrap_or(implied) {
        return Ok(Value::string(compact));
    }
    let mut out = Text::new(call.arena);
    out.push_str(prefix)?;
    indented(&mut out, compact, prefix, indent)?;
    call.charge(out.len() / 8)?;
    out.value()
}

/// Compact JSON with a line for each part, as Go's `json.Indent` lays it out.
fn indented(out: &mut Text<'_>, compact: &str, prefix: &str, indent: &str) -> Result<(), Failure> {
    let line = |out: &mut Text<'_>, depth: usize| {
        out.push('\n')?;
        out.push_str(prefix)?;
        (0..depth).try_for_each(|_| out.push_str(indent))
    };
    let mut depth = 0_usize;
    let (mut in_string, mut escaped) = (false, false);
    let mut chars = compact.chars().peekable();
    while let Some(c) = chars.next() {
        if in_string {
            out.push(c)?;
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        match c {
            '{' | '[' => {
                out.push(c)?;
                if let Some(end) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end)?;
                    continue;
                }
                depth += 1;
                line(out, depth)?;
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(out, depth)?;
                out.push(c)?;
            }
            ',' => {
                out.push(c)?;
                line(out, depth)?;
            }
            ':' => out.push_str(": ")?,
            _ => {
                in_string = c == '"';
                out.push(c)?;
            }
        }
    }
    Ok(())
}

/// `json.unmarshal(text)`
pub(super) fn unmarshal<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    let text = string(text)?;
    call.charge(text.len() / 8)?;
    unmarshalled(call.arena, text.as_bytes())
}

/// The document of a text. OPA reads one token behind it, to see that there is none, and takes `null` for none.
pub(super) fn unmarshalled<'r>(arena: &'r Arena, text: &'r [u8]) -> BuiltinResult<'r> {
    let (value, end) = json::parse_prefix(arena, text, Numbers::Text).map_err(failure)?;
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let behind = text.get(end..).unwrap_or_default();
    let blanks = behind.iter().take_while(|byte| is_blank(byte)).count();
    let rest = behind.get(blanks..).unwrap_or_default();
    if rest.is_empty() || rest.starts_with(b"null") {
        in_range(arena, text, value)
    } else {
        Err(Failure::BUILTIN)
    }
}

/// `json.is_valid(text)`: false for what is no string.
pub(super) fn is_valid<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    let Some(text) = text.as_str() else {
        return Ok(Value::FALSE);
    };
    call.charge(text.len() / 8)?;
    Ok(Value::bool(is_json(call.arena, text.as_bytes())?))
}

/// Whether bytes are a JSON text.
pub(super) fn is_json(arena: &Arena, text: &[u8]) -> Result<bool, Failure> {
    match json::parse(arena, text, Numbers::Text) {
        Ok(_) => Ok(true),
        Err(error) if error.kind == JsonErrorKind::Memory => Err(EvalErrorKind::ArenaExhausted.into()),
        Err(_) => Ok(false),
    }
}

/// A JSON document whose numbers keep their text; those with an exponent out of OPA's range are refused.
pub(super) fn parse<'r>(arena: &'r Arena, text: &'r [u8]) -> BuiltinResult<'r> {
    let value = json::parse(arena, text, Numbers::Text).map_err(failure)?;
    in_range(arena, text, value)
}

fn failure(error: JsonError) -> Failure {
    match error.kind {
        JsonErrorKind::Memory => Failure::Abort(EvalErrorKind::ArenaExhausted),
        _ => Failure::BUILTIN,
    }
}

/// The value of a text, if its numbers are within OPA's range.
fn in_range<'r>(arena: &'r Arena, text: &[u8], value: Value<'r>) -> BuiltinResult<'r> {
    let has_exponent = text
        .windows(2)
        .any(|pair| matches!(pair, [b'0'..=b'9', b'e' | b'E']));
    if has_exponent && !numbers_fit(arena, value)? {
        return Err(Failure::BUILTIN);
    }
    Ok(value)
}

/// Whether all numbers of a document are within range.
fn numbers_fit(arena: &Arena, value: Value<'_>) -> Result<bool, Failure> {
    let mut waiting = List::new(arena);
    waiting.push(value)?;
    while let Some(value) = waiting.pop() {
        match value.kind() {
            Kind::Number(text) if number::check(text).is_err() => return Ok(false),
            _ => waiting.extend(value.parts().unwrap_or_default())?,
        }
    }
    Ok(true)
}
