//! Documents of case files as [`Constant`]s, from JSON and from YAML; number texts are kept.

use gavel_compiler::domain::yaml::{Document, NodeId, NodeKind};
use gavel_runtime::arena::Arena;
use gavel_runtime::builtins::without_bytes;
use gavel_runtime::json::{Numbers, parse};
use gavel_runtime::value::Constant;
use saphyr_parser::ScalarStyle;

/// Memory that one line of a case file may take as values.
const DOCUMENT_BYTES_MAX: usize = 1 << 30;

/// A JSON document.
pub fn from_json(text: &str) -> Result<Constant, String> {
    let arena = Arena::new(text.len(), DOCUMENT_BYTES_MAX);
    let value = parse(&arena, text.as_bytes(), Numbers::Text).map_err(|error| error.to_string())?;
    value.to_constant().ok_or_else(|| "no document".to_owned())
}

/// A YAML node; keys are strings by their text.
#[must_use]
pub fn from_yaml(document: &Document, id: NodeId) -> Constant {
    match &document.node(id).kind {
        NodeKind::Scalar(scalar) if scalar.style == ScalarStyle::Plain => plain_scalar(&scalar.text),
        NodeKind::Scalar(scalar) => Constant::String(scalar.text.to_string()),
        NodeKind::Sequence(items) => {
            Constant::Array(items.iter().map(|item| from_yaml(document, *item)).collect())
        }
        NodeKind::Mapping(members) => Constant::object(
            members
                .iter()
                .map(|(key, value)| {
                    let key = document
                        .scalar(*key)
                        .map_or_else(String::new, |scalar| scalar.text.to_string());
                    (Constant::String(key), from_yaml(document, *value))
                })
                .collect(),
        ),
    }
}

fn plain_scalar(text: &str) -> Constant {
    match text {
        "" | "~" | "null" => Constant::Null,
        "true" => Constant::Bool(true),
        "false" => Constant::Bool(false),
        _ if is_number(text) => Constant::number(text),
        _ => Constant::String(text.to_owned()),
    }
}

fn is_number(text: &str) -> bool {
    serde_json::from_str::<serde_json::Number>(text).is_ok()
}

/// The value as JSON would carry it: sets are arrays, keys are texts.
#[must_use]
pub fn as_json(value: &Constant) -> Constant {
    match value {
        Constant::Array(items) | Constant::Set(items) => Constant::Array(items.iter().map(as_json).collect()),
        Constant::Object(members) => Constant::object(
            members
                .iter()
                .map(|(key, value)| {
                    let key = match key {
                        Constant::String(text) => text.clone(),
                        other => text(&as_json(other)),
                    };
                    (Constant::String(key), as_json(value))
                })
                .collect(),
        ),
        Constant::String(text) => Constant::String(without_bytes(text).into_owned()),
        other => other.clone(),
    }
}

/// Compact JSON text of a document without sets and with string keys.
#[must_use]
pub fn text(value: &Constant) -> String {
    match value {
        Constant::Null => "null".to_owned(),
        Constant::Bool(flag) => flag.to_string(),
        Constant::Int(int) => int.to_string(),
        Constant::Number(number) => number.clone(),
        Constant::String(string) => serde_json::Value::String(string.clone()).to_string(),
        Constant::Array(items) | Constant::Set(items) => {
            format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(","))
        }
        Constant::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(k, v)| format!("{}:{}", text(k), text(v)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
    }
}
