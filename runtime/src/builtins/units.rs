//! Quantities with units: `10Ki`, `1.5GB`, `100m`.

use super::operand::{args, string};
use super::output::Text;
use super::strings::lower_text;
use super::{BuiltinResult, Call, Failure};
use crate::number::{self, Integer};
use crate::value::Value;
use std::borrow::Cow;

/// Digits of an exponent beyond which OPA refuses.
const EXPONENT_DIGITS_MAX: usize = 6;
/// Places of a result with a fraction.
const PLACES: u32 = 10;
/// A thousandth, as a numerator over a power of two: the 64-bit float nearest to it, as in OPA.
const THOUSANDTH: (u64, u64) = (1_152_921_504_606_847, 60);

/// `units.parse(text)`: powers of 1000 and 1024, and thousandths (`m`).
pub(super) fn parse<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    let text = operand(call, text)?;
    let (amount, unit) = split(&text)?;
    if let Some(value) = small(call, amount, unit)? {
        return Ok(value);
    }
    let (mantissa, scale) = number::scaled(amount)?;
    let (factor, halvings) = match unit {
        "m" => THOUSANDTH,
        _ => (factor_of_units(unit).ok_or(Failure::BUILTIN)?, 0),
    };
    let up = |power: i64| u64::try_from(power).unwrap_or(0);
    let numerator = mantissa
        .times(&Integer::of(factor.into()))?
        .times_ten(up(scale))?;
    let denominator = Integer::of(1).times_ten(up(-scale))?.shifted_left(halvings)?;
    call.charge((numerator.bits() + denominator.bits()) as usize / 8)?;
    let (whole, rest) = numerator.divided(&denominator).ok_or(Failure::BUILTIN)?;
    if rest.is_zero() {
        return whole.value(call.arena);
    }
    // Ten places, halves away from zero.
    let is_negative = numerator.is_negative();
    let doubled = numerator.size().times_ten(PLACES.into())?.shifted_left(1)?;
    let scaled = doubled.plus(&denominator).divided(&denominator.shifted_left(1)?);
    let (scaled, _) = scaled.ok_or(Failure::BUILTIN)?;
    let places = Integer::of(1).times_ten(PLACES.into())?;
    let (whole, fraction) = scaled.divided(&places).ok_or(Failure::BUILTIN)?;
    let mut text = Text::new(call.arena);
    if is_negative {
        text.push('-')?;
    }
    whole.write_digits(&mut text, 10)?;
    text.format(format_args!(
        ".{:0width$}",
        fraction.low_bits(),
        width = PLACES as usize
    ))?;
    Ok(number::value(text.finish()?))
}

/// `units.parse_bytes(text)`: bytes; the letters' case does not count, and a fraction of a byte is cut off.
pub(super) fn parse_bytes<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    let text = operand(call, text)?;
    with_lower(&text, |text| {
        let (amount, unit) = split(text)?;
        let factor = factor_of_bytes(unit).ok_or(Failure::BUILTIN)?;
        let plain = amount
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| amount.parse::<i64>().ok())
            .flatten();
        if let Some(bytes) = plain.and_then(|amount| amount.checked_mul(i64::try_from(factor).ok()?)) {
            return Ok(Value::int(bytes));
        }
        number::times_truncated(amount, factor)?.value(call.arena)
    })
}

/// [`parse`] of amounts that stay within 128 bits: the ordinary ones, without the allocator.
fn small<'r>(call: &Call<'_, 'r>, amount: &str, unit: &str) -> Result<Option<Value<'r>>, Failure> {
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 15 || fraction.len() > 6 || !is_digits(whole) || !is_digits(fraction)
    {
        return Ok(None);
    }
    let (factor, halvings) = match unit {
        "m" => (THOUSANDTH.0, THOUSANDTH.1),
        _ => (factor_of_units(unit).ok_or(Failure::BUILTIN)?, 0),
    };
    let digits = |text: &str| text.bytes().fold(0_u128, |n, b| n * 10 + u128::from(b - b'0'));
    let ten = 10_u128.pow(u32::try_from(fraction.len()).unwrap_or(0));
    let numerator = (digits(whole) * ten + digits(fraction)) * u128::from(factor);
    let denominator = ten << halvings;
    if numerator % denominator == 0 {
        return Ok(i64::try_from(numerator / denominator).ok().map(Value::int));
    }
    let places = 10_u128.pow(PLACES);
    let Some(scaled) = numerator
        .checked_mul(places * 2)
        .and_then(|n| n.checked_add(denominator))
    else {
        return Ok(None);
    };
    let scaled = scaled / (denominator * 2);
    let mut text = Text::new(call.arena);
    text.format(format_args!(
        "{}.{:0width$}",
        scaled / places,
        scaled % places,
        width = PLACES as usize
    ))?;
    Ok(Some(number::value(text.finish()?)))
}

/// Calls `f` with the text in lower case.
fn with_lower<T>(text: &str, f: impl FnOnce(&str) -> T) -> T {
    let mut buffer = [0; 32];
    if text.is_ascii()
        && let Some(lower) = buffer.get_mut(..text.len())
    {
        lower.copy_from_slice(text.as_bytes());
        lower.make_ascii_lowercase();
        if let Ok(lower) = std::str::from_utf8(lower) {
            return f(lower);
        }
    }
    f(&lower_text(text))
}

/// The text without quotation marks; blanks are not allowed.
fn operand<'r>(call: &mut Call<'_, 'r>, value: Value<'r>) -> Result<Cow<'r, str>, Failure> {
    let text = string(value)?;
    call.charge(text.len())?;
    match text.contains(' ') {
        true => Err(Failure::BUILTIN),
        false if text.contains('"') => Ok(Cow::Owned(text.replace('"', ""))),
        false => Ok(Cow::Borrowed(text)),
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
    with_lower(chars.as_str(), |rest| match rest {
        // A small `m` alone is a thousandth.
        "" if first != 'm' => Some(1000_u64.pow(kilo)),
        "i" => Some(1024_u64.pow(kilo)),
        _ => None,
    })
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
