//! Variables that a block declares and nobody reads.

use super::declared::{self, Names};
use super::scope::{DeclaredVar, Occurrence, Scopes};
use super::tree;
use super::vars::{self, VarSet};
use crate::ast;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;

/// A body just resolved, its block still open.
pub(super) struct Body<'b, 'a> {
    pub(super) source: &'b ast::Body<'a>,
    pub(super) resolved: &'b tree::Body,
    /// Names that count as used although they stand elsewhere (heads).
    pub(super) used: &'b Names<'b>,
}

/// Strict mode: variables of `:=` that are not read in their block or below.
pub(super) fn assigned(scopes: &Scopes, body: &Body<'_, '_>) -> Vec<Diagnostic> {
    scopes
        .declared_here()
        .into_iter()
        .filter(|declared| {
            declared.occurrence == Occurrence::Assigned
                && declared.uses <= 1
                && !body.used.contains(declared.name.as_str())
        })
        .map(|declared| {
            let span = first_with(body, &declared);
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
    let unused = here
        .into_iter()
        .filter(|declared| {
            declared.occurrence == Occurrence::Declared
                && !occurring.contains(&declared.var)
                && !called.contains(&declared.var)
                && !body.used.contains(declared.name.as_str())
        })
        .map(|declared| {
            let span = declaring(body.source, &declared.name);
            let message = format!("declared var {} unused", declared.name);
            Diagnostic::error(Code::RegoCompile, span, message)
        });
    found.extend(unused);
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

/// The first statement in which the variable occurs.
fn first_with(body: &Body<'_, '_>, declared: &DeclaredVar) -> Span {
    body.resolved
        .iter()
        .find(|expr| {
            let mut collector = vars::Collector::everywhere();
            collector.expr(expr);
            collector.found.contains(&declared.var)
        })
        .map(|expr| expr.span)
        .or_else(|| first_span(body.source))
        .unwrap_or(body.source.span)
}

/// The first statement that declares the name.
fn declaring(body: &ast::Body<'_>, name: &str) -> Span {
    body.literals
        .iter()
        .find(|literal| {
            let mut names = Names::new();
            declared::in_literal(literal, &mut names);
            names.contains(name)
        })
        .map(|literal| literal.span)
        .or_else(|| first_span(body))
        .unwrap_or(body.span)
}

fn first_span(body: &ast::Body<'_>) -> Option<Span> {
    body.literals.first().map(|literal| literal.span)
}
