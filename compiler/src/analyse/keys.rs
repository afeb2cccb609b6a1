//! The order of an object's entries: OPA keeps them by key, one for each key as written.
//!
//! Keys are scalars, then variables, then everything that needs evaluation. The variables of a rule stand in the order in
//! which they were made; names that nobody declares stand by name, behind the others when they begin with a small letter.

use super::tree::{Head, Kind, Ref, Term, VarName, Vars};
use crate::hir::VarId;
use gavel_runtime::value::Constant;
use std::cmp::Ordering;

/// Puts entries in order; entries whose keys cannot be told apart here stay as they were written.
pub(super) fn sort(entries: &mut [(Term, Term)], vars: &Vars) {
    entries.sort_by(|(a, _), (b, _)| compare(a, b, vars));
}

/// Leaves one entry of those whose keys are written the same, with the last value, as OPA's parser does.
pub(super) fn merge(entries: &mut Vec<(Term, Term)>) {
    entries.dedup_by(|later, kept| {
        let same = is_same(&later.0, &kept.0);
        if same {
            std::mem::swap(&mut later.1, &mut kept.1);
        }
        same
    });
}

/// Whether two keys are written the same.
pub(super) fn is_same(a: &Term, b: &Term) -> bool {
    match (&a.kind, &b.kind) {
        (Kind::Const(a), Kind::Const(b)) => a.compare(b).is_eq(),
        (Kind::Var(a), Kind::Var(b)) => a == b,
        (Kind::Ref(a), Kind::Ref(b)) => {
            let same_head = match (&a.head, &b.head) {
                (Head::Input, Head::Input) | (Head::Data, Head::Data) => true,
                (Head::Var(a), Head::Var(b)) => a == b,
                (Head::Term(a), Head::Term(b)) => is_same(a, b),
                _ => false,
            };
            same_head && are_same(&a.path, &b.path)
        }
        (Kind::Array(a), Kind::Array(b)) | (Kind::Set(a), Kind::Set(b)) => are_same(a, b),
        _ => false,
    }
}

fn are_same(a: &[Term], b: &[Term]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
}

fn compare(a: &Term, b: &Term, vars: &Vars) -> Ordering {
    match (&a.kind, &b.kind) {
        (Kind::Const(a), Kind::Const(b)) => a.compare(b),
        (Kind::Var(a), Kind::Var(b)) => name(*a, vars).cmp(&name(*b, vars)).then(a.cmp(b)),
        (Kind::Ref(a), Kind::Ref(b)) => references(a, b),
        (a, b) => rank(a).cmp(&rank(b)),
    }
}

/// OPA's order of kinds.
fn rank(kind: &Kind) -> u8 {
    match kind {
        Kind::Const(Constant::Null | Constant::Bool(_) | Constant::Int(_) | Constant::Number(_)) => 0,
        Kind::Const(Constant::String(_)) => 1,
        Kind::Var(_) | Kind::Builtin(_) => 2,
        Kind::Ref(_) => 3,
        Kind::Array(_) | Kind::Const(Constant::Array(_)) => 4,
        Kind::Object(_) | Kind::Const(Constant::Object(_)) => 5,
        Kind::Set(_) | Kind::Const(Constant::Set(_)) => 6,
        Kind::Comprehension(_) | Kind::Template(_) | Kind::Call(_) => 7,
    }
}

/// Where a variable's name sorts: names of declared and made variables begin with an underscore in OPA.
fn name(var: VarId, vars: &Vars) -> (Ordering, &str) {
    match vars.name(var) {
        VarName::Written(name) if vars.is_undeclared(var) => (name.as_str().cmp("_"), name),
        VarName::Written(_) | VarName::Wildcard | VarName::Generated => (Ordering::Equal, ""),
    }
}

fn references(a: &Ref, b: &Ref) -> Ordering {
    let head = |r: &Ref| match r.head {
        Head::Var(_) | Head::Term(_) => 0,
        Head::Data => 1,
        Head::Input => 2,
    };
    let mut order = head(a).cmp(&head(b));
    for (a, b) in a.path.iter().zip(&b.path) {
        let (Some(a), Some(b)) = (a.as_const(), b.as_const()) else {
            return order;
        };
        order = order.then_with(|| a.compare(b));
    }
    order.then_with(|| a.path.len().cmp(&b.path.len()))
}
