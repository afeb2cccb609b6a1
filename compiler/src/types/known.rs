//! Variables of a body that can hold only a few constants: what a reference with such a variable can mean.
//!
//! The recursion check narrows references in the same way, on a tree of its own.

use super::documents::Key;
use crate::constant;
use crate::hir::{Ref, RefHead, Stmt, StmtKind, Term, VarId};
use gavel_runtime::value::Constant;
use std::collections::BTreeMap;

/// More alternatives than this are not told apart.
const ALTERNATIVES_MAX: usize = 64;

/// Values by variable.
#[derive(Default)]
pub(super) struct Known<'t> {
    values: BTreeMap<VarId, Vec<&'t Constant>>,
}

impl<'t> Known<'t> {
    /// Takes in a statement of the body itself, after those before it.
    pub(super) fn learn(&mut self, stmt: &'t Stmt) {
        let StmtKind::Unify { left, right, .. } = &stmt.kind else {
            return;
        };
        for (var, value) in [(left, right), (right, left)] {
            if let Term::Var(var) = var
                && let Some(values) = self.values_of(value)
            {
                self.values.entry(*var).or_insert(values);
                return;
            }
        }
    }

    /// The paths that a path can be. Never empty.
    pub(super) fn expand(&self, path: &'t [Term]) -> Vec<Vec<Key>> {
        let mut expanded = vec![Vec::new()];
        for step in path {
            let keys = match step {
                Term::Const(key) => vec![Key::Constant(key.clone())],
                step => match self.values_of(step) {
                    Some(values)
                        if !values.is_empty() && expanded.len() * values.len() <= ALTERNATIVES_MAX =>
                    {
                        values.into_iter().cloned().map(Key::Constant).collect()
                    }
                    _ => vec![Key::Variable],
                },
            };
            expanded = expanded
                .iter()
                .flat_map(|path| {
                    keys.iter().map(move |key| {
                        let mut path: Vec<Key> = path.clone();
                        path.push(key.clone());
                        path
                    })
                })
                .collect();
        }
        expanded
    }

    fn values_of(&self, term: &'t Term) -> Option<Vec<&'t Constant>> {
        match term {
            Term::Const(value) => Some(vec![value]),
            Term::Var(var) => self.values.get(var).cloned(),
            Term::Ref(reference) => self.values_of_ref(reference),
            Term::Array(_) | Term::Object(_) | Term::Set(_) | Term::Comprehension(_) => None,
        }
    }

    fn values_of_ref(&self, reference: &'t Ref) -> Option<Vec<&'t Constant>> {
        let mut values = match &reference.head {
            RefHead::Input | RefHead::Data => return None,
            RefHead::Var(var) => self.values.get(var).cloned()?,
            RefHead::Const(value) => vec![value],
        };
        for step in &reference.path {
            let mut next = Vec::new();
            for value in values {
                match step {
                    Term::Const(key) => next.extend(constant::member(value, key)),
                    _ => next.extend(constant::members(value)?),
                }
            }
            if next.len() > ALTERNATIVES_MAX {
                return None;
            }
            values = next;
        }
        Some(values)
    }
}
