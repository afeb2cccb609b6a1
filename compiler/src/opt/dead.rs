//! Instructions without effect: values that nobody reads, and questions that a later one answers.

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

/// Results that nobody reads.
fn unread(function: &mut Function) -> bool {
    let facts = Facts::of(function);
    let mut changed = false;
    let mut code: Vec<Step> = Vec::with_capacity(function.code.len());
    for step in &function.code {
        match &step.inst {
            Inst::Const { dst, .. }
            | Inst::Move { dst, .. }
            | Inst::Unset { dst }
            | Inst::Collect { dst, .. }
                if facts.uses(*dst) == 0 =>
            {
                changed = true;
            }
            Inst::Slot { dst, path, fail } if facts.uses(*dst) == 0 => {
                changed = true;
                code.push(Step {
                    inst: Inst::Test {
                        cond: Cond::Defined(path.clone()),
                        fail: *fail,
                    },
                    span: step.span,
                });
            }
            Inst::LoopNext {
                state,
                key,
                value,
                fail,
            } => {
                let wanted = |reg: &Option<_>| reg.filter(|reg| facts.uses(*reg) > 0);
                let inst = Inst::LoopNext {
                    state: *state,
                    key: wanted(key),
                    value: wanted(value),
                    fail: *fail,
                };
                changed |= inst != step.inst;
                code.push(Step {
                    inst,
                    span: step.span,
                });
            }
            _ => code.push(step.clone()),
        }
    }
    function.code = code;
    changed
}

/// `defined input.a` in front of a read of `input.a.b` that fails to the same place.
fn asked_again(function: &mut Function) -> bool {
    let redundant: Vec<bool> = (0..function.code.len())
        .map(|at| is_redundant(&function.code, at))
        .collect();
    let changed = redundant.contains(&true);
    let mut keep = redundant.into_iter().map(|redundant| !redundant);
    function.code.retain(|_| keep.next().unwrap_or(true));
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
    for step in code.iter().skip(at + 1) {
        let (slots, other): (Vec<&Vec<String>>, _) = match &step.inst {
            Inst::Const { .. } | Inst::Move { .. } => continue,
            Inst::Slot { path, fail, .. } => (vec![path], fail),
            Inst::Field { fail, .. } | Inst::Index { fail, .. } => (Vec::new(), fail),
            Inst::Test { cond, fail } => (slots_of(cond), fail),
            _ => return false,
        };
        if other != fail {
            return false;
        }
        if slots.iter().any(|slot| slot.starts_with(path)) {
            return true;
        }
    }
    false
}

fn slots_of(cond: &Cond) -> Vec<&Vec<String>> {
    fn slot(operand: &Operand) -> Option<&Vec<String>> {
        match operand {
            Operand::Slot(path) => Some(path),
            Operand::Reg(_) | Operand::Const(_) => None,
        }
    }
    match cond {
        Cond::Truthy(a) => slot(a).into_iter().collect(),
        Cond::Compare(_, a, b) | Cond::In(a, b) => slot(a).into_iter().chain(slot(b)).collect(),
        Cond::Defined(path) => vec![path],
        Cond::IsSet(_) | Cond::IsArrayOf(..) | Cond::IsObjectOf(..) | Cond::IsDocument(_) => Vec::new(),
    }
}
