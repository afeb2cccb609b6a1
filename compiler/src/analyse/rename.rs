//! Replaces variables in a piece of the tree, closures included.

use super::tree::{Body, Expr, ExprKind, Head, Kind, Operand, Part, Term};
use crate::hir::VarId;
use std::collections::HashMap;

/// New variables by old ones.
pub(super) type Renames = HashMap<VarId, VarId>;

/// Renames in a statement.
pub(super) fn in_expr(expr: &mut Expr, renames: &Renames) {
    if renames.is_empty() {
        return;
    }
    match &mut expr.kind {
        ExprKind::Term(term) => in_term(term, renames),
        ExprKind::Eq { left, right, .. } => {
            in_term(left, renames);
            in_term(right, renames);
        }
        ExprKind::Call(call) => call.args.iter_mut().for_each(|arg| in_term(arg, renames)),
        ExprKind::Every {
            key,
            value,
            domain,
            body,
        } => {
            if let Some(key) = key {
                in_var(key, renames);
            }
            in_var(value, renames);
            in_term(domain, renames);
            in_body(body, renames);
        }
        ExprKind::Not(operand) => in_operand(operand, renames),
        ExprKind::And(left, right) | ExprKind::Or(left, right) => {
            in_operand(left, renames);
            in_operand(right, renames);
        }
    }
    for with in &mut expr.with {
        in_term(&mut with.target, renames);
        in_term(&mut with.value, renames);
    }
}

/// Renames in a term.
pub(super) fn in_term(term: &mut Term, renames: &Renames) {
    match &mut term.kind {
        Kind::Const(_) | Kind::Builtin(_) => {}
        Kind::Var(var) => in_var(var, renames),
        Kind::Ref(reference) => {
            match &mut reference.head {
                Head::Input | Head::Data => {}
                Head::Var(var) => in_var(var, renames),
                Head::Term(head) => in_term(head, renames),
            }
            reference
                .path
                .iter_mut()
                .for_each(|element| in_term(element, renames));
        }
        Kind::Call(call) => call.args.iter_mut().for_each(|arg| in_term(arg, renames)),
        Kind::Array(items) | Kind::Set(items) => items.iter_mut().for_each(|item| in_term(item, renames)),
        Kind::Object(entries) => entries.iter_mut().for_each(|(key, value)| {
            in_term(key, renames);
            in_term(value, renames);
        }),
        Kind::Comprehension(comprehension) => {
            comprehension.key.iter_mut().for_each(|key| in_term(key, renames));
            in_term(&mut comprehension.value, renames);
            in_body(&mut comprehension.body, renames);
        }
        Kind::Template(parts) => {
            for part in parts {
                if let Part::Expr(expr) = part {
                    in_expr(expr, renames);
                }
            }
        }
    }
}

fn in_body(body: &mut Body, renames: &Renames) {
    body.iter_mut().for_each(|expr| in_expr(expr, renames));
}

fn in_operand(operand: &mut Operand, renames: &Renames) {
    in_body(&mut operand.body, renames);
}

fn in_var(var: &mut VarId, renames: &Renames) {
    if let Some(new) = renames.get(var) {
        *var = *new;
    }
}
