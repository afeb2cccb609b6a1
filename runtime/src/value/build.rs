//! Making sets and objects: sorting and removing duplicates, in place, with scratch memory of the arena.

use super::{Entry, Value};
use crate::arena::Arena;
use crate::error::EvalErrorKind;
use std::cmp::Ordering;

/// Runs of this length are sorted by insertion before they are merged.
const RUN: usize = 16;

/// A set of the values; of equal members the first spelling stays.
pub fn set_from<'r>(arena: &'r Arena, members: &'r mut [Value<'r>]) -> Result<Value<'r>, EvalErrorKind> {
    let kept = sort_members(arena, members)?;
    let members: &'r [Value<'r>] = members;
    Ok(Value::set(members.get(..kept).unwrap_or_default()))
}

/// An object of the entries; of equal keys the first spelling stays, with the last value.
pub fn object_from<'r>(arena: &'r Arena, entries: &'r mut [Entry<'r>]) -> Result<Value<'r>, EvalErrorKind> {
    let kept = sort_entries(arena, entries)?;
    let entries: &'r [Entry<'r>] = entries;
    Ok(Value::object(entries.get(..kept).unwrap_or_default()))
}

/// Sorts members and moves the distinct ones to the front; their number. Of equal members the first stays.
pub fn sort_members<'r>(arena: &'r Arena, members: &mut [Value<'r>]) -> Result<usize, EvalErrorKind> {
    if members.len() <= RUN {
        return Ok(sort_few(members, |a, b| a.compare(*b), |_, _| {}));
    }
    if members
        .windows(2)
        .all(|pair| matches!(pair, [a, b] if a.compare(*b).is_lt()))
    {
        return Ok(members.len());
    }
    sort_stable(arena, members, Value::UNSET, |a, b| a.compare(*b))?;
    Ok(retain_first(members, |kept, next| kept.equals(*next)))
}

/// Sorts entries by key and moves those with distinct keys to the front; their number. Of equal keys the first spelling
/// stays, with the last value.
pub fn sort_entries<'r>(arena: &'r Arena, entries: &mut [Entry<'r>]) -> Result<usize, EvalErrorKind> {
    if entries.len() <= RUN {
        let replace = |kept: &mut Entry<'r>, next: Entry<'r>| kept.value = next.value;
        return Ok(sort_few(entries, |a, b| a.key.compare(b.key), replace));
    }
    if entries
        .windows(2)
        .all(|pair| matches!(pair, [a, b] if a.key.compare(b.key).is_lt()))
    {
        return Ok(entries.len());
    }
    sort_stable(
        arena,
        entries,
        Entry {
            key: Value::UNSET,
            value: Value::UNSET,
        },
        |a, b| a.key.compare(b.key),
    )?;
    Ok(retain_first(entries, |kept, next| {
        let same = kept.key.equals(next.key);
        if same {
            kept.value = next.value;
        }
        same
    }))
}

/// Sorts a short list by insertion, which for most needs one comparison an item: they come in order. `join` tells the first of
/// equal items of a later one, which is dropped. The number of those that are kept, at the front.
fn sort_few<T: Copy>(
    items: &mut [T],
    compare: impl Fn(&T, &T) -> Ordering,
    join: impl Fn(&mut T, T),
) -> usize {
    let mut kept = 0_usize;
    for next in 0..items.len() {
        let Some(&item) = items.get(next) else { break };
        let mut at = kept;
        let is_new = loop {
            let Some(before) = at.checked_sub(1).and_then(|before| items.get_mut(before)) else {
                break true;
            };
            match compare(before, &item) {
                Ordering::Less => break true,
                Ordering::Equal => {
                    join(before, item);
                    break false;
                }
                Ordering::Greater => at -= 1,
            }
        };
        if !is_new {
            continue;
        }
        if at < kept {
            items.copy_within(at..kept, at + 1);
        }
        if let Some(free) = items.get_mut(at) {
            *free = item;
        }
        kept += 1;
    }
    kept
}

