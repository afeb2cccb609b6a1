//! Base64, in both alphabets, as Go reads and writes it.

use super::bytes::{bytes_of, string_of};
use super::operand::{args, string};
use super::output::Text;
use super::{BuiltinResult, Call, Failure};
use crate::arena::{Arena, List};
use crate::value::Value;

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// `base64.encode(text)`
pub(super) fn encode<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    encoded(call, args, STANDARD, true)
}

/// `base64url.encode(text)`
pub(super) fn url_encode<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    encoded(call, args, URL, true)
}

/// `base64url.encode_no_pad(text)`
pub(super) fn url_encode_no_pad<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    encoded(call, args, URL, false)
}

/// `base64.decode(text)`
pub(super) fn decode<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    let text = string(text)?;
    call.charge(text.len() / 8)?;
    string_of(call.arena, decoded(call.arena, text.as_bytes(), STANDARD)?)
}

/// `base64url.decode(text)`: the padding may be missing.
pub(super) fn url_decode<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    string_of(call.arena, url_bytes(call, string(text)?)?)
}

/// `base64.is_valid(text)`: false for what is no string.
pub(super) fn is_valid<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    let Some(text) = text.as_str() else {
        return Ok(Value::FALSE);
    };
    call.charge(text.len() / 8)?;
    match decoded(call.arena, text.as_bytes(), STANDARD) {
        Ok(_) => Ok(Value::TRUE),
        Err(Failure::Error(_)) => Ok(Value::FALSE),
        Err(abort) => Err(abort),
    }
}

/// The bytes of a base64url text, padded or not.
pub(super) fn url_bytes<'r>(call: &mut Call<'_, 'r>, text: &str) -> Result<&'r [u8], Failure> {
    call.charge(text.len() / 8)?;
    let padding = match (text.ends_with('='), text.len() % 4) {
        (true, _) | (false, 0) => "",
        (false, 2) => "==",
        (false, 3) => "=",
        (false, _) => return Err(Failure::BUILTIN),
    };
    if padding.is_empty() {
        return decoded(call.arena, text.as_bytes(), URL);
    }
    let mut padded = Text::new(call.arena);
    padded.push_str(text)?;
    padded.push_str(padding)?;
    decoded(call.arena, padded.finish()?.as_bytes(), URL)
}

/// The bytes of a base64 text.
pub(super) fn standard_bytes<'r>(arena: &'r Arena, text: &str) -> Result<&'r [u8], Failure> {
    decoded(arena, text.as_bytes(), STANDARD)
}

/// The bytes of a text in either alphabet, padded or not: whichever it looks like.
pub(super) fn any_bytes<'r>(call: &mut Call<'_, 'r>, text: &str) -> Result<&'r [u8], Failure> {
    call.charge(text.len() / 8)?;
    let alphabet = match text.contains(['+', '/']) {
        true => STANDARD,
        false => URL,
    };
    if text.ends_with('=') {
        return decoded(call.arena, text.as_bytes(), alphabet);
    }
    let mut padded = Text::new(call.arena);
    let digits = text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')).count();
    padded.push_str(text)?;
    padded.push_str(match digits % 4 {
        2 => "==",
        3 => "=",
        _ => "",
    })?;
    decoded(call.arena, padded.finish()?.as_bytes(), alphabet)
}

/// Bytes as base64.
pub(super) fn standard_text<'r>(arena: &'r Arena, bytes: &[u8]) -> Result<&'r str, Failure> {
    let mut out = Text::new(arena);
    push_encoded(&mut out, bytes, STANDARD, true)?;
    out.finish()
}

/// Bytes as base64, for texts that no request owns.
#[must_use]
pub fn base64_text(bytes: &[u8]) -> String {
    characters(bytes, STANDARD, true).collect()
}

/// Appends bytes as base64url without padding.
pub(super) fn push_url(out: &mut Text<'_>, bytes: &[u8]) -> Result<(), Failure> {
    push_encoded(out, bytes, URL, false)
}

fn encoded<'r>(
    call: &mut Call<'_, 'r>,
    args: &[Value<'r>],
    alphabet: &[u8; 64],
    padded: bool,
) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    let text = string(text)?;
    call.charge(text.len() / 8)?;
    let mut out = Text::new(call.arena);
    push_encoded(&mut out, bytes_of(call.arena, text)?, alphabet, padded)?;
    out.value()
}

fn push_encoded(out: &mut Text<'_>, bytes: &[u8], alphabet: &[u8; 64], padded: bool) -> Result<(), Failure> {
    out.reserve(bytes.len() / 3 * 4 + 4)?;
    characters(bytes, alphabet, padded).try_for_each(|character| out.push(character))
}

/// What bytes are written as.
fn characters(bytes: &[u8], alphabet: &[u8; 64], padded: bool) -> impl Iterator<Item = char> {
    bytes.chunks(3).flat_map(move |chunk| {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        (0..4).filter_map(move |place| {
            let digit = alphabet.get((group >> (18 - 6 * place) & 63) as usize);
            match digit {
                Some(digit) if place <= chunk.len() => Some(char::from(*digit)),
                _ => padded.then_some('='),
            }
        })
    })
}

/// Groups of four with padding at the end; line breaks count for nothing.
fn decoded<'r>(arena: &'r Arena, text: &[u8], alphabet: &[u8; 64]) -> Result<&'r [u8], Failure> {
    let mut out = List::new(arena);
    out.reserve(text.len() / 4 * 3 + 3)?;
    let (mut group, mut count) = (0_u32, 0_usize);
    let mut chars = text.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n'));
    while let Some(byte) = chars.next() {
        if byte == b'=' {
            // Padding ends the text: two digits and `==`, or three and `=`.
            let closed = match count {
                2 => chars.next() == Some(b'='),
                3 => true,
                _ => false,
            };
            if !closed || chars.next().is_some() {
                return Err(Failure::BUILTIN);
            }
            group <<= 6 * (4 - count);
            for place in 0..count - 1 {
                out.push((group >> (16 - 8 * place)) as u8)?;
            }
            return Ok(out.finish());
        }
        let digit = alphabet
            .iter()
            .position(|known| *known == byte)
            .ok_or(Failure::BUILTIN)?;
        group = group << 6 | digit as u32;
        count += 1;
        if count == 4 {
            out.extend(&[(group >> 16) as u8, (group >> 8) as u8, group as u8])?;
            (group, count) = (0, 0);
        }
    }
    if count == 0 {
        Ok(out.finish())
    } else {
        Err(Failure::BUILTIN)
    }
}
