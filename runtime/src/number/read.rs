//! Texts that `to_number` takes: what Go's `ParseFloat` reads within the range of a 64-bit float.

use super::text::{check, to_f64, value};
use crate::arena::Arena;
use crate::builtins::{BuiltinResult, Failure};
use crate::value::Value;
use num_bigint::BigUint;
use num_traits::{ToPrimitive, Zero};

/// Binary exponents of hexadecimal texts beyond this are no 64-bit floats, or vanish in them.
const HEX_EXPONENT_MAX: i64 = 5_000;
/// Digits that every `i64` has room for.
const PLAIN_DIGITS_MAX: usize = 18;
/// Longest hexadecimal text; a 64-bit float has 14 digits.
const HEX_LEN_MAX: usize = 1_000;

/// The number that a text is, in its own spelling; hexadecimal ones are respelled as decimals.
pub fn of_text<'r>(arena: &'r Arena, text: &'r str) -> BuiltinResult<'r> {
    if let Some(int) = plain_integer(text) {
        return Ok(Value::int(int));
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if let Some(hex) = unsigned
        .strip_prefix("0x")
        .or_else(|| unsigned.strip_prefix("0X"))
    {
        let decimal = of_hex(hex, text.starts_with('-')).ok_or(Failure::BUILTIN)?;
        return Ok(value(arena.text(&decimal)?));
    }
    check(text).map_err(|_| Failure::BUILTIN)?;
    if to_f64(text).is_finite() {
        Ok(value(text))
    } else {
        Err(Failure::BUILTIN)
    }
}

/// What a text says that is the plain spelling of a small integer, as most are: digits without a zero in front.
fn plain_integer(text: &str) -> Option<i64> {
    let digits = text.as_bytes();
    if digits.is_empty() || digits.len() > PLAIN_DIGITS_MAX || digits.len() > 1 && text.starts_with('0') {
        return None;
    }
    digits.iter().try_fold(0, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit <= 9).then(|| value * 10 + i64::from(digit))
    })
}

/// The exact decimal text of `h.hhp±d`.
fn of_hex(text: &str, negative: bool) -> Option<String> {
    if text.len() > HEX_LEN_MAX {
        return None;
    }
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let exponent = exponent
        .strip_prefix('+')
        .unwrap_or(exponent)
        .parse::<i64>()
        .ok()?;
    // An underscore may also stand behind the prefix.
    let mantissa = mantissa.strip_prefix('_').unwrap_or(mantissa);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    if digits.starts_with('_') || digits.ends_with('_') || digits.contains("__") {
        return None;
    }
    let digits = digits.replace('_', "");
    let places = fraction.bytes().filter(|b| *b != b'_').count();
    let size = BigUint::parse_bytes(digits.as_bytes(), 16)?;
    let exponent = exponent.checked_sub(4 * i64::try_from(places).ok()?)?;
    if exponent.abs() > HEX_EXPONENT_MAX && !size.is_zero() {
        return None;
    }
    let shift = u32::try_from(exponent.unsigned_abs()).unwrap_or(0);
    let sign = if negative { "-" } else { "" };
    if exponent >= 0 {
        let whole = size << shift;
        whole.to_f64().filter(|float| float.is_finite())?;
        return Some(format!("{sign}{whole}"));
    }
    let places = shift as usize;
    let scaled = format!(
        "{:0>width$}",
        size * BigUint::from(5_u32).pow(shift),
        width = places + 1
    );
    let (whole, fraction) = scaled.split_at(scaled.len() - places);
    match fraction.trim_end_matches('0') {
        "" => Some(format!("{sign}{whole}")),
        fraction => Some(format!("{sign}{whole}.{fraction}")),
    }
}
