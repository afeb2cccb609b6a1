//! Types, references and names as text for messages, in OPA's notation.

use super::ty::{FunctionType, Type};
use crate::constant;
use crate::hir::{Ref, RefHead, Term, VarId};
use gavel_runtime::value::Constant;
use std::fmt::Write;

/// A longer text is cut: types of big documents help nobody.
const TYPE_TEXT_MAX: usize = 160;

/// `object<a: number>[string: any]`, `any<number, string>`, … cut where it gets long.
pub(super) fn type_text(value: &Type) -> String {
    let mut text = String::new();
    write_type(&mut text, value);
    if text.len() > TYPE_TEXT_MAX {
        let end = (0..=TYPE_TEXT_MAX)
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

/// `(string, number)`
pub(super) fn types_text<'t>(types: impl IntoIterator<Item = &'t Type>) -> String {
    let texts: Vec<String> = types.into_iter().map(type_text).collect();
    format!("({})", texts.join(", "))
}

/// What a function wants, its result last, as OPA counts it.
pub(super) fn signature_text(function: &FunctionType) -> String {
    types_text(function.args.iter().chain([&function.result]))
}

/// `data.a["b c"].d`
pub(super) fn path_text<'t>(root: &str, path: impl IntoIterator<Item = &'t str>) -> String {
    let mut text = root.to_owned();
    for element in path {
        constant::write_key(&mut text, element);
    }
    text
}

/// A reference as OPA prints it; `name` gives the text of a variable.
pub(super) fn ref_text(reference: &Ref, name: &dyn Fn(VarId) -> String) -> String {
    let mut text = match &reference.head {
        RefHead::Input => "input".to_owned(),
        RefHead::Data => "data".to_owned(),
        RefHead::Var(var) => name(*var),
        RefHead::Const(value) => constant::text(value),
    };
    for step in &reference.path {
        match step {
            Term::Const(Constant::String(key)) => constant::write_key(&mut text, key),
            other => {
                text.push('[');
                write_term(&mut text, other, name);
                text.push(']');
            }
        }
    }
    text
}

fn write_term(text: &mut String, term: &Term, name: &dyn Fn(VarId) -> String) {
    match term {
        Term::Const(value) => constant::write(text, value),
        Term::Var(var) => text.push_str(&name(*var)),
        Term::Array(items) => {
            constant::write_list(text, ('[', ']'), items, |text, t| write_term(text, t, name))
        }
        Term::Set(items) => {
            constant::write_list(text, ('{', '}'), items, |text, t| write_term(text, t, name))
        }
        Term::Object(entries) => constant::write_list(text, ('{', '}'), entries, |text, (key, value)| {
            write_term(text, key, name);
            text.push_str(": ");
            write_term(text, value, name);
        }),
        Term::Ref(reference) => text.push_str(&ref_text(reference, name)),
        Term::Comprehension(_) => text.push('…'),
    }
}

fn write_type(text: &mut String, value: &Type) {
    // The caller cuts the text: what would stand behind the cut is not made.
    if text.len() > TYPE_TEXT_MAX {
        return;
    }
    match value {
        Type::Unknown => text.push_str("???"),
        Type::Any => text.push_str("any"),
        Type::Null => text.push_str("null"),
        Type::Boolean => text.push_str("boolean"),
        Type::Number => text.push_str("number"),
        Type::String => text.push_str("string"),
        Type::Array(t) => {
            text.push_str("array");
            if !t.items.is_empty() {
                constant::write_list(text, ('<', '>'), &t.items, write_type);
            }
            if let Some(rest) = &t.rest {
                text.push('[');
                write_type(text, rest);
                text.push(']');
            }
        }
        Type::Object(t) => {
            text.push_str("object");
            if !t.members.is_empty() {
                constant::write_list(text, ('<', '>'), &t.members, |text, (key, value)| {
                    match key {
                        Constant::String(key) => text.push_str(key),
                        other => constant::write(text, other),
                    }
                    text.push_str(": ");
                    write_type(text, value);
                });
            }
            if let Some((key, value)) = &t.rest {
                text.push('[');
                write_type(text, key);
                text.push_str(": ");
                write_type(text, value);
                text.push(']');
            }
        }
        Type::Set(t) if matches!(t.member, Type::Unknown) => text.push_str("set"),
        Type::Set(t) => {
            text.push_str("set[");
            write_type(text, &t.member);
            text.push(']');
        }
        Type::OneOf(t) => {
            text.push_str("any");
            constant::write_list(text, ('<', '>'), &t.options, write_type);
        }
        Type::Function(t) => {
            let _ = write!(text, "{} => {}", types_text(&t.args), type_text(&t.result));
        }
    }
}
