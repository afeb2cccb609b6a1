//! Merging annotations: what PORC, scopes, groups and roles say about a principal becomes one object.
//!
//! A layer is a list of annotations sorted by name. [`merge`] puts a layer of lower priority under one of higher priority,
//! key by key, by the strategy that the higher side names, else the lower one, else `deep`. Values are arena values; the
//! work is linear in the sizes but for `union`, which sorts.
//! Values of different kinds do not merge: the higher one stays. The strategies are those of the reference engine; the merged
//! annotation keeps the strategy of the higher side, so that one named low in the chain acts in one step only.

use crate::arena::Arena;
use crate::error::EvalErrorKind;
use crate::value::{Entry, Kind, Object, Value};
use borsh::{BorshDeserialize, BorshSerialize};
use bumpalo::collections::Vec as BumpVec;
use std::cmp::Ordering;

/// How an annotation meets another one of its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum Strategy {
    /// Nothing was said: the other side's strategy, else `Deep`.
    #[default]
    Unset,
    /// Arrays are joined, objects merged member by member.
    Deep,
    /// Arrays are joined, objects merged on the first level, the higher side wins.
    Append,
    /// As `Append`, but the lower side comes first and wins.
    Prepend,
    /// Arrays are united, objects merged as by `Deep`.
    Union,
    /// The higher side replaces the lower one.
    Replace,
}

impl Strategy {
    /// The strategy of a `merge:` word; an unknown word means `Deep`, none `Unset`. Case matters.
    #[must_use]
    pub fn from_word(word: &str) -> Strategy {
        match word {
            "" => Strategy::Unset,
            "append" => Strategy::Append,
            "prepend" => Strategy::Prepend,
            "union" => Strategy::Union,
            "replace" => Strategy::Replace,
            _ => Strategy::Deep,
        }
    }

    pub(super) fn or(self, other: Strategy) -> Strategy {
        if self == Strategy::Unset { other } else { self }
    }
}

/// One annotation of a layer.
#[derive(Clone, Copy, Debug)]
pub struct Annotation<'r> {
    /// A string.
    pub name: Value<'r>,
    /// Any value.
    pub value: Value<'r>,
    /// What its author said about merging.
    pub strategy: Strategy,
}

/// Puts `lower` under `higher`; both sorted by name, so is the result. A merged annotation keeps the higher side's strategy.
pub(crate) fn merge<'r>(
    arena: &'r Arena,
    lower: impl ExactSizeIterator<Item = Annotation<'r>>,
    higher: impl ExactSizeIterator<Item = Annotation<'r>>,
) -> Result<&'r [Annotation<'r>], EvalErrorKind> {
    let mut merged = arena.list(lower.len() + higher.len())?;
    let (mut low, mut high) = (lower.peekable(), higher.peekable());
    loop {
        let order = match (low.peek(), high.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(l), Some(h)) => l.name.compare(h.name),
        };
        let next = match order {
            Ordering::Less => low.next(),
            Ordering::Greater => high.next(),
            Ordering::Equal => match (low.next(), high.next()) {
                (Some(l), Some(h)) => {
                    let strategy = h.strategy.or(l.strategy).or(Strategy::Deep);
                    let value = merge_values(arena, strategy, l.value, h.value)?;
                    Some(Annotation {
                        name: h.name,
                        value,
                        strategy: h.strategy,
                    })
                }
                _ => None,
            },
        };
        if let Some(annotation) = next {
            merged.push(annotation);
        }
    }
    Ok(merged.into_bump_slice())
}

/// The layer as the object that policies see.
pub(super) fn object<'r>(arena: &'r Arena, layer: &[Annotation<'r>]) -> Result<Value<'r>, EvalErrorKind> {
    let mut entries = arena.list(layer.len())?;
    for annotation in layer {
        entries.push(Entry {
            key: annotation.name,
            value: annotation.value,
        });
    }
    Ok(Value::object(entries.into_bump_slice()))
}

/// The members of an object as a layer without strategies.
pub(super) fn layer_of<'r>(
    arena: &'r Arena,
    object: Object<'r>,
) -> Result<&'r [Annotation<'r>], EvalErrorKind> {
    let mut layer = arena.list(object.len())?;
    for entry in object {
        layer.push(Annotation {
            name: entry.key,
            value: entry.value,
            strategy: Strategy::Unset,
        });
    }
    Ok(layer.into_bump_slice())
}

