//! Values of annotations: YAML as written → the value that policies see.
//!
//! A text is tried as JSON first, in every version. What JSON cannot hold (infinity, NaN, keys that are not text) is kept
//! as it is and marked: a request whose merged annotations still contain it is denied, other requests do not notice.

use gavel_runtime::value::Constant;

use super::decode::{Decoder, Text};
use super::json::{self, NoValue};
use super::number;
use super::scalar::{self, Typed};
use super::yaml::{NodeId, NodeKind};

/// The value of a text: what it is as JSON, or the text itself.
pub(super) fn from_text(decoder: &mut Decoder<'_>, text: &Text) -> Constant {
    match json::parse(&text.text) {
        Ok(value) => value,
        Err(NoValue::NotJson) => Constant::String(text.text.to_string()),
        Err(NoValue::TooDeep) => {
            if let Some(node) = text.node {
                decoder.problem(node, "the JSON in this annotation is nested too deep".to_owned());
            }
            Constant::Null
        }
    }
}

/// The value of a node of any type; a text at the top is tried as JSON, texts inside are not.
pub(super) fn native(decoder: &mut Decoder<'_>, id: NodeId) -> Constant {
    let is_text = decoder.document.scalar(id).is_some()
        && matches!(scalar::typed(decoder.document, id), Ok(Typed::Text));
    if is_text {
        let text = decoder.text(id);
        return from_text(decoder, &text);
    }
    value(decoder, id)
}

fn value(decoder: &mut Decoder<'_>, id: NodeId) -> Constant {
    match &decoder.document.node(id).kind {
        NodeKind::Scalar(_) => scalar_value(decoder, id),
        NodeKind::Sequence(items) => {
            Constant::Array(items.iter().map(|&item| value(decoder, item)).collect())
        }
        NodeKind::Mapping(_) => {
            let members = decoder.document.members(id, &mut decoder.problems);
            let mut entries = Vec::with_capacity(members.len());
            for (key, member) in members {
                if decoder.document.scalar(key).is_none() {
                    decoder.problem(key, "yaml: invalid map key".to_owned());
                    continue;
                }
                entries.push((scalar_value(decoder, key), value(decoder, member)));
            }
            Constant::object(entries)
        }
    }
}

fn scalar_value(decoder: &mut Decoder<'_>, id: NodeId) -> Constant {
    match scalar::typed(decoder.document, id) {
        Ok(Typed::Null) => Constant::Null,
        Ok(Typed::Bool(value)) => Constant::Bool(value),
        Ok(Typed::Int(value)) => Constant::number(&value.to_string()),
        Ok(Typed::Float(value)) => number::from_float(value),
        Ok(Typed::Timestamp(text)) => Constant::String(text),
        Ok(Typed::Text | Typed::Binary) | Err(_) => Constant::String(decoder.text(id).text.to_string()),
    }
}

/// Why JSON cannot hold a value, in the words of Go's encoder.
#[must_use]
pub(super) fn unprintable(value: &Constant) -> Option<String> {
    match value {
        Constant::Number(text) if number::UNPRINTABLE.contains(&text.as_str()) => {
            Some(format!("json: unsupported value: {text}"))
        }
        Constant::Array(items) => items.iter().find_map(unprintable),
        Constant::Object(entries) => {
            if entries.iter().any(|(key, _)| !matches!(key, Constant::String(_))) {
                return Some("json: unsupported type: map[interface {}]interface {}".to_owned());
            }
            entries.iter().find_map(|(_, value)| unprintable(value))
        }
        _ => None,
    }
}
