//! The values of keywords by type, with gojsonschema's texts for wrong ones.

use super::documents::Fault;
use super::schema::{Arrays, Bound, Combined, Items, Objects, Rest};
use crate::number::{compare_exactly, rational_text};
use crate::value::{Kind, Value, with_int_text};

/// A value of a wrong type.
pub(super) fn invalid_type(expected: &str, given: &str) -> Fault {
    Fault::Schema(format!("Invalid type. Expected: {expected}, given: {given}"))
}

/// A value of a wrong type, in other words.
pub(super) fn must_be(key: &str, what: &str) -> Fault {
    Fault::Schema(format!("{key} must be of {what}"))
}

/// The text of a keyword.
pub(super) fn text<'r>(schema: Value<'r>, key: &str) -> Result<Option<&'r str>, Fault> {
    match schema.field(key) {
        Some(value) => match value.as_str() {
            Some(text) => Ok(Some(text)),
            None => Err(invalid_type("string", key)),
        },
        None => Ok(None),
    }
}

/// The elements of a keyword.
pub(super) fn list<'r>(schema: Value<'r>, key: &str) -> Result<Option<&'r [Value<'r>]>, Fault> {
    match schema.field(key).map(Value::kind) {
        Some(Kind::Array(items)) => Ok(Some(items)),
        Some(_) => Err(must_be(key, "an array")),
        None => Ok(None),
    }
}

/// Different strings.
pub(super) fn names(schema: Value<'_>, key: &str) -> Result<Vec<Box<str>>, Fault> {
    let mut names: Vec<Box<str>> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for value in list(schema, key)?.unwrap_or_default() {
        let Some(name) = value.as_str() else {
            return Err(invalid_type("string", key));
        };
        if !seen.insert(name) {
            return Err(Fault::Schema(format!("{key} items must be unique")));
        }
        names.push(name.into());
    }
    Ok(names)
}

/// An integer from zero on, in plain spelling.
pub(super) fn count(schema: Value<'_>, key: &str) -> Result<Option<i64>, Fault> {
    let Some(value) = schema.field(key) else {
        return Ok(None);
    };
    let count = match value.kind() {
        Kind::Int(int) => Some(int),
        Kind::Number(text) => text.parse().ok(),
        _ => None,
    };
    match count {
        Some(count) if count >= 0 => Ok(Some(count)),
        Some(_) => Err(Fault::Schema(format!("{key} must be greater than or equal to 0"))),
        None => Err(must_be(key, "an integer")),
    }
}

/// Refuses a lower bound above the upper one.
pub(super) fn not_greater(
    (low_key, low): (&str, Option<i64>),
    (high_key, high): (&str, Option<i64>),
) -> Result<(), Fault> {
    match (low, high) {
        (Some(low), Some(high)) if low > high => Err(Fault::Schema(format!(
            "{low_key} cannot be greater than {high_key}"
        ))),
        _ => Ok(()),
    }
}

/// A boolean; false for none.
pub(super) fn flag(schema: Value<'_>, key: &str) -> Result<bool, Fault> {
    match schema.field(key).map(Value::kind) {
        Some(Kind::Bool(flag)) => Ok(flag),
        Some(_) => Err(must_be(key, "a boolean")),
        None => Ok(false),
    }
}

/// A number that Go can read as a rational one.
pub(super) fn number(value: Value<'_>) -> Option<Bound> {
    let bound = |text: &str| {
        let shown = rational_text(text).ok()?.into();
        let text = text.into();
        Some(Bound { text, shown })
    };
    match value.kind() {
        Kind::Int(int) => with_int_text(int, bound),
        Kind::Number(text) => bound(text),
        _ => None,
    }
}

/// A key as text.
pub(super) fn shared_text(key: Value<'_>) -> Box<str> {
    key.as_str().unwrap_or_default().into()
}

impl Bound {
    pub(super) fn is_positive(&self) -> Result<bool, Fault> {
        Ok(compare_exactly(&self.text, "0")?.is_gt())
    }
}

impl Combined {
    pub(super) fn is_empty(&self) -> bool {
        self.any_of.is_empty()
            && self.one_of.is_empty()
            && self.all_of.is_empty()
            && self.not.is_none()
            && self.dependencies.is_empty()
            && self.condition.is_none()
    }
}

impl Arrays {
    pub(super) fn is_empty(&self) -> bool {
        // Without schemas for items, one for the others means nothing.
        matches!(&self.items, Items::First(first) if first.is_empty())
            && self.min_items.is_none()
            && self.max_items.is_none()
            && !self.unique
            && self.contains.is_none()
    }
}

impl Objects {
    pub(super) fn is_empty(&self) -> bool {
        self.properties.is_empty()
            && self.patterns.is_empty()
            && matches!(self.additional, Rest::Unsaid)
            && self.names.is_none()
            && self.min_properties.is_none()
            && self.max_properties.is_none()
            && self.required.is_empty()
    }
}
