//! Finding parts of values: what `x[k]` and `k in x` mean.

use super::order::with_int_text;
use super::{Kind, Object, Value};
use crate::number::compare_text;

/// Up to this many members a scan beats the binary search: most comparisons end at the length.
const SCAN_MAX: usize = 8;

impl<'r> Value<'r> {
    /// `self[key]`: the element of an array at an integer-valued number (`1.0` is one), the member of an object, the
    /// member of a set as the key spells it.
    #[must_use]
    #[inline(never)]
    pub fn index(self, key: Value<'r>) -> Option<Value<'r>> {
        match self.kind() {
            Kind::Object(entries) => match key.as_str() {
                Some(text) => entry_of(entries, text),
                None => {
                    let at = entries.binary_search_by(|entry| entry.key.compare(key)).ok()?;
                    entries.get(at).map(|entry| entry.value)
                }
            },
            Kind::Array(elements) => {
                let at = match key.kind() {
                    Kind::Int(at) => usize::try_from(at).ok()?,
                    Kind::Number(text) => integer_of(text)?,
                    _ => return None,
                };
                elements.get(at).copied()
            }
            Kind::Set(members) => {
                members.binary_search_by(|member| member.compare(key)).ok()?;
                Some(key)
            }
            _ => None,
        }
    }

    /// `self[key]` as OPA's store finds parts of the base document: by text. The key of a member may be a number that is
    /// spelled so, the index of an element a text. Nothing else is there.
    #[must_use]
    pub fn stored(self, key: Value<'_>) -> Option<Value<'r>> {
        match key.kind() {
            Kind::String(text) | Kind::Number(text) => self.stored_text(text),
            Kind::Int(int) => with_int_text(int, |text| self.stored_text(text)),
            _ => None,
        }
    }

    fn stored_text(self, text: &str) -> Option<Value<'r>> {
        match self.kind() {
            Kind::Object(entries) => entry_of(entries, text),
            Kind::Array(elements) => elements.get(array_index(text)?).copied(),
            _ => None,
        }
    }

    /// Whether a collection is this one or stands somewhere in it: the very same, not an equal one.
    #[must_use]
    pub fn has_part(self, part: Value<'_>) -> bool {
        if self.is_same(part) {
            return true;
        }
        match self.kind() {
            Kind::Array(items) | Kind::Set(items) => items.iter().any(|item| item.has_part(part)),
            Kind::Object(entries) => entries.iter().any(|entry| entry.value.has_part(part)),
            _ => false,
        }
    }

    /// `self.key`: the member of an object at a string key, or the member of a set that is this string.
    #[inline]
    #[must_use]
    pub fn field(self, key: &str) -> Option<Value<'r>> {
        match self.kind() {
            Kind::Object(entries) => entry_of(entries, key),
            Kind::Set(members) => {
                let key = Value::string(key);
                let at = members.binary_search_by(|member| member.compare(key)).ok()?;
                members.get(at).copied()
            }
            _ => None,
        }
    }

    /// Whether this is a string that starts with another one, or with one of an array of them.
    #[must_use]
    #[inline]
    pub fn starts_with(self, start: Value<'_>) -> bool {
        self.has_affix(start, |text, start| text.starts_with(start))
    }

    /// Whether this is a string that ends with another one, or with one of an array of them.
    #[must_use]
    #[inline]
    pub fn ends_with(self, end: Value<'_>) -> bool {
        self.has_affix(end, |text, end| text.ends_with(end))
    }

    #[inline]
    fn has_affix(self, affix: Value<'_>, has: impl Fn(&str, &str) -> bool) -> bool {
        let Some(text) = self.as_str() else {
            return false;
        };
        match affix.kind() {
            Kind::String(affix) => has(text, affix),
            Kind::Array(affixes) => affixes
                .iter()
                .filter_map(|affix| affix.as_str())
                .any(|affix| has(text, affix)),
            _ => false,
        }
    }

    /// `member in self`: whether it is an element of the array, a member of the set, or a value of the object.
    #[must_use]
    pub fn has_member(self, member: Value<'_>) -> bool {
        match self.kind() {
            Kind::Array(elements) => elements.iter().any(|element| element.equals(member)),
            Kind::Object(entries) => entries.iter().any(|entry| entry.value.equals(member)),
            Kind::Set(members) if members.len() <= SCAN_MAX => {
                members.iter().any(|element| element.equals(member))
            }
            Kind::Set(members) => members
                .binary_search_by(|element| element.compare(member))
                .is_ok(),
            _ => false,
        }
    }
}

