//! `walk`: all parts of a value with their paths.

use super::operand::args;
use super::{BuiltinResult, Call};
use crate::arena::List;
use crate::value::{Kind, Value};

/// `walk(x)`: an array of `[path, part]`, in the order in which the relation yields them: each value before its parts.
///
/// Not recursive: documents may be nested as deeply as the arena allows. Paths cost as much memory as they are long,
/// which is what bounds the walk over a hostile document.
pub(super) fn walk<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value] = self::args(args)?;
    let mut found = List::new(call.arena);
    let mut path: List<'r, Value<'r>> = List::new(call.arena);
    // Parts that are still to be visited, in reverse: the depth of their path, the last step, the part.
    let mut waiting = List::new(call.arena);
    waiting.push((0_usize, Value::NULL, value))?;
    while let Some((depth, step, part)) = waiting.pop() {
        if depth > 0 {
            path.truncate(depth - 1);
            path.push(step)?;
        }
        call.charge(1 + depth / 4)?;
        let steps = Value::array(call.arena.values(path.items())?);
        found.push(Value::array(call.arena.values(&[steps, part])?))?;
        match part.kind() {
            Kind::Array(items) => {
                for (at, item) in items.iter().enumerate().rev() {
                    waiting.push((depth + 1, Value::int(at as i64), *item))?;
                }
            }
            Kind::Set(members) => {
                for member in members.iter().rev() {
                    waiting.push((depth + 1, *member, *member))?;
                }
            }
            Kind::Object(entries) => {
                for entry in entries.iter().rev() {
                    waiting.push((depth + 1, entry.key, entry.value))?;
                }
            }
            _ => {}
        }
    }
    Ok(Value::array(found.finish()))
}
