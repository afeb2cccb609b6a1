//! What the passes know of the calls of a plan: who calls whom, for which entries, and how often.
//!
//! A plan may hold many policies that share libraries. What counts for copying a rule of a library into its callers is how
//! often one policy calls it, not how many policies do.

use crate::plan::{FnRef, Function, Inst, Plan};
use std::collections::{HashMap, HashSet};

/// The calls of a plan.
#[derive(Debug)]
pub(super) struct Calls {
    /// The functions that each function calls.
    callees: Vec<Vec<FnRef>>,
    /// For which entry each function runs.
    owners: Vec<Owner>,
    /// How often each function is called.
    counts: Vec<Count>,
    /// How often each function is called for each of the entries.
    by_entry: HashMap<(FnRef, usize), usize>,
    /// Rules that some `with` replaces: their calls stay calls.
    replaced: HashSet<FnRef>,
    entries: HashSet<FnRef>,
}

/// For which entries a function runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// None is known.
    Nobody,
    /// One.
    Entry(usize),
    /// Several.
    Many,
}

impl Owner {
    fn join(self, other: Owner) -> Owner {
        match (self, other) {
            (Owner::Nobody, owner) | (owner, Owner::Nobody) => owner,
            (Owner::Entry(a), Owner::Entry(b)) if a == b => self,
            _ => Owner::Many,
        }
    }
}

/// Places that call a function.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    /// In what runs for several entries, or for nobody knows which.
    common: usize,
    /// Entries in whose own functions there are some.
    entries: usize,
    /// Entries in whose own functions there is more than one.
    several: usize,
}

impl Calls {
    /// Looks at a plan, given its functions in an order where each stands behind all that it calls.
    pub(super) fn of(plan: &Plan, order: &[usize]) -> Calls {
        let count = plan.functions.len();
        let mut calls = Calls {
            callees: vec![Vec::new(); count],
            owners: owners(plan, order),
            counts: vec![Count::default(); count],
            by_entry: HashMap::new(),
            replaced: replaced(plan),
            entries: plan.entries.iter().map(|(_, func)| *func).collect(),
        };
        for (at, function) in plan.functions.iter().enumerate() {
            calls.update(at, function);
        }
        calls
    }

    /// Looks anew at a function that has changed.
    pub(super) fn update(&mut self, at: usize, function: &Function) {
        let now: Vec<FnRef> = callees(function).collect();
        let Some(callees) = self.callees.get_mut(at) else {
            return;
        };
        let before = std::mem::replace(callees, now.clone());
        let owner = self.owners.get(at).copied().unwrap_or(Owner::Nobody);
        now.into_iter().for_each(|func| self.count(func, owner, true));
        before.into_iter().for_each(|func| self.count(func, owner, false));
    }

    /// A place that calls a function comes, or goes.
    fn count(&mut self, func: FnRef, owner: Owner, comes: bool) {
        let Some(count) = self.counts.get_mut(func.0) else {
            return;
        };
        let change = |number: &mut usize| match comes {
            true => *number += 1,
            false => *number = number.saturating_sub(1),
        };
        let Owner::Entry(entry) = owner else {
            change(&mut count.common);
            return;
        };
        let places = self.by_entry.entry((func, entry)).or_default();
        let before = *places;
        change(places);
        match before.max(*places) {
            1 => change(&mut count.entries),
            2 => change(&mut count.several),
            _ => {}
        }
    }

    /// Whether some `with` replaces the rule.
    pub(super) fn is_replaced(&self, func: FnRef) -> bool {
        self.replaced.contains(&func)
    }

    /// Whether no entry calls a function in more than one place.
    pub(super) fn is_once(&self, func: FnRef) -> bool {
        let is_once = |count: &Count| match (count.common, count.entries) {
            (0, 1..) => count.several == 0,
            (1, 0) => true,
            _ => false,
        };
        self.counts.get(func.0).is_some_and(is_once) && !self.entries.contains(&func)
    }
}

/// The function that an instruction calls directly.
pub(super) fn callee(inst: &Inst) -> Option<FnRef> {
    match inst {
        Inst::CallRule { func, .. } | Inst::CallFn { func, .. } => Some(*func),
        _ => None,
    }
}

fn callees(function: &Function) -> impl Iterator<Item = FnRef> {
    function.code.iter().filter_map(|step| callee(&step.inst))
}

/// For which entry each function runs; callers first.
fn owners(plan: &Plan, order: &[usize]) -> Vec<Owner> {
    let mut owners = vec![Owner::Nobody; plan.functions.len()];
    let entries = plan.entries.iter().map(|(_, func)| func);
    for (number, func) in entries.chain(&plan.queries).enumerate() {
        if let Some(owner) = owners.get_mut(func.0) {
            *owner = owner.join(Owner::Entry(number));
        }
    }
    for at in order.iter().rev() {
        let (Some(function), Some(owner)) = (plan.functions.get(*at), owners.get(*at).copied()) else {
            continue;
        };
        for func in callees(function) {
            if let Some(known) = owners.get_mut(func.0) {
                *known = known.join(owner);
            }
        }
    }
    owners
}

/// Rules that some `with` replaces.
fn replaced(plan: &Plan) -> HashSet<FnRef> {
    let steps = plan.functions.iter().flat_map(|function| &function.code);
    steps
        .filter_map(|step| match &step.inst {
            Inst::WithRule { func, .. } => Some(*func),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_for_each_entry() {
        let rule = FnRef(0);
        let mut calls = Calls {
            callees: Vec::new(),
            owners: Vec::new(),
            counts: vec![Count::default()],
            by_entry: HashMap::new(),
            replaced: HashSet::new(),
            entries: HashSet::new(),
        };
        let steps = [
            (Owner::Entry(1), true, true),
            (Owner::Entry(2), true, true),
            (Owner::Entry(2), true, false),
            (Owner::Entry(2), false, true),
            (Owner::Many, true, false),
            (Owner::Entry(1), false, false),
            (Owner::Entry(2), false, true),
            (Owner::Nobody, true, false),
            (Owner::Many, false, true),
            (Owner::Nobody, false, false),
        ];
        for (at, (owner, comes, is_once)) in steps.into_iter().enumerate() {
            calls.count(rule, owner, comes);
            assert_eq!(calls.is_once(rule), is_once, "step {at}");
        }
    }
}
