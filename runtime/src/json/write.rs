//! Values → JSON text as Go's encoder prints it: sets as arrays, keys that are no strings by their own JSON text.

use super::number::encoded;
use super::page::Page;
use super::plain::plain_prefix;
use crate::limits::NATIVE_DEPTH;
use crate::short_text::ShortText;
use crate::value::{Entry, Kind, Tag, Value};

/// Which characters beyond JSON's own are escaped, and whose spelling numbers have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// None but U+2028 and U+2029, which Go always escapes. Numbers keep their text.
    Plain,
    /// `<`, `>`, `&` too: what Go's encoder does when nobody asks it not to. Numbers keep their text.
    Html,
    /// The same characters, and numbers as Go's encoder prints 64-bit floats: what access records show of a request, whose
    /// numbers policies see in the spelling of OPA. Integers that are no float keep every digit.
    Record,
}

/// Bytes of a text. A small value may have a long text: its parts may be one and the same many times over.
const TEXT_BYTES_MAX: usize = 64 << 20;

/// Nesting of keys that are no strings. Each level doubles the escapes of the one inside.
const KEY_DEPTH_MAX: u8 = 16;

/// Why a value has no JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unprintable {
    /// A number in a spelling that JSON does not know (`.5`, `0x10`), or no value at all.
    NoText,
    /// More than we write.
    TooLong,
    /// Keys within keys within keys.
    TooDeep,
}

/// How parts are written.
#[derive(Clone, Copy)]
struct Style {
    escape: Escape,
    /// How deep keys may still be nested in keys.
    key_depth: u8,
}

/// Appends the JSON text of a value. After an error `out` holds a part of it.
pub fn write(out: &mut Vec<u8>, value: Value<'_>, escape: Escape) -> Result<(), Unprintable> {
    write_on(&mut Page::new(out), value, escape)
}

/// As [`write`], on a page.
pub(crate) fn write_on(page: &mut Page<'_>, value: Value<'_>, escape: Escape) -> Result<(), Unprintable> {
    let style = Style {
        escape,
        key_depth: KEY_DEPTH_MAX,
    };
    write_at(page, value, style, NATIVE_DEPTH)
}

/// As [`write_on`], with a key in front and a comma behind.
pub(crate) fn write_member(
    page: &mut Page<'_>,
    key: &str,
    value: Value<'_>,
    escape: Escape,
) -> Result<(), Unprintable> {
    let style = Style {
        escape,
        key_depth: KEY_DEPTH_MAX,
    };
    page.text_and(key, escape, b':');
    write_part(page, value, style, NATIVE_DEPTH)
}

/// Appends a string with its quotes.
pub fn write_string(out: &mut Vec<u8>, text: &str, escape: Escape) {
    Page::of_few(out).text(text, escape);
}

/// Appends what stands between the quotes of a string.
pub(super) fn write_escaped(out: &mut Vec<u8>, bytes: &[u8], escape: Escape) {
    let (mut copied, mut at) = (0, plain_prefix(bytes));
    while let Some(&byte) = bytes.get(at) {
        let escaped = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            0x08 => "\\b",
            0x0c => "\\f",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            b'<' if escape != Escape::Plain => "\\u003c",
            b'>' if escape != Escape::Plain => "\\u003e",
            b'&' if escape != Escape::Plain => "\\u0026",
            0..=0x1f => "\\u00",
            // U+2028 and U+2029 are E2 80 A8 and E2 80 A9.
            0xe2 if bytes.get(at + 1) == Some(&0x80) && matches!(bytes.get(at + 2), Some(0xa8 | 0xa9)) => {
                "\\u202"
            }
            // A character that stands for a byte which is no UTF-8 (`builtins/bytes.rs`): U+10FE80 to U+10FEFF.
            0xf4 if bytes.get(at + 1) == Some(&0x8f) && matches!(bytes.get(at + 2), Some(0xba | 0xbb)) => {
                "\\ufffd"
            }
            _ => "",
        };
        if escaped.is_empty() {
            at += 1 + plain_prefix(bytes.get(at + 1..).unwrap_or_default());
            continue;
        }
        out.extend_from_slice(bytes.get(copied..at).unwrap_or_default());
        out.extend_from_slice(escaped.as_bytes());
        copied = at + 1;
        match byte {
            0xe2 => {
                out.push(if bytes.get(at + 2) == Some(&0xa8) {
                    b'8'
                } else {
                    b'9'
                });
                copied = at + 3;
            }
            0xf4 => copied = at + 4,
            _ if escaped == "\\u00" => out.extend([hex_digit(byte >> 4), hex_digit(byte & 15)]),
            _ => {}
        }
        at = copied + plain_prefix(bytes.get(copied..).unwrap_or_default());
    }
    out.extend_from_slice(bytes.get(copied..).unwrap_or_default());
}

fn hex_digit(nibble: u8) -> u8 {
    match nibble {
        0..=9 => b'0' + nibble,
        _ => b'a' + (nibble - 10),
    }
}

