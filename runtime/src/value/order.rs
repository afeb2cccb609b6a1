//! Order and equality of values: null < boolean < number < string < array < object < set, deep, numbers by value.

use super::{Kind, Tag, Value};
use crate::limits::NATIVE_DEPTH;
use crate::number::compare_text;
use std::cmp::Ordering;
use std::collections::HashSet;

/// Elements that one comparison looks at before it remembers what it has seen: values may share their parts, so that a few
/// kilobytes unfold to more elements than could ever be counted.
const UNFOLDED_MAX: usize = 1 << 16;

impl Value<'_> {
    /// Rego's total order. [`Value::UNSET`] is greater than everything else.
    #[inline]
    #[must_use]
    pub fn compare(self, other: Value<'_>) -> Ordering {
        match self.plainly_compares(other) {
            Some(order) => order,
            None => compare_at(self, other, NATIVE_DEPTH, &mut { UNFOLDED_MAX }),
        }
    }

    /// Whether both are the same Rego value; `1` and `1.0` are.
    #[inline]
    #[must_use]
    pub fn equals(self, other: Value<'_>) -> bool {
        match self.plainly_equals(other) {
            Some(are_equal) => are_equal,
            None => equals_at(self, other, NATIVE_DEPTH, &mut { UNFOLDED_MAX }),
        }
    }
}

impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.equals(*other)
    }
}

impl Eq for Value<'_> {}

impl PartialOrd for Value<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Value<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.compare(*other)
    }
}

/// Integers and other numbers share a rank.
fn rank(tag: Tag) -> u8 {
    match tag {
        Tag::Number => Tag::Int as u8,
        Tag::Undefined
        | Tag::Null
        | Tag::Bool
        | Tag::Int
        | Tag::String
        | Tag::Array
        | Tag::Object
        | Tag::Set => tag as u8,
    }
}

fn compare_at(a: Value<'_>, b: Value<'_>, depth: usize, budget: &mut usize) -> Ordering {
    let by_rank = rank(a.tag()).cmp(&rank(b.tag()));
    if by_rank.is_ne() {
        return by_rank;
    }
    match (a.parts(), b.parts()) {
        (Some(left), Some(right)) => compare_lists(left, right, depth, budget),
        _ => compare_scalars(a, b),
    }
}

fn compare_lists(left: &[Value<'_>], right: &[Value<'_>], depth: usize, budget: &mut usize) -> Ordering {
    let Some(depth) = enter(left.len().min(right.len()), depth, budget) else {
        return compare_deep(left, right);
    };
    for (&a, &b) in left.iter().zip(right) {
        let order = compare_at(a, b, depth, budget);
        if order.is_ne() {
            return order;
        }
    }
    left.len().cmp(&right.len())
}

/// The depth that is left inside two lists, if machine stack and budget allow to go on by recursion.
#[inline]
fn enter(len: usize, depth: usize, budget: &mut usize) -> Option<usize> {
    *budget = budget.checked_sub(len + 1)?;
    depth.checked_sub(1)
}

/// As [`compare_lists`] for values nested too deeply for the machine stack or unfolding to too many elements: the lists
/// still to do wait on the heap. A pair of lists that was met before is not looked at again: if it were not equal, the
/// comparison would have ended there.
#[cold]
fn compare_deep(left: &[Value<'_>], right: &[Value<'_>]) -> Ordering {
    let mut seen = HashSet::new();
    let mut waiting = vec![(left, right)];
    while let Some((left, right)) = waiting.pop() {
        let (Some((&a, rest_a)), Some((&b, rest_b))) = (left.split_first(), right.split_first()) else {
            let order = left.len().cmp(&right.len());
            if order.is_ne() {
                return order;
            }
            continue;
        };
        waiting.push((rest_a, rest_b));
        let order = rank(a.tag()).cmp(&rank(b.tag()));
        if order.is_ne() {
            return order;
        }
        match (a.parts(), b.parts()) {
            (Some(inner_a), Some(inner_b)) => {
                let pair = (inner_a.as_ptr_range(), inner_b.as_ptr_range());
                if seen.insert(pair) {
                    waiting.push((inner_a, inner_b));
                }
            }
            _ => {
                let order = compare_scalars(a, b);
                if order.is_ne() {
                    return order;
                }
            }
        }
    }
    Ordering::Equal
}

/// Two scalars of one rank.
fn compare_scalars(a: Value<'_>, b: Value<'_>) -> Ordering {
    match (a.kind(), b.kind()) {
        (Kind::Bool(a), Kind::Bool(b)) => a.cmp(&b),
        (Kind::Int(a), Kind::Int(b)) => a.cmp(&b),
        (Kind::Int(a), Kind::Number(b)) => with_int_text(a, |a| compare_text(a, b)),
        (Kind::Number(a), Kind::Int(b)) => with_int_text(b, |b| compare_text(a, b)),
        (Kind::Number(a), Kind::Number(b)) => compare_text(a, b),
        (Kind::String(a), Kind::String(b)) => a.as_bytes().cmp(b.as_bytes()),
        _ => Ordering::Equal,
    }
}

