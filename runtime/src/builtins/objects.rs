//! Objects.

use super::operand::{args, array, object};
use super::{BuiltinResult, Call, Failure};
use crate::arena::List;
use crate::error::EvalErrorKind;
use crate::limits::BUILTIN_DEPTH_MAX;
use crate::value::{Entry, Kind, Object, Value, set_from};
use std::cmp::Ordering;

/// `object.get(object, key, default)`; an array as key is a path.
pub(super) fn get<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value, key, default] = self::args(args)?;
    object(value)?;
    let found = match key.kind() {
        Kind::Array(path) => path.iter().try_fold(value, |inner, step| inner.index(*step)),
        _ => value.index(key),
    };
    Ok(found.unwrap_or(default))
}

/// `object.keys(object)`
pub(super) fn keys<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value] = self::args(args)?;
    let entries = object(value)?;
    call.charge(entries.len())?;
    let keys = call.arena.filled(entries.len(), Value::NULL)?;
    for (place, entry) in keys.iter_mut().zip(entries) {
        *place = entry.key;
    }
    Ok(Value::set(keys))
}

/// `object.remove(object, keys)`
pub(super) fn remove<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value, keys] = self::args(args)?;
    pick(call, object(value)?, keys, false)
}

/// `object.filter(object, keys)`
pub(super) fn filter<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value, keys] = self::args(args)?;
    pick(call, object(value)?, keys, true)
}

/// The entries whose key is (or is not) among `keys`: an array, a set, or an object whose keys count.
fn pick<'r>(
    call: &mut Call<'_, 'r>,
    entries: Object<'r>,
    keys: Value<'r>,
    listed: bool,
) -> BuiltinResult<'r> {
    let keys = match keys.kind() {
        Kind::Array(items) => {
            call.charge(items.len())?;
            set_from(call.arena, call.arena.values_mut(items)?)?
        }
        Kind::Set(_) | Kind::Object(_) => keys,
        _ => return Err(Failure::TYPE),
    };
    call.charge(entries.len())?;
    let mut kept = List::new(call.arena);
    for entry in entries {
        if keys.index(entry.key).is_some() == listed {
            kept.push(*entry)?;
        }
    }
    Ok(Value::object(kept.finish()))
}

/// Whose spelling of equal keys (`1`, `1.0`) stays.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spelling {
    Left,
    Right,
}

/// `object.union(a, b)`: values of `b` win; where both are objects they are merged.
pub(super) fn union<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [a, b] = self::args(args)?;
    united(call, a, b, Spelling::Left)
}

fn united<'r>(call: &mut Call<'_, 'r>, a: Value<'r>, b: Value<'r>, spelling: Spelling) -> BuiltinResult<'r> {
    match (object(a)?, object(b)?) {
        ([], _) => Ok(b),
        (_, []) => Ok(a),
        _ if spelling == Spelling::Left && a.equals(b) => Ok(a),
        (left, right) => merge(call, left, right, spelling, BUILTIN_DEPTH_MAX),
    }
}

/// `object.union_n(objects)`: from left to right.
pub(super) fn union_n<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [objects] = self::args(args)?;
    let objects = array(objects)?;
    for value in objects {
        object(*value)?;
    }
    let mut merged = Value::object(&[]);
    for value in objects {
        merged = united(call, merged, *value, Spelling::Right)?;
    }
    Ok(merged)
}

fn merge<'r>(
    call: &mut Call<'_, 'r>,
    mut a: Object<'r>,
    mut b: Object<'r>,
    spelling: Spelling,
    depth: usize,
) -> BuiltinResult<'r> {
    let depth = depth.checked_sub(1).ok_or(EvalErrorKind::DepthExceeded)?;
    call.charge(a.len() + b.len())?;
    let mut merged = List::new(call.arena);
    merged.reserve(a.len() + b.len())?;
    loop {
        let (order, entry) = match (a.first(), b.first()) {
            (Some(x), Some(y)) => match x.key.compare(y.key) {
                Ordering::Equal => {
                    let value = match (x.value.kind(), y.value.kind()) {
                        (Kind::Object(left), Kind::Object(right)) => {
                            merge(call, left, right, spelling, depth)?
                        }
                        _ => y.value,
                    };
                    let key = if spelling == Spelling::Left { x.key } else { y.key };
                    (Ordering::Equal, Entry { key, value })
                }
                Ordering::Less => (Ordering::Less, *x),
                Ordering::Greater => (Ordering::Greater, *y),
            },
            (Some(x), None) => (Ordering::Less, *x),
            (None, Some(y)) => (Ordering::Greater, *y),
            (None, None) => return Ok(Value::object(merged.finish())),
        };
        merged.push(entry)?;
        if order.is_le() {
            a = a.get(1..).unwrap_or_default();
        }
        if order.is_ge() {
            b = b.get(1..).unwrap_or_default();
        }
    }
}

/// `object.subset(super, sub)`: of objects (deep), sets, arrays (a run), or a set in an array.
pub(super) fn subset<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [larger, smaller] = self::args(args)?;
    let holds = match (larger.kind(), smaller.kind()) {
        (Kind::Array(items), Kind::Set(members)) => {
            call.charge(items.len())?;
            let mut unmatched = members.len();
            // As OPA counts: an item that comes twice counts twice, and the empty set is in no empty array.
            items.iter().any(|item| {
                unmatched = unmatched.saturating_sub(usize::from(smaller.has_member(*item)));
                unmatched == 0
            })
        }
        _ => nested_subset(call, larger, smaller, BUILTIN_DEPTH_MAX)?.ok_or(Failure::TYPE)?,
    };
    Ok(Value::bool(holds))
}

/// `None` when the two are not both objects, sets or arrays.
fn nested_subset<'r>(
    call: &mut Call<'_, 'r>,
    larger: Value<'r>,
    smaller: Value<'r>,
    depth: usize,
) -> Result<Option<bool>, Failure> {
    let depth = depth.checked_sub(1).ok_or(EvalErrorKind::DepthExceeded)?;
    match (larger.kind(), smaller.kind()) {
        (Kind::Object(_), Kind::Object(entries)) => {
            for entry in entries {
                call.charge(1)?;
                let Some(found) = larger.index(entry.key) else {
                    return Ok(Some(false));
                };
                let holds = found.equals(entry.value)
                    || nested_subset(call, found, entry.value, depth)?.unwrap_or(false);
                if !holds {
                    return Ok(Some(false));
                }
            }
            Ok(Some(true))
        }
        (Kind::Set(_), Kind::Set(members)) => {
            call.charge(members.len())?;
            Ok(Some(members.iter().all(|member| larger.has_member(*member))))
        }
        (Kind::Array(items), Kind::Array(run)) => array_run(call, items, run).map(Some),
        _ => Ok(None),
    }
}

fn array_run<'r>(call: &mut Call<'_, 'r>, items: &[Value<'r>], run: &[Value<'r>]) -> Result<bool, Failure> {
    if run.is_empty() {
        return Ok(true);
    }
    for window in items.windows(run.len()) {
        let same = window.iter().zip(run).take_while(|(a, b)| a.equals(**b)).count();
        call.charge(same + 1)?;
        if same == run.len() {
            return Ok(true);
        }
    }
    Ok(false)
}
