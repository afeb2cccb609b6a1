//! Short texts of constants and paths, for names of functions and dumps. Different values have different texts.

use gavel_runtime::value::Constant;
use std::fmt::Write;

/// A constant as Rego would spell it; strings are escaped as Rust does.
#[must_use]
pub fn constant_text(value: &Constant) -> String {
    let mut out = String::new();
    write_constant(value, &mut out);
    out
}

fn write_constant(value: &Constant, out: &mut String) {
    let list = |items: &[Constant], out: &mut String| {
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                out.push_str(", ");
            }
            write_constant(item, out);
        }
    };
    match value {
        Constant::Null => out.push_str("null"),
        Constant::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Constant::Int(value) => out.push_str(&value.to_string()),
        Constant::Number(text) => out.push_str(text),
        // Writing into a string cannot fail.
        Constant::String(text) => {
            let _ = write!(out, "{text:?}");
        }
        Constant::Array(items) => {
            out.push('[');
            list(items, out);
            out.push(']');
        }
        Constant::Set(items) if items.is_empty() => out.push_str("set()"),
        Constant::Set(items) => {
            out.push('{');
            list(items, out);
            out.push('}');
        }
        Constant::Object(members) => {
            out.push('{');
            for (at, (key, value)) in members.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                write_constant(key, out);
                out.push_str(": ");
                write_constant(value, out);
            }
            out.push('}');
        }
    }
}

/// `data.a["b c"]`
pub(super) fn document_name(path: &[String]) -> String {
    let mut name = "data".to_owned();
    for key in path {
        let is_name = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if is_name {
            name.push('.');
            name.push_str(key);
        } else {
            let _ = write!(name, "[{key:?}]");
        }
    }
    name
}
