//! Values in Rego's own syntax: what `sprintf("%v")` and template strings print.

use super::Failure;
use super::bytes::byte_of;
use super::output::Text;
use crate::arena::{Arena, List};
use crate::value::{Kind, Value, with_int_text};

/// A collection that is being printed.
#[derive(Clone, Copy)]
struct Open<'r> {
    parts: &'r [Value<'r>],
    at: usize,
    shape: Shape,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Array,
    Object,
    Set,
}

/// Appends a value; strings are quoted. Not recursive: documents may be nested as deeply as the arena allows.
pub(super) fn write<'r>(out: &mut Text<'_>, arena: &'r Arena, value: Value<'r>) -> Result<(), Failure> {
    let Some(first) = open(out, value)? else {
        return Ok(());
    };
    let mut current = first;
    let mut waiting = List::new(arena);
    loop {
        let Some(part) = current.parts.get(current.at).copied() else {
            out.push(if current.shape == Shape::Array { ']' } else { '}' })?;
            match waiting.pop() {
                Some(outer) => current = outer,
                None => return Ok(()),
            }
            continue;
        };
        if current.at > 0 {
            let is_value = current.shape == Shape::Object && current.at % 2 == 1;
            out.push_str(if is_value { ": " } else { ", " })?;
        }
        current.at += 1;
        if let Some(inner) = open(out, part)? {
            waiting.push(current)?;
            current = inner;
        }
    }
}

/// Prints a scalar, or the beginning of a collection.
fn open<'r>(out: &mut Text<'_>, value: Value<'r>) -> Result<Option<Open<'r>>, Failure> {
    let shape = match value.kind() {
        Kind::Undefined => return Ok(None),
        Kind::Null => return out.push_str("null").map(|()| None),
        Kind::Bool(value) => return out.push_str(if value { "true" } else { "false" }).map(|()| None),
        Kind::Int(int) => return with_int_text(int, |text| out.push_str(text)).map(|()| None),
        Kind::Number(text) => return out.push_str(text).map(|()| None),
        Kind::String(text) => return quote(out, text).map(|()| None),
        Kind::Set([]) => return out.push_str("set()").map(|()| None),
        Kind::Array(_) => Shape::Array,
        Kind::Object(_) => Shape::Object,
        Kind::Set(_) => Shape::Set,
    };
    out.push(if shape == Shape::Array { '[' } else { '{' })?;
    let parts = value.parts().unwrap_or_default();
    Ok(Some(Open { parts, at: 0, shape }))
}

/// Appends a text in double quotes with Go's escapes.
pub(super) fn quote(out: &mut Text<'_>, text: &str) -> Result<(), Failure> {
    out.push('"')?;
    for c in text.chars() {
        escape(out, c, '"', false)?;
    }
    out.push('"')
}

/// Appends a character, escaped where Go's `strconv.Quote` does. `ascii`: everything beyond ASCII is escaped too.
pub(super) fn escape(out: &mut Text<'_>, c: char, quote: char, ascii: bool) -> Result<(), Failure> {
    if c == quote || c == '\\' {
        out.push('\\')?;
        return out.push(c);
    }
    if let Some(byte) = byte_of(c) {
        return out.format(format_args!("\\x{byte:02x}"));
    }
    if is_printable(c) && (c.is_ascii() || !ascii) {
        return out.push(c);
    }
    match c {
        '\u{7}' => out.push_str("\\a"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{b}' => out.push_str("\\v"),
        '\0'..='\u{7f}' => out.format(format_args!("\\x{:02x}", u32::from(c))),
        '\u{80}'..='\u{ffff}' => out.format(format_args!("\\u{:04x}", u32::from(c))),
        _ => out.format(format_args!("\\U{:08x}", u32::from(c))),
    }
}

/// Go's `strconv.IsPrint`: letters, marks, numbers, punctuation, symbols and the ASCII space.
pub(super) fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    // The standard library knows what is printable; behind another character it escapes nothing else.
    let mut buffer = [0; 5];
    buffer[0] = b'x';
    let len = 1 + c.encode_utf8(&mut buffer[1..]).len();
    let text = std::str::from_utf8(buffer.get(..len).unwrap_or_default()).unwrap_or_default();
    text.escape_debug().nth(1) == Some(c)
}
