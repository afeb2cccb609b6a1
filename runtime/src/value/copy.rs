//! A value with all its parts, once more: what outlives the memory that it was made in.

use super::{Entry, Kind, Value};
use crate::arena::Arena;
use crate::error::EvalErrorKind;
use crate::limits::NATIVE_DEPTH;

impl Value<'_> {
    /// A copy of which all parts lie in the arena. Values deeper than [`NATIVE_DEPTH`] are refused.
    pub(crate) fn copied<'a>(self, arena: &'a Arena) -> Result<Value<'a>, EvalErrorKind> {
        copied(self, arena, NATIVE_DEPTH)
    }
}

/// Recursive; at most `deeper` levels.
fn copied<'a>(value: Value<'_>, arena: &'a Arena, deeper: usize) -> Result<Value<'a>, EvalErrorKind> {
    let list = |items: &[Value<'_>]| {
        let deeper = deeper.checked_sub(1).ok_or(EvalErrorKind::DepthExceeded)?;
        let copies = arena.filled(items.len(), Value::UNSET)?;
        for (copy, item) in copies.iter_mut().zip(items) {
            *copy = copied(*item, arena, deeper)?;
        }
        Ok(&*copies)
    };
    Ok(match value.kind() {
        Kind::Undefined => Value::UNSET,
        Kind::Null => Value::NULL,
        Kind::Bool(flag) => Value::bool(flag),
        Kind::Int(int) => Value::int(int),
        Kind::Number(text) => Value::number_text(arena.text(text)?),
        Kind::String(text) => Value::string(arena.text(text)?),
        Kind::Array(items) => Value::array(list(items)?),
        Kind::Set(members) => Value::set(list(members)?),
        Kind::Object(entries) => {
            let deeper = deeper.checked_sub(1).ok_or(EvalErrorKind::DepthExceeded)?;
            let unset = Entry {
                key: Value::UNSET,
                value: Value::UNSET,
            };
            let copies = arena.filled(entries.len(), unset)?;
            for (copy, entry) in copies.iter_mut().zip(entries) {
                *copy = Entry {
                    key: copied(entry.key, arena, deeper)?,
                    value: copied(entry.value, arena, deeper)?,
                };
            }
            Value::object(copies)
        }
    })
}
