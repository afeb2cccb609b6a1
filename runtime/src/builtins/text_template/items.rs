//! `index`, `slice`, `len`: parts of texts, slices and maps.

use super::value::{List, Val};
use crate::arena::Arena;
use crate::builtins::Failure;
use crate::builtins::bytes::string_of;
use crate::value::{Entry, Value};

/// A member of a map. Its keys are texts, sorted.
pub(super) fn member<'r>(entries: &'r [Entry<'r>], name: &str) -> Option<Value<'r>> {
    let key = |entry: &Entry<'r>| entry.key.as_str().unwrap_or_default();
    let at = entries.binary_search_by(|entry| key(entry).as_bytes().cmp(name.as_bytes()));
    at.ok().and_then(|at| entries.get(at)).map(|entry| entry.value)
}

/// `index x 1 "a"`
pub(super) fn index<'r>(arena: &'r Arena, of: Val<'r>, indexes: &[Val<'r>]) -> Result<Val<'r>, Failure> {
    let mut item = of;
    if matches!(item, Val::Nothing | Val::Null) {
        return Err(Failure::BUILTIN);
    }
    for index in indexes {
        item = match (item, *index) {
            (Val::Map(entries), Val::Text(name)) => match member(entries, name) {
                Some(member) => Val::of(arena, member)?,
                None => Val::Null,
            },
            (Val::List(list), index) => {
                let at = position(index)?;
                if at >= list.len {
                    return Err(Failure::BUILTIN);
                }
                list.get(arena, at)?
            }
            (Val::Text(_) | Val::Number(_), index) => {
                let bytes = item.bytes(arena)?.unwrap_or_default();
                Val::Byte(*bytes.get(position(index)?).ok_or(Failure::BUILTIN)?)
            }
            _ => return Err(Failure::BUILTIN),
        };
    }
    Ok(item)
}

/// `slice x 1 2 3`
pub(super) fn slice<'r>(arena: &'r Arena, of: Val<'r>, indexes: &[Val<'r>]) -> Result<Val<'r>, Failure> {
    let bytes = of.bytes(arena)?;
    let (len, capacity) = match (bytes, of) {
        (Some(bytes), _) if indexes.len() < 3 => (bytes.len(), bytes.len()),
        (None, Val::List(list)) => (list.len, list.capacity),
        _ => return Err(Failure::BUILTIN),
    };
    let mut bounds = Vec::with_capacity(3);
    for index in indexes {
        let at = position(*index)?;
        if at > capacity {
            return Err(Failure::BUILTIN);
        }
        bounds.push(at);
    }
    let (from, to, end) = match *bounds.as_slice() {
        [] => (0, len, capacity),
        [from] => (from, len, capacity),
        [from, to] => (from, to, capacity),
        [from, to, end] => (from, to, end),
        _ => return Err(Failure::BUILTIN),
    };
    if from > to || to > end {
        return Err(Failure::BUILTIN);
    }
    let Some(bytes) = bytes else {
        let Val::List(list) = of else {
            return Err(Failure::BUILTIN);
        };
        let items = list.items.get(from.min(list.items.len())..).unwrap_or_default();
        return Ok(Val::List(List {
            items,
            len: to - from,
            capacity: end - from,
        }));
    };
    let part = string_of(arena, bytes.get(from..to).unwrap_or_default())?;
    let text = part.as_str().unwrap_or_default();
    Ok(match of {
        Val::Number(_) => Val::Number(text),
        _ => Val::Text(text),
    })
}

/// `len x`
pub(super) fn len<'r>(arena: &'r Arena, of: Val<'r>) -> Result<Val<'r>, Failure> {
    let len = match (of.bytes(arena)?, of) {
        (Some(bytes), _) => bytes.len(),
        (None, Val::List(list)) => list.len,
        (None, Val::Map(entries)) => entries.len(),
        _ => return Err(Failure::BUILTIN),
    };
    Ok(Val::Int(i64::try_from(len).unwrap_or(i64::MAX)))
}

/// An index; numbers of documents are none.
fn position(index: Val<'_>) -> Result<usize, Failure> {
    match index {
        Val::Int(int) => usize::try_from(int).map_err(|_| Failure::BUILTIN),
        Val::Byte(byte) => Ok(byte.into()),
        _ => Err(Failure::BUILTIN),
    }
}
