//! Variables of a body that can hold only a few constants, for narrowing what references mean.

use super::tree::{Expr, ExprKind, Head, Kind, Ref, Term};
use crate::constant;
use crate::hir::VarId;
use gavel_runtime::value::Constant;
use std::collections::BTreeMap;

/// Values by variable.
#[derive(Default)]
pub(super) struct Known<'t>(BTreeMap<VarId, Vec<&'t Constant>>);

/// More alternatives than this are not told apart.
const ALTERNATIVES_MAX: usize = 64;

impl<'t> Known<'t> {
    /// Adds what a statement binds, from what stands before it.
    pub(super) fn learn(&mut self, expr: &'t Expr) {
        if let Some((var, values)) = binding(expr, self) {
            self.0.entry(var).or_insert(values);
        }
    }
}

/// The constants of the paths that a path can be, each variable with known values replaced by them. Never empty.
pub(super) fn expand<'t>(path: &'t [Term], known: &Known<'t>) -> Vec<Vec<Option<&'t Constant>>> {
    let mut expanded = vec![path.iter().map(Term::as_const).collect::<Vec<_>>()];
    if known.0.is_empty() {
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
                        *place = Some(value);
                    }
                    path
                })
            })
            .collect();
    }
    expanded
}

fn binding<'t>(expr: &'t Expr, known: &Known<'t>) -> Option<(VarId, Vec<&'t Constant>)> {
    let ExprKind::Eq { left, right, .. } = &expr.kind else {
        return None;
    };
    if expr.negated || !expr.with.is_empty() {
        return None;
    }
    let from = |var: &Term, value: &'t Term| Some((var.as_var()?, values_of(value, known)?));
    from(left, right).or_else(|| from(right, left))
}

fn values_of<'t>(term: &'t Term, known: &Known<'t>) -> Option<Vec<&'t Constant>> {
    match &term.kind {
        Kind::Const(constant) => Some(vec![constant]),
        Kind::Var(var) => known.0.get(var).cloned(),
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

fn values_of_ref<'t>(reference: &'t Ref, known: &Known<'t>) -> Option<Vec<&'t Constant>> {
    let mut values = match &reference.head {
        Head::Input | Head::Data => return None,
        Head::Var(var) => known.0.get(var).cloned()?,
        Head::Term(head) => values_of(head, known)?,
    };
    for element in &reference.path {
        let mut next = Vec::new();
        for value in values {
            match element.as_const() {
                Some(key) => next.extend(constant::member(value, key)),
                None => next.extend(constant::members(value)?),
            }
            if next.len() > ALTERNATIVES_MAX {
                return None;
            }
        }
        values = next;
    }
    Some(values)
}
