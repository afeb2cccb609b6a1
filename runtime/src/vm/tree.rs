//! Objects of objects that rules with general references fill: records of what was put where, sorted and built at the end.

use crate::arena::{Arena, List};
use crate::error::EvalErrorKind;
use crate::value::{Entry, Kind, Value, retain_first, set_from, sort_stable};
use std::cmp::Ordering;

/// Nesting of the result up to which values are merged. Paths are far shorter; only base documents can be as deep.
const MERGE_DEPTH_MAX: usize = 1000;

/// A tree that is not finished.
#[derive(Debug)]
pub(super) struct Tree<'v> {
    records: List<'v, Record<'v>>,
    turns: usize,
}

/// One thing that was put somewhere.
#[derive(Clone, Copy, Debug)]
struct Record<'v> {
    path: &'v [Value<'v>],
    what: What<'v>,
    /// How many were put before it.
    turn: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum What<'v> {
    /// A value.
    Put(Value<'v>),
    /// A member of a set.
    Add(Value<'v>),
    /// A set, perhaps empty.
    Set,
    /// An object whose members yield to those of the tree.
    Merge(Value<'v>),
}

impl<'v> Tree<'v> {
    pub(super) fn new(arena: &'v Arena) -> Tree<'v> {
        Tree {
            records: List::new(arena),
            turns: 0,
        }
    }

    /// Notes one thing.
    pub(super) fn put(
        &mut self,
        arena: &'v Arena,
        path: &'v [Value<'v>],
        what: What<'v>,
    ) -> Result<(), EvalErrorKind> {
        if self.records.is_full() {
            self.records.make_room(|records| {
                sort(arena, records)?;
                Ok::<_, EvalErrorKind>(retain_first(records, |kept, next| is_repeated(kept, next)))
            })?;
        }
        let turn = self.turns;
        self.turns += 1;
        self.records.push(Record { path, what, turn })
    }

    /// The object.
    pub(super) fn finish(self, arena: &'v Arena) -> Result<Value<'v>, EvalErrorKind> {
        let records = self.records.finish();
        sort(arena, records)?;
        let records: &'v [Record<'v>] = records;
        Ok(build(arena, records, 0, List::new(arena))?.unwrap_or(Value::object(&[])))
    }
}

fn sort<'v>(arena: &'v Arena, records: &mut [Record<'v>]) -> Result<(), EvalErrorKind> {
    let filler = Record {
        path: &[],
        what: What::Set,
        turn: 0,
    };
    sort_stable(arena, records, filler, |a, b| compare_paths(a.path, b.path))
}

fn compare_paths(a: &[Value<'_>], b: &[Value<'_>]) -> Ordering {
    let unequal = a
        .iter()
        .zip(b)
        .map(|(a, b)| a.compare(*b))
        .find(|order| order.is_ne());
    unequal.unwrap_or(a.len().cmp(&b.len()))
}

/// Whether a record says nothing new after its predecessor.
fn is_repeated(kept: &Record<'_>, next: &Record<'_>) -> bool {
    let same = match (kept.what, next.what) {
        (What::Put(a), What::Put(b)) | (What::Add(a), What::Add(b)) => a.equals(b),
        (What::Set, What::Set) => true,
        (What::Put(_) | What::Add(_) | What::Set | What::Merge(_), _) => false,
    };
    same && compare_paths(kept.path, next.path).is_eq()
}

/// The value of records that share the first `depth` steps of their paths. `under`: values of merged objects at this
/// place, the strongest first. `None`: nothing is here.
fn build<'v>(
    arena: &'v Arena,
    records: &'v [Record<'v>],
    depth: usize,
    mut under: List<'v, Value<'v>>,
) -> Result<Option<Value<'v>>, EvalErrorKind> {
    if depth > MERGE_DEPTH_MAX {
        return Err(EvalErrorKind::DepthExceeded);
    }
    // Shorter paths sort first.
    let here = records.partition_point(|record| record.path.len() <= depth);
    let (here, below) = records.split_at(here);
    let mut place = Place::Empty;
    for record in here {
        place = match record.what {
            What::Put(value) => place.put(arena, value)?,
            What::Add(member) => place.add(arena, Some(member))?,
            What::Set => place.add(arena, None)?,
            What::Merge(value) => {
                under.push(value)?;
                place
            }
        };
    }
    let turns = here
        .iter()
        .filter(|record| record.is_own())
        .map(|record| record.turn);
    let (Some(first), Some(value)) = (turns.min(), place.finish(arena)?) else {
        return object(arena, below, depth, under.finish());
    };
    let mut own = below.iter().filter(|record| record.is_own());
    if own.clone().any(|record| record.turn > first) {
        // Something was put below what was complete.
        return Err(EvalErrorKind::ObjectConflict);
    }
    let is_filled_below = own.next().is_some();
    // What was put below before may be just the value that was put here then.
    if is_filled_below && !object(arena, below, depth, &[])?.is_some_and(|below| below.equals(value)) {
        return Err(EvalErrorKind::ObjectConflict);
    }
    Ok(Some(value))
}

