//! `json.patch`: RFC 6902 over all Rego values, sets and keys that are no strings included.

use super::json_paths::{Path, path_of};
use super::operand::{args, array};
use super::{BuiltinResult, Call, Failure};
use crate::arena::List;
use crate::error::EvalErrorKind;
use crate::limits::BUILTIN_DEPTH_MAX;
use crate::number;
use crate::value::{Entry, Kind, Value, object_from, set_from};

/// `json.patch(document, operations)`
pub(super) fn patch<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [document, operations] = self::args(args)?;
    // `None`: the whole document was removed.
    let mut document = Some(document);
    for operation in array(operations)? {
        call.charge(1)?;
        let Kind::Object(_) = operation.kind() else {
            return Err(Failure::BUILTIN);
        };
        let attribute = |name: &str| operation.field(name).ok_or(Failure::BUILTIN);
        let path = attribute("path")?;
        let name = attribute("op")?.as_str().ok_or(Failure::BUILTIN)?;
        let path = path_of(call.arena, path)?;
        document = match name {
            "add" => Some(inserted(call, document, path, attribute("value")?)?),
            "remove" => removed(call, document, path)?,
            "replace" => {
                let rest = removed(call, document, path)?;
                Some(inserted(call, rest, path, attribute("value")?)?)
            }
            "move" => {
                let from = path_of(call.arena, attribute("from")?)?;
                let part = found(document, from)?;
                let rest = removed(call, document, from)?;
                Some(inserted(call, rest, path, part)?)
            }
            "copy" => {
                let part = found(document, path_of(call.arena, attribute("from")?)?)?;
                weigh(call, part)?;
                Some(inserted(call, document, path, part)?)
            }
            "test" => {
                let part = found(document, path)?;
                if !part.equals(attribute("value")?) {
                    return Err(Failure::BUILTIN);
                }
                document
            }
            _ => return Err(Failure::BUILTIN),
        };
    }
    Ok(document.unwrap_or(Value::UNSET))
}

/// Pays for a copy. None is made, but whoever walks the document meets its parts once more; copies of copies would double
/// the way again and again.
fn weigh<'r>(call: &mut Call<'_, 'r>, part: Value<'r>) -> Result<(), Failure> {
    let mut waiting = List::new(call.arena);
    waiting.push(part)?;
    while let Some(part) = waiting.pop() {
        call.charge(1)?;
        waiting.extend(part.parts().unwrap_or_default())?;
    }
    Ok(())
}

/// The part at a path.
fn found<'r>(document: Option<Value<'r>>, path: Path<'r>) -> BuiltinResult<'r> {
    let document = document.ok_or(Failure::BUILTIN)?;
    path.iter()
        .try_fold(document, |part, step| child(part, *step).ok_or(Failure::BUILTIN))
}

fn child<'r>(part: Value<'r>, step: Value<'r>) -> Option<Value<'r>> {
    match part.kind() {
        Kind::Array(items) => items.get(index_of(step, items.len())?).copied(),
        Kind::Object(_) | Kind::Set(_) => part.index(step),
        _ => None,
    }
}

/// A step into an array: an integer, its text without leading zeros, or `-` for the place behind the last.
fn index_of(step: Value<'_>, len: usize) -> Option<usize> {
    match step.kind() {
        Kind::String("-") => Some(len),
        Kind::String(text) if text.starts_with('0') && text != "0" => None,
        Kind::String(text) => usize::try_from(number::int(Value::number_text(text))?).ok(),
        _ => usize::try_from(number::int(step)?).ok(),
    }
}

fn inserted<'r>(
    call: &mut Call<'_, 'r>,
    document: Option<Value<'r>>,
    path: Path<'r>,
    value: Value<'r>,
) -> BuiltinResult<'r> {
    if path.is_empty() {
        return Ok(value);
    }
    edited(
        call,
        document.ok_or(Failure::BUILTIN)?,
        path,
        Change::Insert(value),
        BUILTIN_DEPTH_MAX,
    )
}

fn removed<'r>(
    call: &mut Call<'_, 'r>,
    document: Option<Value<'r>>,
    path: Path<'r>,
) -> Result<Option<Value<'r>>, Failure> {
    let document = document.ok_or(Failure::BUILTIN)?;
    if path.is_empty() {
        return Ok(None);
    }
    edited(call, document, path, Change::Remove, BUILTIN_DEPTH_MAX).map(Some)
}

/// What happens at the end of a path.
#[derive(Clone, Copy)]
enum Change<'r> {
    Insert(Value<'r>),
    Remove,
    /// The child that is already there gives way to this.
    Replace(Value<'r>),
}

/// The document with a change at a path of at least one step.
fn edited<'r>(
    call: &mut Call<'_, 'r>,
    part: Value<'r>,
    path: Path<'r>,
    change: Change<'r>,
    depth: usize,
) -> BuiltinResult<'r> {
    let depth = depth.checked_sub(1).ok_or(EvalErrorKind::DepthExceeded)?;
    match path {
        [] => Err(Failure::BUILTIN),
        [step] => changed(call, part, *step, change),
        [step, rest @ ..] => {
            let inner = child(part, *step).ok_or(Failure::BUILTIN)?;
            let inner = edited(call, inner, rest, change, depth)?;
            changed(call, part, *step, Change::Replace(inner))
        }
    }
}

fn changed<'r>(
    call: &mut Call<'_, 'r>,
    part: Value<'r>,
    step: Value<'r>,
    change: Change<'r>,
) -> BuiltinResult<'r> {
    call.charge(part.len())?;
    match part.kind() {
        Kind::Array(items) => changed_array(call, items, step, change),
        Kind::Object(entries) => {
            let exists = part.index(step).is_some();
            let mut out = List::new(call.arena);
            for entry in entries {
                if !entry.key.equals(step) {
                    out.push(*entry)?;
                }
            }
            match change {
                Change::Insert(value) | Change::Replace(value) => out.push(Entry { key: step, value })?,
                Change::Remove if exists => {}
                Change::Remove => return Err(Failure::BUILTIN),
            }
            Ok(object_from(call.arena, out.finish())?)
        }
        Kind::Set(members) => {
            let exists = part.has_member(step);
            let mut out = List::new(call.arena);
            for member in members {
                if !member.equals(step) {
                    out.push(*member)?;
                }
            }
            match change {
                // The key of a member is the member.
                Change::Insert(value) if value.equals(step) => out.push(value)?,
                Change::Replace(value) => out.push(value)?,
                Change::Remove if exists => {}
                Change::Insert(_) | Change::Remove => return Err(Failure::BUILTIN),
            }
            Ok(set_from(call.arena, out.finish())?)
        }
        _ => Err(Failure::BUILTIN),
    }
}

fn changed_array<'r>(
    call: &mut Call<'_, 'r>,
    items: &'r [Value<'r>],
    step: Value<'r>,
    change: Change<'r>,
) -> BuiltinResult<'r> {
    let at = index_of(step, items.len()).ok_or(Failure::BUILTIN)?;
    let (before, after) = items.split_at_checked(at).ok_or(Failure::BUILTIN)?;
    let mut out = List::new(call.arena);
    out.extend(before)?;
    let rest = match change {
        Change::Insert(value) => {
            out.push(value)?;
            after
        }
        Change::Replace(value) => {
            out.push(value)?;
            after.get(1..).ok_or(Failure::BUILTIN)?
        }
        Change::Remove => after.get(1..).ok_or(Failure::BUILTIN)?,
    };
    out.extend(rest)?;
    Ok(Value::array(out.finish()))
}
