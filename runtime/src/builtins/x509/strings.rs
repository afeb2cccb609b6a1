//! The string types of ASN.1, as UTF-8.

use super::der::{BMP_STRING, IA5_STRING, NUMERIC_STRING, PRINTABLE_STRING, Read, T61_STRING, UTF8_STRING};
use crate::arena::Arena;
use crate::builtins::Failure;

/// The text of a string type; an error for other types, and for characters that the type does not have.
pub(super) fn decoded<'r>(arena: &'r Arena, tag: u8, content: &'r [u8]) -> Read<&'r str> {
    let fits = |fits: fn(u8) -> bool| content.iter().all(|byte| fits(*byte));
    match tag {
        // Read as Latin-1, as everybody does.
        T61_STRING => {
            let text: String = content.iter().copied().map(char::from).collect();
            Ok(arena.text(&text)?)
        }
        BMP_STRING => bmp(arena, content),
        PRINTABLE_STRING if fits(is_printable) => utf8(content),
        IA5_STRING if fits(|byte| byte.is_ascii()) => utf8(content),
        NUMERIC_STRING if fits(|byte| byte.is_ascii_digit() || byte == b' ') => utf8(content),
        UTF8_STRING => utf8(content),
        _ => Err(Failure::BUILTIN),
    }
}

/// Text of seven bits.
pub(super) fn ascii(content: &[u8]) -> Read<&str> {
    if content.is_ascii() {
        utf8(content)
    } else {
        Err(Failure::BUILTIN)
    }
}

/// Text with the replacement character for each byte that is no UTF-8, as Go's JSON has it.
pub(super) fn lossy<'r>(arena: &'r Arena, content: &'r [u8]) -> Read<&'r str> {
    if let Ok(text) = std::str::from_utf8(content) {
        return Ok(text);
    }
    let mut text = String::with_capacity(content.len());
    for chunk in content.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Ok(arena.text(&text)?)
}

fn utf8(content: &[u8]) -> Read<&str> {
    std::str::from_utf8(content).map_err(|_| Failure::BUILTIN)
}

/// Letters, digits and some signs; `*` and `&` do not belong there and are in use.
fn is_printable(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" '()*+,-./:=?&".contains(&byte)
}

/// Characters of two bytes each, without a zero at the end.
fn bmp<'r>(arena: &'r Arena, content: &[u8]) -> Read<&'r str> {
    let (units, odd) = content.as_chunks::<2>();
    if !odd.is_empty() {
        return Err(Failure::BUILTIN);
    }
    let units = units.strip_suffix(&[[0, 0]]).unwrap_or(units);
    let chars = units.iter().map(|unit| match u16::from_be_bytes(*unit) {
        0xfffe | 0xffff | 0xfdd0..=0xfdef => None,
        // Halves of characters beyond two bytes are none.
        unit => char::from_u32(u32::from(unit)),
    });
    let text: String = chars.collect::<Option<_>>().ok_or(Failure::BUILTIN)?;
    Ok(arena.text(&text)?)
}
