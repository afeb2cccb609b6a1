//! Constants of templates as Go reads them: numbers, characters, quoted texts.

use super::node::Operand;
use crate::arena::Arena;
use crate::builtins::Failure;
use crate::builtins::bytes::string_of;
use crate::error::EvalErrorKind;

/// A number. Complex numbers and floats in base 16 abort: nobody writes them, and to print them has rules of its own.
pub(super) fn number<'t>(text: &str) -> Result<Operand<'t>, Failure> {
    let unsupported = Err(Failure::Abort(EvalErrorKind::StrictBuiltin));
    if text.ends_with('i') {
        return unsupported;
    }
    let (digits, negative) = match text.strip_prefix('-') {
        Some(digits) => (digits, true),
        None => (text.strip_prefix('+').unwrap_or(text), false),
    };
    let is_hex = digits.starts_with("0x") || digits.starts_with("0X");
    if is_hex && digits.contains(['p', 'P']) {
        return unsupported;
    }
    let size = integer(digits);
    let int = size.and_then(|size| {
        let size = i128::from(size);
        i64::try_from(if negative { -size } else { size }).ok()
    });
    // Go asks for these letters in the whole text, but looks for the base only where it begins.
    let reads_as_float = text.contains(['.', 'e', 'E', 'p', 'P']) && !(is_hex && digits.len() == text.len());
    match (int, size) {
        (Some(int), _) if reads_as_float => Ok(Operand::Float(int as f64)),
        (Some(int), _) => Ok(Operand::Int(int)),
        (None, Some(_)) if !negative && text.len() == digits.len() => Ok(Operand::Huge),
        _ if is_hex => Err(Failure::BUILTIN),
        _ => float(text).map(Operand::Float).ok_or(Failure::BUILTIN),
    }
}

/// An unsigned integer in any base.
fn integer(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    let (base, digits) = match bytes {
        [b'0', b'x' | b'X', ..] => (16, text.get(2..)?),
        [b'0', b'o' | b'O', ..] => (8, text.get(2..)?),
        [b'0', b'b' | b'B', ..] => (2, text.get(2..)?),
        [b'0', _, ..] => (8, text.get(1..)?),
        _ => (10, text),
    };
    if digits.starts_with(['+', '-']) || !are_separators(text) {
        return None;
    }
    u64::from_str_radix(&digits.replace('_', ""), base).ok()
}

/// Whether underscores stand between digits only; a prefix counts as a digit.
fn are_separators(text: &str) -> bool {
    !text.starts_with('_') && !text.ends_with('_') && !text.contains("__")
}

/// A decimal float with a point or an exponent: without those it would be an integer that is too large.
fn float(text: &str) -> Option<f64> {
    let joined = |(at, _): (usize, &str)| {
        let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
        let bytes = text.as_bytes();
        digit(at.checked_sub(1).and_then(|before| bytes.get(before))) && digit(bytes.get(at + 1))
    };
    if !text.contains(['.', 'e', 'E']) || !text.match_indices('_').all(joined) {
        return None;
    }
    let value: f64 = text.replace('_', "").parse().ok()?;
    value.is_finite().then_some(value)
}

/// The code point of a character constant, with its quotes.
pub(super) fn character(text: &str) -> Result<i64, Failure> {
    let inner = text
        .get(1..text.len().saturating_sub(1))
        .ok_or(Failure::BUILTIN)?;
    let mut bytes = Vec::new();
    let mut rest = inner;
    let code = unescape(&mut rest, '\'', &mut bytes).ok_or(Failure::BUILTIN)?;
    if rest.is_empty() {
        Ok(code.into())
    } else {
        Err(Failure::BUILTIN)
    }
}

/// The text of a constant in double quotes.
pub(super) fn quoted<'r>(arena: &'r Arena, text: &str) -> Result<&'r str, Failure> {
    let inner = text
        .get(1..text.len().saturating_sub(1))
        .ok_or(Failure::BUILTIN)?;
    let mut bytes = Vec::new();
    let mut rest = inner;
    while !rest.is_empty() {
        unescape(&mut rest, '"', &mut bytes).ok_or(Failure::BUILTIN)?;
    }
    let value = string_of(arena, arena.bytes(&bytes)?)?;
    value.as_str().ok_or(Failure::BUILTIN)
}

/// The text of a constant in back quotes; Go drops carriage returns.
pub(super) fn raw(text: &str) -> String {
    text.trim_matches('`').replace('\r', "")
}

/// Takes one character or escape, appends its bytes, and gives its code.
fn unescape(rest: &mut &str, quote: char, bytes: &mut Vec<u8>) -> Option<u32> {
    let mut chars = rest.chars();
    let first = chars.next()?;
    if first == quote {
        return None;
    }
    if first != '\\' {
        *rest = chars.as_str();
        bytes.extend_from_slice(first.encode_utf8(&mut [0; 4]).as_bytes());
        return Some(first.into());
    }
    let kind = chars.next()?;
    let (digits, base) = match kind {
        'x' => (2, 16),
        'u' => (4, 16),
        'U' => (8, 16),
        '0'..='7' => (3, 8),
        _ => (0, 0),
    };
    if digits == 0 {
        let byte = match kind {
            'a' => 7,
            'b' => 8,
            'f' => 12,
            'n' => b'\n',
            'r' => b'\r',
            't' => b'\t',
            'v' => 11,
            '\\' => b'\\',
            c if c == quote => u8::try_from(c).ok()?,
            _ => return None,
        };
        *rest = chars.as_str();
        bytes.push(byte);
        return Some(byte.into());
    }
    // The digit of an octal escape is its first.
    let behind = rest.get(if base == 8 { 1 } else { 2 }..)?;
    let text = behind.get(..digits)?;
    if text.starts_with('+') {
        return None;
    }
    let code = u32::from_str_radix(text, base).ok()?;
    *rest = behind.get(digits..)?;
    if matches!(kind, 'u' | 'U') {
        let c = char::from_u32(code)?;
        bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        bytes.push(u8::try_from(code).ok()?);
    }
    Some(code)
}
