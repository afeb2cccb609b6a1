//! Loops over the members of a collection that have one value at a path: the members sorted by that value, once for each
//! collection that is asked more than once, so that a join of two collections takes about the sum of their sizes.

use super::super::machine::Request;
use super::Window;
use super::rounds::loop_over;
use crate::arena::{Arena, List};
use crate::bytecode::Inst;
use crate::error::EvalErrorKind;
use crate::value::{Entry, Kind, Tag, Value, sort_stable};

/// Up to so many members are as fast to look at one by one.
const FEW: usize = 8;

/// A collection that was asked for members.
#[derive(Clone, Copy, Debug)]
pub(in crate::vm) struct Grouped<'v> {
    over: Value<'v>,
    path: Value<'v>,
    state: State<'v>,
}

#[derive(Clone, Copy, Debug)]
enum State<'v> {
    /// Asked once: perhaps nobody asks again.
    Asked,
    /// Some value has no place in a plain order.
    Never,
    /// Its members that have a value at the path, sorted by the values.
    Sorted {
        values: &'v [Value<'v>],
        entries: &'v [Entry<'v>],
    },
}

/// A member by what it is sorted by.
#[derive(Clone, Copy, Debug)]
struct Member<'v> {
    value: Value<'v>,
    entry: Entry<'v>,
}

/// Collections that are kept; what is asked of more is looked at one by one.
const GROUPED_MAX: usize = 64;

impl<'v> Request<'v> {
    /// Starts a loop over those members of a collection that [`Request::members_where`] gives; `false`: it is none.
    #[inline(never)]
    pub(super) fn loop_find(
        &mut self,
        window: &mut Window<'_, 'v>,
        inst: &Inst,
        path: Value<'v>,
    ) -> Result<bool, EvalErrorKind> {
        let members = self.members_where(window.get(inst.b), window.get(inst.d), path)?;
        Ok(loop_over(window, inst, members))
    }

    /// Those members of a collection whose value at a path equals another one, in their order, as the entries of an object
    /// that only a loop may see; or all members.
    fn members_where(
        &mut self,
        over: Value<'v>,
        wanted: Value<'v>,
        path: Value<'v>,
    ) -> Result<Value<'v>, EvalErrorKind> {
        if over.len() <= FEW || over.parts().is_none() || !is_plain(wanted) {
            return Ok(over);
        }
        let arena = self.arena;
        let is_it = |known: &&mut Grouped<'v>| known.over.is_same(over) && known.path.is_same(path);
        let Some(known) = self.rare().grouped.iter_mut().find(is_it) else {
            let grouped = &mut self.rare().grouped;
            if grouped.len() < GROUPED_MAX {
                let state = State::Asked;
                grouped.push(Grouped { over, path, state });
            }
            return Ok(over);
        };
        if matches!(known.state, State::Asked) {
            known.state = sorted(arena, over, path)?;
            let state = known.state;
            self.charge_for(over.len())?;
            return Ok(state.members(wanted).unwrap_or(over));
        }
        Ok(known.state.members(wanted).unwrap_or(over))
    }

    /// So many steps of the budget.
    fn charge_for(&mut self, steps: usize) -> Result<(), EvalErrorKind> {
        (0..steps).try_for_each(|_| self.charge())
    }
}

impl<'v> State<'v> {
    /// The members with a value; `None`: it does not know.
    fn members(self, wanted: Value<'v>) -> Option<Value<'v>> {
        let State::Sorted { values, entries } = self else {
            return None;
        };
        let first = values.partition_point(|value| value.compare(wanted).is_lt());
        let end = values.partition_point(|value| value.compare(wanted).is_le());
        entries.get(first..end).map(Value::object)
    }
}

/// Whether a value is of a kind whose order is plain: numbers that are no integers can be equal to two that differ.
fn is_plain(value: Value<'_>) -> bool {
    matches!(value.tag(), Tag::Null | Tag::Bool | Tag::Int | Tag::String)
}

/// Sorts the members of a collection by their values at a path.
fn sorted<'v>(arena: &'v Arena, over: Value<'v>, path: Value<'v>) -> Result<State<'v>, EvalErrorKind> {
    let Kind::Array(keys) = path.kind() else {
        return Ok(State::Never);
    };
    let mut members = List::new(arena);
    members.reserve(over.len())?;
    let mut are_plain = true;
    let mut add = |key: Value<'v>, member: Value<'v>| {
        let found = keys.iter().try_fold(member, |value, key| value.index(*key));
        let Some(value) = found else { return Ok(()) };
        are_plain &= is_plain(value);
        let entry = Entry { key, value: member };
        members.push(Member { value, entry })
    };
    match over.kind() {
        Kind::Array(items) => (0..)
            .zip(items)
            .try_for_each(|(at, item)| add(Value::int(at), *item))?,
        Kind::Set(items) => items.iter().try_for_each(|item| add(*item, *item))?,
        Kind::Object(entries) => entries.iter().try_for_each(|entry| add(entry.key, entry.value))?,
        _ => {}
    }
    if !are_plain {
        return Ok(State::Never);
    }
    let members = members.finish();
    let none = Entry {
        key: Value::UNSET,
        value: Value::UNSET,
    };
    let filler = Member {
        value: Value::UNSET,
        entry: none,
    };
    // Stable, so that members of one value stay in their order.
    sort_stable(arena, members, filler, |a, b| a.value.compare(b.value))?;
    let entries = arena.filled(members.len(), none)?;
    let values = arena.filled(members.len(), Value::UNSET)?;
    for ((entry, value), member) in entries.iter_mut().zip(values.iter_mut()).zip(members.iter()) {
        (*entry, *value) = (member.entry, member.value);
    }
    Ok(State::Sorted { values, entries })
}
