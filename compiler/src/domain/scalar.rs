//! What a YAML scalar means, by the rules of Go's yaml.v3: YAML 1.2's core types with leftovers of 1.1.

use saphyr_parser::ScalarStyle;

use super::timestamp;
use super::yaml::{Document, NodeId, NodeKind};

/// A scalar with its type.
#[derive(Clone, Debug, PartialEq)]
pub enum Typed {
    /// `~`, `null`, nothing at all.
    Null,
    /// `true`, `false`; not `yes` and `on`.
    Bool(bool),
    /// An integer of 64 bits, signed or not.
    Int(i128),
    /// A floating-point number, infinity and NaN among them.
    Float(f64),
    /// A date or time, as Go prints it into JSON.
    Timestamp(String),
    /// Anything else.
    Text,
    /// `!!binary`.
    Binary,
}

impl Typed {
    fn short_tag(&self) -> &'static str {
        match self {
            Typed::Null => "!!null",
            Typed::Bool(_) => "!!bool",
            Typed::Int(_) => "!!int",
            Typed::Float(_) => "!!float",
            Typed::Timestamp(_) => "!!timestamp",
            Typed::Text => "!!str",
            Typed::Binary => "!!binary",
        }
    }
}

const CORE: &str = "tag:yaml.org,2002:";

/// The type of a node as messages name it: `!!str`, `!!seq`, …
#[must_use]
pub fn short_tag(document: &Document, id: NodeId) -> String {
    let node = document.node(id);
    let by_kind = match &node.kind {
        NodeKind::Sequence(_) => "!!seq",
        NodeKind::Mapping(_) => "!!map",
        NodeKind::Scalar(_) => "",
    };
    match node.tag.as_deref() {
        Some("!") | None if by_kind.is_empty() => typed(document, id)
            .map_or("!!str", |typed| typed.short_tag())
            .to_owned(),
        Some("!") | None => by_kind.to_owned(),
        Some(tag) => tag
            .strip_prefix(CORE)
            .map_or_else(|| tag.to_owned(), |short| format!("!!{short}")),
    }
}

/// What is said of a node of the wrong type, with the start of its text.
#[must_use]
pub fn cannot_unmarshal(document: &Document, id: NodeId, wanted: &str) -> String {
    let tag = short_tag(document, id);
    let value = match document.scalar(id) {
        Some(scalar) if scalar.text.chars().count() > 10 => {
            format!(" `{}...`", scalar.text.chars().take(7).collect::<String>())
        }
        Some(scalar) => format!(" `{}`", scalar.text),
        None => String::new(),
    };
    format!("cannot unmarshal {tag}{value} into {wanted}")
}

/// The type of a scalar; other nodes are text.
///
/// # Errors
/// The tag that is written cannot hold the text.
pub fn typed(document: &Document, id: NodeId) -> Result<Typed, String> {
    let node = document.node(id);
    let Some(scalar) = document.scalar(id) else {
        return Ok(Typed::Text);
    };
    let wanted = match node.tag.as_deref() {
        None | Some("!") if scalar.style != ScalarStyle::Plain => return Ok(Typed::Text),
        None | Some("!") => None,
        Some(tag) => match tag.strip_prefix(CORE) {
            Some("str") => return Ok(Typed::Text),
            Some("binary") => return Ok(Typed::Binary),
            Some(name @ ("bool" | "int" | "float" | "null" | "timestamp")) => Some(name),
            _ => return Ok(Typed::Text),
        },
    };
    let found = plain(&scalar.text, wanted.is_none_or(|name| name == "timestamp"));
    match (wanted, found) {
        (None, found) => Ok(found),
        (Some("float"), Typed::Int(int)) if i64::try_from(int).is_ok() => Ok(Typed::Float(int as f64)),
        (Some(name), found) if found.short_tag().strip_prefix("!!") == Some(name) => Ok(found),
        (Some(name), found) => Err(format!(
            "cannot decode {} `{}` as a !!{name}",
            found.short_tag(),
            scalar.text
        )),
    }
}

/// The type of a plain scalar.
fn plain(text: &str, times: bool) -> Typed {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Typed::Null,
        "true" | "True" | "TRUE" => return Typed::Bool(true),
        "false" | "False" | "FALSE" => return Typed::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Typed::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Typed::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Typed::Float(f64::NEG_INFINITY),
        _ => {}
    }
    match text.as_bytes().first() {
        Some(b'.') => float(text).map_or(Typed::Text, Typed::Float),
        Some(b'+' | b'-' | b'0'..=b'9') => number_or_time(text, times),
        _ => Typed::Text,
    }
}

fn number_or_time(text: &str, times: bool) -> Typed {
    if times && let Some(time) = timestamp::parse(text) {
        return Typed::Timestamp(time);
    }
    let digits = text.replace('_', "");
    if let Some(int) = integer(&digits) {
        return Typed::Int(int);
    }
    float(&digits).map_or(Typed::Text, Typed::Float)
}

/// Go's `ParseInt(text, 0, 64)`, then `ParseUint`, then yaml.v3's own forms, which add nothing to them without underscores.
fn integer(text: &str) -> Option<i128> {
    let (sign, body) = match text.as_bytes().first()? {
        b'-' => (Some(-1), &text[1..]),
        b'+' => (Some(1), &text[1..]),
        _ => (None, text),
    };
    let prefixed = body.as_bytes().first() == Some(&b'0');
    let (radix, body) = match body.as_bytes().get(1) {
        Some(b'x' | b'X') if prefixed => (16, &body[2..]),
        Some(b'o' | b'O') if prefixed => (8, &body[2..]),
        Some(b'b' | b'B') if prefixed => (2, &body[2..]),
        Some(_) if prefixed => (8, &body[1..]),
        _ => (10, body),
    };
    if body.is_empty() || !body.bytes().all(|b| char::from(b).is_digit(radix)) {
        return None;
    }
    let magnitude = i128::from_str_radix(body, radix).ok()?;
    let value = magnitude * sign.unwrap_or(1);
    let unsigned = sign.is_none() && u64::try_from(value).is_ok();
    (i64::try_from(value).is_ok() || unsigned).then_some(value)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, finite.
fn float(text: &str) -> Option<f64> {
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    let plain = body
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    let starts = body.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if !plain || !starts {
        return None;
    }
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}

/// The words that stand for a boolean where a boolean is wanted.
#[must_use]
pub fn bool_word(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}
