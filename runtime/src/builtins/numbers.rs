//! Numbers: rounding, ranges, bits, bases, chance.

use super::operand::{args, big, int, number as numeric, string};
use super::output::Text;
use super::{BuiltinResult, Call, Failure};
use crate::arena::List;
use crate::error::EvalErrorKind;
use crate::number::{self, Integer};
use crate::value::{Kind, Value};
use num_bigint::BigInt;
use sha2::{Digest, Sha256};

/// `abs(x)`
pub(super) fn abs<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value] = self::args(args)?;
    call.charge(number::price(value))?;
    number::abs(call.arena, value)
}

/// `ceil(x)`
pub(super) fn ceil<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value] = self::args(args)?;
    call.charge(number::price(value))?;
    number::ceil(call.arena, value)
}

/// `floor(x)`
pub(super) fn floor<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value] = self::args(args)?;
    call.charge(number::price(value))?;
    number::floor(call.arena, value)
}

/// `round(x)`
pub(super) fn round<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value] = self::args(args)?;
    call.charge(number::price(value))?;
    number::round(call.arena, value)
}

/// `numbers.range(a, b)`: both ends included, downwards if `b` is smaller.
pub(super) fn range<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [from, to] = self::args(args)?;
    pay(call, args)?;
    stepped(call, &big(from)?, &big(to)?, &Integer::of(1))
}

/// `numbers.range_step(a, b, step)`: an error for steps that are not positive.
pub(super) fn range_step<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [from, to, step] = self::args(args)?;
    pay(call, args)?;
    let (from, to, step) = (big(from)?, big(to)?, big(step)?);
    if step.is_negative() || step.is_zero() {
        return Err(Failure::BUILTIN);
    }
    stepped(call, &from, &to, &step)
}

fn pay(call: &mut Call<'_, '_>, args: &[Value<'_>]) -> Result<(), Failure> {
    args.iter()
        .try_for_each(|number| call.charge(number::price(*number)))
}

fn stepped<'r>(call: &mut Call<'_, 'r>, from: &Integer, to: &Integer, step: &Integer) -> BuiltinResult<'r> {
    let (rounds, _) = to.minus(from).size().divided(step).ok_or(Failure::BUILTIN)?;
    // Paid for before anything is made: the length is the caller's choice.
    let count = rounds
        .to_i64()
        .and_then(|rounds| usize::try_from(rounds).ok()?.checked_add(1));
    let count = count.ok_or(EvalErrorKind::FuelExhausted)?;
    call.charge(count)?;
    let step = match to.order(from).is_lt() {
        true => step.clone().negated(),
        false => step.clone(),
    };
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
        call.charge(item.bits() as usize / 8)?;
        items.push(item.value(call.arena)?)?;
        item = item.plus(&step);
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
    near: impl Fn(i128, i128) -> i128,
    far: impl Fn(BigInt, BigInt) -> BigInt,
) -> BuiltinResult<'r> {
    let [a, b] = self::args(args)?;
    if let (Kind::Int(a), Kind::Int(b)) = (a.kind(), b.kind()) {
        let both = i64::try_from(near(a.into(), b.into()));
        return Ok(Value::int(both.map_err(|_| Failure::BUILTIN)?));
    }
    pay(call, args)?;
    big(a)?.bitwise(&big(b)?, near, far).value(call.arena)
}

/// `bits.negate(a)`
pub(super) fn bits_negate<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value] = self::args(args)?;
    pay(call, args)?;
    // All bits the other way round.
    Integer::of(-1).minus(&big(value)?).value(call.arena)
}

/// `bits.lsh(a, n)`
pub(super) fn bits_lsh<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    pay(call, args)?;
    let (value, shift) = shift_operands(args)?;
    if value.is_zero() {
        return Ok(Value::int(0));
    }
    let shifted = value.shifted_left(shift)?.value(call.arena)?;
    call.charge(number::price(shifted))?;
    Ok(shifted)
}

/// `bits.rsh(a, n)`: rounds down.
pub(super) fn bits_rsh<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    pay(call, args)?;
    let (value, shift) = shift_operands(args)?;
    value.shifted_right(shift).value(call.arena)
}

fn shift_operands(args: &[Value<'_>]) -> Result<(Integer, u64), Failure> {
    let [value, shift] = self::args(args)?;
    let (value, shift) = (big(value)?, big(shift)?);
    if shift.is_negative() {
        return Err(Failure::TYPE);
    }
    // OPA shifts by the low 64 bits.
    Ok((value, shift.low_bits()))
}

/// `format_int(x, base)`: a fraction is cut off.
pub(super) fn format_int<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value, base] = self::args(args)?;
    let (value, base) = (numeric(value)?, numeric(base)?);
    let base = match base.as_int() {
        Some(base @ (2 | 8 | 10 | 16)) => base as u32,
        _ => return Err(Failure::TYPE),
    };
    call.charge(number::price(value))?;
    let whole = number::truncated(value)?;
    call.charge(whole.bits() as usize / 4)?;
    let mut out = Text::new(call.arena);
    if whole.is_negative() {
        out.push('-')?;
    }
    whole.write_digits(&mut out, base)?;
    out.value()
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
    let below = |rest: u128, byte: &u8| (rest << 8 | u128::from(*byte)) % u128::from(bound);
    let drawn = digest.iter().rev().fold(0, below);
    Ok(Value::int(i64::try_from(drawn).unwrap_or(0)))
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
