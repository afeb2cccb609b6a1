//! References inside of blocks, read by the parser of queries.

use super::annotation::{Path, Step};
use crate::ast::{LiteralKind, Term, TermKind};
use crate::parse::{BaseDialect, BlanketImport, ParseOptions, parse_query};
use crate::source::SourceMap;
use bumpalo::Bump;
use gavel_runtime::value::Constant;

/// A reference: `input`, `data.a["b"]`.
pub(super) fn reference(text: &str) -> Option<Path> {
    with_term(text, |term, sources| match term.kind {
        TermKind::Var(name @ ("input" | "data")) => Some(root(name)),
        TermKind::Ref { .. } => path(term, sources),
        _ => None,
    })
}

/// A reference to a schema: `schema`, `schema.a.b`.
pub(super) fn schema(text: &str) -> Option<Path> {
    with_term(text, |term, sources| match term.kind {
        TermKind::Var("schema") => Some(root("schema")),
        TermKind::Ref { .. } => path(term, sources).filter(|path| path.head == "schema"),
        _ => None,
    })
}

/// Whether a text can name a rule.
pub(super) fn names_a_rule(text: &str) -> bool {
    with_term(text, |term, _| match term.kind {
        TermKind::Var(_) | TermKind::Ref { .. } | TermKind::String { .. } => Some(()),
        _ => None,
    })
    .is_some()
}

/// Hands on the one term that a text consists of.
fn with_term<T>(text: &str, take: impl FnOnce(&Term<'_>, &SourceMap) -> Option<T>) -> Option<T> {
    let mut sources = SourceMap::default();
    let file = sources.add_file("METADATA", text);
    let bump = Bump::new();
    let options = ParseOptions {
        base: BaseDialect::V1,
        blanket_import: BlanketImport::Opa,
        annotations: false,
    };
    let body = parse_query(&bump, &sources, file, options).ok()?;
    match body.literals {
        [only] => match &only.kind {
            LiteralKind::Term(term) => take(term, &sources),
            _ => None,
        },
        _ => None,
    }
}

fn root(name: &str) -> Path {
    Path {
        head: name.to_owned(),
        steps: Vec::new(),
    }
}

fn path(term: &Term<'_>, sources: &SourceMap) -> Option<Path> {
    let TermKind::Ref { head, path } = term.kind else {
        return None;
    };
    let steps = path.iter().map(|step| match step.kind {
        TermKind::String { text, .. } => Step::Key(Constant::String(text.to_owned())),
        TermKind::Number(text) => Step::Key(Constant::number(text)),
        TermKind::Bool(value) => Step::Key(Constant::Bool(value)),
        TermKind::Null => Step::Key(Constant::Null),
        _ => Step::Other(sources.slice(step.span).to_owned()),
    });
    Some(Path {
        head: match head.kind {
            TermKind::Var(name) => name.to_owned(),
            _ => sources.slice(head.span).to_owned(),
        },
        steps: steps.collect(),
    })
}