fn write_at(page: &mut Page<'_>, value: Value<'_>, style: Style, depth: usize) -> Result<(), Unprintable> {
    if page.len() > TEXT_BYTES_MAX {
        return Err(Unprintable::TooLong);
    }
    match (value.kind(), depth.checked_sub(1)) {
        (Kind::Array(_) | Kind::Set(_) | Kind::Object(_), None) => return write_deep(page, value, style),
        (Kind::Array([]) | Kind::Set([]), _) => page.put(b"[]"),
        (Kind::Array(items) | Kind::Set(items), Some(depth)) => {
            page.put(b"[");
            for item in items {
                write_part(page, *item, style, depth)?;
            }
            page.end_with(b']');
        }
        (Kind::Object([]), _) => page.put(b"{}"),
        (Kind::Object(entries), Some(depth)) => {
            page.put(b"{");
            if has_text_keys(entries) {
                for entry in entries {
                    page.text_and(entry.key.as_str().unwrap_or_default(), style.escape, b':');
                    write_part(page, entry.value, style, depth)?;
                }
            } else {
                for (key, value) in with_text_keys(entries, style)? {
                    page.text_and(&key, style.escape, b':');
                    write_part(page, value, style, depth)?;
                }
            }
            page.end_with(b'}');
        }
        (
            Kind::Undefined | Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Number(_) | Kind::String(_),
            _,
        ) => {
            write_scalar(page, value, style)?;
        }
    }
    Ok(())
}

/// Writes a value and the comma behind it.
#[inline(always)]
fn write_part(page: &mut Page<'_>, value: Value<'_>, style: Style, depth: usize) -> Result<(), Unprintable> {
    match value.as_str() {
        Some(text) if page.len() <= TEXT_BYTES_MAX => page.text_and(text, style.escape, b','),
        _ => {
            write_at(page, value, style, depth)?;
            page.put(b",");
        }
    }
    Ok(())
}

/// Writes a scalar; `false` for a container, of which nothing is written.
fn write_scalar(page: &mut Page<'_>, value: Value<'_>, style: Style) -> Result<bool, Unprintable> {
    if page.len() > TEXT_BYTES_MAX {
        return Err(Unprintable::TooLong);
    }
    match value.kind() {
        Kind::Undefined => return Err(Unprintable::NoText),
        Kind::Null => page.put(b"null"),
        Kind::Bool(true) => page.put(b"true"),
        Kind::Bool(false) => page.put(b"false"),
        Kind::Int(int) => page.integer(int),
        Kind::Number(text) if is_json_number(text) => write_number(page, text, style.escape),
        Kind::Number(_) => return Err(Unprintable::NoText),
        Kind::String(text) => page.text(text, style.escape),
        Kind::Array(_) | Kind::Object(_) | Kind::Set(_) => return Ok(false),
    }
    Ok(true)
}

/// Appends a number, whose text is JSON's grammar.
fn write_number(page: &mut Page<'_>, text: &str, escape: Escape) {
    let encoded = (escape == Escape::Record).then(|| encoded(text)).flatten();
    let text = encoded.as_ref().map_or(text, ShortText::as_str);
    page.put_all(text.as_bytes());
}

/// What is still to be written of values nested too deeply for the machine stack.
enum Pending<'r> {
    Value(Value<'r>),
    Text(&'static str),
    Key(String),
}

/// As [`write_at`], with a list on the heap instead of the machine stack.
#[cold]
fn write_deep(page: &mut Page<'_>, value: Value<'_>, style: Style) -> Result<(), Unprintable> {
    let mut pending = vec![Pending::Value(value)];
    while let Some(next) = pending.pop() {
        let value = match next {
            Pending::Value(value) => value,
            Pending::Text(text) => {
                page.put_all(text.as_bytes());
                continue;
            }
            Pending::Key(key) => {
                page.text_and(&key, style.escape, b':');
                continue;
            }
        };
        if write_scalar(page, value, style)? {
            continue;
        }
        // What comes first is pushed last.
        if let Kind::Object(entries) = value.kind() {
            pending.push(Pending::Text("}"));
            for (at, (key, value)) in with_text_keys(entries, style)?.into_iter().enumerate().rev() {
                pending.extend([Pending::Value(value), Pending::Key(key)]);
                pending.push(Pending::Text(if at > 0 { "," } else { "{" }));
            }
            if entries.is_empty() {
                pending.push(Pending::Text("{"));
            }
        } else {
            let items = value.parts().unwrap_or_default();
            pending.push(Pending::Text("]"));
            for (at, &item) in items.iter().enumerate().rev() {
                pending.push(Pending::Value(item));
                pending.push(Pending::Text(if at > 0 { "," } else { "[" }));
            }
            if items.is_empty() {
                pending.push(Pending::Text("["));
            }
        }
    }
    Ok(())
}

/// Whether all keys are strings: they are sorted, those of one kind together.
fn has_text_keys(entries: &[Entry<'_>]) -> bool {
    let is_text = |entry: &Entry<'_>| entry.key.tag() == Tag::String;
    entries.first().is_none_or(is_text) && entries.last().is_none_or(is_text)
}

/// Keys as texts, in the order of the texts; of keys with one text the last stays.
fn with_text_keys<'r>(entries: &[Entry<'r>], style: Style) -> Result<Vec<(String, Value<'r>)>, Unprintable> {
    let key_depth = style.key_depth.checked_sub(1).ok_or(Unprintable::TooDeep)?;
    // OPA makes such a text by Go's encoder as it is, whatever is asked of the text around it.
    let inner = Style {
        escape: Escape::Html,
        key_depth,
    };
    let mut members = Vec::with_capacity(entries.len());
    for entry in entries {
        let key = match entry.key.as_str() {
            Some(text) => text.to_owned(),
            None => {
                let mut text = Vec::new();
                write_at(&mut Page::of_few(&mut text), entry.key, inner, NATIVE_DEPTH)?;
                String::from_utf8(text).map_err(|_| Unprintable::NoText)?
            }
        };
        members.push((key, entry.value));
    }
    members.sort_by(|a, b| a.0.cmp(&b.0));
    members.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        if same {
            kept.1 = later.1;
        }
        same
    });
    Ok(members)
}

/// Whether a number's text is JSON's grammar.
fn is_json_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (
            mantissa,
            Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
        ),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(digits)
}
