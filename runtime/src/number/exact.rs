//! Exact decimals: order, divisibility, and the text that Go gives a rational number.

use super::big::{BITS_MAX, scaled};
use super::digits::{self, Digits};
use super::float::{Float, PRECISION};
use super::text::Decimal;
use crate::builtins::{Failure, FailureCode};
use crate::error::EvalErrorKind;
use std::cmp::Ordering;

/// Power of ten beyond which Go reads no rational number.
const POINT_MAX: u64 = 1_000_000;

/// Powers of ten that fit the fast path of [`is_multiple`].
const SMALL_SHIFT_MAX: u32 = 18;

/// Order of two numbers by their exact values. Error for a text that is no rational number for Go.
pub(crate) fn compare_exactly(a: &str, b: &str) -> Result<Ordering, Failure> {
    Ok(super::order::compare_exact(&rational(a)?, &rational(b)?))
}

/// Whether a number is a rational number for Go that has no fraction.
pub(crate) fn is_whole(text: &str) -> bool {
    rational(text).is_ok_and(|decimal| decimal.is_integer())
}

/// Whether `text` is a whole number of times `of`, which is not zero. `pay` is asked for the steps of a long division.
pub(crate) fn is_multiple(
    text: &str,
    of: &str,
    pay: impl FnOnce(usize) -> Result<(), Failure>,
) -> Result<bool, Failure> {
    let (number, unit) = (rational(text)?, rational(of)?);
    if number.is_zero() {
        return Ok(true);
    }
    let shift = number.scale() - unit.scale();
    if let (Some(mantissa), Some(divisor), Ok(shift_by)) = (
        number.small_mantissa(),
        unit.small_mantissa(),
        u32::try_from(shift.unsigned_abs()),
    ) && shift_by <= SMALL_SHIFT_MAX
    {
        let power = 10_u128.pow(shift_by);
        let (mantissa, divisor) = (u128::from(mantissa), u128::from(divisor));
        return Ok(if shift >= 0 {
            divisor != 0 && (mantissa * power) % divisor == 0
        } else {
            divisor != 0 && mantissa % (divisor * power) == 0
        });
    }
    // A decimal digit is less than four bits.
    if shift.unsigned_abs() > BITS_MAX / 4 {
        return Err(Failure::Abort(EvalErrorKind::FuelExhausted));
    }
    // Some hundred digits by digits a step.
    let zeros = usize::try_from(shift.unsigned_abs()).unwrap_or(usize::MAX);
    let (digits, divisor_digits) = match shift >= 0 {
        true => (number.count.saturating_add(zeros), unit.count),
        false => (number.count, unit.count.saturating_add(zeros)),
    };
    pay(1 + digits.saturating_mul(divisor_digits + 16) / 128)?;
    let ((mantissa, _), (divisor, _)) = (scaled(text)?, scaled(of)?);
    let (mantissa, divisor) = if shift >= 0 {
        (mantissa.times_ten(shift.unsigned_abs())?, divisor)
    } else {
        (mantissa, divisor.times_ten(shift.unsigned_abs())?)
    };
    let parts = mantissa.divided(&divisor);
    Ok(parts.is_some_and(|(_, rest)| rest.is_zero()))
}

/// The number as Go prints a `big.Float` made of the rational number: exact for integers, else the fewest digits that read
/// back as a 64-bit mantissa (numbers with more digits than that have them all).
pub(crate) fn rational_text(text: &str) -> Result<String, Failure> {
    let decimal = rational(text)?;
    let mut out = Vec::new();
    if decimal.is_zero() {
        return Ok("0".to_owned());
    }
    if decimal.is_integer() || decimal.count > 19 {
        let all: Vec<u8> = decimal.digits().collect();
        digits::write(&mut out, decimal.negative, &all, decimal.point, false);
    } else {
        let float = Float::of_decimal(&decimal)?;
        let shortest = Digits::shortest(float, PRECISION);
        digits::write(&mut out, decimal.negative, shortest.get(), shortest.point, false);
    }
    String::from_utf8(out).map_err(|_| Failure::BUILTIN)
}

fn rational(text: &str) -> Result<Decimal<'_>, Failure> {
    Decimal::parse(text)
        .filter(|decimal| decimal.point.unsigned_abs() <= POINT_MAX)
        .ok_or(Failure::Error(FailureCode::Builtin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiples() {
        for (text, of, want) in [
            ("0.3", "0.1", true),
            ("0.35", "0.1", false),
            ("1e3", "8", true),
            ("-9", "4.5", true),
            ("1", "3", false),
            ("1e30", "1e-30", true),
            ("123456789012345678901234567890", "10", true),
            ("123456789012345678901234567891", "10", false),
            ("0", "7", true),
        ] {
            assert_eq!(is_multiple(text, of, |_| Ok(())), Ok(want), "{text} {of}");
        }
    }

    #[test]
    fn texts() {
        for (text, want) in [
            ("1.50", "1.5"),
            ("1000000", "1e+06"),
            ("123456", "123456"),
            ("0.00001", "1e-05"),
            ("-2.0", "-2"),
            ("0.1", "0.1"),
        ] {
            assert_eq!(rational_text(text).unwrap(), want);
        }
    }
}
