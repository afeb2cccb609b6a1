//! Functions of whole collections: size, sum, extremes, order.

use super::operand::{args, list};
use super::{BuiltinResult, Call, Failure};
use crate::number;
use crate::value::{Kind, Tag, Value, sort_stable};

/// `count`: members, or code points of a string.
pub(super) fn count<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value] = self::args(args)?;
    let count = match value.kind() {
        Kind::Array(_) | Kind::Object(_) | Kind::Set(_) => value.len(),
        Kind::String(text) => {
            call.charge(text.len() / 16)?;
            text.chars().count()
        }
        _ => return Err(Failure::TYPE),
    };
    Ok(Value::int(i64::try_from(count).unwrap_or(i64::MAX)))
}

/// `sum`
pub(super) fn sum<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [members] = self::args(args)?;
    let members = list(members)?;
    pay(call, members)?;
    number::sum(call.arena, members)
}

/// `product`
pub(super) fn product<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [members] = self::args(args)?;
    let members = list(members)?;
    pay(call, members)?;
    // A product grows with each factor, and so does the work for the next.
    let far = members
        .iter()
        .filter(|member| member.tag() == Tag::Number)
        .count();
    call.charge(far.saturating_mul(far) / 4)?;
    number::product(call.arena, members)
}

fn pay<'r>(call: &mut Call<'_, 'r>, members: &[Value<'r>]) -> Result<(), Failure> {
    call.charge(members.len())?;
    members
        .iter()
        .try_for_each(|member| call.charge(number::price(*member)))
}

/// `max`: undefined for an empty collection; of equal members the last.
pub(super) fn max<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    extreme(call, args, |best, next| best.compare(next).is_le())
}

/// `min`: undefined for an empty collection; of equal members the last.
pub(super) fn min<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    extreme(call, args, |best, next| best.compare(next).is_ge())
}

fn extreme<'r>(
    call: &mut Call<'_, 'r>,
    args: &[Value<'r>],
    takes: impl Fn(Value<'r>, Value<'r>) -> bool,
) -> BuiltinResult<'r> {
    let [members] = self::args(args)?;
    let members = list(members)?;
    pay(call, members)?;
    let best = members
        .iter()
        .copied()
        .reduce(|best, next| if takes(best, next) { next } else { best });
    Ok(best.unwrap_or(Value::UNSET))
}

/// `sort`: an array in Rego's order.
pub(super) fn sort<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [members] = self::args(args)?;
    let items = list(members)?;
    pay(call, items)?;
    if let Kind::Set(sorted) = members.kind() {
        return Ok(Value::array(sorted));
    }
    let sorted = call.arena.values_mut(items)?;
    sort_stable(call.arena, sorted, Value::UNSET, |a, b| a.compare(*b))?;
    Ok(Value::array(sorted))
}

/// `all`: whether all members are `true`.
pub(super) fn all<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [members] = self::args(args)?;
    let members = list(members)?;
    call.charge(members.len())?;
    Ok(Value::bool(
        members.iter().all(|member| member.equals(Value::TRUE)),
    ))
}

/// `any`: whether a member is `true`.
pub(super) fn any<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [members] = self::args(args)?;
    let members = list(members)?;
    call.charge(members.len())?;
    Ok(Value::bool(
        members.iter().any(|member| member.equals(Value::TRUE)),
    ))
}
