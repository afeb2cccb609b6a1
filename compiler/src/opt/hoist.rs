//! What is the same in every round of a loop stands in front of it. Where it fails no round succeeds, so that the loop need
//! not start.

use super::code::{REACH, is_pure};
use super::facts::Facts;
use crate::plan::{Access, Function, Inst, Label, Reg, Step};

/// Runs the pass; whether anything changed. `calls`: builtins may be called where nothing asks for them.
pub(super) fn run(function: &mut Function, calls: bool) -> bool {
    let has_loop = |step: &Step| matches!(step.inst, Inst::LoopInit { .. });
    if !function.code.iter().any(has_loop) {
        return false;
    }
    let facts = Facts::of(function);
    let mut places = Places::of(function);
    let mut changed = false;
    for at in 0..function.code.len() {
        let Some(found) = Found::at(function, &facts, &places, at, calls) else {
            continue;
        };
        if found.moved.is_empty() {
            continue;
        }
        changed = true;
        let mut front: Vec<Step> = Vec::with_capacity(found.moved.len());
        for from in found.moved.iter().rev() {
            let mut step = function.code.remove(*from);
            if let Some(label) = step.inst.target_mut() {
                *label = found.fail;
            }
            front.push(step);
        }
        function.code.splice(at..at, front.into_iter().rev());
        places = Places::of(function);
    }
    changed
}

/// Where each register is written.
struct Places(Vec<usize>);

impl Places {
    fn of(function: &Function) -> Places {
        let mut places = vec![0; function.regs as usize];
        for (at, step) in function.code.iter().enumerate() {
            step.inst.for_each_reg(|reg, access| {
                if access != Access::Use
                    && let Some(place) = places.get_mut(reg.0 as usize)
                {
                    *place = at;
                }
            });
        }
        Places(places)
    }

    fn is_before(&self, reg: Reg, at: usize) -> bool {
        self.0.get(reg.0 as usize).is_some_and(|place| *place < at)
    }
}

struct Found {
    moved: Vec<usize>,
    fail: Label,
}

impl Found {
    /// Looks at the beginning of the round of `loop s over c -> F; L: next s: k, v -> F`.
    fn at(function: &Function, facts: &Facts, places: &Places, at: usize, calls: bool) -> Option<Found> {
        let inst = |at: usize| function.code.get(at).map(|step| &step.inst);
        let (
            Inst::LoopInit { state, fail, .. } | Inst::LoopFind { state, fail, .. },
            Inst::Label(round),
            Inst::LoopNext {
                state: next,
                fail: end,
                ..
            },
        ) = (inst(at)?, inst(at + 1)?, inst(at + 2)?)
        else {
            return None;
        };
        if state != next || fail != end {
            return None;
        }
        let mut found = Found {
            moved: Vec::new(),
            fail: *fail,
        };
        let mut moved_regs: Vec<Reg> = Vec::new();
        // Whether a round may end in front of the instruction.
        let mut is_asked = true;
        for (here, step) in function.code.iter().enumerate().skip(at + 3).take(REACH) {
            let inst = &step.inst;
            if !is_pure(inst, calls) || inst.target().is_some_and(|label| label != *round) {
                break;
            }
            let mut is_same = is_asked || !matches!(inst, Inst::CallBuiltin { .. });
            inst.for_each_reg(|reg, access| {
                is_same &= facts.is_single(*reg)
                    && (access != Access::Use || places.is_before(*reg, at) || moved_regs.contains(reg));
            });
            if is_same && !matches!(inst, Inst::Move { .. }) {
                inst.for_each_reg(|reg, access| moved_regs.extend((access == Access::Def).then_some(*reg)));
                found.moved.push(here);
            } else {
                is_asked = is_asked && inst.target().is_none();
            }
        }
        Some(found)
    }
}
