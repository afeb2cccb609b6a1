//! Replaces variables, or places, in a piece of the tree, closures included.

use super::tree::{Body, Expr, ExprKind, Head, Kind, Operand, Part, Term};
use crate::hir::VarId;
use crate::source::Span;
use std::collections::HashMap;

/// New variables by old ones.
pub(super) type Renames = HashMap<VarId, VarId>;

/// Renames in a statement.
pub(super) fn in_expr(expr: &mut Expr, renames: &Renames) {
    if !renames.is_empty() {
        Change::Vars(renames).expr(expr);
    }
}

/// Renames in a term.
pub(super) fn in_term(term: &mut Term, renames: &Renames) {
    Change::Vars(renames).term(term);
}

/// Says of a term and all inside that it stands at `place`.
pub(super) fn move_term(term: &mut Term, place: Span) {
    Change::Place(place).term(term);
}

/// What is replaced.
#[derive(Clone, Copy)]
enum Change<'r> {
    Vars(&'r Renames),
    Place(Span),
}

impl Change<'_> {
    fn expr(self, expr: &mut Expr) {
        self.span(&mut expr.span);
        match &mut expr.kind {
            ExprKind::Term(term) => self.term(term),
            ExprKind::Eq { left, right, .. } => {
                self.term(left);
                self.term(right);
            }
            ExprKind::Call(call) => call.args.iter_mut().for_each(|arg| self.term(arg)),
            ExprKind::Every {
                key,
                value,
                domain,
                body,
            } => {
                if let Some(key) = key {
                    self.var(key);
                }
                self.var(value);
                self.term(domain);
                self.body(body);
            }
            ExprKind::Not(operand) => self.operand(operand),
            ExprKind::And(left, right) | ExprKind::Or(left, right) => {
                self.operand(left);
                self.operand(right);
            }
        }
        for with in &mut expr.with {
            self.span(&mut with.span);
            self.term(&mut with.target);
            self.term(&mut with.value);
        }
    }

    fn term(self, term: &mut Term) {
        self.span(&mut term.span);
        match &mut term.kind {
            Kind::Const(_) | Kind::Builtin(_) => {}
            Kind::Var(var) => self.var(var),
            Kind::Ref(reference) => {
                match &mut reference.head {
                    Head::Input | Head::Data => {}
                    Head::Var(var) => self.var(var),
                    Head::Term(head) => self.term(head),
                }
                reference.path.iter_mut().for_each(|element| self.term(element));
            }
            Kind::Call(call) => call.args.iter_mut().for_each(|arg| self.term(arg)),
            Kind::Array(items) | Kind::Set(items) => items.iter_mut().for_each(|item| self.term(item)),
            Kind::Object(entries) => entries.iter_mut().for_each(|(key, value)| {
                self.term(key);
                self.term(value);
            }),
            Kind::Comprehension(comprehension) => {
                comprehension.key.iter_mut().for_each(|key| self.term(key));
                self.term(&mut comprehension.value);
                self.body(&mut comprehension.body);
            }
            Kind::Template(parts) => {
                for part in parts {
                    if let Part::Expr(expr) = part {
                        self.expr(expr);
                    }
                }
            }
        }
    }

    fn body(self, body: &mut Body) {
        body.iter_mut().for_each(|expr| self.expr(expr));
    }

    fn operand(self, operand: &mut Operand) {
        self.body(&mut operand.body);
    }

    fn var(self, var: &mut VarId) {
        if let Change::Vars(renames) = self
            && let Some(new) = renames.get(var)
        {
            *var = *new;
        }
    }

    fn span(self, span: &mut Span) {
        if let Change::Place(place) = self {
            *span = place;
        }
    }
}
