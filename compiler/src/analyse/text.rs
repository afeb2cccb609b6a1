//! Terms as messages show them: OPA's spelling of references, calls and values.

use super::tree::{Callee, ComprehensionKind, Head, Kind, Term, Vars};
use crate::constant;
use gavel_runtime::value::Constant;

/// A name and what follows it: `a.b["c d"]`.
pub(super) fn dotted(first: &str, rest: &[String]) -> String {
    let mut text = first.to_owned();
    for key in rest {
        constant::write_key(&mut text, key);
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
        Kind::Const(value) => constant::text(value),
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

fn push_path(text: &mut String, path: &[Term], vars: &Vars) {
    for element in path {
        match &element.kind {
            Kind::Const(Constant::String(key)) => constant::write_key(text, key),
            _ => {
                text.push('[');
                text.push_str(&term(element, vars));
                text.push(']');
            }
        }
    }
}
