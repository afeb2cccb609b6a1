//! Hexadecimal texts, and the escapes of URL queries.

use super::bytes::{bytes_of, string_of};
use super::operand::{args, object, string};
use super::output::Text;
use super::{BuiltinResult, Call, Failure};
use crate::arena::{Arena, List};
use crate::json::{self, Escape};
use crate::value::{Entry, Kind, Value, object_from};

/// `hex.encode(text)`
pub(super) fn hex_encode<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    let bytes = bytes_of(call.arena, string(text)?)?;
    hex(call, bytes)
}

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hex<'r>(call: &mut Call<'_, 'r>, bytes: &[u8]) -> BuiltinResult<'r> {
    call.charge(bytes.len() / 4)?;
    let mut out = Text::new(call.arena);
    out.reserve(bytes.len() * 2)?;
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    for byte in bytes {
        out.push(digit(byte >> 4))?;
        out.push(digit(byte & 15))?;
    }
    out.value()
}

/// `hex.decode(text)`
pub(super) fn hex_decode<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    let text = string(text)?;
    call.charge(text.len() / 8)?;
    let mut out = List::new(call.arena);
    for pair in text.as_bytes().chunks(2) {
        out.push(hex_byte(pair).ok_or(Failure::BUILTIN)?)?;
    }
    string_of(call.arena, out.finish())
}

/// The byte of two hexadecimal digits.
fn hex_byte(pair: &[u8]) -> Option<u8> {
    let [high, low] = pair else { return None };
    let value = |digit: u8| char::from(digit).to_digit(16);
    u8::try_from(value(*high)? << 4 | value(*low)?).ok()
}

/// `urlquery.encode(text)`
pub(super) fn query_encode<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    let text = string(text)?;
    call.charge(text.len() / 8)?;
    let mut out = Text::new(call.arena);
    escape_query(&mut out, bytes_of(call.arena, text)?)?;
    out.value()
}

/// Letters, digits and `-_.~` stay, a blank becomes `+`, everything else `%XX`.
fn escape_query(out: &mut Text<'_>, bytes: &[u8]) -> Result<(), Failure> {
    for &byte in bytes {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte))?
            }
            b' ' => out.push('+')?,
            _ => {
                let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
                out.push('%')?;
                out.push(digit(byte >> 4).to_ascii_uppercase())?;
                out.push(digit(byte & 15).to_ascii_uppercase())?;
            }
        }
    }
    Ok(())
}

/// `urlquery.decode(text)`
pub(super) fn query_decode<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    let text = string(text)?;
    call.charge(text.len() / 8)?;
    unescape_query(call.arena, text)
}

fn unescape_query<'r>(arena: &'r Arena, text: &str) -> BuiltinResult<'r> {
    let mut out = List::new(arena);
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match first {
            b'%' => {
                let pair = rest.get(..2).ok_or(Failure::BUILTIN)?;
                out.push(hex_byte(pair).ok_or(Failure::BUILTIN)?)?;
                rest = rest.get(2..).unwrap_or_default();
            }
            b'+' => out.push(b' ')?,
            byte => out.push(*byte)?,
        }
    }
    string_of(arena, out.finish())
}

/// `urlquery.encode_object(object)`: values are strings, or arrays and sets of strings.
pub(super) fn query_encode_object<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value] = self::args(args)?;
    let mut pairs = List::new(call.arena);
    for entry in object(value)? {
        let key = match entry.key.as_str() {
            Some(key) => key,
            // Go's map has the JSON text of such a key.
            None => {
                let mut text = Vec::new();
                json::write(&mut text, entry.key, Escape::Html).map_err(|_| Failure::BUILTIN)?;
                call.arena.text(&String::from_utf8_lossy(&text))?
            }
        };
        match entry.value.kind() {
            Kind::String(text) => pairs.push((key, text))?,
            Kind::Array(items) | Kind::Set(items) => {
                for item in items {
                    pairs.push((key, string(*item)?))?;
                }
            }
            _ => return Err(Failure::TYPE),
        }
    }
    let pairs = pairs.finish();
    pairs.sort_by(|a, b| a.0.cmp(b.0));
    let mut out = Text::new(call.arena);
    for (at, (key, text)) in pairs.iter().enumerate() {
        call.charge(1 + (key.len() + text.len()) / 2)?;
        if at > 0 {
            out.push('&')?;
        }
        escape_query(&mut out, bytes_of(call.arena, key)?)?;
        out.push('=')?;
        escape_query(&mut out, bytes_of(call.arena, text)?)?;
    }
    out.value()
}

/// `urlquery.decode_object(text)`: an array of values for each name.
pub(super) fn query_decode_object<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    let text = string(text)?;
    call.charge(text.len() / 4)?;
    let mut pairs = List::new(call.arena);
    for part in text.split('&').filter(|part| !part.is_empty()) {
        if part.contains(';') {
            return Err(Failure::BUILTIN);
        }
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let (key, value) = (
            unescape_query(call.arena, key)?,
            unescape_query(call.arena, value)?,
        );
        pairs.push(Entry { key, value })?;
    }
    let pairs = pairs.finish();
    crate::value::sort_stable(
        call.arena,
        pairs,
        Entry {
            key: Value::NULL,
            value: Value::NULL,
        },
        |a, b| a.key.compare(b.key),
    )?;
    let mut entries = List::new(call.arena);
    for group in pairs.chunk_by(|a, b| a.key.equals(b.key)) {
        let values = call.arena.filled(group.len(), Value::NULL)?;
        for (place, pair) in values.iter_mut().zip(group) {
            *place = pair.value;
        }
        let key = group.first().map_or(Value::NULL, |pair| pair.key);
        entries.push(Entry {
            key,
            value: Value::array(values),
        })?;
    }
    Ok(object_from(call.arena, entries.finish())?)
}
