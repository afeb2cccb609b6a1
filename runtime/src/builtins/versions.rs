//! Semantic versions.

use super::operand::{args, string};
use super::{BuiltinResult, Call, Failure};
use crate::value::Value;
use std::cmp::Ordering;

/// A version; what stands behind `+` does not count in comparisons.
#[derive(Debug)]
struct Version<'t> {
    numbers: [i64; 3],
    pre_release: &'t str,
}

impl<'t> Version<'t> {
    /// Strict, but for a `v` in front.
    fn parse(text: &'t str) -> Option<Version<'t>> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, metadata) = cut(text, '+');
        let (text, pre_release) = cut(text, '-');
        let leading_zero =
            |part: &str| part.len() > 1 && part.starts_with('0') && part.bytes().all(|b| b.is_ascii_digit());
        let fits = metadata.is_none_or(identifiers)
            && pre_release.is_none_or(|part| identifiers(part) && !part.split('.').any(leading_zero));
        let mut parts = text.split('.').map(numeric);
        let numbers = [parts.next()??, parts.next()??, parts.next()??];
        (fits && parts.next().is_none()).then_some(Version {
            numbers,
            pre_release: pre_release.unwrap_or(""),
        })
    }

    fn compare(&self, other: &Version<'_>) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| {
            match (self.pre_release, other.pre_release) {
                ("", "") => Ordering::Equal,
                // A release stands above its previews.
                ("", _) => Ordering::Greater,
                (_, "") => Ordering::Less,
                (a, b) => {
                    let (mut a, mut b) = (a.split('.'), b.split('.'));
                    loop {
                        match (a.next(), b.next()) {
                            (None, None) => return Ordering::Equal,
                            (None, Some(_)) => return Ordering::Less,
                            (Some(_), None) => return Ordering::Greater,
                            (Some(x), Some(y)) if x != y => return compare_identifiers(x, y),
                            _ => {}
                        }
                    }
                }
            }
        })
    }
}

fn cut(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.split_once(separator) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// Identifiers of letters, digits and `-` between points.
fn identifiers(text: &str) -> bool {
    let fits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    text.split('.').all(fits)
}

fn numeric(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let leading_zero = text.len() > 1 && text.starts_with('0');
    if digits && !leading_zero {
        text.parse().ok()
    } else {
        None
    }
}

/// Numbers stand below words, and compare by size: they have no leading zeros, so the longer is the larger.
fn compare_identifiers(a: &str, b: &str) -> Ordering {
    let is_number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    match (is_number(a), is_number(b)) {
        (true, true) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.cmp(b),
    }
}

/// `semver.compare(a, b)`: -1, 0 or 1.
pub(super) fn compare<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [a, b] = self::args(args)?;
    let (a, b) = (string(a)?, string(b)?);
    let a = Version::parse(a).ok_or(Failure::BUILTIN)?;
    let b = Version::parse(b).ok_or(Failure::BUILTIN)?;
    Ok(Value::int(a.compare(&b) as i64))
}

/// `semver.is_valid(x)`: false for what is no string.
pub(super) fn is_valid<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value] = self::args(args)?;
    Ok(Value::bool(
        value.as_str().is_some_and(|text| Version::parse(text).is_some()),
    ))
}
