//! What of checked modules can run, for coverage: bodies of rules and the statements in them. A traced program tells of the
//! same places ([`gavel_runtime::bytecode::MarkKind`]).

use crate::hir::{Block, Checked, Rule, Stmt, StmtKind, Term};
use crate::source::Span;
use gavel_runtime::value::Constant;

/// What a place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PlaceKind {
    /// A body of a rule with its head, or an `else`: it runs when its statements hold.
    Body,
    /// A statement: it runs when it is asked.
    Statement,
}

/// Something that can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: PlaceKind,
}

/// Everything in the rules of a unit that can run, reached from an entry or not. Spans may come more than once.
#[must_use]
pub fn places(unit: &Checked) -> Vec<Place> {
    let mut found = Vec::new();
    for rule in &unit.0.rules {
        for clause in &rule.clauses {
            found.push(Place {
                span: clause.span,
                kind: PlaceKind::Body,
            });
            block(rule, &clause.body, &mut found);
        }
    }
    found
}

fn block(rule: &Rule, block: &Block, found: &mut Vec<Place>) {
    for stmt in &block.stmts {
        if leaves_a_trace(rule, stmt) {
            found.push(Place {
                span: stmt.span,
                kind: PlaceKind::Statement,
            });
        }
        inside(rule, &stmt.kind, found);
    }
}

/// Whether the statement is one that the author wrote, and not only a part of one, or a constant that always holds.
fn leaves_a_trace(rule: &Rule, stmt: &Stmt) -> bool {
    match &stmt.kind {
        StmtKind::Unify {
            left: Term::Var(var), ..
        } => {
            let name = rule.var_names.get(var.0 as usize);
            !name.is_some_and(|name| name.starts_with('$'))
        }
        StmtKind::Test(Term::Const(value)) => matches!(value, Constant::Bool(false)),
        _ => true,
    }
}

fn inside(rule: &Rule, kind: &StmtKind, found: &mut Vec<Place>) {
    match kind {
        StmtKind::Test(only) => term(rule, only, found),
        StmtKind::Unify { left, right, .. } => {
            term(rule, left, found);
            term(rule, right, found);
        }
        StmtKind::Call { args, out, .. } => args.iter().chain(out).for_each(|arg| term(rule, arg, found)),
        StmtKind::Not(body) => block(rule, body, found),
        StmtKind::Every { domain, body, .. } => {
            term(rule, domain, found);
            block(rule, body, found);
        }
        StmtKind::With { block: body, .. } => block(rule, body, found),
        StmtKind::And(first, second) | StmtKind::Or(first, second) => {
            block(rule, first, found);
            block(rule, second, found);
        }
    }
}

/// Statements of comprehensions.
fn term(rule: &Rule, within: &Term, found: &mut Vec<Place>) {
    match within {
        Term::Const(_) | Term::Var(_) => {}
        Term::Array(items) | Term::Set(items) => items.iter().for_each(|item| term(rule, item, found)),
        Term::Object(entries) => entries.iter().for_each(|(key, value)| {
            term(rule, key, found);
            term(rule, value, found);
        }),
        Term::Ref(reference) => reference
            .path
            .iter()
            .for_each(|element| term(rule, element, found)),
        Term::Comprehension(comprehension) => block(rule, &comprehension.body, found),
    }
}
