//! What several passes do with code.

use crate::plan::{Cond, Function, Inst, Label, Step};
use gavel_runtime::builtins::BuiltinId;
use gavel_runtime::value::Constant;
use std::collections::HashMap;

/// Instructions that a pass looks ahead or back from one of them; more would make it quadratic in long bodies.
pub(super) const REACH: usize = 64;

/// Keeps the instructions that are marked so.
pub(super) fn retain(code: &mut Vec<Step>, keep: Vec<bool>) {
    let mut keep = keep.into_iter();
    code.retain(|_| keep.next().unwrap_or(true));
}

/// Where each label stands; `usize::MAX`: nowhere.
pub(super) fn label_places(function: &Function) -> Vec<usize> {
    let mut places = vec![usize::MAX; function.labels as usize];
    for (at, step) in function.code.iter().enumerate() {
        if let Inst::Label(label) = &step.inst
            && let Some(place) = places.get_mut(label.0 as usize)
        {
            *place = at;
        }
    }
    places
}

/// For each label the first instruction that goes there; `usize::MAX`: none does.
pub(super) fn first_jumps(function: &Function) -> Vec<usize> {
    let mut first = vec![usize::MAX; function.labels as usize];
    for (at, step) in function.code.iter().enumerate() {
        step.inst.for_each_target(|label| {
            if let Some(first) = first.get_mut(label.0 as usize) {
                *first = at.min(*first);
            }
        });
    }
    first
}

/// The place of a label in a list by label.
pub(super) fn of(list: &[usize], label: Label) -> usize {
    list.get(label.0 as usize).copied().unwrap_or(usize::MAX)
}

/// Whether an instruction has no effect but its result, never aborts but for want of resources, and gives the same for the
/// same operands. `calls`: builtins may be called elsewhere, or not at all.
pub(super) fn is_pure(inst: &Inst, calls: bool) -> bool {
    match inst {
        Inst::Const { .. }
        | Inst::Move { .. }
        | Inst::Slot { .. }
        | Inst::SlotOr { .. }
        | Inst::Direct { .. }
        | Inst::Index { .. }
        | Inst::Field { .. } => true,
        Inst::Test { cond, .. } => !matches!(cond, Cond::IsDocument(_) | Cond::IsSet(_)),
        Inst::CallBuiltin { builtin, .. } => calls && is_plain(*builtin),
        _ => false,
    }
}

/// Whether a builtin always gives the same and nobody can tell whether it was called.
pub(super) fn is_plain(builtin: BuiltinId) -> bool {
    let row = builtin.get();
    let is_seen = matches!(row.name, "print" | "internal.print" | "trace" | "test.sleep");
    !row.nondeterministic && !row.relation && !is_seen
}

/// Number of scope instructions before each position: between two equal numbers the input is the same.
pub(super) fn scopes(code: &[Step]) -> Vec<usize> {
    let count = |count: &mut usize, step: &Step| {
        let before = *count;
        *count += usize::from(step.inst.is_with());
        Some(before)
    };
    code.iter().scan(0, count).collect()
}

/// Code between a label and a jump back to it.
pub(super) fn loops(code: &[Step]) -> Vec<(usize, usize)> {
    let mut places: HashMap<Label, usize> = HashMap::new();
    let mut found = Vec::new();
    for (at, step) in code.iter().enumerate() {
        if let Inst::Label(label) = &step.inst {
            places.insert(*label, at);
        }
        step.inst
            .for_each_target(|label| found.extend(places.get(&label).map(|start| (*start, at))));
    }
    found
}

/// Bytes of text that count as one part of a constant.
const PART_BYTES: usize = 32;

/// Whether a constant is made of at most so many parts: what a program says in few words must not become a large image.
pub(super) fn is_within(value: &Constant, parts: usize) -> bool {
    fn take(value: &Constant, left: &mut usize) -> bool {
        let own = match value {
            Constant::String(text) | Constant::Number(text) => 1 + text.len() / PART_BYTES,
            _ => 1,
        };
        let Some(rest) = left.checked_sub(own) else {
            return false;
        };
        *left = rest;
        match value {
            Constant::Array(items) | Constant::Set(items) => items.iter().all(|item| take(item, left)),
            Constant::Object(members) => members.iter().all(|(k, v)| take(k, left) && take(v, left)),
            _ => true,
        }
    }
    take(value, &mut { parts })
}
