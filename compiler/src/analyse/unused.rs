//! Variables that a block declares and nobody reads.

use super::declared::{self, Names};
use super::scope::{DeclaredVar, Occurrence, Scopes};
use super::tree;
use super::vars::{self, VarSet};
use crate::ast;
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::VarId;
use crate::source::Span;
use std::collections::HashMap;

/// A body just resolved, its block still open.
pub(super) struct Body<'b, 'a> {
    pub(super) source: &'b ast::Body<'a>,
    pub(super) resolved: &'b tree::Body,
    /// Names that count as used although they stand elsewhere (heads).
    pub(super) used: &'b Names<'b>,
}

/// Strict mode: variables of `:=` that are not read in their block or below.
pub(super) fn assigned(scopes: &Scopes, body: &Body<'_, '_>) -> Vec<Diagnostic> {
    let unused: Vec<DeclaredVar> = scopes
        .declared_here()
        .into_iter()
        .filter(|declared| {
            declared.occurrence == Occurrence::Assigned
                && declared.uses <= 1
                && !body.used.contains(declared.name.as_str())
        })
        .collect();
    if unused.is_empty() {
        return Vec::new();
    }
    let places = first_uses(body.resolved);
    unused
        .into_iter()
        .map(|declared| {
            let span = places
                .get(&declared.var)
                .copied()
                .or_else(|| first_span(body.source))
                .unwrap_or(body.source.span);
            let message = format!("assigned var {} unused", declared.name);
            Diagnostic::error(Code::RegoCompile, span, message)
        })
        .collect()
}

/// Always: variables of `some` and `every` that occur nowhere in their block, nor in the name of a function (`called`).
pub(super) fn declared(scopes: &Scopes, body: &Body<'_, '_>, called: &VarSet) -> Vec<Diagnostic> {
    let here = scopes.declared_here();
    let mut found = wildcards(body.source);
    if here
        .iter()
        .all(|declared| declared.occurrence != Occurrence::Declared)
    {
        return found;
    }
    let occurring: VarSet = vars::all_in_body(body.resolved);
    let unused: Vec<DeclaredVar> = here
        .into_iter()
        .filter(|declared| {
            declared.occurrence == Occurrence::Declared
                && !occurring.contains(&declared.var)
                && !called.contains(&declared.var)
                && !body.used.contains(declared.name.as_str())
        })
        .collect();
    if unused.is_empty() {
        return found;
    }
    let places = declaring(body.source);
    found.extend(unused.into_iter().map(|declared| {
        let span = places
            .get(declared.name.as_str())
            .copied()
            .or_else(|| first_span(body.source))
            .unwrap_or(body.source.span);
        let message = format!("declared var {} unused", declared.name);
        Diagnostic::error(Code::RegoCompile, span, message)
    }));
    found
}

/// `some _` declares a variable that nothing else can name.
fn wildcards(body: &ast::Body<'_>) -> Vec<Diagnostic> {
    let is_wildcard = |literal: &&ast::Literal<'_>| match literal.kind {
        ast::LiteralKind::SomeDecl(names) => names.iter().any(|name| name.text == "_"),
        _ => false,
    };
    let found = body.literals.iter().filter(is_wildcard);
    found
        .map(|literal| Diagnostic::error(Code::RegoCompile, literal.span, "declared var _ unused"))
        .collect()
}

/// For each variable, the first statement in which it occurs.
fn first_uses(body: &tree::Body) -> HashMap<VarId, Span> {
    let mut places = HashMap::new();
    for expr in body {
        for var in vars::all_in_expr(expr) {
            places.entry(var).or_insert(expr.span);
        }
    }
    places
}

/// For each name, the first statement that declares it.
fn declaring<'a>(body: &ast::Body<'a>) -> HashMap<&'a str, Span> {
    let mut places = HashMap::new();
    for literal in body.literals {
        let mut names = Names::new();
        declared::in_literal(literal, &mut names);
        for name in names {
            places.entry(name).or_insert(literal.span);
        }
    }
    places
}

fn first_span(body: &ast::Body<'_>) -> Option<Span> {
    body.literals.first().map(|literal| literal.span)
}
