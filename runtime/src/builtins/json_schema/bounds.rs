//! Keywords that no schema stands behind: types, bounds of numbers, sizes.

use super::documents::{Draft, Fault};
use super::keywords::{count, flag, invalid_type, must_be, names, not_greater, number};
use super::schema::{Arrays, Bound, Numbers, Objects, TypeName, Types};
use crate::value::{Kind, Value};

/// A schema that is an object.
#[derive(Clone, Copy)]
pub(super) struct Keywords<'r> {
    pub(super) value: Value<'r>,
    pub(super) draft: Draft,
}

impl<'r> Keywords<'r> {
    pub(super) fn get(self, key: &str) -> Option<Value<'r>> {
        self.value.field(key)
    }
}

/// The types that a value may have.
pub(super) fn types(keywords: Keywords<'_>) -> Result<Types, Fault> {
    let Some(value) = keywords.get("type") else {
        return Ok(Types::default());
    };
    let mut types = Types::default();
    let wrong = || invalid_type("type", "string/Array Of Strings");
    match value.kind() {
        Kind::String(name) => types.add(name)?,
        Kind::Array(names) => {
            for name in names {
                types.add(name.as_str().ok_or_else(wrong)?)?;
            }
        }
        _ => return Err(wrong()),
    }
    let shown: Vec<&str> = types.names.iter().map(|name| name.text()).collect();
    types.shown = match shown.as_slice() {
        [one] => Box::from(*one),
        all => format!("[{}]", all.join(",")).into(),
    };
    Ok(types)
}

impl Types {
    fn add(&mut self, text: &str) -> Result<(), Fault> {
        let Some(name) = TypeName::ALL.into_iter().find(|name| name.text() == text) else {
            let all: Vec<&str> = TypeName::ALL.iter().map(|name| name.text()).collect();
            let all = all.join(" ");
            return Err(format!(
                "has a primitive type that is NOT VALID -- given: /{text}/ Expected valid values are:[{all}]"
            )
            .into());
        };
        if self.names.contains(&name) {
            return Err(format!("{text} type is duplicated").into());
        }
        self.names.push(name);
        Ok(())
    }
}

pub(super) fn numbers(keywords: Keywords<'_>) -> Result<Option<Numbers>, Fault> {
    let mut numbers = Numbers::default();
    if let Some(value) = keywords.get("multipleOf") {
        let bound = number(value).ok_or_else(|| invalid_type("Number", "multipleOf"))?;
        if !bound.is_positive()? {
            return Err("multipleOf must be strictly greater than 0".to_owned().into());
        }
        numbers.multiple_of = Some(bound);
    }
    (numbers.minimum, numbers.exclusive_minimum) = limit(keywords, "minimum", "exclusiveMinimum")?;
    (numbers.maximum, numbers.exclusive_maximum) = limit(keywords, "maximum", "exclusiveMaximum")?;
    let all = [
        &numbers.multiple_of,
        &numbers.minimum,
        &numbers.exclusive_minimum,
        &numbers.maximum,
        &numbers.exclusive_maximum,
    ];
    let is_used = all.into_iter().any(Option::is_some);
    Ok(is_used.then_some(numbers))
}

/// A limit and its exclusive twin, which is a boolean in draft 4 and a number later.
fn limit(
    keywords: Keywords<'_>,
    key: &'static str,
    exclusive_key: &'static str,
) -> Result<(Option<Bound>, Option<Bound>), Fault> {
    let limit = match keywords.get(key) {
        Some(value) => Some(number(value).ok_or_else(|| must_be(key, "a Number"))?),
        None => None,
    };
    let Some(value) = keywords.get(exclusive_key) else {
        return Ok((limit, None));
    };
    match (value.kind(), keywords.draft) {
        (Kind::Bool(exclusive), Draft::Draft4 | Draft::Hybrid) => match limit {
            None => Err(format!("{exclusive_key} cannot be used without {key}").into()),
            limit if exclusive => Ok((None, limit)),
            limit => Ok((limit, None)),
        },
        (Kind::Int(_) | Kind::Number(_), Draft::Draft6 | Draft::Draft7 | Draft::Hybrid) => {
            Ok((limit, number(value)))
        }
        (_, Draft::Draft4) => Err(invalid_type("boolean", exclusive_key)),
        (_, Draft::Hybrid) => Err(invalid_type("boolean/number", exclusive_key)),
        (_, Draft::Draft6 | Draft::Draft7) => Err(invalid_type("number", exclusive_key)),
    }
}

/// How many members and items there may be, and which members there must be.
pub(super) fn sizes(keywords: Keywords<'_>, objects: &mut Objects, arrays: &mut Arrays) -> Result<(), Fault> {
    let value = keywords.value;
    objects.min_properties = count(value, "minProperties")?;
    objects.max_properties = count(value, "maxProperties")?;
    not_greater(
        ("minProperties", objects.min_properties),
        ("maxProperties", objects.max_properties),
    )?;
    objects.required = names(value, "required")?;
    arrays.min_items = count(value, "minItems")?;
    arrays.max_items = count(value, "maxItems")?;
    arrays.unique = flag(value, "uniqueItems")?;
    Ok(())
}
