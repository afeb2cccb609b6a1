//! What was read or computed on every way to an instruction is not read or computed again there.
//!
//! Code is linear, and a label that stands behind an instruction may be reached without it only from there or from before:
//! as long as all jumps to the labels between come from between, the first instruction has succeeded.

use super::code::{REACH, first_jumps, is_plain, of};
use super::facts::Facts;
use crate::plan::{FnRef, Inst, K, Plan, Reg};
use gavel_runtime::bytecode::FnKind;
use gavel_runtime::value::Constant;

/// Runs the pass; whether anything changed. `calls`: builtins may be left out.
pub(super) fn run(plan: &mut Plan, at: usize, calls: bool) -> bool {
    let Some(function) = plan.functions.get(at) else {
        return false;
    };
    let facts = Facts::of(function);
    let jumps = first_jumps(function);
    let is_function = |func: FnRef| {
        let callee = plan.functions.get(func.0);
        callee.is_some_and(|callee| callee.kind == FnKind::Function)
    };
    let mut known: Vec<(usize, Reg, &Inst)> = Vec::new();
    let mut copies: Vec<(usize, Inst)> = Vec::new();
    for (here, step) in function.code.iter().enumerate() {
        match &step.inst {
            Inst::Label(label) => {
                let first = of(&jumps, *label);
                known.retain(|(at, ..)| *at < first);
            }
            inst if inst.is_with() => known.clear(),
            inst => {
                let Some(dst) = result(inst, calls, &is_function) else {
                    continue;
                };
                let mut are_single = true;
                inst.for_each_reg(|reg, _| are_single &= facts.is_single(*reg));
                if !are_single {
                    continue;
                }
                let mut recent = known.iter().rev().take(REACH);
                match recent.find(|(_, _, other)| is_same(inst, other)) {
                    Some((_, src, _)) => copies.push((here, Inst::Move { dst, src: *src })),
                    None => known.push((here, dst, inst)),
                }
            }
        }
    }
    let changed = !copies.is_empty();
    if let Some(function) = plan.functions.get_mut(at) {
        for (here, inst) in copies {
            if let Some(step) = function.code.get_mut(here) {
                step.inst = inst;
            }
        }
    }
    changed
}

/// The register of what is read or computed, where that is the same each time.
fn result(inst: &Inst, calls: bool, is_function: &dyn Fn(FnRef) -> bool) -> Option<Reg> {
    match inst {
        Inst::Slot { dst, .. }
        | Inst::SlotOr { dst, .. }
        | Inst::Direct { dst, .. }
        | Inst::Field { dst, .. }
        | Inst::Index { dst, .. } => Some(*dst),
        Inst::CallBuiltin { dst, builtin, .. } => (calls && is_plain(*builtin)).then_some(*dst),
        Inst::CallFn { dst, func, .. } => is_function(*func).then_some(*dst),
        _ => None,
    }
}

fn is_same(a: &Inst, b: &Inst) -> bool {
    match (a, b) {
        (Inst::Slot { path: a, .. }, Inst::Slot { path: b, .. }) => a == b,
        (
            Inst::SlotOr {
                path: a, default: k, ..
            },
            Inst::SlotOr {
                path: b, default: l, ..
            },
        ) => a == b && is_same_key(k, l),
        (Inst::Direct { of: a, what: k, .. }, Inst::Direct { of: b, what: l, .. }) => a == b && k == l,
        (Inst::Field { of: a, key: k, .. }, Inst::Field { of: b, key: l, .. }) => a == b && is_same_key(k, l),
        (
            Inst::Index {
                of: a,
                key: k,
                stored: s,
                ..
            },
            Inst::Index {
                of: b,
                key: l,
                stored: t,
                ..
            },
        ) => a == b && k == l && s == t,
        (
            Inst::CallBuiltin {
                builtin: f, args: a, ..
            },
            Inst::CallBuiltin {
                builtin: g, args: b, ..
            },
        ) => f == g && a == b,
        (Inst::CallFn { func: f, args: a, .. }, Inst::CallFn { func: g, args: b, .. }) => f == g && a == b,
        _ => false,
    }
}

/// Numbers may be equal and spelled differently, which shows where the key of a set is what is found.
fn is_same_key(a: &K, b: &K) -> bool {
    match (&**a, &**b) {
        (Constant::String(a), Constant::String(b)) => a == b,
        (Constant::Int(a), Constant::Int(b)) => a == b,
        _ => false,
    }
}