impl Record<'_> {
    /// Whether it says what stands at its path, and not only what shows where nothing else does.
    fn is_own(&self) -> bool {
        !matches!(self.what, What::Merge(_))
    }
}

/// What was put at one path, in turn.
enum Place<'v> {
    Empty,
    Value(Value<'v>),
    /// A set; equal members may be among them.
    Members(List<'v, Value<'v>>),
}

impl<'v> Place<'v> {
    /// A value: an equal one may stand here already, a set too.
    fn put(self, arena: &'v Arena, value: Value<'v>) -> Result<Place<'v>, EvalErrorKind> {
        match self.finish(arena)? {
            Some(old) if !old.equals(value) => Err(EvalErrorKind::ObjectConflict),
            old => Ok(Place::Value(old.unwrap_or(value))),
        }
    }

    /// A member of the set that stands here; without one, an empty set unless something does.
    fn add(self, arena: &'v Arena, member: Option<Value<'v>>) -> Result<Place<'v>, EvalErrorKind> {
        let mut members = match self {
            Place::Empty => List::new(arena),
            Place::Members(members) => members,
            Place::Value(value) => match value.kind() {
                Kind::Set(old) => {
                    let mut members = List::new(arena);
                    members.extend(old)?;
                    members
                }
                _ => return Err(EvalErrorKind::ObjectConflict),
            },
        };
        if let Some(member) = member {
            members.push(member)?;
        }
        Ok(Place::Members(members))
    }

    fn finish(self, arena: &'v Arena) -> Result<Option<Value<'v>>, EvalErrorKind> {
        match self {
            Place::Empty => Ok(None),
            Place::Value(value) => Ok(Some(value)),
            Place::Members(members) => set_from(arena, members.finish()).map(Some),
        }
    }
}

/// The object of the groups of records one step deeper, with the members of the merged objects.
fn object<'v>(
    arena: &'v Arena,
    mut below: &'v [Record<'v>],
    depth: usize,
    under: &[Value<'v>],
) -> Result<Option<Value<'v>>, EvalErrorKind> {
    if below.is_empty()
        && let Some((&first, others)) = under.split_first()
        && (others.is_empty() || !matches!(first.kind(), Kind::Object(_)))
    {
        return Ok(Some(first));
    }
    if below.is_empty() && under.is_empty() {
        return Ok(None);
    }
    let mut entries = List::new(arena);
    while let Some(key) = below.first().and_then(|record| record.path.get(depth)).copied() {
        let end = below.partition_point(|record| {
            record
                .path
                .get(depth)
                .is_some_and(|step| step.compare(key).is_le())
        });
        let (group, rest) = below.split_at(end);
        below = rest;
        if let Some(value) = build(arena, group, depth + 1, members_at(arena, under, key)?)? {
            entries.push(Entry { key, value })?;
        }
    }
    for object in under {
        let Kind::Object(merged) = object.kind() else {
            continue;
        };
        for entry in merged {
            // Members that the tree or a stronger object has too were merged there; the sort below keeps the first.
            let value = match under {
                [_] => Some(entry.value),
                _ => build(arena, &[], depth + 1, members_at(arena, under, entry.key)?)?,
            };
            if let Some(value) = value {
                entries.push(Entry {
                    key: entry.key,
                    value,
                })?;
            }
        }
    }
    let entries = entries.finish();
    let unset = Entry {
        key: Value::UNSET,
        value: Value::UNSET,
    };
    sort_stable(arena, entries, unset, |a, b| a.key.compare(b.key))?;
    let kept = retain_first(entries, |kept, next| kept.key.equals(next.key));
    let entries: &'v [Entry<'v>] = entries;
    Ok(Some(Value::object(entries.get(..kept).unwrap_or_default())))
}

/// The members at a key of those values that are objects.
fn members_at<'v>(
    arena: &'v Arena,
    under: &[Value<'v>],
    key: Value<'v>,
) -> Result<List<'v, Value<'v>>, EvalErrorKind> {
    let mut members = List::new(arena);
    for value in under {
        if let Kind::Object(_) = value.kind()
            && let Some(member) = value.index(key)
        {
            members.push(member)?;
        }
    }
    Ok(members)
}
