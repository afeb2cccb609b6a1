//! The values of a template: what OPA's decoder makes of an object, and what functions add to that.

use crate::arena::Arena;
use crate::builtins::Failure;
use crate::builtins::bytes::bytes_of;
use crate::value::{Entry, Kind, Value, with_int_text};

/// A value as Go has it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Val<'r> {
    /// Nothing: a key that is missing, or what an empty interface comes to in a pipeline.
    Nothing,
    /// An interface that holds nothing: null where it stands in a document.
    Null,
    Bool(bool),
    Int(i64),
    /// One byte of a text.
    Byte(u8),
    Float(f64),
    Text(&'r str),
    /// A number of a document: a text with a type of its own.
    Number(&'r str),
    List(List<'r>),
    Map(&'r [Entry<'r>]),
}

/// A slice. Behind `items` it has nulls up to its length, which slicing can extend up to its capacity.
#[derive(Clone, Copy, Debug)]
pub(super) struct List<'r> {
    pub(super) items: &'r [Value<'r>],
    pub(super) len: usize,
    pub(super) capacity: usize,
}

impl<'r> Val<'r> {
    /// A part of a document.
    pub(super) fn of(arena: &'r Arena, value: Value<'r>) -> Result<Val<'r>, Failure> {
        Ok(match value.kind() {
            Kind::Null | Kind::Undefined => Val::Null,
            Kind::Bool(value) => Val::Bool(value),
            Kind::Int(int) => Val::Number(with_int_text(int, |text| arena.text(text))?),
            Kind::Number(text) => Val::Number(text),
            Kind::String(text) => Val::Text(text),
            Kind::Object(entries) => Val::Map(entries),
            Kind::Array(items) | Kind::Set(items) => Val::List(List {
                items,
                len: items.len(),
                capacity: capacity(items.len()),
            }),
        })
    }

    /// What a pipeline makes of it: an empty interface is nothing.
    pub(super) fn settled(self) -> Val<'r> {
        match self {
            Val::Null => Val::Nothing,
            other => other,
        }
    }

    /// What `if` and the like make of it.
    pub(super) fn is_true(self) -> bool {
        match self {
            Val::Nothing | Val::Null => false,
            Val::Bool(value) => value,
            Val::Int(int) => int != 0,
            Val::Byte(byte) => byte != 0,
            Val::Float(float) => float != 0.0,
            Val::Text(text) | Val::Number(text) => !text.is_empty(),
            Val::List(list) => list.len > 0,
            Val::Map(entries) => !entries.is_empty(),
        }
    }

    /// The bytes of a text or number.
    pub(super) fn bytes(self, arena: &'r Arena) -> Result<Option<&'r [u8]>, Failure> {
        match self {
            Val::Text(text) | Val::Number(text) => bytes_of(arena, text).map(Some),
            _ => Ok(None),
        }
    }

    /// Go's name of the type.
    pub(super) fn type_name(self) -> &'static str {
        match self {
            Val::Nothing | Val::Null => "<nil>",
            Val::Bool(_) => "bool",
            Val::Int(_) => "int",
            Val::Byte(_) => "uint8",
            Val::Float(_) => "float64",
            Val::Text(_) => "string",
            Val::Number(_) => "json.Number",
            Val::List(_) => "[]interface {}",
            Val::Map(_) => "map[string]interface {}",
        }
    }
}

impl<'r> List<'r> {
    /// An element; null behind the items.
    pub(super) fn get(&self, arena: &'r Arena, at: usize) -> Result<Val<'r>, Failure> {
        self.items
            .get(at)
            .map_or(Ok(Val::Null), |item| Val::of(arena, *item))
    }
}

/// The capacity of a slice that Go's decoder appended so many elements to.
fn capacity(len: usize) -> usize {
    match len {
        0 => 0,
        // Twice as much each time up to here; beyond, slicing further than the length is refused.
        1..=512 => len.next_power_of_two(),
        _ => len,
    }
}
