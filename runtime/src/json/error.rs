//! Why a text is no JSON; worded as Go's decoder words it.

use std::fmt::{Display, Formatter, Result};

/// Kind and place of a syntax error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// What is wrong.
    pub kind: JsonErrorKind,
    /// Byte offset.
    pub at: u32,
}

/// What is wrong with a JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonErrorKind {
    /// It ends too early.
    UnexpectedEnd,
    /// A byte that cannot stand where it stands; what the reader was doing there.
    UnexpectedByte(u8, &'static str),
    /// Nested deeper than [`crate::limits::JSON_DEPTH_MAX`].
    TooDeep,
    /// A number beyond a 64-bit float.
    NumberRange,
    /// The values do not fit into the arena.
    Memory,
}

impl Display for JsonError {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.kind {
            JsonErrorKind::UnexpectedEnd => f.write_str("unexpected end of JSON input"),
            JsonErrorKind::UnexpectedByte(byte, context) => {
                f.write_str("invalid character ")?;
                match byte {
                    b'\'' => f.write_str("'\\''")?,
                    b'"' => f.write_str("'\"'")?,
                    _ => write!(f, "{:?}", char::from(byte))?,
                }
                write!(f, " {context}")
            }
            JsonErrorKind::TooDeep => f.write_str("exceeded max depth"),
            JsonErrorKind::NumberRange => {
                f.write_str("json: cannot unmarshal number into Go value of type float64")
            }
            JsonErrorKind::Memory => f.write_str("the document does not fit into the memory of a request"),
        }
    }
}

impl std::error::Error for JsonError {}
