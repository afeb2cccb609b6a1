//! Numbers: rounding, ranges, bits, bases, chance.

use super::operand::{args, big, int, number as numeric, string};
use super::{BuiltinResult, Call, Failure};
use crate::arena::List;
use crate::error::EvalErrorKind;
use crate::number::{self, BITS_MAX, big_value};
use crate::value::{Kind, Value};
use num_bigint::{BigInt, Sign};
use num_traits::{One, Signed, ToPrimitive, Zero};
use sha2::{Digest, Sha256};

/// `abs(x)`
pub(super) fn abs<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value] = self::args(args)?;
    number::abs(call.arena, value)
}

/// `ceil(x)`
pub(super) fn ceil<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value] = self::args(args)?;
    number::ceil(call.arena, value)
}

/// `floor(x)`
pub(super) fn floor<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value] = self::args(args)?;
    number::floor(call.arena, value)
}

/// `round(x)`
pub(super) fn round<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value] = self::args(args)?;
    number::round(call.arena, value)
}

/// `numbers.range(a, b)`: both ends included, downwards if `b` is smaller.
pub(super) fn range<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [from, to] = self::args(args)?;
    stepped(call, &big(from)?, &big(to)?, &BigInt::one())
}

/// `numbers.range_step(a, b, step)`: an error for steps that are not positive.
pub(super) fn range_step<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [from, to, step] = self::args(args)?;
    let (from, to, step) = (big(from)?, big(to)?, big(step)?);
    if !step.is_positive() {
        return Err(Failure::BUILTIN);
    }
    stepped(call, &from, &to, &step)
}

fn stepped<'r>(call: &mut Call<'_, 'r>, from: &BigInt, to: &BigInt, step: &BigInt) -> BuiltinResult<'r> {
    let count = (to - from).abs() / step + 1_u32;
    // Paid for before anything is made: the length is the caller's choice.
    let count = count.to_usize().ok_or(EvalErrorKind::FuelExhausted)?;
    call.charge(count)?;
    let step = if to < from { -step } else { step.clone() };
    let mut items = List::new(call.arena);
    items.reserve(count)?;
    if let (Some(from), Some(step), Some(_)) = (from.to_i64(), step.to_i64(), to.to_i64()) {
        // Nothing overflows: all items lie between two 64-bit integers.
        let mut item = from;
        for _ in 0..count {
            items.push(Value::int(item))?;
            item = item.wrapping_add(step);
        }
        return Ok(Value::array(items.finish()));
    }
    let mut item = from.clone();
    for _ in 0..count {
        items.push(big_value(call.arena, &item)?)?;
        item += &step;
    }
    Ok(Value::array(items.finish()))
}

/// `bits.and(a, b)`
pub(super) fn bits_and<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    bitwise(call, args, |a, b| a & b, |a, b| a & b)
}

/// `bits.or(a, b)`
pub(super) fn bits_or<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    bitwise(call, args, |a, b| a | b, |a, b| a | b)
}

/// `bits.xor(a, b)`
pub(super) fn bits_xor<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    bitwise(call, args, |a, b| a ^ b, |a, b| a ^ b)
}

fn bitwise<'r>(
    call: &mut Call<'_, 'r>,
    args: &[Value<'r>],
    small: impl Fn(i64, i64) -> i64,
    large: impl Fn(BigInt, BigInt) -> BigInt,
) -> BuiltinResult<'r> {
    let [a, b] = self::args(args)?;
    if let (Kind::Int(a), Kind::Int(b)) = (a.kind(), b.kind()) {
        return Ok(Value::int(small(a, b)));
    }
    big_value(call.arena, &large(big(a)?, big(b)?))
}

/// `bits.negate(a)`
pub(super) fn bits_negate<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value] = self::args(args)?;
    big_value(call.arena, &!big(value)?)
}

/// `bits.lsh(a, n)`
pub(super) fn bits_lsh<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let (value, shift) = shift_operands(args)?;
    if value.is_zero() {
        return Ok(Value::int(0));
    }
    if shift > BITS_MAX {
        return Err(EvalErrorKind::FuelExhausted.into());
    }
    big_value(call.arena, &(value << shift))
}

/// `bits.rsh(a, n)`: rounds down.
pub(super) fn bits_rsh<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let (value, shift) = shift_operands(args)?;
    if shift > value.bits() {
        return Ok(Value::int(if value.is_negative() { -1 } else { 0 }));
    }
    big_value(call.arena, &(value >> shift))
}

fn shift_operands(args: &[Value<'_>]) -> Result<(BigInt, u64), Failure> {
    let [value, shift] = self::args(args)?;
    let (value, shift) = (big(value)?, big(shift)?);
    if shift.is_negative() {
        return Err(Failure::TYPE);
    }
    // OPA shifts by the low 64 bits.
    let low = shift.iter_u64_digits().next().unwrap_or(0);
    Ok((value, low))
}

/// `format_int(x, base)`: a fraction is cut off.
pub(super) fn format_int<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value, base] = self::args(args)?;
    let (value, base) = (numeric(value)?, numeric(base)?);
    let base = match base.as_int() {
        Some(base @ (2 | 8 | 10 | 16)) => base as u32,
        _ => return Err(Failure::TYPE),
    };
    let whole = number::truncated(value)?;
    let text = whole.to_str_radix(base);
    call.charge(text.len())?;
    Ok(Value::string(call.arena.text(&text)?))
}

/// `rand.intn(name, n)`: the same number for the same arguments throughout a request.
pub(super) fn rand_intn<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [name, bound] = self::args(args)?;
    let (name, bound) = (string(name)?, int(bound)?.unsigned_abs());
    if bound == 0 {
        return Ok(Value::int(0));
    }
    call.charge(name.len() / 8)?;
    let digest = seeded(call.seed, b"rand.intn", &bound.to_le_bytes(), name.as_bytes());
    let drawn = BigInt::from_bytes_le(Sign::Plus, &digest) % bound;
    Ok(Value::int(drawn.to_i64().unwrap_or(0)))
}

/// Bits that nobody can guess who does not know the request's seed.
pub(super) fn seeded(seed: u64, purpose: &[u8], salt: &[u8], name: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update([purpose.len() as u8]);
    hash.update(purpose);
    hash.update([salt.len() as u8]);
    hash.update(salt);
    hash.update(name);
    hash.finalize().into()
}
