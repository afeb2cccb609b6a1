//! Bodies of AuthZEN as text: what nobody here looks into stays the text that it is, since a tree of it would take a hundred
//! times its bytes.

use std::fmt;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Why a request is none: what its 400 says.
pub(super) type Problem = String;

/// The body of a request: an object.
pub(super) fn body(bytes: &[u8]) -> Result<&RawValue, Problem> {
    let whole: &RawValue =
        serde_json::from_slice(bytes).map_err(|error| format!("the body is no JSON: {error}"))?;
    match is_object(whole) {
        true => Ok(whole),
        false => Err("the body is no JSON object".to_owned()),
    }
}

fn is_object(value: &RawValue) -> bool {
    value.get().starts_with('{')
}

/// An object that has to be there.
pub(super) fn object<'a>(value: Option<&'a RawValue>, name: &str) -> Result<&'a RawValue, Problem> {
    match value {
        Some(value) if is_object(value) => Ok(value),
        Some(_) => Err(format!("`{name}` is no object")),
        None => Err(format!("`{name}` is missing")),
    }
}

/// What may be missing; `null` counts as missing.
pub(super) fn present(value: Option<&RawValue>) -> Option<&RawValue> {
    value.filter(|value| value.get() != "null")
}

/// An object that may be missing.
pub(super) fn optional<'a>(value: Option<&'a RawValue>, name: &str) -> Result<Option<&'a RawValue>, Problem> {
    present(value).map(|value| object(Some(value), name)).transpose()
}

/// Whether it is a string.
pub(super) fn is_text(value: &RawValue) -> bool {
    value.get().starts_with('"')
}

/// A string of an object that has to be there.
pub(super) fn text<'a>(value: Option<&'a RawValue>, of: &str, name: &str) -> Result<&'a RawValue, Problem> {
    match value {
        Some(value) if is_text(value) => Ok(value),
        Some(_) => Err(format!("`{of}.{name}` is no string")),
        None => Err(format!("`{of}.{name}` is missing")),
    }
}

/// What a string says.
pub(super) fn decoded(text: &RawValue, name: &str) -> Result<String, Problem> {
    serde_json::from_str(text.get()).map_err(|error| format!("`{name}` is no string: {error}"))
}

/// The members of an object that have these names, one each at most. `of`: its name.
pub(super) fn members<'a, const N: usize>(
    object: &'a RawValue,
    of: &str,
    names: [&str; N],
) -> Result<[Option<&'a RawValue>; N], Problem> {
    let (mut found, mut twice) = ([None; N], None);
    each(object, of, |name, value| {
        let wanted = names.iter().zip(&mut found).find(|(wanted, _)| **wanted == name);
        if let Some((wanted, place)) = wanted
            && place.replace(value).is_some()
        {
            twice = Some(*wanted);
        }
    })?;
    match twice {
        Some(name) => Err(format!("`{of}` has more than one `{name}`")),
        None => Ok(found),
    }
}

/// Appends an object, empty if there is none, with one member set anew.
pub(super) fn with_member(
    out: &mut String,
    object: Option<&RawValue>,
    of: &str,
    (name, value): (&str, &str),
) -> Result<(), Problem> {
    let mut is_set = false;
    let mut separator = '{';
    let mut append = |name: &str, value: &str| {
        out.push(separator);
        separator = ',';
        out.push_str(&quoted(name));
        out.push(':');
        out.push_str(value);
    };
    if let Some(object) = object {
        each(object, of, |other, others| match other == name {
            false => append(other, others.get()),
            true if !is_set => {
                append(name, value);
                is_set = true;
            }
            true => {}
        })?;
    }
    if !is_set {
        append(name, value);
    }
    out.push('}');
    Ok(())
}

/// A text as a JSON string.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Shows all members of an object, in order.
fn each<'a>(object: &'a RawValue, of: &str, see: impl FnMut(&str, &'a RawValue)) -> Result<(), Problem> {
    let mut reader = serde_json::Deserializer::from_str(object.get());
    reader
        .deserialize_map(Each(see))
        .map_err(|error| format!("`{of}` is no object: {error}"))
}

struct Each<F>(F);

impl<'de, F: FnMut(&str, &'de RawValue)> Visitor<'de> for Each<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            (self.0)(&name, map.next_value()?);
        }
        Ok(())
    }
}
