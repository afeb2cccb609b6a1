//! Collections while they are built: growing lists in the arena, made into sets and objects at the end.

use super::machine::Request;
use super::tree::{Tree, What};
use crate::arena::{Arena, List};
use crate::error::EvalErrorKind;
use crate::limits::BUILDERS_MAX;
use crate::value::{Entry, Value, object_from, retain_first, sort_members, sort_stable};

/// A collection that is not finished.
#[derive(Debug)]
pub(super) enum Builder<'v> {
    /// An array.
    Array(List<'v, Value<'v>>),
    /// A set, with duplicates since it last grew.
    Set(List<'v, Value<'v>>),
    /// An object.
    Object(ObjectBuilder<'v>),
    /// An object of objects.
    Tree(Tree<'v>),
}

/// An object that is not finished, with repeated keys since it last grew.
#[derive(Debug)]
pub(super) struct ObjectBuilder<'v> {
    entries: List<'v, Entry<'v>>,
    again: Again,
}

/// What a second value for a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// An unequal one is a conflict, of equal ones the first spelling stays.
    First,
    /// An unequal one is a conflict, of equal ones the last spelling stays.
    Last,
    /// It takes the place of the first.
    Replaces,
}

impl<'v> Request<'v> {
    /// Starts a builder; its handle.
    pub(super) fn start(&mut self, builder: Builder<'v>) -> Result<Value<'v>, EvalErrorKind> {
        let builders = &mut self.rare().builders;
        if builders.len() >= BUILDERS_MAX {
            return Err(EvalErrorKind::ArenaExhausted);
        }
        let handle = i64::try_from(builders.len()).unwrap_or(i64::MAX);
        builders.push(builder);
        Ok(Value::int(handle))
    }

    /// The builder of a handle. `verify` proved that handles are only used as such, so it is there.
    fn builder(&mut self, handle: Value<'v>) -> Result<&mut Builder<'v>, EvalErrorKind> {
        let builders = &mut self.rare().builders;
        builders
            .get_mut(place_of(handle))
            .ok_or(EvalErrorKind::NoSuchEntry)
    }

    /// The object of keys and values in turn. Equal keys with different values are a conflict: in OPA such an object gives
    /// the first value to who asks for the key and the last one to who reads it whole, and neither may decide here.
    pub(super) fn object_of(&self, run: &[Value<'v>]) -> Result<Value<'v>, EvalErrorKind> {
        let unset = Entry {
            key: Value::UNSET,
            value: Value::UNSET,
        };
        let entries = self.arena.filled(run.len() / 2, unset)?;
        for (entry, pair) in entries.iter_mut().zip(run.chunks_exact(2)) {
            if let [key, value] = *pair {
                *entry = Entry { key, value };
            }
        }
        let object = object_from(self.arena, entries)?;
        let is_kept = |pair: &[Value<'v>]| matches!(*pair, [key, value] if object.index(key).is_some_and(|kept| kept.equals(value)));
        let has_equal_keys = object.parts().is_some_and(|parts| parts.len() < run.len());
        if has_equal_keys && !run.chunks_exact(2).all(is_kept) {
            return Err(EvalErrorKind::ObjectConflict);
        }
        Ok(object)
    }

    /// Adds an element to an array or a member to a set.
    #[inline]
    pub(super) fn push_part(&mut self, handle: Value<'v>, value: Value<'v>) -> Result<(), EvalErrorKind> {
        let arena = self.arena;
        self.builder(handle)?.push(arena, value)
    }

    /// Adds a member to an object.
    pub(super) fn put_member(
        &mut self,
        handle: Value<'v>,
        entry: Entry<'v>,
        again: Again,
    ) -> Result<(), EvalErrorKind> {
        let arena = self.arena;
        self.builder(handle)?.put(arena, entry, again)
    }

    /// Notes one thing in a tree.
    pub(super) fn put_in_tree(
        &mut self,
        handle: Value<'v>,
        path: &[Value<'v>],
        what: What<'v>,
    ) -> Result<(), EvalErrorKind> {
        let arena = self.arena;
        let path = arena.values(path)?;
        self.builder(handle)?.tree()?.put(arena, path, what)
    }

    /// The finished value of a builder.
    pub(super) fn finish(&mut self, handle: Value<'v>) -> Result<Value<'v>, EvalErrorKind> {
        let place = place_of(handle);
        let empty = Builder::Array(List::new(self.arena));
        let builders = &mut self.rare().builders;
        let builder = if place + 1 == builders.len() {
            builders.pop()
        } else {
            builders
                .get_mut(place)
                .map(|builder| std::mem::replace(builder, empty))
        };
        builder.ok_or(EvalErrorKind::NoSuchEntry)?.finish(self.arena)
    }
}

fn place_of(handle: Value<'_>) -> usize {
    handle
        .as_int()
        .and_then(|place| usize::try_from(place).ok())
        .unwrap_or(usize::MAX)
}

impl<'v> Builder<'v> {
    pub(super) fn object(arena: &'v Arena) -> Builder<'v> {
        Builder::Object(ObjectBuilder {
            entries: List::new(arena),
            again: Again::Replaces,
        })
    }

    /// Adds an element to an array or a member to a set.
    #[inline]
    fn push(&mut self, arena: &'v Arena, value: Value<'v>) -> Result<(), EvalErrorKind> {
        match self {
            Builder::Array(items) => items.push(value),
            Builder::Set(items) => {
                if items.is_full() {
                    items.make_room(|items| sort_members(arena, items))?;
                }
                items.push(value)
            }
            Builder::Object(_) | Builder::Tree(_) => Err(EvalErrorKind::NoSuchEntry),
        }
    }

    /// Adds a member to an object.
    fn put(&mut self, arena: &'v Arena, entry: Entry<'v>, again: Again) -> Result<(), EvalErrorKind> {
        let Builder::Object(object) = self else {
            return Err(EvalErrorKind::NoSuchEntry);
        };
        object.again = again;
        if object.entries.is_full() {
            object
                .entries
                .make_room(|entries| sort_unique(arena, entries, again))?;
        }
        object.entries.push(entry)
    }

    /// The tree.
    fn tree(&mut self) -> Result<&mut Tree<'v>, EvalErrorKind> {
        match self {
            Builder::Tree(tree) => Ok(tree),
            Builder::Array(_) | Builder::Set(_) | Builder::Object(_) => Err(EvalErrorKind::NoSuchEntry),
        }
    }

    fn finish(self, arena: &'v Arena) -> Result<Value<'v>, EvalErrorKind> {
        match self {
            Builder::Array(items) => Ok(Value::array(items.finish())),
            Builder::Set(items) => crate::value::set_from(arena, items.finish()),
            Builder::Object(object) => {
                let entries = object.entries.finish();
                let kept = sort_unique(arena, entries, object.again)?;
                let entries: &'v [Entry<'v>] = entries;
                Ok(Value::object(entries.get(..kept).unwrap_or_default()))
            }
            Builder::Tree(tree) => tree.finish(arena),
        }
    }
}

/// Sorts entries by key and moves those with distinct keys to the front; their number.
fn sort_unique<'v>(
    arena: &'v Arena,
    entries: &mut [Entry<'v>],
    again: Again,
) -> Result<usize, EvalErrorKind> {
    if again == Again::Replaces {
        return crate::value::sort_entries(arena, entries);
    }
    if entries
        .windows(2)
        .all(|pair| matches!(pair, [a, b] if a.key.compare(b.key).is_lt()))
    {
        return Ok(entries.len());
    }
    let unset = Entry {
        key: Value::UNSET,
        value: Value::UNSET,
    };
    sort_stable(arena, entries, unset, |a, b| a.key.compare(b.key))?;
    let conflict = entries.windows(2).any(|pair| match pair {
        [a, b] => a.key.equals(b.key) && !a.value.equals(b.value),
        _ => false,
    });
    if conflict {
        return Err(EvalErrorKind::ObjectConflict);
    }
    if again == Again::Last {
        let mut later: Option<Entry<'v>> = None;
        for entry in entries.iter_mut().rev() {
            if let Some(later) = later.filter(|later| later.key.equals(entry.key)) {
                entry.value = later.value;
            }
            later = Some(*entry);
        }
    }
    Ok(retain_first(entries, |kept, next| kept.key.equals(next.key)))
}
