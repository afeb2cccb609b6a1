//! Exact integers of any size, and results as values.

use super::digits::{self, Digits};
use super::float::{Float, PRECISION};
use super::integer::Integer;
use super::text::{Decimal, int_of_text, value};
use crate::arena::Arena;
use crate::builtins::{BuiltinResult, Failure, FailureCode};
use crate::error::EvalErrorKind;
use crate::value::{Kind, Value};
use bumpalo::collections::Vec as BumpVec;

/// Bits of an integer result and of a float's exponent. OPA has no bound; a policy that squares a number over and over
/// pays with the whole process there, and with its own abort here.
pub(crate) const BITS_MAX: u64 = 1 << 19;

/// The exact integer of a number; `None` for one with a fraction. Type error for other values.
pub(crate) fn integer(number: Value<'_>) -> Result<Option<Integer>, Failure> {
    let text = match number.kind() {
        Kind::Int(int) => return Ok(Some(Integer::of(int.into()))),
        Kind::Number(text) => text,
        _ => return Err(Failure::Error(FailureCode::Type)),
    };
    if let Some(int) = int_of_text(text) {
        return Ok(Some(Integer::of(int.into())));
    }
    let decimal = Decimal::parse(text).ok_or(Failure::Error(FailureCode::Builtin))?;
    if !decimal.is_integer() {
        return Ok(None);
    }
    // A decimal digit is less than four bits.
    if decimal.point.unsigned_abs() > BITS_MAX / 4 {
        return Err(Failure::Abort(EvalErrorKind::FuelExhausted));
    }
    let scale = u64::try_from(decimal.scale()).unwrap_or(0);
    Ok(Some(Integer::of_digits(
        decimal.negative,
        decimal.digits(),
        scale,
    )))
}

/// The integer part of a number, towards zero; fractions go through a float, as in OPA. Type error for other values.
pub(crate) fn truncated(number: Value<'_>) -> Result<Integer, Failure> {
    if let Kind::Number(text) = number.kind()
        && (text.contains(['.', 'e', 'E']))
    {
        return whole_part(float_of(number)?);
    }
    integer(number)?.ok_or(Failure::BUILTIN)
}

/// A decimal text as `mantissa × 10^scale`, exactly.
pub(crate) fn scaled(text: &str) -> Result<(Integer, i64), Failure> {
    let decimal = Decimal::parse(text).ok_or(Failure::BUILTIN)?;
    let digits = decimal.count as u64;
    if decimal.point.unsigned_abs().max(digits) > BITS_MAX / 4 {
        return Err(Failure::Abort(EvalErrorKind::FuelExhausted));
    }
    let mantissa = Integer::of_digits(decimal.negative, decimal.digits(), 0);
    Ok((mantissa, decimal.scale()))
}

/// A decimal text times a factor, as a float, without its fraction.
pub(crate) fn times_truncated(text: &str, factor: u64) -> Result<Integer, Failure> {
    let decimal = Decimal::parse(text).ok_or(Failure::BUILTIN)?;
    let factor = Float::of_int(i64::try_from(factor).unwrap_or(i64::MAX));
    whole_part(Float::of_decimal(&decimal)?.mul(factor, PRECISION))
}

/// The integer part of a float.
fn whole_part(float: Float) -> Result<Integer, Failure> {
    let float = float.truncated();
    within_bounds(float)?;
    let size = Integer::of(float.mantissa.into());
    let shift = float.exponent.unsigned_abs();
    let size = match float.exponent >= 0 {
        true => size.shifted_left(shift)?,
        false => size.shifted_right(shift),
    };
    Ok(if float.negative { size.negated() } else { size })
}

/// A float as a value, with the fewest digits that read back as it.
pub(super) fn float_value<'r>(arena: &'r Arena, float: Float, precision: u32) -> BuiltinResult<'r> {
    // With fewer bits an integer's shortest digits may end in zeros that are not its own.
    let exact = precision == PRECISION || float.exponent <= -11;
    if let Some(int) = small_int(float).filter(|_| exact) {
        return Ok(Value::int(int));
    }
    within_bounds(float)?;
    let whole = float.is_integer();
    if float.is_zero() {
        return digits_value(arena, float.negative, &[], 0, whole);
    }
    let digits = Digits::shortest(float, precision);
    digits_value(arena, float.negative, digits.get(), digits.point, whole)
}

/// A float without a fraction as a value, with all its digits.
pub(super) fn whole_float_value<'r>(arena: &'r Arena, float: Float) -> BuiltinResult<'r> {
    if let Some(int) = small_int(float) {
        return Ok(Value::int(int));
    }
    within_bounds(float)?;
    if float.is_zero() {
        return digits_value(arena, float.negative, &[], 0, true);
    }
    let digits = Digits::exact(u128::from(float.mantissa), float.exponent);
    digits_value(arena, float.negative, digits.get(), digits.point, true)
}

fn within_bounds(float: Float) -> Result<(), Failure> {
    match float.exponent.unsigned_abs() <= BITS_MAX {
        true => Ok(()),
        false => Err(Failure::Abort(EvalErrorKind::FuelExhausted)),
    }
}

/// The float as a 64-bit integer, if it is one other than minus zero.
fn small_int(float: Float) -> Option<i64> {
    if float.is_zero() {
        return (!float.negative).then_some(0);
    }
    if !float.is_integer() || !(-63..0).contains(&float.exponent) {
        return None;
    }
    let size = i64::try_from(float.mantissa >> (-float.exponent)).ok()?;
    Some(if float.negative { -size } else { size })
}

fn digits_value<'r>(
    arena: &'r Arena,
    negative: bool,
    digits: &[u8],
    point: i64,
    whole: bool,
) -> BuiltinResult<'r> {
    let mut out = BumpVec::new_in(arena.bump());
    // Sign, point, exponent, and the zeros of the plain form.
    let zeros = if whole || (-3..=6).contains(&point) {
        point.unsigned_abs()
    } else {
        0
    };
    let room = digits.len() + usize::try_from(zeros).unwrap_or(usize::MAX).saturating_add(16);
    out.try_reserve(room)
        .map_err(|_| Failure::Abort(EvalErrorKind::ArenaExhausted))?;
    digits::write(&mut out, negative, digits, point, whole);
    let text = std::str::from_utf8(out.into_bump_slice()).unwrap_or("0");
    Ok(value(text))
}

/// A float operand. Type error for values that are no numbers.
pub(super) fn float_of(number: Value<'_>) -> Result<Float, Failure> {
    match number.kind() {
        Kind::Int(int) => Ok(Float::of_int(int)),
        Kind::Number(text) => {
            Float::of_decimal(&Decimal::parse(text).ok_or(Failure::Error(FailureCode::Builtin))?)
        }
        _ => Err(Failure::Error(FailureCode::Type)),
    }
}
