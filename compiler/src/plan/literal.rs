//! Terms as written: which are the same, and the order in which OPA iterates a literal that holds variables. It is that of
//! the members of a set or the keys of an object as written, by kind and text, not that of their values; equal ones are
//! met twice. It shows in array comprehensions.

use super::ir::Reg;
use crate::hir::{Ref, RefHead, Term};
use gavel_runtime::value::Constant;
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
    members.dedup_by(|a, b| is_same(&a.0, &b.0));
    members.into_iter().map(|(_, member)| member).collect()
}

/// Order of two members as terms: values that are no collections, variables, references, collections. Only comprehensions
/// of one kind stay as they were written.
fn compare(a: &Term, b: &Term) -> Ordering {
    match (a, b) {
        (Term::Const(a), Term::Const(b)) => a.compare(b),
        (Term::Var(a), Term::Var(b)) => a.cmp(b),
        (Term::Ref(a), Term::Ref(b)) => compare_refs(a, b),
        _ => rank(a)
            .cmp(&rank(b))
            .then_with(|| compare_lists(&parts(a), &parts(b))),
    }
}

fn compare_lists(a: &[Term], b: &[Term]) -> Ordering {
    let differing = a.iter().zip(b).map(|(a, b)| compare(a, b));
    differing
        .into_iter()
        .find(|order| order.is_ne())
        .unwrap_or(a.len().cmp(&b.len()))
}

/// The members of a collection, those of a set and the entries of an object in order; keys and values in turns.
fn parts(term: &Term) -> Vec<Term> {
    let constants = |items: &[Constant]| items.iter().cloned().map(Term::Const).collect::<Vec<Term>>();
    match term {
        Term::Array(items) => items.clone(),
        Term::Const(Constant::Array(items) | Constant::Set(items)) => constants(items),
        Term::Const(Constant::Object(entries)) => entries
            .iter()
            .flat_map(|(key, value)| [key, value].map(|part| Term::Const(part.clone())))
            .collect(),
        Term::Set(members) => {
            let mut members = members.clone();
            members.sort_by(compare);
            members
        }
        Term::Object(entries) => {
            let mut entries = entries.clone();
            entries.sort_by(|a, b| compare(&a.0, &b.0));
            entries
                .into_iter()
                .flat_map(|(key, value)| [key, value])
                .collect()
        }
        Term::Const(_) | Term::Var(_) | Term::Ref(_) | Term::Comprehension(_) => Vec::new(),
    }
}

fn compare_refs(a: &Ref, b: &Ref) -> Ordering {
    // By the name of the head: generated names, `data`, `input`.
    let rank = |head: &RefHead| match head {
        RefHead::Var(_) | RefHead::Const(_) => 0_u8,
        RefHead::Data => 1,
        RefHead::Input => 2,
    };
    let heads = match (&a.head, &b.head) {
        (RefHead::Var(a), RefHead::Var(b)) => a.cmp(b),
        (RefHead::Const(a), RefHead::Const(b)) => a.compare(b),
        (a, b) => rank(a).cmp(&rank(b)),
    };
    heads.then_with(|| compare_lists(&a.path, &b.path))
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
