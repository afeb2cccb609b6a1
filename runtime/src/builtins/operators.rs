//! Operators and keywords that are builtins underneath: arithmetic, comparison, `in`.

use super::operand::args;
use super::{BuiltinResult, Call, sets};
use crate::arena::Arena;
use crate::number;
use crate::value::{Kind, Tag, Value};

/// Does arithmetic, and pays for it: what is not of 64 bits may be of any length.
#[inline]
fn paid<'r>(
    call: &mut Call<'_, 'r>,
    a: Value<'r>,
    b: Value<'r>,
    operator: impl Fn(&'r Arena, Value<'r>, Value<'r>) -> BuiltinResult<'r>,
) -> BuiltinResult<'r> {
    if (a.tag(), b.tag()) == (Tag::Int, Tag::Int) {
        return operator(call.arena, a, b);
    }
    call.charge(number::price(a).saturating_add(number::price(b)))?;
    let result = operator(call.arena, a, b)?;
    call.charge(number::price(result))?;
    Ok(result)
}

/// `x + y`
pub(super) fn plus<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [a, b] = self::args(args)?;
    paid(call, a, b, number::add)
}

/// `x - y` of numbers or of sets.
pub(super) fn minus<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [a, b] = self::args(args)?;
    match (a.kind(), b.kind()) {
        (Kind::Set(left), Kind::Set(right)) => sets::difference(call, left, right),
        _ => paid(call, a, b, number::sub),
    }
}

/// `x * y`
pub(super) fn mul<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [a, b] = self::args(args)?;
    paid(call, a, b, number::mul)
}

/// `x / y`
pub(super) fn div<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [a, b] = self::args(args)?;
    paid(call, a, b, number::div)
}

/// `x % y`
pub(super) fn rem<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [a, b] = self::args(args)?;
    paid(call, a, b, number::rem)
}

/// `x == y`
pub(super) fn equal<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    compare(args, |order| order.is_eq())
}

/// `x != y`
pub(super) fn neq<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    compare(args, |order| order.is_ne())
}

/// `x < y`
pub(super) fn lt<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    compare(args, |order| order.is_lt())
}

/// `x <= y`
pub(super) fn lte<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    compare(args, |order| order.is_le())
}

/// `x > y`
pub(super) fn gt<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    compare(args, |order| order.is_gt())
}

/// `x >= y`
pub(super) fn gte<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    compare(args, |order| order.is_ge())
}

fn compare<'r>(args: &[Value<'r>], holds: impl Fn(std::cmp::Ordering) -> bool) -> BuiltinResult<'r> {
    let [a, b] = self::args(args)?;
    Ok(Value::bool(holds(a.compare(b))))
}

/// `x in xs`: false for what is no collection.
pub(super) fn member<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [member, collection] = self::args(args)?;
    Ok(Value::bool(collection.has_member(member)))
}

/// `k, x in xs`: whether `xs[k]` is `x`; in a set key and member must be equal.
pub(super) fn member_with_key<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [key, member, collection] = self::args(args)?;
    let found = collection.index(key);
    Ok(Value::bool(found.is_some_and(|found| found.equals(member))))
}

/// A call that the compiler erases before anything runs it.
pub(super) fn erased<'r>(_call: &mut Call<'_, 'r>, _args: &[Value<'r>]) -> BuiltinResult<'r> {
    Ok(Value::TRUE)
}