/// The index that a text means to OPA: digits, perhaps with a sign in front and zeros behind a point.
#[must_use]
pub fn array_index(text: &str) -> Option<usize> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if fraction.bytes().any(|byte| byte != b'0') || whole.bytes().any(|byte| !byte.is_ascii_digit()) {
        return None;
    }
    let at: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let is_negative = text.starts_with('-') && at > 0;
    usize::try_from(at).ok().filter(|_| !is_negative)
}

#[inline(always)]
fn entry_of<'r>(entries: Object<'r>, key: &str) -> Option<Value<'r>> {
    let key = Value::string(key);
    if entries.len() <= SCAN_MAX {
        return entries
            .iter()
            .find(|entry| entry.key.is_key(key))
            .map(|entry| entry.value);
    }
    let at = entries.binary_search_by(|entry| entry.key.compare(key)).ok()?;
    entries.get(at).map(|entry| entry.value)
}

/// The index that a number in another spelling (`1.0`) means. With an exponent (`1e0`) OPA finds no element.
#[cold]
fn integer_of(text: &str) -> Option<usize> {
    if text.bytes().any(|byte| matches!(byte, b'e' | b'E')) {
        return None;
    }
    let near = text.parse::<f64>().ok()?.round();
    // Arrays are far shorter than 2^53, where every integer is still a float.
    if !(0.0..9e15).contains(&near) {
        return None;
    }
    let at = near as i64;
    with_int_text(at, |int| compare_text(int, text).is_eq())
        .then_some(at)
        .and_then(|at| usize::try_from(at).ok())
}

#[cfg(test)]
mod tests {
    use crate::value::{Constant, Pool};

    fn text(s: &str) -> Constant {
        Constant::String(s.to_owned())
    }

    /// `collection[key]` and whether `key` is a member, as text.
    #[track_caller]
    fn check(collection: Constant, key: Constant, indexed: Option<Constant>, member: bool) {
        let wanted = indexed.clone().unwrap_or(Constant::Null);
        let pool = Pool::new(&[collection, key, wanted]).unwrap();
        let (collection, key) = (pool.get(0).unwrap(), pool.get(1).unwrap());
        let found = collection.index(key);
        assert_eq!(found.is_some(), indexed.is_some());
        assert!(found.is_none_or(|found| found.equals(pool.get(2).unwrap())));
        assert_eq!(collection.has_member(key), member);
        if let Some(key) = key.as_str() {
            let by_field = collection.field(key);
            assert_eq!(by_field.is_some(), found.is_some());
        }
    }

    #[test]
    fn arrays_take_integer_valued_numbers() {
        let xs = || Constant::Array(vec![text("a"), text("b")]);
        check(xs(), Constant::Int(1), Some(text("b")), false);
        check(xs(), Constant::number("1.0"), Some(text("b")), false);
        check(xs(), Constant::number("0.1e1"), None, false);
        check(xs(), Constant::number("0.5"), None, false);
        check(xs(), Constant::Int(-1), None, false);
        check(xs(), Constant::number("-1.0"), None, false);
        check(xs(), Constant::Int(2), None, false);
        check(xs(), text("a"), None, true);
    }

    #[test]
    fn objects_small_and_large() {
        for size in [3, 40] {
            let object = || {
                Constant::object(
                    (0..size)
                        .map(|i| (text(&format!("k{i}")), Constant::Int(i)))
                        .collect(),
                )
            };
            for i in 0..size {
                check(object(), text(&format!("k{i}")), Some(Constant::Int(i)), false);
            }
            check(object(), text("k"), None, false);
            check(object(), Constant::Int(1), None, true);
        }
        let numbered = Constant::object(vec![(Constant::Int(1), text("a"))]);
        check(numbered, Constant::number("1.0"), Some(text("a")), false);
    }

    #[test]
    fn sets_yield_the_spelling_of_the_key() {
        for size in [3, 40] {
            let set = || Constant::set((0..size).map(Constant::Int).collect());
            check(
                set(),
                Constant::number("2.0"),
                Some(Constant::number("2.0")),
                true,
            );
            check(set(), Constant::Int(99), None, false);
        }
        check(Constant::Int(3), Constant::Int(3), None, false);
    }
}
