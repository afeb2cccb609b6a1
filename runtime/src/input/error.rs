//! Why a request document cannot be read; the texts are those that users of Go's decoder know.

use crate::error::EvalErrorKind;
use crate::json::JsonError;

/// What to do with text behind the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trailing {
    /// It is an error.
    Refuse,
    /// It is not looked at (as the HTTP service does).
    Ignore,
}

/// Why a request document cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PorcError {
    /// It is no JSON.
    Json(JsonError),
    /// It is JSON, but no object: the JSON type that it is (`array`, `number`, `bool`, `string`).
    NotAnObject(&'static str),
    /// It is `null`.
    Null,
    /// It does not fit into the request's memory.
    Budget(EvalErrorKind),
}

impl std::fmt::Display for PorcError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PorcError::Json(error) => error.fmt(f),
            PorcError::NotAnObject(what) => {
                write!(
                    f,
                    "json: cannot unmarshal {what} into Go value of type types.PORC"
                )
            }
            PorcError::Null => f.write_str("malformed PORC"),
            PorcError::Budget(kind) => f.write_str(kind.code()),
        }
    }
}

impl std::error::Error for PorcError {}