fn equals_at(a: Value<'_>, b: Value<'_>, depth: usize, budget: &mut usize) -> bool {
    if a.is_same(b) {
        return true;
    }
    match (a.tag(), b.tag()) {
        (Tag::Int | Tag::Number, Tag::Int | Tag::Number) => compare_scalars(a, b).is_eq(),
        (Tag::String, Tag::String) => a.as_str() == b.as_str(),
        (Tag::Array, Tag::Array) | (Tag::Object, Tag::Object) | (Tag::Set, Tag::Set) => {
            let (Some(left), Some(right)) = (a.parts(), b.parts()) else {
                return false;
            };
            left.len() == right.len() && equals_lists(left, right, depth, budget)
        }
        // Null, booleans and "unset" are equal only as the same handle; other pairs differ in type.
        _ => false,
    }
}

fn equals_lists(left: &[Value<'_>], right: &[Value<'_>], depth: usize, budget: &mut usize) -> bool {
    match enter(left.len(), depth, budget) {
        Some(depth) => left
            .iter()
            .zip(right)
            .all(|(&a, &b)| equals_at(a, b, depth, budget)),
        None => compare_deep(left, right).is_eq(),
    }
}

/// Calls `use_text` with the decimal text of an integer, without memory from the heap.
pub(crate) fn with_int_text<T>(int: i64, use_text: impl FnOnce(&str) -> T) -> T {
    let mut buffer = [0_u8; 20];
    let mut at = buffer.len();
    let mut rest = int.unsigned_abs();
    loop {
        at -= 1;
        if let Some(digit) = buffer.get_mut(at) {
            *digit = b'0' + (rest % 10) as u8;
        }
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if int < 0 {
        at -= 1;
        if let Some(sign) = buffer.get_mut(at) {
            *sign = b'-';
        }
    }
    // Digits and a sign are ASCII.
    use_text(
        buffer
            .get(at..)
            .and_then(|text| std::str::from_utf8(text).ok())
            .unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repeated::repeated;
    use crate::value::{Constant, Pool};

    fn order(a: Constant, b: Constant) -> Ordering {
        let pool = Pool::new(&[a, b]).unwrap();
        let (a, b) = (pool.get(0).unwrap(), pool.get(1).unwrap());
        assert_eq!(a.equals(b), a.compare(b).is_eq());
        assert_eq!(a.compare(b), b.compare(a).reverse());
        a.compare(b)
    }

    fn text(s: &str) -> Constant {
        Constant::String(s.to_owned())
    }

    fn object(entries: &[(&str, i64)]) -> Constant {
        Constant::object(
            entries
                .iter()
                .map(|&(k, v)| (text(k), Constant::Int(v)))
                .collect(),
        )
    }

    #[test]
    fn types_stand_in_their_order() {
        let ladder = [
            Constant::Null,
            Constant::Bool(false),
            Constant::Bool(true),
            Constant::Int(-1),
            Constant::number("0.5"),
            Constant::Int(1),
            text("B"),
            text("a"),
            text("é"),
            text("\u{ffff}"),
            text("\u{1d4b3}"),
            Constant::Array(vec![]),
            Constant::Array(vec![Constant::Null]),
            Constant::object(vec![]),
            object(&[("a", 1), ("b", 0)]),
            object(&[("a", 2)]),
            object(&[("b", 0)]),
            Constant::set(vec![]),
            Constant::set(vec![Constant::Int(1)]),
            Constant::set(vec![Constant::Int(1), Constant::Int(2)]),
            Constant::set(vec![Constant::Int(3)]),
        ];
        for (i, a) in ladder.iter().enumerate() {
            for (j, b) in ladder.iter().enumerate() {
                assert_eq!(order(a.clone(), b.clone()), i.cmp(&j), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn numbers_are_equal_by_value() {
        assert_eq!(order(Constant::Int(1), Constant::number("1.0")), Ordering::Equal);
        assert_eq!(
            order(Constant::Int(100), Constant::number("1e2")),
            Ordering::Equal
        );
        let nested = |n: &str| Constant::Array(vec![Constant::set(vec![Constant::number(n)])]);
        assert_eq!(order(nested("1"), nested("1.00")), Ordering::Equal);
    }

    #[test]
    fn deep_values_compare_on_a_small_stack() {
        let arena = crate::arena::Arena::new(1 << 10, 64 << 20);
        let nest = |innermost: i64| {
            (0..repeated(100_000)).fold(Value::int(innermost), |inner, _| {
                Value::array(arena.values(&[inner]).unwrap())
            })
        };
        let (one, other, two) = (nest(1), nest(1), nest(2));
        assert!(one.equals(other));
        assert_eq!(one.compare(two), Ordering::Less);
    }

    #[test]
    #[cfg_attr(miri, ignore = "spends the whole budget of a comparison several times")]
    fn values_that_share_their_parts_compare_in_the_time_of_the_parts() {
        let arena = crate::arena::Arena::new(1 << 10, 64 << 20);
        for width in [2, 100] {
            let tree = |innermost: i64| {
                (0..60).fold(Value::int(innermost), |part, _| {
                    Value::array(arena.values(&vec![part; width]).unwrap())
                })
            };
            let (one, other, two) = (tree(1), tree(1), tree(2));
            assert!(one.equals(other));
            assert!(!one.equals(two));
            assert_eq!(one.compare(other), Ordering::Equal);
            assert_eq!(two.compare(one), Ordering::Greater);
        }
    }

    #[test]
    fn int_texts() {
        for int in [0, 7, -7, 10, i64::MAX, i64::MIN] {
            assert_eq!(with_int_text(int, str::to_owned), int.to_string());
        }
    }
}
