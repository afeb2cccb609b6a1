//! Instructions without effect: values that nobody reads, and questions that a later one answers.

use super::code::{REACH, retain};
use super::facts::Facts;
use crate::plan::{Cond, Function, Inst, Operand, Step};

/// Runs the pass; whether anything changed.
pub(super) fn run(function: &mut Function) -> bool {
    let mut changed = false;
    while unread(function) {
        changed = true;
    }
    changed | asked_again(function)
}

/// Results that nobody reads. Backwards, so that what only fed them goes in the same round.
fn unread(function: &mut Function) -> bool {
    let mut facts = Facts::of(function);
    let mut changed = false;
    let mut keep = vec![true; function.code.len()];
    for (step, keep) in function.code.iter_mut().zip(&mut keep).rev() {
        match &mut step.inst {
            Inst::Const { dst, .. }
            | Inst::Move { dst, .. }
            | Inst::Unset { dst }
            | Inst::SlotOr { dst, .. }
            | Inst::Collect { dst, .. }
                if facts.uses(*dst) == 0 =>
            {
                facts.forget(&step.inst);
                *keep = false;
                changed = true;
            }
            Inst::Slot { dst, path, fail } if facts.uses(*dst) == 0 => {
                changed = true;
                step.inst = Inst::Test {
                    cond: Cond::Defined(std::mem::take(path)),
                    fail: *fail,
                };
            }
            Inst::LoopNext { key, value, .. } => {
                for reg in [key, value] {
                    if reg.is_some_and(|reg| facts.uses(reg) == 0) {
                        *reg = None;
                        changed = true;
                    }
                }
            }
            _ => {}
        }
    }
    if changed {
        retain(&mut function.code, keep);
    }
    changed
}

/// `defined input.a` in front of a read of `input.a.b` that fails to the same place.
fn asked_again(function: &mut Function) -> bool {
    let keep: Vec<bool> = (0..function.code.len())
        .map(|at| !is_redundant(&function.code, at))
        .collect();
    let changed = keep.contains(&false);
    if changed {
        retain(&mut function.code, keep);
    }
    changed
}

fn is_redundant(code: &[Step], at: usize) -> bool {
    let Some(Inst::Test {
        cond: Cond::Defined(path),
        fail,
    }) = code.get(at).map(|step| &step.inst)
    else {
        return false;
    };
    let is_longer = |slot: &Vec<String>| slot.starts_with(path);
    for step in code.iter().skip(at + 1).take(REACH) {
        let (asks, other) = match &step.inst {
            Inst::Const { .. } | Inst::Move { .. } | Inst::SlotOr { .. } => continue,
            Inst::Slot { path, fail, .. } => (is_longer(path), fail),
            Inst::Field { fail, .. } | Inst::Index { fail, .. } | Inst::Direct { fail, .. } => (false, fail),
            Inst::Test { cond, fail } => (slots_of(cond).into_iter().flatten().any(is_longer), fail),
            _ => return false,
        };
        if other != fail {
            return false;
        }
        if asks {
            return true;
        }
    }
    false
}

fn slots_of(cond: &Cond) -> [Option<&Vec<String>>; 2] {
    fn slot(operand: &Operand) -> Option<&Vec<String>> {
        match operand {
            Operand::Slot(path) => Some(path),
            Operand::Reg(_) | Operand::Const(_) => None,
        }
    }
    match cond {
        Cond::Truthy(a) | Cond::Text(_, a, _) => [slot(a), None],
        Cond::Compare(_, a, b) | Cond::In(a, b) => [slot(a), slot(b)],
        Cond::Defined(path) | Cond::IsObject(path) => [Some(path), None],
        Cond::IsSet(_) | Cond::IsArrayOf(..) | Cond::IsObjectOf(..) | Cond::IsDocument(_) => [None, None],
    }
}
