//! Replaces variables, or places, in a piece of the tree, closures included.

use super::tree::{Expr, Term, With};
use super::walk::VisitMut;
use crate::hir::VarId;
use crate::source::Span;
use std::collections::HashMap;

/// New variables by old ones.
pub(super) type Renames = HashMap<VarId, VarId>;

/// Renames in a statement.
pub(super) fn in_expr(expr: &mut Expr, renames: &Renames) {
    if !renames.is_empty() {
        Rename(renames).visit_expr(expr);
    }
}

/// Renames in a term.
pub(super) fn in_term(term: &mut Term, renames: &Renames) {
    Rename(renames).visit_term(term);
}

/// Says of a term and all inside that it stands at `place`.
pub(super) fn move_term(term: &mut Term, place: Span) {
    Move(place).visit_term(term);
}

struct Rename<'r>(&'r Renames);

impl VisitMut for Rename<'_> {
    fn visit_var(&mut self, var: &mut VarId) {
        if let Some(new) = self.0.get(var) {
            *var = *new;
        }
    }
}

struct Move(Span);

impl VisitMut for Move {
    fn visit_expr(&mut self, expr: &mut Expr) {
        expr.span = self.0;
        self.walk_expr(expr);
    }

    fn visit_with(&mut self, with: &mut With) {
        with.span = self.0;
        self.walk_with(with);
    }

    fn visit_term(&mut self, term: &mut Term) {
        term.span = self.0;
        self.walk_term(term);
    }
}