/// Moves what is no duplicate of its predecessor to the front; the number of such items.
pub(crate) fn retain_first<T: Copy>(items: &mut [T], is_duplicate: impl Fn(&mut T, &T) -> bool) -> usize {
    let mut kept = 0_usize;
    for at in 0..items.len() {
        let Some(&item) = items.get(at) else { break };
        if let Some(last) = kept.checked_sub(1).and_then(|last| items.get_mut(last))
            && is_duplicate(last, &item)
        {
            continue;
        }
        if let Some(free) = items.get_mut(kept) {
            *free = item;
        }
        kept += 1;
    }
    kept
}

/// Stable merge sort with scratch memory of the arena: the sort of the standard library takes its from the heap.
/// `filler` only fills the scratch memory.
pub(crate) fn sort_stable<T: Copy>(
    arena: &Arena,
    items: &mut [T],
    filler: T,
    compare: impl Fn(&T, &T) -> Ordering,
) -> Result<(), EvalErrorKind> {
    for run in items.chunks_mut(RUN) {
        insertion_sort(run, &compare);
    }
    if items.len() <= RUN {
        return Ok(());
    }
    let scratch = arena.filled(items.len(), filler)?;
    let mut width = RUN;
    let mut in_scratch = false;
    while width < items.len() {
        let (from, to): (&[T], &mut [T]) = if in_scratch {
            (scratch, items)
        } else {
            (items, scratch)
        };
        for (pair, out) in from.chunks(2 * width).zip(to.chunks_mut(2 * width)) {
            let (left, right) = pair.split_at(width.min(pair.len()));
            merge(left, right, out, &compare);
        }
        in_scratch = !in_scratch;
        width *= 2;
    }
    if in_scratch {
        items.copy_from_slice(scratch);
    }
    Ok(())
}

fn insertion_sort<T: Copy>(run: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    for end in 1..run.len() {
        let mut at = end;
        while let Some([before, here]) = at.checked_sub(1).and_then(|before| run.get_mut(before..=at)) {
            if compare(before, here).is_le() {
                break;
            }
            std::mem::swap(before, here);
            at -= 1;
        }
    }
}

fn merge<'a, T: Copy>(
    mut left: &'a [T],
    mut right: &'a [T],
    out: &mut [T],
    compare: impl Fn(&T, &T) -> Ordering,
) {
    for slot in out {
        let take_left = match (left.first(), right.first()) {
            (Some(a), Some(b)) => compare(a, b).is_le(),
            (left, _) => left.is_some(),
        };
        let source = if take_left { &mut left } else { &mut right };
        let Some((&first, rest)) = source.split_first() else {
            return;
        };
        *slot = first;
        *source = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_sorted_stably() {
        let arena = Arena::new(1 << 10, 1 << 20);
        for len in [0_usize, 1, 2, 15, 16, 17, 31, 33, 64, 100, 257, 1000] {
            // Pairs of a key with few values and the original place.
            let mut state = 12345_u64;
            let mut items: Vec<(u64, usize)> = (0..len)
                .map(|place| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    ((state >> 33) % 37, place)
                })
                .collect();
            let mut wanted = items.clone();
            wanted.sort();
            sort_stable(&arena, &mut items, (0, 0), |a, b| a.0.cmp(&b.0)).unwrap();
            assert_eq!(items, wanted);
        }
    }

    #[test]
    fn first_member_and_last_value_stay() {
        let arena = Arena::new(1 << 10, 1 << 20);
        let one = Value::number_text("1.0");
        let members = arena.values_mut(&[Value::int(2), one, Value::int(1)]).unwrap();
        let set = set_from(&arena, members).unwrap();
        assert_eq!(format!("{set:?}"), r#"Set([Number("1.0"), Int(2)])"#);
        let entry = |key, value| Entry {
            key,
            value: Value::int(value),
        };
        let entries = arena
            .entries_mut(&[entry(Value::int(2), 5), entry(one, 6), entry(Value::int(1), 7)])
            .unwrap();
        let object = object_from(&arena, entries).unwrap();
        assert_eq!(
            format!("{object:?}"),
            r#"Object([Entry { key: Number("1.0"), value: Int(7) }, Entry { key: Int(2), value: Int(5) }])"#
        );
    }
}
