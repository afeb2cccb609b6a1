//! Whether two pieces of the tree are the same but for their places.

use super::tree::{Body, Call, Comprehension, Expr, ExprKind, Head, Kind, Operand, Part, Ref, Term, With};

/// Statements.
pub(super) fn exprs(one: &Expr, other: &Expr) -> bool {
    one.negated == other.negated
        && same_kind(&one.kind, &other.kind)
        && all(&one.with, &other.with, |one: &With, other: &With| {
            terms(&one.target, &other.target) && terms(&one.value, &other.value)
        })
}

fn same_kind(one: &ExprKind, other: &ExprKind) -> bool {
    match (one, other) {
        (ExprKind::Term(one), ExprKind::Term(other)) => terms(one, other),
        (
            ExprKind::Eq { left, right, .. },
            ExprKind::Eq {
                left: l, right: r, ..
            },
        ) => terms(left, l) && terms(right, r),
        (ExprKind::Call(one), ExprKind::Call(other)) => calls(one, other),
        (ExprKind::Not(one), ExprKind::Not(other)) => operands(one, other),
        (ExprKind::And(a, b), ExprKind::And(c, d)) | (ExprKind::Or(a, b), ExprKind::Or(c, d)) => {
            operands(a, c) && operands(b, d)
        }
        // Two `every` declare different variables.
        _ => false,
    }
}

fn calls(one: &Call, other: &Call) -> bool {
    one.callee == other.callee && all(&one.args, &other.args, terms)
}

fn operands(one: &Operand, other: &Operand) -> bool {
    bodies(&one.body, &other.body)
}

fn bodies(one: &Body, other: &Body) -> bool {
    all(one, other, exprs)
}

fn terms(one: &Term, other: &Term) -> bool {
    match (&one.kind, &other.kind) {
        (Kind::Const(one), Kind::Const(other)) => one == other,
        (Kind::Var(one), Kind::Var(other)) => one == other,
        (Kind::Builtin(one), Kind::Builtin(other)) => one == other,
        (Kind::Ref(one), Kind::Ref(other)) => references(one, other),
        (Kind::Call(one), Kind::Call(other)) => calls(one, other),
        (Kind::Array(one), Kind::Array(other)) | (Kind::Set(one), Kind::Set(other)) => all(one, other, terms),
        (Kind::Object(one), Kind::Object(other)) => all(one, other, |one: &(Term, Term), other| {
            terms(&one.0, &other.0) && terms(&one.1, &other.1)
        }),
        (Kind::Comprehension(one), Kind::Comprehension(other)) => comprehensions(one, other),
        (Kind::Template(one), Kind::Template(other)) => {
            all(one, other, |one: &Part, other| match (one, other) {
                (Part::Text(one), Part::Text(other)) => one == other,
                (Part::Expr(one), Part::Expr(other)) => exprs(one, other),
                _ => false,
            })
        }
        _ => false,
    }
}

fn references(one: &Ref, other: &Ref) -> bool {
    let heads = match (&one.head, &other.head) {
        (Head::Input, Head::Input) | (Head::Data, Head::Data) => true,
        (Head::Var(one), Head::Var(other)) => one == other,
        (Head::Term(one), Head::Term(other)) => terms(one, other),
        _ => false,
    };
    heads && all(&one.path, &other.path, terms)
}

fn comprehensions(one: &Comprehension, other: &Comprehension) -> bool {
    let keys = match (&one.key, &other.key) {
        (Some(one), Some(other)) => terms(one, other),
        (None, None) => true,
        _ => false,
    };
    one.kind == other.kind && keys && terms(&one.value, &other.value) && bodies(&one.body, &other.body)
}

fn all<T>(one: &[T], other: &[T], same: impl Fn(&T, &T) -> bool) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
}
