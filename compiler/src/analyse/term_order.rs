//! OPA's order of terms: by kind, then part by part. It decides which members of a set and which keys of an object are
//! written the same, and in which order calls are lifted out of them.

use super::tree::{Body, Call, Callee, Comprehension, ComprehensionKind, Expr, ExprKind, Head, Kind};
use super::tree::{Operand, Part, Ref, Term, VarName, Vars, With};
use crate::hir::VarId;
use gavel_runtime::value::Constant;
use std::cmp::Ordering;

/// What two variables are compared by.
#[derive(Clone, Copy, Debug)]
pub(super) enum By<'v> {
    /// Their names as written, as OPA's parser does: two comprehensions may declare the same one.
    Name(&'v Vars),
    /// The names that OPA's compiler gives them. The variables of a rule stand in the order in which they were made; names
    /// that nobody declares stand by name, behind the others when they begin with a small letter.
    Declaration(&'v Vars),
    /// Which they are.
    Identity,
}

/// The name of the call that `=` and `:=` are.
const EQ: [&str; 1] = ["eq"];

/// Statements; they are the same but for their places when they are equal.
pub(super) fn exprs(one: &Expr, other: &Expr, by: By<'_>) -> Ordering {
    rank_of_statement(&one.kind)
        .cmp(&rank_of_statement(&other.kind))
        .then_with(|| one.negated.cmp(&other.negated))
        .then_with(|| statements(&one.kind, &other.kind, by))
        .then_with(|| {
            all(&one.with, &other.with, |one: &With, other: &With| {
                terms(&one.target, &other.target, by).then_with(|| terms(&one.value, &other.value, by))
            })
        })
}

/// Terms; they are written the same when they are equal.
pub(super) fn terms(one: &Term, other: &Term, by: By<'_>) -> Ordering {
    match (&one.kind, &other.kind) {
        (Kind::Const(one), Kind::Const(other)) => one.compare(other),
        (Kind::Var(one), Kind::Var(other)) => variables(*one, *other, by),
        (Kind::Builtin(one), Kind::Builtin(other)) => one.cmp(other),
        (Kind::Ref(one), Kind::Ref(other)) => references(one, other, by),
        (Kind::Call(one), Kind::Call(other)) => calls(one, other, by),
        (Kind::Object(one), Kind::Object(other)) => entries(one, other, by),
        (Kind::Comprehension(one), Kind::Comprehension(other)) => comprehensions(one, other, by),
        (Kind::Template(one), Kind::Template(other)) => templates(one, other, by),
        (Kind::Array(one), Kind::Array(other)) | (Kind::Set(one), Kind::Set(other)) => lists(one, other, by),
        // One of them holds constants alone.
        (a, b) => rank(a)
            .cmp(&rank(b))
            .then_with(|| lists(&parts(one), &parts(other), by)),
    }
}

/// OPA's order of kinds.
fn rank(kind: &Kind) -> u8 {
    match kind {
        Kind::Const(Constant::Null) => 0,
        Kind::Const(Constant::Bool(_)) => 1,
        Kind::Const(Constant::Int(_) | Constant::Number(_)) => 2,
        Kind::Const(Constant::String(_)) => 3,
        Kind::Template(_) => 4,
        Kind::Var(_) => 5,
        // A name in a `with`, as OPA has it: a reference to nothing of the modules.
        Kind::Builtin(_) => 6,
        Kind::Ref(_) => 7,
        Kind::Array(_) | Kind::Const(Constant::Array(_)) => 8,
        Kind::Object(_) | Kind::Const(Constant::Object(_)) => 9,
        Kind::Set(_) | Kind::Const(Constant::Set(_)) => 10,
        Kind::Comprehension(_) => 11,
        Kind::Call(_) => 12,
    }
}

fn variables(one: VarId, other: VarId, by: By<'_>) -> Ordering {
    match by {
        By::Identity => one.cmp(&other),
        By::Declaration(vars) => name(one, vars).cmp(&name(other, vars)).then(one.cmp(&other)),
        By::Name(vars) => match (vars.name(one), vars.name(other)) {
            (VarName::Written(one), VarName::Written(other)) => one.cmp(other),
            // They stand for the same words, as the key of `some x in xs` does.
            (VarName::Generated, VarName::Generated) => Ordering::Equal,
            (VarName::Wildcard, VarName::Wildcard) => one.cmp(&other),
            (one, other) => rank_of_name(one).cmp(&rank_of_name(other)),
        },
    }
}

fn rank_of_name(name: &VarName) -> u8 {
    match name {
        VarName::Wildcard => 0,
        VarName::Generated => 1,
        VarName::Written(_) => 2,
    }
}

/// Where a variable's name sorts: names of declared and made variables begin with an underscore in OPA.
fn name(var: VarId, vars: &Vars) -> (Ordering, &str) {
    match vars.name(var) {
        VarName::Written(name) if vars.is_undeclared(var) => (name.as_str().cmp("_"), name),
        VarName::Written(_) | VarName::Wildcard | VarName::Generated => (Ordering::Equal, ""),
    }
}

fn references(one: &Ref, other: &Ref, by: By<'_>) -> Ordering {
    // By the name of the head: generated names, `data`, `input`; what is no name behind them.
    let rank = |head: &Head| match head {
        Head::Var(_) => 0_u8,
        Head::Data => 1,
        Head::Input => 2,
        Head::Term(_) => 3,
    };
    let heads = match (&one.head, &other.head) {
        (Head::Var(one), Head::Var(other)) => variables(*one, *other, by),
        (Head::Term(one), Head::Term(other)) => terms(one, other, by),
        (one, other) => rank(one).cmp(&rank(other)),
    };
    heads.then_with(|| lists(&one.path, &other.path, by))
}

fn calls(one: &Call, other: &Call, by: By<'_>) -> Ordering {
    words(&one.callee)
        .cmp(&words(&other.callee))
        .then_with(|| lists(&one.args, &other.args, by))
}

/// The name of what is called, as a reference.
fn words(callee: &Callee) -> Vec<&str> {
    match callee {
        Callee::Builtin(id) => id.get().name.split('.').collect(),
        Callee::Rule(path) => std::iter::once("data")
            .chain(path.iter().map(String::as_str))
            .collect(),
        Callee::Unknown(name) => name.split('.').collect(),
    }
}

fn comprehensions(one: &Comprehension, other: &Comprehension, by: By<'_>) -> Ordering {
    let rank = |comprehension: &Comprehension| match comprehension.kind {
        ComprehensionKind::Array => 0_u8,
        ComprehensionKind::Object => 1,
        ComprehensionKind::Set => 2,
    };
    let keys = || match (&one.key, &other.key) {
        (Some(one), Some(other)) => terms(one, other, by),
        (one, other) => one.is_some().cmp(&other.is_some()),
    };
    rank(one)
        .cmp(&rank(other))
        .then_with(keys)
        .then_with(|| terms(&one.value, &other.value, by))
        .then_with(|| bodies(&one.body, &other.body, by))
}

fn templates(one: &[Part], other: &[Part], by: By<'_>) -> Ordering {
    one.len().cmp(&other.len()).then_with(|| {
        all(one, other, |one: &Part, other: &Part| match (one, other) {
            (Part::Text(one), Part::Text(other)) => one.cmp(other),
            (Part::Text(_), Part::Expr(_)) => Ordering::Less,
            (Part::Expr(_), Part::Text(_)) => Ordering::Greater,
            (Part::Expr(one), Part::Expr(other)) => exprs(one, other, by),
        })
    })
}

fn rank_of_statement(kind: &ExprKind) -> u8 {
    match kind {
        ExprKind::Term(_) => 0,
        ExprKind::Eq { .. } | ExprKind::Call(_) => 1,
        ExprKind::Every(_) => 2,
        ExprKind::Not(_) => 3,
        ExprKind::And(..) => 4,
        ExprKind::Or(..) => 5,
    }
}

fn statements(one: &ExprKind, other: &ExprKind, by: By<'_>) -> Ordering {
    match (one, other) {
        (ExprKind::Term(one), ExprKind::Term(other)) => terms(one, other, by),
        (
            ExprKind::Eq { left, right, .. },
            ExprKind::Eq {
                left: other_left,
                right: other_right,
                ..
            },
        ) => terms(left, other_left, by).then_with(|| terms(right, other_right, by)),
        (ExprKind::Call(one), ExprKind::Call(other)) => calls(one, other, by),
        (ExprKind::Eq { .. }, ExprKind::Call(call)) => EQ.as_slice().cmp(&words(&call.callee)),
        (ExprKind::Call(call), ExprKind::Eq { .. }) => words(&call.callee).as_slice().cmp(&EQ),
        (ExprKind::Every(one), ExprKind::Every(other)) => {
            let keys = match (one.key, other.key) {
                (Some(one), Some(other)) => variables(one, other, by),
                (one, other) => one.is_some().cmp(&other.is_some()),
            };
            keys.then_with(|| variables(one.value, other.value, by))
                .then_with(|| terms(&one.domain, &other.domain, by))
                .then_with(|| bodies(&one.body, &other.body, by))
        }
        (ExprKind::Not(one), ExprKind::Not(other)) => operands(one, other, by),
        (ExprKind::And(a, b), ExprKind::And(c, d)) | (ExprKind::Or(a, b), ExprKind::Or(c, d)) => {
            operands(a, c, by).then_with(|| operands(b, d, by))
        }
        // Of other pairs `rank_of_statement` tells.
        _ => Ordering::Equal,
    }
}

fn operands(one: &Operand, other: &Operand, by: By<'_>) -> Ordering {
    bodies(&one.body, &other.body, by)
}

fn bodies(one: &Body, other: &Body, by: By<'_>) -> Ordering {
    all(one, other, |one: &Expr, other: &Expr| exprs(one, other, by))
}

fn lists(one: &[Term], other: &[Term], by: By<'_>) -> Ordering {
    all(one, other, |one: &Term, other: &Term| terms(one, other, by))
}

fn entries(one: &[(Term, Term)], other: &[(Term, Term)], by: By<'_>) -> Ordering {
    all(one, other, |one: &(Term, Term), other: &(Term, Term)| {
        terms(&one.0, &other.0, by).then_with(|| terms(&one.1, &other.1, by))
    })
}

fn all<T>(one: &[T], other: &[T], mut order: impl FnMut(&T, &T) -> Ordering) -> Ordering {
    let parts = one.iter().zip(other).map(|(one, other)| order(one, other));
    let differing = { parts }.find(|order| order.is_ne());
    differing.unwrap_or(one.len().cmp(&other.len()))
}

/// The members of a collection; keys and values of an object in turns.
fn parts(term: &Term) -> Vec<Term> {
    let constant = |constant: &Constant| Term::new(term.span, Kind::Const(constant.clone()));
    match &term.kind {
        Kind::Array(items) | Kind::Set(items) => items.clone(),
        Kind::Object(entries) => entries
            .iter()
            .flat_map(|(key, value)| [key.clone(), value.clone()])
            .collect(),
        Kind::Const(Constant::Array(items) | Constant::Set(items)) => items.iter().map(constant).collect(),
        Kind::Const(Constant::Object(entries)) => entries
            .iter()
            .flat_map(|(key, value)| [constant(key), constant(value)])
            .collect(),
        Kind::Const(_)
        | Kind::Var(_)
        | Kind::Ref(_)
        | Kind::Call(_)
        | Kind::Comprehension(_)
        | Kind::Template(_)
        | Kind::Builtin(_) => Vec::new(),
    }
}
