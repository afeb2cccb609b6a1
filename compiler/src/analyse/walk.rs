//! Visits every statement and term of a piece of the tree, closures included.

use super::tree::{Body, Clause, Expr, ExprKind, Head, Kind, Operand, Part, Program, Term};

/// A place in the tree.
#[derive(Clone, Copy)]
pub(super) enum Place<'t> {
    Expr(&'t Expr),
    Term(&'t Term),
}

/// Visits a body, outer places first.
pub(super) fn body<'t>(body: &'t Body, visit: &mut dyn FnMut(Place<'t>)) {
    body.iter().for_each(|expr| self::expr(expr, visit));
}

/// Visits a clause: body, then value.
pub(super) fn clause<'t>(clause: &'t Clause, visit: &mut dyn FnMut(Place<'t>)) {
    body(&clause.body, visit);
    term(&clause.value, visit);
}

/// Visits the clauses of all rules.
pub(super) fn program<'t>(program: &'t Program, visit: &mut dyn FnMut(Place<'t>)) {
    for (_, rule) in program.rules() {
        rule.clauses.iter().for_each(|clause| self::clause(clause, visit));
    }
}

/// Visits a statement.
pub(super) fn expr<'t>(expr: &'t Expr, visit: &mut dyn FnMut(Place<'t>)) {
    visit(Place::Expr(expr));
    match &expr.kind {
        ExprKind::Term(term) => self::term(term, visit),
        ExprKind::Eq { left, right, .. } => {
            term(left, visit);
            term(right, visit);
        }
        ExprKind::Call(call) => call.args.iter().for_each(|arg| term(arg, visit)),
        ExprKind::Every { domain, body, .. } => {
            term(domain, visit);
            self::body(body, visit);
        }
        ExprKind::Not(operand) => body(&operand.body, visit),
        ExprKind::And(left, right) | ExprKind::Or(left, right) => {
            body(&left.body, visit);
            body(&right.body, visit);
        }
    }
    for with in &expr.with {
        term(&with.target, visit);
        term(&with.value, visit);
    }
}

/// Visits a term.
pub(super) fn term<'t>(term: &'t Term, visit: &mut dyn FnMut(Place<'t>)) {
    visit(Place::Term(term));
    match &term.kind {
        Kind::Const(_) | Kind::Var(_) | Kind::Builtin(_) => {}
        Kind::Ref(reference) => {
            if let Head::Term(head) = &reference.head {
                self::term(head, visit);
            }
            reference
                .path
                .iter()
                .for_each(|element| self::term(element, visit));
        }
        Kind::Call(call) => call.args.iter().for_each(|arg| self::term(arg, visit)),
        Kind::Array(items) | Kind::Set(items) => items.iter().for_each(|item| self::term(item, visit)),
        Kind::Object(entries) => entries.iter().for_each(|(key, value)| {
            self::term(key, visit);
            self::term(value, visit);
        }),
        Kind::Comprehension(comprehension) => {
            comprehension.key.iter().for_each(|key| self::term(key, visit));
            self::term(&comprehension.value, visit);
            body(&comprehension.body, visit);
        }
        Kind::Template(parts) => {
            for part in parts {
                if let Part::Expr(inner) = part {
                    expr(inner, visit);
                }
            }
        }
    }
}

/// Visits a body and every body in it, outer ones first. `visit` tells whether to go into the body.
pub(super) fn bodies_mut(body: &mut Body, visit: &mut dyn FnMut(&mut Body) -> bool) {
    if visit(body) {
        body.iter_mut().for_each(|expr| bodies_in_expr(expr, visit));
    }
}

fn bodies_in_expr(expr: &mut Expr, visit: &mut dyn FnMut(&mut Body) -> bool) {
    let mut operand = |operand: &mut Operand| bodies_mut(&mut operand.body, visit);
    match &mut expr.kind {
        ExprKind::Not(inner) => operand(inner),
        ExprKind::And(left, right) | ExprKind::Or(left, right) => {
            operand(left);
            operand(right);
        }
        ExprKind::Term(term) => bodies_in_term(term, visit),
        ExprKind::Eq { left, right, .. } => {
            bodies_in_term(left, visit);
            bodies_in_term(right, visit);
        }
        ExprKind::Call(call) => call.args.iter_mut().for_each(|arg| bodies_in_term(arg, visit)),
        ExprKind::Every { domain, body, .. } => {
            bodies_in_term(domain, visit);
            bodies_mut(body, visit);
        }
    }
    expr.with
        .iter_mut()
        .for_each(|with| bodies_in_term(&mut with.value, visit));
}

/// Visits every body in a term.
pub(super) fn bodies_in_term(term: &mut Term, visit: &mut dyn FnMut(&mut Body) -> bool) {
    match &mut term.kind {
        Kind::Const(_) | Kind::Var(_) | Kind::Builtin(_) => {}
        Kind::Ref(reference) => {
            if let Head::Term(head) = &mut reference.head {
                bodies_in_term(head, visit);
            }
            reference
                .path
                .iter_mut()
                .for_each(|element| bodies_in_term(element, visit));
        }
        Kind::Call(call) => call.args.iter_mut().for_each(|arg| bodies_in_term(arg, visit)),
        Kind::Array(items) | Kind::Set(items) => {
            items.iter_mut().for_each(|item| bodies_in_term(item, visit))
        }
        Kind::Object(entries) => entries.iter_mut().for_each(|(key, value)| {
            bodies_in_term(key, visit);
            bodies_in_term(value, visit);
        }),
        Kind::Comprehension(comprehension) => {
            comprehension
                .key
                .iter_mut()
                .for_each(|key| bodies_in_term(key, visit));
            bodies_in_term(&mut comprehension.value, visit);
            bodies_mut(&mut comprehension.body, visit);
        }
        Kind::Template(parts) => {
            for part in parts {
                if let Part::Expr(inner) = part {
                    bodies_in_expr(inner, visit);
                }
            }
        }
    }
}
