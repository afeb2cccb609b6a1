//! Terms as messages show them: OPA's spelling of references, calls and values.

use super::tree::{Callee, ComprehensionKind, Head, Kind, Term, Vars};
use gavel_runtime::value::Constant;
use std::fmt::Write;

/// A name and what follows it: `a.b["c d"]`.
pub(super) fn dotted(first: &str, rest: &[String]) -> String {
    let mut text = first.to_owned();
    for key in rest {
        push_key(&mut text, key);
    }
    text
}

/// A path behind `data`.
pub(super) fn data_path(path: &[String]) -> String {
    dotted("data", path)
}

/// A reference behind `data`, variables included.
pub(super) fn data_reference(path: &[Term], vars: &Vars) -> String {
    let mut text = "data".to_owned();
    push_path(&mut text, path, vars);
    text
}

/// A callee.
pub(super) fn callee(callee: &Callee) -> String {
    match callee {
        Callee::Builtin(id) => id.get().name.to_owned(),
        Callee::Rule(path) => data_path(path),
        Callee::Unknown(text) => text.clone(),
    }
}

/// Any term.
pub(super) fn term(term: &Term, vars: &Vars) -> String {
    let list = |items: &[Term]| {
        items
            .iter()
            .map(|item| self::term(item, vars))
            .collect::<Vec<_>>()
            .join(", ")
    };
    match &term.kind {
        Kind::Const(constant) => self::constant(constant),
        Kind::Var(var) => vars.text(*var),
        Kind::Ref(reference) => {
            let mut text = match &reference.head {
                Head::Input => "input".to_owned(),
                Head::Data => "data".to_owned(),
                Head::Var(var) => vars.text(*var),
                Head::Term(head) => self::term(head, vars),
            };
            push_path(&mut text, &reference.path, vars);
            text
        }
        Kind::Call(call) => format!("{}({})", callee(&call.callee), list(&call.args)),
        Kind::Array(items) => format!("[{}]", list(items)),
        Kind::Set(items) => format!("{{{}}}", list(items)),
        Kind::Object(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", self::term(key, vars), self::term(value, vars)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        Kind::Comprehension(comprehension) => {
            let value = self::term(&comprehension.value, vars);
            match (comprehension.kind, &comprehension.key) {
                (ComprehensionKind::Array, _) => format!("[{value} | …]"),
                (ComprehensionKind::Object, Some(key)) => {
                    format!("{{{}: {value} | …}}", self::term(key, vars))
                }
                (ComprehensionKind::Set | ComprehensionKind::Object, _) => format!("{{{value} | …}}"),
            }
        }
        Kind::Template(_) => "$\"…\"".to_owned(),
        Kind::Builtin(id) => id.get().name.to_owned(),
    }
}

/// A value in Rego's syntax.
pub(super) fn constant(value: &Constant) -> String {
    match value {
        Constant::Null => "null".to_owned(),
        Constant::Bool(value) => value.to_string(),
        Constant::Int(value) => value.to_string(),
        Constant::Number(text) => text.clone(),
        Constant::String(text) => quoted(text),
        Constant::Array(items) => {
            let items: Vec<String> = items.iter().map(constant).collect();
            format!("[{}]", items.join(", "))
        }
        Constant::Set(items) if items.is_empty() => "set()".to_owned(),
        Constant::Set(items) => {
            let items: Vec<String> = items.iter().map(constant).collect();
            format!("{{{}}}", items.join(", "))
        }
        Constant::Object(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", constant(key), constant(value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

fn push_path(text: &mut String, path: &[Term], vars: &Vars) {
    for element in path {
        match &element.kind {
            Kind::Const(Constant::String(key)) => push_key(text, key),
            _ => {
                text.push('[');
                text.push_str(&term(element, vars));
                text.push(']');
            }
        }
    }
}

fn push_key(text: &mut String, key: &str) {
    let mut chars = key.chars();
    let plain = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain {
        text.push('.');
        text.push_str(key);
    } else {
        text.push('[');
        text.push_str(&quoted(key));
        text.push(']');
    }
}

/// A string literal.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x20 => {
                // Writing into a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
