//! Set operations: merges of sorted lists.

use super::operand::{args, set};
use super::{BuiltinResult, Call, Failure};
use crate::arena::List;
use crate::value::{Value, set_from};
use std::cmp::Ordering;

/// `x & y`
pub(super) fn and<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [a, b] = self::args(args)?;
    Ok(Value::set(intersect(call, set(a)?, set(b)?)?))
}

/// `x | y`
pub(super) fn or<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [a, b] = self::args(args)?;
    let kept = merge(call, set(a)?, set(b)?, |_| true)?;
    Ok(Value::set(kept))
}

/// `set_diff`, the old name of `x - y`.
pub(super) fn diff<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [a, b] = self::args(args)?;
    difference(call, set(a)?, set(b)?)
}

/// `union`: of all members of a set of sets.
pub(super) fn union<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [sets] = self::args(args)?;
    let mut all = List::new(call.arena);
    for inner in set(sets)? {
        let members = set(*inner)?;
        call.charge(members.len())?;
        all.extend(members)?;
    }
    Ok(set_from(call.arena, all.finish())?)
}

/// `intersection`: of all members of a set of sets; empty for none.
pub(super) fn intersection<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [sets] = self::args(args)?;
    let Some((first, rest)) = set(sets)?.split_first() else {
        return Ok(Value::set(&[]));
    };
    let mut common = set(*first)?;
    for inner in rest {
        common = intersect(call, common, set(*inner)?)?;
    }
    Ok(Value::set(common))
}

/// The members of `a` that are not in `b`.
pub(super) fn difference<'r>(call: &mut Call<'_, 'r>, a: &[Value<'r>], b: &[Value<'r>]) -> BuiltinResult<'r> {
    Ok(Value::set(merge(call, a, b, |order| order.is_lt())?))
}

fn intersect<'r>(
    call: &mut Call<'_, 'r>,
    a: &[Value<'r>],
    b: &[Value<'r>],
) -> Result<&'r [Value<'r>], Failure> {
    // Of equal members the spelling of the smaller set stays.
    let (spelling, other) = if b.len() < a.len() { (b, a) } else { (a, b) };
    merge(call, spelling, other, |order| order.is_eq())
}

/// Walks both lists in order; `keep` says whether a member only of `a` (less), of both (equal), only of `b` (greater) stays.
fn merge<'r>(
    call: &mut Call<'_, 'r>,
    mut a: &[Value<'r>],
    mut b: &[Value<'r>],
    keep: impl Fn(Ordering) -> bool,
) -> Result<&'r [Value<'r>], Failure> {
    call.charge(a.len() + b.len())?;
    let mut kept = List::new(call.arena);
    loop {
        let (order, member) = match (a.first(), b.first()) {
            (Some(x), Some(y)) => match x.compare(*y) {
                Ordering::Greater => (Ordering::Greater, *y),
                order => (order, *x),
            },
            (Some(x), None) => (Ordering::Less, *x),
            (None, Some(y)) => (Ordering::Greater, *y),
            (None, None) => return Ok(kept.finish()),
        };
        if keep(order) {
            kept.push(member)?;
        }
        if order.is_le() {
            a = a.get(1..).unwrap_or_default();
        }
        if order.is_ge() {
            b = b.get(1..).unwrap_or_default();
        }
    }
}
