//! Members of sets and entries of objects as OPA keeps them: one for each term as written, in its order of terms.

use super::term_order::{By, terms};
use super::tree::{Term, Vars};

/// Puts the members of a set in order.
pub(super) fn sort_members(members: &mut [Term], vars: &Vars) {
    members.sort_by(|a, b| terms(a, b, By::Declaration(vars)));
}

/// Puts entries in order.
pub(super) fn sort<T>(entries: &mut [(Term, T)], vars: &Vars) {
    entries.sort_by(|(a, _), (b, _)| terms(a, b, By::Declaration(vars)));
}

/// Leaves one member of those that are written the same, as OPA's parser does, and puts the rest in order.
pub(super) fn merge_members(members: &mut Vec<Term>, vars: &Vars) {
    members.sort_by(|a, b| terms(a, b, By::Name(vars)));
    members.dedup_by(|later, kept| terms(later, kept, By::Name(vars)).is_eq());
    sort_members(members, vars);
}

/// Leaves one entry of those whose keys are written the same, with the last value, as OPA's parser does, and puts the rest
/// in order.
pub(super) fn merge<T>(entries: &mut Vec<(Term, T)>, vars: &Vars) {
    entries.sort_by(|(a, _), (b, _)| terms(a, b, By::Name(vars)));
    entries.dedup_by(|later, kept| {
        let same = terms(&later.0, &kept.0, By::Name(vars)).is_eq();
        if same {
            std::mem::swap(&mut later.1, &mut kept.1);
        }
        same
    });
    sort(entries, vars);
}
