//! Bytes that are no UTF-8, in strings that are.
//!
//! OPA's strings are byte strings: `base64.decode` of a key is one. Ours are UTF-8, so such a byte is kept as one code point
//! of the last private plane. It counts as one character, as it does in OPA; different bytes stay different strings; and
//! the functions that look at bytes (hashes, encoders) get the byte back.

use super::Failure;
use crate::arena::{Arena, List};
use crate::value::Value;
use std::borrow::Cow;

/// Code point of the byte 0x80; the 128 code points from here on are near the end of the private plane.
const FIRST: u32 = 0x10_fe80;

/// A text as it leaves the engine: a byte that is no UTF-8 becomes the replacement character, as in OPA's JSON.
#[must_use]
pub fn without_bytes(text: &str) -> Cow<'_, str> {
    match text.contains(|c| byte_of(c).is_some()) {
        false => Cow::Borrowed(text),
        true => text
            .chars()
            .map(|c| byte_of(c).map_or(c, |_| char::REPLACEMENT_CHARACTER))
            .collect(),
    }
}

/// The character that stands for a byte from 0x80 on.
pub(super) fn char_of(byte: u8) -> char {
    let code = FIRST + u32::from(byte.max(0x80)) - 0x80;
    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The byte that a character stands for.
pub(super) fn byte_of(c: char) -> Option<u8> {
    u8::try_from(u32::from(c).checked_sub(FIRST)?.checked_add(0x80)?).ok()
}

/// Bytes as a string. An error if they hold one of the code points that stand for bytes, which nobody could tell apart
/// from a byte afterwards.
pub(super) fn string_of<'r>(arena: &'r Arena, bytes: &'r [u8]) -> Result<Value<'r>, Failure> {
    let stands_for_byte = |text: &str| text.contains(|c| byte_of(c).is_some());
    if let Ok(text) = std::str::from_utf8(bytes) {
        return if stands_for_byte(text) {
            Err(Failure::BUILTIN)
        } else {
            Ok(Value::string(text))
        };
    }
    let mut out = super::output::Text::new(arena);
    for chunk in bytes.utf8_chunks() {
        if stands_for_byte(chunk.valid()) {
            return Err(Failure::BUILTIN);
        }
        out.push_str(chunk.valid())?;
        for byte in chunk.invalid() {
            out.push(char_of(*byte))?;
        }
    }
    out.value()
}

/// The bytes of a string.
pub(super) fn bytes_of<'r>(arena: &'r Arena, text: &'r str) -> Result<&'r [u8], Failure> {
    // The code points in question all begin with this byte.
    if memchr::memchr(0xf4, text.as_bytes()).is_none() || !text.contains(|c| byte_of(c).is_some()) {
        return Ok(text.as_bytes());
    }
    let mut out = List::new(arena);
    for c in text.chars() {
        match byte_of(c) {
            Some(byte) => out.push(byte)?,
            None => out.extend(c.encode_utf8(&mut [0; 4]).as_bytes())?,
        }
    }
    Ok(out.finish())
}
