//! Values as Go arguments.

use crate::arena::Arena;
use crate::builtins::output::Text;
use crate::builtins::{Failure, rego_text};
use crate::number::{self, Integer};
use crate::value::{Kind, Value};

/// What Go's `fmt` gets to see.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, on the stack")]
pub(in crate::builtins) enum Argument<'r> {
    Int(i64),
    Float(f64),
    Big(Integer),
    Text(&'r str),
}

impl<'r> Argument<'r> {
    pub(super) fn of(value: Value<'r>, arena: &'r Arena) -> Result<Argument<'r>, Failure> {
        match value.kind() {
            Kind::Int(int) => Ok(Argument::Int(int)),
            Kind::String(text) => Ok(Argument::Text(text)),
            Kind::Number(text) if text.contains(['.', 'e', 'E']) => {
                let float = number::to_f64(text);
                Ok(if float.is_finite() {
                    Argument::Float(float)
                } else {
                    Argument::Text(text)
                })
            }
            // No integer for Go, in spite of its value.
            Kind::Number(text) if text.contains('_') => Ok(Argument::Text(text)),
            Kind::Number(_) => Ok(match (number::int(value), number::integer(value)?) {
                (Some(int), _) => Argument::Int(int),
                (None, Some(big)) => Argument::Big(big),
                (None, None) => Argument::Text(""),
            }),
            _ => {
                let mut out = Text::new(arena);
                rego_text::write(&mut out, arena, value)?;
                Ok(Argument::Text(out.finish()?))
            }
        }
    }

    /// Go's name of the type.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Argument::Int(_) => "int64",
            Argument::Float(_) => "float64",
            Argument::Big(_) => "*big.Int",
            Argument::Text(_) => "string",
        }
    }
}

/// Integers in other spellings (`-0`); not those with a point, which are floats for Go, nor with `_`, which are texts.
pub(super) fn spelled_int(value: Value<'_>) -> Option<i64> {
    match value.kind() {
        Kind::Int(int) => Some(int),
        Kind::Number(text) if !text.contains(['.', 'e', 'E', '_']) => number::int(value),
        _ => None,
    }
}
