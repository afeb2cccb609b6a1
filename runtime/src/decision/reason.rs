//! Why a reference says DENY although no policy said so: the code and the text of a reference's reason.

use super::phase::Phase;
use crate::error::EvalErrorKind;
use crate::value::{Kind, Value};
use std::io::Write;

/// Reason codes as the access record names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ReasonCode {
    /// Something that a reference names does not exist.
    NotFound = 0,
    /// A policy was undefined, conflicting, or ran out of a budget.
    Evaluation = 1,
    /// The request is malformed.
    InvalidParameter = 2,
    /// A policy's result has the wrong type.
    Unknown = 3,
}

impl ReasonCode {
    /// The word on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            ReasonCode::NotFound => "NOTFOUND_ERROR",
            ReasonCode::Evaluation => "EVALUATION_ERROR",
            ReasonCode::InvalidParameter => "INVALPARAM_ERROR",
            ReasonCode::Unknown => "UNKNOWN_ERROR",
        }
    }

    /// The code of its number in a frame.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<ReasonCode> {
        match byte {
            0 => Some(ReasonCode::NotFound),
            1 => Some(ReasonCode::Evaluation),
            2 => Some(ReasonCode::InvalidParameter),
            3 => Some(ReasonCode::Unknown),
            _ => None,
        }
    }
}

/// Code and text.
#[derive(Clone, Copy, Debug)]
pub struct Reason<'r> {
    /// Code.
    pub code: ReasonCode,
    /// Text, made when it is written.
    pub text: ReasonText<'r>,
}

/// The text of a reason before it is spelled out.
#[derive(Clone, Copy, Debug)]
pub enum ReasonText<'r> {
    /// Fixed.
    Fixed(&'static str),
    /// Made for this request.
    Given(&'r str),
    /// The policy gave no result.
    NoResult {
        /// Its MRN.
        mrn: &'r str,
    },
    /// The policy's result has the wrong type.
    Unexpected(Value<'r>),
    /// The operation policy's number is no 64-bit integer.
    NotInteger {
        /// Its text.
        text: &'r str,
    },
    /// The policy was aborted.
    Aborted {
        /// Name of the module in which it happened.
        module: &'r str,
        /// Row in that module, 0 when unknown.
        row: u32,
        /// What happened.
        kind: EvalErrorKind,
    },
}

impl<'r> Reason<'r> {
    /// A reason with a fixed text.
    #[must_use]
    pub const fn fixed(code: ReasonCode, text: &'static str) -> Reason<'r> {
        Reason {
            code,
            text: ReasonText::Fixed(text),
        }
    }

    /// Something of this phase does not exist.
    #[must_use]
    pub const fn not_found(phase: Phase) -> Reason<'r> {
        Reason::fixed(
            ReasonCode::NotFound,
            match phase {
                Phase::Operation => "operation not found",
                Phase::Identity => "role not found",
                Phase::Resource => "resource group not found",
                Phase::Scope => "scope not found",
            },
        )
    }
}

impl ReasonText<'_> {
    /// Appends the text.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            ReasonText::Fixed(text) | ReasonText::Given(text) => out.extend_from_slice(text.as_bytes()),
            ReasonText::NoResult { mrn } => {
                out.extend_from_slice(b"no opa results: ");
                out.extend_from_slice(mrn.as_bytes());
            }
            ReasonText::Unexpected(value) => {
                out.extend_from_slice(b"unexpected evaluation result: ");
                write_plain(*value, out, 0);
            }
            ReasonText::NotInteger { text } => {
                let what = if text.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
                    "value out of range"
                } else {
                    "invalid syntax"
                };
                let reason = "cannot extract integer result: strconv.ParseInt";
                print(out, format_args!("{reason}: parsing \"{text}\": {what}"));
            }
            ReasonText::Aborted { module, row, kind } => {
                print(
                    out,
                    format_args!("{module}:{row}: {}: {}", kind.code(), kind.message()),
                );
            }
        }
    }
}

/// Appends formatted text without a text of its own in between.
fn print(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing into a vector cannot fail.
    let _ = out.write_fmt(text);
}

/// Nested values deeper than this are cut: the text is for people.
const PLAIN_DEPTH_MAX: u32 = 16;

/// A value as the reference's log texts show it: `map[k:v]`, `[a b]`, `<nil>`, strings bare.
fn write_plain(value: Value<'_>, out: &mut Vec<u8>, depth: u32) {
    if depth > PLAIN_DEPTH_MAX {
        out.extend_from_slice("…".as_bytes());
        return;
    }
    let list = |items: &[Value<'_>], out: &mut Vec<u8>| {
        out.push(b'[');
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                out.push(b' ');
            }
            write_plain(*item, out, depth + 1);
        }
        out.push(b']');
    };
    match value.kind() {
        Kind::Undefined => {}
        Kind::Null => out.extend_from_slice(b"<nil>"),
        Kind::Bool(flag) => out.extend_from_slice(if flag { b"true" } else { b"false" }),
        Kind::Int(int) => print(out, format_args!("{int}")),
        Kind::Number(text) | Kind::String(text) => out.extend_from_slice(text.as_bytes()),
        Kind::Array(items) | Kind::Set(items) => list(items, out),
        Kind::Object(entries) => {
            out.extend_from_slice(b"map[");
            for (at, entry) in entries.iter().enumerate() {
                if at > 0 {
                    out.push(b' ');
                }
                write_plain(entry.key, out, depth + 1);
                out.push(b':');
                write_plain(entry.value, out, depth + 1);
            }
            out.push(b']');
        }
    }
}
