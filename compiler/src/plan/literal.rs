//! Terms as written: which are the same, and the order in which OPA iterates a literal that holds variables. It is that of
//! the members of a set or the keys of an object as written, by kind and text, not that of their values; equal ones are
//! met twice. It shows in array comprehensions.

use super::ir::Reg;
use crate::hir::{Ref, RefHead, Term};
use std::cmp::Ordering;

/// The members of a collection that was written down, in the order of iteration.
#[derive(Clone, Debug)]
pub(super) enum Literal {
    /// Of a set.
    Set(Vec<Reg>),
    /// Of an object, by key and value.
    Object(Vec<(Reg, Reg)>),
}

/// What belongs to some terms, in the order of the terms; once where two are the same.
pub(super) fn in_order<T>(mut members: Vec<(Term, T)>) -> Vec<T> {
    members.sort_by(|a, b| compare(&a.0, &b.0));
    members.dedup_by(|a, b| compare(&a.0, &b.0).is_eq());
    members.into_iter().map(|(_, member)| member).collect()
}

/// Order of two members as terms: values that are no collections, variables, references, collections.
pub(super) fn compare(a: &Term, b: &Term) -> Ordering {
    match (a, b) {
        (Term::Const(a), Term::Const(b)) => a.compare(b),
        (Term::Var(a), Term::Var(b)) => a.cmp(b),
        (Term::Ref(a), Term::Ref(b)) => compare_refs(a, b),
        (Term::Array(a), Term::Array(b)) | (Term::Set(a), Term::Set(b)) => compare_lists(a, b),
        _ => rank(a).cmp(&rank(b)),
    }
}

fn compare_lists(a: &[Term], b: &[Term]) -> Ordering {
    let differing = a.iter().zip(b).map(|(a, b)| compare(a, b));
    differing
        .into_iter()
        .find(|order| order.is_ne())
        .unwrap_or(a.len().cmp(&b.len()))
}

fn compare_refs(a: &Ref, b: &Ref) -> Ordering {
    // By the name of the head: generated names, `data`, `input`.
    let head = |r: &Ref| match r.head {
        RefHead::Var(_) | RefHead::Const(_) => 0u8,
        RefHead::Data => 1,
        RefHead::Input => 2,
    };
    head(a)
        .cmp(&head(b))
        .then_with(|| compare_lists(&a.path, &b.path))
}

/// Whether two terms are written the same, so that they have one value.
pub(super) fn is_same(a: &Term, b: &Term) -> bool {
    let are_same = |a: &[Term], b: &[Term]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b));
    match (a, b) {
        (Term::Const(a), Term::Const(b)) => a == b,
        (Term::Var(a), Term::Var(b)) => a == b,
        (Term::Array(a), Term::Array(b)) | (Term::Set(a), Term::Set(b)) => are_same(a, b),
        (Term::Ref(a), Term::Ref(b)) => {
            let same_head = match (&a.head, &b.head) {
                (RefHead::Input, RefHead::Input) | (RefHead::Data, RefHead::Data) => true,
                (RefHead::Var(a), RefHead::Var(b)) => a == b,
                (RefHead::Const(a), RefHead::Const(b)) => a == b,
                _ => false,
            };
            same_head && are_same(&a.path, &b.path)
        }
        _ => false,
    }
}

fn rank(term: &Term) -> u8 {
    use gavel_runtime::value::Constant;
    match term {
        Term::Const(value) => match value {
            Constant::Null => 0,
            Constant::Bool(_) => 1,
            Constant::Int(_) | Constant::Number(_) => 2,
            Constant::String(_) => 3,
            Constant::Array(_) => 6,
            Constant::Object(_) => 7,
            Constant::Set(_) => 8,
        },
        Term::Var(_) => 4,
        Term::Ref(_) => 5,
        Term::Array(_) => 6,
        Term::Object(_) => 7,
        Term::Set(_) => 8,
        Term::Comprehension(_) => 9,
    }
}
