//! What a scalar stands for.

use super::document::Scalar;
use crate::arena::Arena;
use crate::builtins::base64::standard_bytes;
use crate::builtins::bytes::byte_of;
use crate::builtins::time::{is_moment, rfc3339};
use crate::builtins::{BuiltinResult, Failure};
use crate::number::{self, f32_text, f64_json_text};
use crate::value::Value;

/// A resolved scalar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Meaning<'t> {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(&'t str),
    /// A moment as written.
    Moment(&'t str),
}

impl<'t> Scalar<'t> {
    /// The type and value. Tags of others make a string of what they stand before.
    pub(super) fn meaning(&self) -> Result<Meaning<'_>, Failure> {
        let Some(tag) = &self.tag else {
            return Ok(if self.is_plain {
                plain(&self.text)
            } else {
                Meaning::Text(&self.text)
            });
        };
        let meaning = plain(&self.text);
        match (tag.strip_prefix("tag:yaml.org,2002:"), meaning) {
            (Some("null"), Meaning::Null) | (Some("bool"), Meaning::Bool(_)) => Ok(meaning),
            (Some("int"), Meaning::Int(_)) | (Some("float"), Meaning::Float(_)) => Ok(meaning),
            (Some("float"), Meaning::Int(int)) => Ok(Meaning::Float(int as f64)),
            (Some("null" | "bool" | "int" | "float"), _) => Err(Failure::BUILTIN),
            (Some("timestamp"), _) => Ok(Meaning::Moment(&self.text)),
            _ => Ok(Meaning::Text(&self.text)),
        }
    }

    /// Whether this is the key `<<`.
    pub(super) fn is_merge(&self) -> bool {
        self.text == "<<"
            && match &self.tag {
                None => self.is_plain,
                Some(tag) => tag == "tag:yaml.org,2002:merge",
            }
    }

    /// Whether the scalar is a string without looking at other nodes.
    pub(super) fn is_string(&self) -> bool {
        let is_other_tag = self
            .tag
            .as_ref()
            .is_some_and(|tag| tag != "tag:yaml.org,2002:str");
        !is_other_tag && matches!(self.meaning(), Ok(Meaning::Text(_)))
    }

    /// The value.
    pub(super) fn value<'r>(&self, arena: &'r Arena) -> BuiltinResult<'r> {
        if self.tag.as_deref() == Some("tag:yaml.org,2002:binary") {
            let bytes = standard_bytes(arena, &self.text)?;
            return text_value(arena, &String::from_utf8_lossy(bytes));
        }
        Ok(match self.meaning()? {
            Meaning::Null => Value::NULL,
            Meaning::Bool(value) => Value::bool(value),
            Meaning::Int(int) => number::value(arena.text(&int.to_string())?),
            Meaning::Float(float) if float.is_finite() => number::value(arena.text(&f64_json_text(float))?),
            Meaning::Float(_) => return Err(Failure::BUILTIN),
            Meaning::Text(text) => text_value(arena, text)?,
            Meaning::Moment(text) => text_value(arena, &moment(text).ok_or(Failure::BUILTIN)?)?,
        })
    }

    /// The key of an object that the scalar becomes; none for null.
    pub(super) fn key(&self) -> Result<Option<String>, Failure> {
        Ok(match self.meaning()? {
            Meaning::Null => None,
            Meaning::Bool(value) => Some(value.to_string()),
            Meaning::Int(int) => Some(int.to_string()),
            Meaning::Float(float) => Some(key_float(float)),
            Meaning::Text(text) => Some(text.to_owned()),
            Meaning::Moment(_) => return Err(Failure::BUILTIN),
        })
    }
}

/// The layouts of moments in YAML 1.1.
const MOMENTS: [&str; 4] = [
    "2006-1-2T15:4:5.999999999Z07:00",
    "2006-1-2t15:4:5.999999999Z07:00",
    "2006-1-2 15:4:5.999999999",
    "2006-1-2",
];

/// A moment as JSON has it.
fn moment(text: &str) -> Option<String> {
    let layout = moment_layout(text)?;
    rfc3339(layout, text)
}

/// The layout of a text that is a moment.
pub(super) fn moment_layout(text: &str) -> Option<&'static str> {
    let year = text.bytes().take_while(u8::is_ascii_digit).count();
    let may_be = year == 4 && text.as_bytes().get(4) == Some(&b'-');
    MOMENTS
        .into_iter()
        .find(|layout| may_be && is_moment(layout, text))
}

pub(super) fn text_value<'r>(arena: &'r Arena, text: &str) -> BuiltinResult<'r> {
    // An escape may have made a character that stands for a byte.
    if text.contains(|c| byte_of(c).is_some()) {
        return Err(Failure::BUILTIN);
    }
    Ok(Value::string(arena.text(text)?))
}

/// The core schema, with the binary and old octal numbers that OPA still reads.
pub(super) fn plain(text: &str) -> Meaning<'_> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Meaning::Null,
        "true" | "True" | "TRUE" => return Meaning::Bool(true),
        "false" | "False" | "FALSE" => return Meaning::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Meaning::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Meaning::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Meaning::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let digits = match text.bytes().next() {
        Some(b'.') => text.to_owned(),
        Some(b'0'..=b'9' | b'+' | b'-') => text.replace('_', ""),
        _ => return Meaning::Text(text),
    };
    if let Some(int) = integer(&digits) {
        return Meaning::Int(int);
    }
    match digits.parse::<f64>() {
        Ok(float) if float.is_finite() && is_float(&digits) => Meaning::Float(float),
        _ => Meaning::Text(text),
    }
}

/// An integer of 64 bits, with or without sign, in base 10, `0b` 2, `0` and `0o` 8, `0x` 16.
fn integer(text: &str) -> Option<i128> {
    let (is_negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let (radix, digits) = match digits.get(..2) {
        Some("0x" | "0X") => (16, digits.get(2..)?),
        Some("0b" | "0B") => (2, digits.get(2..)?),
        Some("0o" | "0O") => (8, digits.get(2..)?),
        Some(_) if digits.starts_with('0') => (8, digits),
        _ => (10, digits),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let int = i128::from(u64::from_str_radix(digits, radix).ok()?);
    let has_sign = is_negative || text.starts_with('+');
    let int = if is_negative { -int } else { int };
    let fits = i64::try_from(int).is_ok() || !has_sign;
    fits.then_some(int)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent_is_fine = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && all_digits(digits)
    });
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_point_alone = whole.is_empty() && fraction.is_empty();
    exponent_is_fine && !is_point_alone && all_digits(whole) && all_digits(fraction)
}

/// A float as a key: with the digits of its 32-bit neighbour, as OPA does.
fn key_float(float: f64) -> String {
    let float = float as f32;
    if float.is_nan() {
        ".nan".to_owned()
    } else if float.is_infinite() {
        if float > 0.0 { ".inf" } else { "-.inf" }.to_owned()
    } else {
        f32_text(float)
    }
}
