//! What of checked modules can run, for coverage: bodies of rules and the statements in them. A traced program tells of the
//! same places ([`gavel_runtime::bytecode::MarkKind`]).

use crate::hir::visit::Visit;
use crate::hir::{Checked, Rule, Stmt, StmtKind, Term};
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
            let mut statements = Statements {
                rule,
                found: &mut found,
            };
            statements.visit_block(&clause.body);
        }
    }
    found
}

struct Statements<'f> {
    rule: &'f Rule,
    found: &'f mut Vec<Place>,
}

impl<'t> Visit<'t> for Statements<'_> {
    fn visit_stmt(&mut self, stmt: &'t Stmt) {
        if leaves_a_trace(self.rule, stmt) {
            self.found.push(Place {
                span: stmt.span,
                kind: PlaceKind::Statement,
            });
        }
        self.walk_stmt(stmt);
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
