//! Constants of a program or an image as values: converted once, in memory that lives as long as the pool.

use super::{Constant, Entry, Kind, Value};
use crate::arena::{Arena, Frozen};
use crate::error::EvalErrorKind;

/// An immutable list of values that owns all their parts.
#[derive(Debug)]
pub struct Pool {
    values: Frozen,
}

impl Pool {
    /// Converts the constants, in their order. Recursive over their nesting, which whoever made them has bounded.
    pub fn new(constants: &[Constant]) -> Result<Pool, EvalErrorKind> {
        let values = Frozen::build(|arena| {
            constants
                .iter()
                .map(|constant| constant.to_value(arena))
                .collect()
        })?;
        Ok(Pool { values })
    }

    /// The value at a place.
    #[inline]
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Value<'_>> {
        self.values.get(index)
    }

    /// All of them.
    #[inline]
    #[must_use]
    pub fn values(&self) -> &[Value<'_>] {
        self.values.all()
    }

    /// Bytes that it holds.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.values.memory_bytes()
    }
}

impl Constant {
    /// The value, in the arena. Recursive over the nesting.
    pub fn to_value<'r>(&self, arena: &'r Arena) -> Result<Value<'r>, EvalErrorKind> {
        Ok(match self {
            Constant::Null => Value::NULL,
            Constant::Bool(value) => Value::bool(*value),
            Constant::Int(value) => Value::int(*value),
            Constant::Number(text) => Value::number_text(arena.text(text)?),
            Constant::String(text) => Value::string(arena.text(text)?),
            // In one place, since each level of the nesting takes a piece of the stack.
            Constant::Array(items) | Constant::Set(items) => {
                let values = arena.filled(items.len(), Value::UNSET)?;
                for (place, item) in values.iter_mut().zip(items) {
                    *place = item.to_value(arena)?;
                }
                match self {
                    Constant::Set(_) => Value::set(values),
                    _ => Value::array(values),
                }
            }
            Constant::Object(members) => {
                let unset = Entry {
                    key: Value::UNSET,
                    value: Value::UNSET,
                };
                let entries = arena.filled(members.len(), unset)?;
                for (place, (key, value)) in entries.iter_mut().zip(members) {
                    *place = Entry {
                        key: key.to_value(arena)?,
                        value: value.to_value(arena)?,
                    };
                }
                Value::object(entries)
            }
        })
    }
}

impl Value<'_> {
    /// An owned copy; `None` for [`Value::UNSET`]. Recursive over the nesting.
    #[must_use]
    pub fn to_constant(self) -> Option<Constant> {
        let list = |items: &[Value<'_>]| {
            items
                .iter()
                .map(|item| item.to_constant())
                .collect::<Option<Vec<_>>>()
        };
        Some(match self.kind() {
            Kind::Undefined => return None,
            Kind::Null => Constant::Null,
            Kind::Bool(value) => Constant::Bool(value),
            Kind::Int(value) => Constant::Int(value),
            Kind::Number(text) => Constant::Number(text.to_owned()),
            Kind::String(text) => Constant::String(text.to_owned()),
            Kind::Array(items) => Constant::Array(list(items)?),
            Kind::Set(items) => Constant::Set(list(items)?),
            Kind::Object(entries) => Constant::Object(
                entries
                    .iter()
                    .map(|entry| Some((entry.key.to_constant()?, entry.value.to_constant()?)))
                    .collect::<Option<Vec<_>>>()?,
            ),
        })
    }

    /// Whether the value is made of at most so many values, itself included. One that is part of it twice counts twice, as it
    /// would be there twice in a constant. O(`most`).
    #[must_use]
    pub fn has_at_most(self, most: usize) -> bool {
        fn take(value: Value<'_>, left: &mut usize) -> bool {
            let Some(rest) = left.checked_sub(1) else {
                return false;
            };
            *left = rest;
            match value.kind() {
                Kind::Array(items) | Kind::Set(items) => items.iter().all(|item| take(*item, left)),
                Kind::Object(entries) => entries
                    .iter()
                    .all(|entry| take(entry.key, left) && take(entry.value, left)),
                _ => true,
            }
        }
        take(self, &mut { most })
    }
}
