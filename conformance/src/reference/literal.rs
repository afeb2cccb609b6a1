//! Literals of sets and objects that hold variables: OPA iterates one in the order of its members or keys as written, by
//! kind and text, and not in that of their values; equal ones are met twice. It shows in array comprehensions.

use super::machine::Machine;
use super::value::Value;
use gavel_compiler::hir::{Ref, RefHead, Term, VarId};
use gavel_runtime::value::Constant;
use std::cmp::Ordering;
use std::rc::Rc;

impl<'u> Machine<'u> {
    /// Notes that a variable that the compiler made stands for a reference, when that is what an equation says.
    pub(super) fn note_origin(&mut self, side: &'u Term, other: &'u Term) {
        let is_made = |var: &VarId| {
            self.names
                .get(var.0 as usize)
                .is_some_and(|name| name.starts_with('$'))
        };
        if let (Term::Var(var), Term::Ref(reference)) = (side, other)
            && is_made(var)
            && !self.vars.contains_key(var)
        {
            self.origins.insert(*var, reference);
        }
    }

    /// The set of a literal's members.
    pub(super) fn literal(&self, items: &[&'u Term], values: &[Value]) -> Value {
        let order = self.written(items.iter().copied().zip(values.iter().cloned()));
        match Value::set(values.to_vec()) {
            Value::Set(members, _) => Value::Set(members, Some(Rc::new(order))),
            other => other,
        }
    }

    /// The object of a literal's members.
    pub(super) fn object_literal(&self, keys: &[&'u Term], members: Vec<(Value, Value)>) -> Value {
        let is_known = keys.iter().all(|key| matches!(key, Term::Const(_)));
        let order = self.written(keys.iter().copied().zip(members.iter().cloned()));
        match Value::object(members) {
            Value::Object(entries, _) if !is_known => Value::Object(entries, Some(Rc::new(order))),
            other => other,
        }
    }

    /// What belongs to some terms, in the order of the terms as written.
    fn written<T>(&self, terms: impl Iterator<Item = (&'u Term, T)>) -> Vec<T> {
        let mut written: Vec<(Written<'u>, T)> = terms
            .map(|(term, what)| match term {
                Term::Var(var) => match self.origins.get(var) {
                    Some(reference) => (Written::Ref(reference), what),
                    None => (Written::Term(term), what),
                },
                other => (Written::Term(other), what),
            })
            .collect();
        // The compiler has left one of those that are written the same.
        written.sort_by(|a, b| a.0.compare(&b.0));
        written.into_iter().map(|(_, what)| what).collect()
    }
}

/// A member as written; a variable that stands for a reference is that reference.
#[derive(Clone, Copy, Debug)]
enum Written<'u> {
    Term(&'u Term),
    Ref(&'u Ref),
}

impl Written<'_> {
    fn compare(&self, other: &Written<'_>) -> Ordering {
        match (self, other) {
            (Written::Term(a), Written::Term(b)) => compare(a, b),
            (Written::Ref(a), Written::Ref(b)) => compare_refs(a, b),
            (Written::Term(term), Written::Ref(_)) => rank(term).cmp(&REF_RANK),
            (Written::Ref(_), Written::Term(term)) => REF_RANK.cmp(&rank(term)),
        }
    }
}

/// References come behind scalars and variables, before collections.
const REF_RANK: u8 = 5;

fn rank(term: &Term) -> u8 {
    match term {
        Term::Const(Constant::Array(_)) | Term::Array(_) => 6,
        Term::Const(Constant::Object(_)) | Term::Object(_) => 7,
        Term::Const(Constant::Set(_)) | Term::Set(_) => 8,
        Term::Const(_) => 0,
        Term::Var(_) => 4,
        Term::Ref(_) => REF_RANK,
        Term::Comprehension(_) => 9,
    }
}

fn compare(a: &Term, b: &Term) -> Ordering {
    match (a, b) {
        (Term::Const(a), Term::Const(b)) => a.compare(b),
        (Term::Var(a), Term::Var(b)) => a.cmp(b),
        (Term::Ref(a), Term::Ref(b)) => compare_refs(a, b),
        _ => {
            let by_rank = rank(a).cmp(&rank(b));
            by_rank.then_with(|| compare_lists(&members(a), &members(b)))
        }
    }
}

/// What a collection holds, as it is compared: members of sets and entries of objects in their order, keys before values.
fn members(term: &Term) -> Vec<Term> {
    match term {
        Term::Array(items) => items.clone(),
        Term::Set(items) => {
            let mut items = items.clone();
            items.sort_by(compare);
            items
        }
        Term::Object(entries) => {
            let mut entries = entries.clone();
            entries.sort_by(|a, b| compare(&a.0, &b.0));
            entries.into_iter().flat_map(<[Term; 2]>::from).collect()
        }
        Term::Const(Constant::Array(items) | Constant::Set(items)) => {
            items.iter().cloned().map(Term::Const).collect()
        }
        Term::Const(Constant::Object(entries)) => {
            let entries = entries.iter().cloned().map(<[Constant; 2]>::from);
            entries.flatten().map(Term::Const).collect()
        }
        Term::Const(_) | Term::Var(_) | Term::Ref(_) | Term::Comprehension(_) => Vec::new(),
    }
}

fn compare_lists(a: &[Term], b: &[Term]) -> Ordering {
    let mut differing = a.iter().zip(b).map(|(a, b)| compare(a, b));
    let unequal = differing.find(|order| order.is_ne());
    unequal.unwrap_or(a.len().cmp(&b.len()))
}

/// By the name of the head (generated names, `data`, `input`), then element by element.
fn compare_refs(a: &Ref, b: &Ref) -> Ordering {
    let head = |reference: &Ref| match reference.head {
        RefHead::Var(_) | RefHead::Const(_) => 0u8,
        RefHead::Data => 1,
        RefHead::Input => 2,
    };
    let by_head = match (&a.head, &b.head) {
        (RefHead::Var(a), RefHead::Var(b)) => a.cmp(b),
        (RefHead::Const(a), RefHead::Const(b)) => a.compare(b),
        _ => head(a).cmp(&head(b)),
    };
    by_head.then_with(|| compare_lists(&a.path, &b.path))
}
