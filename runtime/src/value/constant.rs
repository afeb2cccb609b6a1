//! A value that owns its parts: what compilers, test runners and tables build, before it becomes part of an image.
//!
//! Slow and simple on purpose; nothing on the path of a request uses it.

use std::borrow::Cow;
use std::cmp::Ordering;

/// An owned Rego value. Sets and objects are sorted in Rego's order without duplicates; use the constructors.
#[derive(Clone, Debug)]
pub enum Constant {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// An integer of 64 bits in its plain spelling.
    Int(i64),
    /// Any other number: its text as OPA keeps it (`1.50`, `1e2`, `123456789012345678901234567890`).
    Number(String),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Constant>),
    /// Sorted by key.
    Object(Vec<(Constant, Constant)>),
    /// Sorted.
    Set(Vec<Constant>),
}

impl Constant {
    /// A number from its text: `Int` when the text is the plain spelling of an `i64`.
    #[must_use]
    pub fn number(text: &str) -> Constant {
        match text.parse::<i64>() {
            Ok(int) if int.to_string() == text => Constant::Int(int),
            _ => Constant::Number(text.to_owned()),
        }
    }

    /// A set of the members; of equal members the first spelling stays.
    #[must_use]
    pub fn set(mut members: Vec<Constant>) -> Constant {
        members.sort_by(Constant::compare);
        members.dedup_by(|later, kept| later.compare(kept) == Ordering::Equal);
        Constant::Set(members)
    }

    /// An object; of equal keys the first spelling stays with the last value, as in OPA.
    #[must_use]
    pub fn object(mut entries: Vec<(Constant, Constant)>) -> Constant {
        entries.sort_by(|a, b| a.0.compare(&b.0));
        entries.dedup_by(|later, kept| {
            let same = later.0.compare(&kept.0) == Ordering::Equal;
            if same {
                std::mem::swap(&mut later.1, &mut kept.1);
            }
            same
        });
        Constant::Object(entries)
    }

    /// The value of a string key of an object.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Constant> {
        let Constant::Object(entries) = self else {
            return None;
        };
        entries
            .iter()
            .find(|(k, _)| matches!(k, Constant::String(s) if s == key))
            .map(|(_, v)| v)
    }

    /// As [`Value::stored`](super::Value::stored).
    #[must_use]
    pub fn stored(&self, key: &Constant) -> Option<&Constant> {
        let text = match key {
            Constant::String(text) | Constant::Number(text) => Cow::Borrowed(text.as_str()),
            Constant::Int(int) => Cow::Owned(int.to_string()),
            _ => return None,
        };
        match self {
            Constant::Object(_) => self.get(&text),
            Constant::Array(items) => items.get(super::array_index(&text)?),
            _ => None,
        }
    }

    /// Whether some number in it is not spelled as its value is printed: `1.0`, `1e2`, `1.50`.
    #[must_use]
    pub fn has_spelling(&self) -> bool {
        match self {
            Constant::Null | Constant::Bool(_) | Constant::Int(_) | Constant::String(_) => false,
            Constant::Number(text) => {
                let (_, fraction) = text.split_once('.').unwrap_or((text, "1"));
                text.contains(['e', 'E']) || fraction.ends_with('0') || text.starts_with(['.', '+'])
            }
            Constant::Array(items) | Constant::Set(items) => items.iter().any(Constant::has_spelling),
            Constant::Object(entries) => entries
                .iter()
                .any(|(key, value)| key.has_spelling() || value.has_spelling()),
        }
    }

    /// Rego's total order: null < boolean < number < string < array < object < set.
    #[must_use]
    pub fn compare(&self, other: &Constant) -> Ordering {
        fn rank(c: &Constant) -> u8 {
            match c {
                Constant::Null => 0,
                Constant::Bool(_) => 1,
                Constant::Int(_) | Constant::Number(_) => 2,
                Constant::String(_) => 3,
                Constant::Array(_) => 4,
                Constant::Object(_) => 5,
                Constant::Set(_) => 6,
            }
        }
        fn lists(a: &[Constant], b: &[Constant]) -> Ordering {
            a.iter()
                .zip(b)
                .map(|(x, y)| x.compare(y))
                .find(|o| o.is_ne())
                .unwrap_or(a.len().cmp(&b.len()))
        }
        match (self, other) {
            (Constant::Bool(a), Constant::Bool(b)) => a.cmp(b),
            (Constant::Int(a), Constant::Int(b)) => a.cmp(b),
            (Constant::Int(a), Constant::Number(b)) => crate::number::compare_text(&a.to_string(), b),
            (Constant::Number(a), Constant::Int(b)) => crate::number::compare_text(a, &b.to_string()),
            (Constant::Number(a), Constant::Number(b)) => crate::number::compare_text(a, b),
            (Constant::String(a), Constant::String(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Constant::Array(a), Constant::Array(b)) | (Constant::Set(a), Constant::Set(b)) => lists(a, b),
            (Constant::Object(a), Constant::Object(b)) => a
                .iter()
                .zip(b)
                .map(|(x, y)| x.0.compare(&y.0).then_with(|| x.1.compare(&y.1)))
                .find(|o| o.is_ne())
                .unwrap_or(a.len().cmp(&b.len())),
            _ => rank(self).cmp(&rank(other)),
        }
    }
}

impl PartialEq for Constant {
    fn eq(&self, other: &Constant) -> bool {
        self.compare(other) == Ordering::Equal
    }
}

impl Eq for Constant {}

impl PartialOrd for Constant {
    fn partial_cmp(&self, other: &Constant) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Rego's total order.
impl Ord for Constant {
    fn cmp(&self, other: &Constant) -> Ordering {
        self.compare(other)
    }
}

impl From<&str> for Constant {
    fn from(text: &str) -> Constant {
        Constant::String(text.to_owned())
    }
}

impl From<String> for Constant {
    fn from(text: String) -> Constant {
        Constant::String(text)
    }
}

impl From<i64> for Constant {
    fn from(int: i64) -> Constant {
        Constant::Int(int)
    }
}

impl From<bool> for Constant {
    fn from(value: bool) -> Constant {
        Constant::Bool(value)
    }
}

impl From<Vec<Constant>> for Constant {
    fn from(items: Vec<Constant>) -> Constant {
        Constant::Array(items)
    }
}