pub(super) fn merge_values<'r>(
    arena: &'r Arena,
    strategy: Strategy,
    lower: Value<'r>,
    higher: Value<'r>,
) -> Result<Value<'r>, EvalErrorKind> {
    match (lower.kind(), higher.kind()) {
        (Kind::Array(low), Kind::Array(high)) => match strategy {
            Strategy::Replace => Ok(higher),
            Strategy::Prepend => join(arena, low, high),
            Strategy::Union => unite(arena, high, low),
            Strategy::Unset | Strategy::Deep | Strategy::Append => join(arena, high, low),
        },
        (Kind::Object(low), Kind::Object(high)) => match strategy {
            Strategy::Replace => Ok(higher),
            Strategy::Prepend => overlay(arena, high, low, Depth::Shallow),
            Strategy::Append => overlay(arena, low, high, Depth::Shallow),
            Strategy::Unset | Strategy::Deep | Strategy::Union => overlay(arena, low, high, Depth::Deep),
        },
        (Kind::Array(_) | Kind::Object(_), _) | (_, Kind::Array(_) | Kind::Object(_)) => Ok(higher),
        _ if strategy == Strategy::Prepend => Ok(lower),
        _ => Ok(higher),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Depth {
    Shallow,
    Deep,
}

fn join<'r>(arena: &'r Arena, first: &[Value<'r>], second: &[Value<'r>]) -> Result<Value<'r>, EvalErrorKind> {
    let mut items = arena.list(first.len() + second.len())?;
    items.extend_from_slice_copy(first);
    items.extend_from_slice_copy(second);
    Ok(Value::array(items.into_bump_slice()))
}

/// The members of both objects; of a member in both, `high` wins (`Deep`: objects and arrays of one kind are merged).
/// Recursion is bounded by the depth that JSON and YAML readers allow.
fn overlay<'r>(
    arena: &'r Arena,
    low: Object<'r>,
    high: Object<'r>,
    depth: Depth,
) -> Result<Value<'r>, EvalErrorKind> {
    let mut members = arena.list(low.len() + high.len())?;
    let (mut l, mut h) = (low.iter().peekable(), high.iter().peekable());
    loop {
        let order = match (l.peek(), h.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.key.compare(b.key),
        };
        let next = match order {
            Ordering::Less => l.next().copied(),
            Ordering::Greater => h.next().copied(),
            Ordering::Equal => match (l.next(), h.next()) {
                (Some(a), Some(b)) if depth == Depth::Deep => {
                    let value = merge_values(arena, Strategy::Deep, a.value, b.value)?;
                    Some(Entry { key: b.key, value })
                }
                (_, b) => b.copied(),
            },
        };
        if let Some(entry) = next {
            members.push(entry);
        }
    }
    Ok(Value::object(members.into_bump_slice()))
}

/// Up to this many elements a look for equal ones compares all pairs.
const PAIRWISE_ITEMS_MAX: usize = 16;

/// The distinct elements of `first`, then those of `second` that are new; equality is Rego's. O(n log n).
fn unite<'r>(
    arena: &'r Arena,
    first: &[Value<'r>],
    second: &[Value<'r>],
) -> Result<Value<'r>, EvalErrorKind> {
    let count = first.len() + second.len();
    if count <= PAIRWISE_ITEMS_MAX {
        let mut items: BumpVec<'r, Value<'r>> = arena.list(count)?;
        for value in first.iter().chain(second) {
            if !items.iter().any(|kept| kept.equals(*value)) {
                items.push(*value);
            }
        }
        return Ok(Value::array(items.into_bump_slice()));
    }
    let mut order = arena.list(count)?;
    for (place, value) in first.iter().chain(second).enumerate() {
        order.push((*value, place));
    }
    order.sort_unstable_by(|a, b| a.0.compare(b.0).then(a.1.cmp(&b.1)));
    order.dedup_by(|later, kept| later.0.compare(kept.0).is_eq());
    order.sort_unstable_by_key(|(_, place)| *place);
    let mut items = arena.list(order.len())?;
    for (value, _) in order.iter() {
        items.push(*value);
    }
    Ok(Value::array(items.into_bump_slice()))
}
