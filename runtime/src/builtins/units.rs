//! Quantities with units: `10Ki`, `1.5GB`, `100m`.

use super::operand::{args, string};
use super::strings::lower_text;
use super::{BuiltinResult, Call, Failure};
use crate::number;
use crate::value::Value;
use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{Signed, Zero};

/// Digits of an exponent beyond which OPA refuses.
const EXPONENT_DIGITS_MAX: usize = 6;
/// Places of a result with a fraction.
const PLACES: u32 = 10;

/// `units.parse(text)`: powers of 1000 and 1024, and thousandths (`m`).
pub(super) fn parse<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    let text = operand(call, text)?;
    let (amount, unit) = split(&text)?;
    let (mantissa, scale) = number::scaled(amount)?;
    // A thousandth is the 64-bit float nearest to it, as in OPA.
    let (factor, halvings) = match unit {
        "m" => (1_152_921_504_606_847_u64, 60_u32),
        _ => (factor_of_units(unit).ok_or(Failure::BUILTIN)?, 0_u32),
    };
    let ten = |power: i64| BigInt::from(10_u32).pow(u32::try_from(power).unwrap_or(0));
    let numerator = mantissa * factor * ten(scale);
    let denominator: BigInt = ten(-scale) << halvings;
    call.charge(usize::try_from(numerator.bits() + denominator.bits()).unwrap_or(usize::MAX) / 8)?;
    let (whole, rest) = numerator.div_rem(&denominator);
    if rest.is_zero() {
        return number::big_value(call.arena, &whole);
    }
    // Ten places, halves away from zero.
    let scaled = numerator.abs() * BigInt::from(10_u32).pow(PLACES) * 2_u32 + &denominator;
    let digits = (scaled / (denominator * 2_u32)).to_string();
    let digits = format!("{digits:0>width$}", width = PLACES as usize + 1);
    let (whole, fraction) = digits.split_at(digits.len() - PLACES as usize);
    let sign = if numerator.is_negative() { "-" } else { "" };
    let text = call.arena.text(&format!("{sign}{whole}.{fraction}"))?;
    Ok(number::value(text))
}

/// `units.parse_bytes(text)`: bytes; the letters' case does not count, and a fraction of a byte is cut off.
pub(super) fn parse_bytes<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    let text = lower_text(&operand(call, text)?);
    let (amount, unit) = split(&text)?;
    let factor = factor_of_bytes(unit).ok_or(Failure::BUILTIN)?;
    number::big_value(call.arena, &number::times_truncated(amount, factor)?)
}

/// The text without quotation marks; blanks are not allowed.
fn operand(call: &mut Call<'_, '_>, value: Value<'_>) -> Result<String, Failure> {
    let text = string(value)?;
    call.charge(text.len())?;
    match text.contains(' ') {
        true => Err(Failure::BUILTIN),
        false => Ok(text.replace('"', "")),
    }
}

/// The amount and the unit. An `e` belongs to the amount where a digit or a sign follows.
fn split(text: &str) -> Result<(&str, &str), Failure> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'0'..=b'9' | b'.' | b'+' | b'-' => {}
            b'e' | b'E' => {
                match bytes.get(at + 1) {
                    Some(b'+' | b'-') => at += 1,
                    Some(b'0'..=b'9') => {}
                    _ => break,
                }
                let digits = bytes.get(at + 1..).unwrap_or_default();
                if digits.iter().take_while(|b| b.is_ascii_digit()).count() > EXPONENT_DIGITS_MAX {
                    return Err(Failure::BUILTIN);
                }
            }
            _ => break,
        }
        at += 1;
    }
    match text.split_at_checked(at) {
        Some(("", _)) | None => Err(Failure::BUILTIN),
        Some(parts) => Ok(parts),
    }
}

/// Only the first letter's case tells units apart.
fn factor_of_units(unit: &str) -> Option<u64> {
    let mut chars = unit.chars();
    let Some(first) = chars.next() else {
        return Some(1);
    };
    let kilo = match first {
        'k' | 'K' => 1,
        'M' | 'm' => 2,
        'g' | 'G' => 3,
        't' | 'T' => 4,
        'p' | 'P' => 5,
        'e' | 'E' => 6,
        _ => return None,
    };
    match lower_text(chars.as_str()).as_str() {
        // A small `m` alone is a thousandth.
        "" if first != 'm' => Some(1000_u64.pow(kilo)),
        "i" => Some(1024_u64.pow(kilo)),
        _ => None,
    }
}

fn factor_of_bytes(unit: &str) -> Option<u64> {
    let mut chars = unit.chars();
    let Some(first) = chars.next() else {
        return Some(1);
    };
    let kilo = "kmgtpe".find(first)? as u32 + 1;
    match chars.as_str() {
        "" | "b" => Some(1000_u64.pow(kilo)),
        "i" | "ib" => Some(1024_u64.pow(kilo)),
        _ => None,
    }
}
