//! The shape of a piece of a module: a text that two pieces share if they differ in places and comments only.

use std::fmt::Write;

use super::visit::{Event, Scope};
use crate::ast::{LiteralKind, TermKind};

/// Collects events of a walk. Every node says how much is below it, so that no two trees give one text.
#[derive(Default)]
pub(super) struct Shape {
    text: String,
}

impl Shape {
    pub(super) fn into_text(self) -> String {
        self.text
    }

    pub(super) fn event(&mut self, event: Event<'_>) {
        // Writing to a string cannot fail.
        let _ = match event {
            Event::Enter(scope) => write!(self.text, "<{}", scope_mark(scope)),
            Event::Leave => write!(self.text, ">"),
            Event::Literal(literal) => {
                let mark = literal_mark(&literal.kind);
                if let LiteralKind::SomeDecl(names) = literal.kind {
                    names.iter().for_each(|name| self.text.push_str(name.text));
                }
                if let LiteralKind::Every { key, value, .. } = literal.kind {
                    key.iter()
                        .chain([&value])
                        .for_each(|name| self.text.push_str(name.text));
                }
                write!(self.text, ";{mark}{}", literal.with.len())
            }
            Event::Term(term) => self.term(&term.kind),
        };
    }

    fn term(&mut self, term: &TermKind<'_>) -> std::fmt::Result {
        let text = &mut self.text;
        match term {
            TermKind::Null => write!(text, "null,"),
            TermKind::Bool(value) => write!(text, "{value},"),
            TermKind::Number(number) => write!(text, "{number},"),
            TermKind::String { text: value, .. } => write!(text, "{value:?},"),
            TermKind::Var(name) => write!(text, "${name},"),
            TermKind::Ref { path, .. } => write!(text, "ref{},", path.len()),
            TermKind::Call { args, .. } => write!(text, "call{},", args.len()),
            TermKind::Infix { op, .. } => write!(text, "{op:?},"),
            TermKind::KeyValueIn { .. } => write!(text, "member,"),
            TermKind::Negate(_) => write!(text, "minus,"),
            TermKind::Array(items) => write!(text, "array{},", items.len()),
            TermKind::Set(items) => write!(text, "set{},", items.len()),
            TermKind::Object(entries) => write!(text, "object{},", entries.len()),
            TermKind::ArrayComprehension { .. } => write!(text, "arrays,"),
            TermKind::SetComprehension { .. } => write!(text, "sets,"),
            TermKind::ObjectComprehension { .. } => write!(text, "objects,"),
            TermKind::Template { parts, .. } => {
                write!(text, "template{}", parts.len())?;
                for part in *parts {
                    if let crate::ast::TemplatePart::Text(part) = part {
                        write!(text, "{part:?},")?;
                    }
                }
                Ok(())
            }
        }
    }
}

fn scope_mark(scope: Scope<'_>) -> String {
    match scope {
        Scope::Rule(rule) => {
            let (head, args) = (&rule.head, rule.head.args.map(<[_]>::len));
            format!(
                "rule {} {:?} {args:?} {:?} {} {} {} {} ",
                rule.is_default,
                head.kind,
                super::names::of_head(head),
                head.reference.len(),
                head.key.is_some(),
                head.value.is_some(),
                rule.else_branches.len()
            )
        }
        Scope::Branch(body) => format!("branch {} ", body.map_or(0, |body| body.literals.len())),
        Scope::Comprehension(body) => format!("comprehension {} ", body.literals.len()),
        Scope::Every(_, body) => format!("every {} ", body.literals.len()),
        Scope::Braces(body) => format!("braces {} ", body.literals.len()),
        Scope::Not => "not ".to_owned(),
    }
}

fn literal_mark(kind: &LiteralKind<'_>) -> String {
    match kind {
        LiteralKind::Term(_) => "term".to_owned(),
        LiteralKind::Assign(..) => "assign".to_owned(),
        LiteralKind::Unify(..) => "unify".to_owned(),
        LiteralKind::SomeDecl(names) => format!("some{}", names.len()),
        LiteralKind::SomeIn { key, .. } => format!("some-in{}", key.is_some()),
        LiteralKind::Every { key, .. } => format!("every{}", key.is_some()),
        LiteralKind::Not(_) => "not".to_owned(),
        LiteralKind::And(..) => "and".to_owned(),
        LiteralKind::Or(..) => "or".to_owned(),
    }
}
