//! Constants of programs: their text in messages, as OPA spells it, and what stands in them.

use gavel_runtime::value::Constant;
use std::fmt::Write;

/// The text of a value in Rego's syntax.
pub(crate) fn text(value: &Constant) -> String {
    let mut text = String::new();
    write(&mut text, value);
    text
}

/// Appends the text of a value.
pub(crate) fn write(text: &mut String, value: &Constant) {
    match value {
        Constant::Null => text.push_str("null"),
        Constant::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Constant::Int(value) => text.push_str(&value.to_string()),
        Constant::Number(value) => text.push_str(value),
        Constant::String(value) => write_quoted(text, value),
        Constant::Array(items) => write_list(text, ('[', ']'), items, write),
        Constant::Set(items) if items.is_empty() => text.push_str("set()"),
        Constant::Set(items) => write_list(text, ('{', '}'), items, write),
        Constant::Object(entries) => write_list(text, ('{', '}'), entries, |text, (key, value)| {
            write(text, key);
            text.push_str(": ");
            write(text, value);
        }),
    }
}

/// Appends items in brackets.
pub(crate) fn write_list<T>(
    text: &mut String,
    brackets: (char, char),
    items: &[T],
    write: impl Fn(&mut String, &T),
) {
    text.push(brackets.0);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            text.push_str(", ");
        }
        write(text, item);
    }
    text.push(brackets.1);
}

/// A string literal.
pub(crate) fn quoted(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    write_quoted(&mut text, value);
    text
}

fn write_quoted(text: &mut String, value: &str) {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            c if u32::from(c) < 0x20 => {
                // Writing into a string cannot fail.
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text.push('"');
}

/// Appends a string key of a reference: `.a`, or `["b c"]` where it is no name.
pub(crate) fn write_key(text: &mut String, key: &str) {
    let mut chars = key.chars();
    let plain = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain {
        text.push('.');
        text.push_str(key);
    } else {
        text.push('[');
        write_quoted(text, key);
        text.push(']');
    }
}

/// All values in a collection; `None` for a scalar.
pub(crate) fn members(value: &Constant) -> Option<Vec<&Constant>> {
    match value {
        Constant::Array(items) | Constant::Set(items) => Some(items.iter().collect()),
        Constant::Object(entries) => Some(entries.iter().map(|(_, value)| value).collect()),
        Constant::Null | Constant::Bool(_) | Constant::Int(_) | Constant::Number(_) | Constant::String(_) => {
            None
        }
    }
}

/// The value at a key.
pub(crate) fn member<'v>(value: &'v Constant, key: &Constant) -> Option<&'v Constant> {
    match (value, key) {
        (Constant::Array(items), Constant::Int(at)) => usize::try_from(*at).ok().and_then(|at| items.get(at)),
        (Constant::Set(items), key) => items.iter().find(|item| *item == key),
        (Constant::Object(entries), key) => entries.iter().find(|(k, _)| k == key).map(|(_, value)| value),
        _ => None,
    }
}
