//! Reads of the input at the head of a loop's round do not depend on the round: they move in front of the loop. Where one
//! is undefined no round succeeds, so that the loop need not start.

use crate::plan::{Function, Inst};

/// Runs the pass; whether anything changed.
pub(super) fn run(function: &mut Function) -> bool {
    let mut changed = false;
    for at in 0..function.code.len() {
        while let Some(inst) = hoisted(function, at) {
            if let Some(step) = function.code.get_mut(at + 3) {
                step.inst = inst;
            }
            if let Some(steps) = function.code.get_mut(at..=at + 3) {
                steps.rotate_right(1);
            }
            changed = true;
        }
    }
    changed
}

/// The first instruction of a round, as it stands in front of `loop s over c -> F; L: next s: k, v -> F`.
fn hoisted(function: &Function, at: usize) -> Option<Inst> {
    let inst = |offset: usize| function.code.get(at + offset).map(|step| &step.inst);
    let (
        Inst::LoopInit { state, fail, .. },
        Inst::Label(round),
        Inst::LoopNext {
            state: next,
            fail: end,
            ..
        },
        Inst::Slot {
            dst,
            path,
            fail: again,
        },
    ) = (inst(0)?, inst(1)?, inst(2)?, inst(3)?)
    else {
        return None;
    };
    (state == next && fail == end && again == round).then(|| Inst::Slot {
        dst: *dst,
        path: path.clone(),
        fail: *fail,
    })
}
