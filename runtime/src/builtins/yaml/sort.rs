//! The order of keys in a written document: numbers within texts count as numbers.

use crate::arena::Arena;
use crate::builtins::Failure;
use crate::value::{Entry, Object, Value, sort_stable};
use std::cmp::Ordering;

/// The entries in that order.
pub(super) fn sort_fields<'r>(arena: &'r Arena, fields: Object<'r>) -> Result<Object<'r>, Failure> {
    let entries = arena.entries_mut(fields)?;
    let filler = Entry {
        key: Value::NULL,
        value: Value::NULL,
    };
    sort_stable(arena, entries, filler, |a, b| {
        let (a, b) = (
            a.key.as_str().unwrap_or_default(),
            b.key.as_str().unwrap_or_default(),
        );
        if is_less(a, b) {
            Ordering::Less
        } else if is_less(b, a) {
            Ordering::Greater
        } else {
            Ordering::Equal
        }
    })?;
    Ok(entries)
}

/// Compares at the first difference: letters behind everything else (but before it within a number), numbers by size.
fn is_less(a: &str, b: &str) -> bool {
    let mut chars = a.chars().zip(b.chars());
    let mut same = 0;
    let mut behind_digit = false;
    let (x, y) = loop {
        match chars.next() {
            Some((x, y)) if x == y => {
                behind_digit = x.is_numeric();
                same += x.len_utf8();
            }
            Some(different) => break different,
            None => return a.len() < b.len(),
        }
    };
    match (x.is_alphabetic(), y.is_alphabetic()) {
        (true, true) => return x < y,
        (x_is_letter, y_is_letter) if x_is_letter || y_is_letter => {
            return if behind_digit { x_is_letter } else { y_is_letter };
        }
        _ => {}
    }
    let (before, a) = a.split_at_checked(same).unwrap_or(("", a));
    let b = b.get(same..).unwrap_or_default();
    // A zero within a number counts, one in front of it does not.
    let digits_before = before.chars().rev().take_while(|c| c.is_numeric());
    let is_within = (x == '0' || y == '0') && digits_before.into_iter().any(|c| c != '0');
    let (a_number, a_len) = number(a, is_within);
    let (b_number, b_len) = number(b, is_within);
    (a_number, a_len, x) < (b_number, b_len, y)
}

/// The number at the start of a text, and how many digits it has.
fn number(text: &str, is_within: bool) -> (i64, usize) {
    let digits = text
        .chars()
        .map_while(|c| c.is_numeric().then_some(i64::from(u32::from(c)) - 48));
    digits.fold((i64::from(is_within), 0), |(number, len), digit| {
        (number.wrapping_mul(10).wrapping_add(digit), len + 1)
    })
}
