//! Variables of a body that can hold only a few constants, for narrowing what references mean.

use super::tree::{Body, Expr, ExprKind, Head, Kind, Ref, Term};
use crate::constant;
use crate::hir::VarId;
use gavel_runtime::value::Constant;
use std::collections::BTreeMap;

/// Values by variable.
pub(super) type Known = BTreeMap<VarId, Vec<Constant>>;

/// A variable that the statement at an index binds to some of the values.
pub(super) struct Binding {
    at: usize,
    var: VarId,
    values: Vec<Constant>,
}

/// More alternatives than this are not told apart.
const ALTERNATIVES_MAX: usize = 64;

/// Variables bound to known values by the statements of a body, each from what stands before it.
pub(super) fn of_body(body: &Body) -> Vec<Binding> {
    let mut bindings = Vec::new();
    let mut known = Known::new();
    for (at, expr) in body.iter().enumerate() {
        if let Some((var, values)) = binding(expr, &known)
            && !known.contains_key(&var)
        {
            known.insert(var, values.clone());
            bindings.push(Binding { at, var, values });
        }
    }
    bindings
}

/// What is known before the statement at an index.
pub(super) fn before(bindings: &[Binding], at: usize) -> Known {
    bindings
        .iter()
        .take_while(|binding| binding.at < at)
        .map(|binding| (binding.var, binding.values.clone()))
        .collect()
}

/// The paths that a path can be, each variable with known values replaced by them. Never empty.
pub(super) fn expand(path: &[Term], known: &Known) -> Vec<Vec<Term>> {
    let mut expanded = vec![path.to_vec()];
    if known.is_empty() {
        return expanded;
    }
    for (at, element) in path.iter().enumerate() {
        if element.as_const().is_some() {
            continue;
        }
        let Some(values) = values_of(element, known).filter(|values| !values.is_empty()) else {
            continue;
        };
        if expanded.len() * values.len() > ALTERNATIVES_MAX {
            continue;
        }
        expanded = expanded
            .iter()
            .flat_map(|path| {
                values.iter().map(move |value| {
                    let mut path = path.clone();
                    if let Some(place) = path.get_mut(at) {
                        place.kind = Kind::Const(value.clone());
                    }
                    path
                })
            })
            .collect();
    }
    expanded
}

fn binding(expr: &Expr, known: &Known) -> Option<(VarId, Vec<Constant>)> {
    let ExprKind::Eq { left, right, .. } = &expr.kind else {
        return None;
    };
    if expr.negated || !expr.with.is_empty() {
        return None;
    }
    let from = |var: &Term, value: &Term| Some((var.as_var()?, values_of(value, known)?));
    from(left, right).or_else(|| from(right, left))
}

fn values_of(term: &Term, known: &Known) -> Option<Vec<Constant>> {
    match &term.kind {
        Kind::Const(constant) => Some(vec![constant.clone()]),
        Kind::Var(var) => known.get(var).cloned(),
        Kind::Ref(reference) => values_of_ref(reference, known),
        Kind::Call(_)
        | Kind::Array(_)
        | Kind::Set(_)
        | Kind::Object(_)
        | Kind::Comprehension(_)
        | Kind::Template(_)
        | Kind::Builtin(_) => None,
    }
}

fn values_of_ref(reference: &Ref, known: &Known) -> Option<Vec<Constant>> {
    let mut values = match &reference.head {
        Head::Input | Head::Data => return None,
        Head::Var(var) => known.get(var).cloned()?,
        Head::Term(head) => values_of(head, known)?,
    };
    for element in &reference.path {
        let mut next = Vec::new();
        for value in &values {
            match element.as_const() {
                Some(key) => next.extend(constant::member(value, key)),
                None => next.extend(constant::members(value)?),
            }
        }
        if next.len() > ALTERNATIVES_MAX {
            return None;
        }
        values = next;
    }
    Some(values)
}
