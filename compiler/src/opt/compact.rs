//! Registers and labels numbered anew where other passes left many gaps: every copied callee brings all its own, of which
//! few stay, and its caller is copied in turn.

use crate::plan::{Access, Function, Inst, Label, Reg};

/// Gaps that are not worth the work.
const SPARE: usize = 64;

/// Runs the pass; where numbers are dense enough it does nothing. It makes no work for other passes.
pub(super) fn run(function: &mut Function) -> bool {
    let enough = 4 * function.code.len() + SPARE;
    if function.regs as usize + function.labels as usize <= enough {
        return false;
    }
    let mut regs = Numbers::new(function.regs);
    let mut labels = Numbers::new(function.labels);
    for param in 0..function.params {
        regs.of(param);
    }
    for step in &mut function.code {
        step.inst
            .for_each_reg_mut(|reg: &mut Reg, _: Access| reg.0 = regs.of(reg.0));
        if let Inst::Label(label) = &mut step.inst {
            label.0 = labels.of(label.0);
        }
        step.inst
            .for_each_target_mut(|label| *label = Label(labels.of(label.0)));
    }
    function.regs = regs.next;
    function.labels = labels.next;
    false
}

/// New numbers by old ones, in the order of first use.
struct Numbers {
    new: Vec<Option<u32>>,
    next: u32,
}

impl Numbers {
    fn new(count: u32) -> Numbers {
        Numbers {
            new: vec![None; count as usize],
            next: 0,
        }
    }

    fn of(&mut self, old: u32) -> u32 {
        let Some(cell) = self.new.get_mut(old as usize) else {
            return old;
        };
        *cell.get_or_insert_with(|| {
            self.next += 1;
            self.next - 1
        })
    }
}
