//! Arrays.

use super::operand::{args, array, int};
use super::{BuiltinResult, Call};
use crate::arena::List;
use crate::value::{Kind, Value};

/// `array.concat(a, b)`
pub(super) fn concat<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [a, b] = self::args(args)?;
    let (left, right) = (array(a)?, array(b)?);
    match (left, right) {
        ([], _) => return Ok(b),
        (_, []) => return Ok(a),
        _ => {}
    }
    call.charge(left.len() + right.len())?;
    let mut all = List::new(call.arena);
    all.reserve(left.len() + right.len())?;
    all.extend(left)?;
    all.extend(right)?;
    Ok(Value::array(all.finish()))
}

/// `array.slice(items, from, to)`: bounds are pulled into the array.
pub(super) fn slice<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [items, from, to] = self::args(args)?;
    let items = array(items)?;
    let inside = |bound: i64| {
        usize::try_from(bound.max(0))
            .unwrap_or(usize::MAX)
            .min(items.len())
    };
    let (from, to) = (inside(int(from)?), inside(int(to)?));
    Ok(Value::array(items.get(from..to.max(from)).unwrap_or_default()))
}

/// `array.reverse(items)`
pub(super) fn reverse<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [items] = self::args(args)?;
    let items = array(items)?;
    call.charge(items.len())?;
    let reversed = call.arena.values_mut(items)?;
    reversed.reverse();
    Ok(Value::array(reversed))
}

/// `array.flatten(items)`: arrays among the items give way to their own items, one level deep.
pub(super) fn flatten<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [items] = self::args(args)?;
    let mut flat = List::new(call.arena);
    for item in array(items)? {
        call.charge(1)?;
        match item.kind() {
            Kind::Array(inner) => {
                call.charge(inner.len())?;
                flat.extend(inner)?;
            }
            _ => flat.push(*item)?,
        }
    }
    Ok(Value::array(flat.finish()))
}
