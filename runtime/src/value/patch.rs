//! A value with one part replaced: what `with input.a.b as v` makes. Copies only the objects along the path.

use super::{Entry, Kind, Value};
use crate::arena::Arena;
use crate::error::EvalErrorKind;

/// `base` with `value` at `path`. What is missing or no object on the way becomes an object. Recursive over the path,
/// whose length the verifier bounds.
pub fn replace_at<'r>(
    arena: &'r Arena,
    base: Option<Value<'r>>,
    path: &[Value<'r>],
    value: Value<'r>,
) -> Result<Value<'r>, EvalErrorKind> {
    let Some((&key, rest)) = path.split_first() else {
        return Ok(value);
    };
    let entries = match base.map(Value::kind) {
        Some(Kind::Object(entries)) => entries,
        _ => &[],
    };
    let place = entries.binary_search_by(|entry| entry.key.compare(key));
    let old = place.ok().and_then(|at| entries.get(at)).map(|entry| entry.value);
    let new = Entry {
        key,
        value: replace_at(arena, old, rest, value)?,
    };
    let (before, after) = match place {
        Ok(at) => (entries.get(..at), entries.get(at + 1..)),
        Err(at) => (entries.get(..at), entries.get(at..)),
    };
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
    let copy = arena.filled(before.len() + 1 + after.len(), new)?;
    for (slot, &entry) in copy.iter_mut().zip(before) {
        *slot = entry;
    }
    for (slot, &entry) in copy.iter_mut().rev().zip(after.iter().rev()) {
        *slot = entry;
    }
    Ok(Value::object(copy))
}
