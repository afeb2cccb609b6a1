//! Loops in loops that look for members with a value at a path (`some y in ys; y.id == x.id`): the inner loop goes only over
//! the members that have it. The test stays, so that the index may leave it to the loop where it does not pay.

use super::code::{REACH, is_pure, loops};
use super::facts::Facts;
use crate::plan::{Cmp, Cond, Function, Inst, K, Operand, Reg, Step};
use gavel_runtime::bytecode::FnKind;
use gavel_runtime::limits::PATH_LEN_MAX;
use std::collections::HashMap;

/// Runs the pass; whether anything changed. `calls`: builtins need not be called.
pub(super) fn run(function: &mut Function, calls: bool) -> bool {
    let has_loop = |step: &Step| matches!(step.inst, Inst::LoopInit { .. });
    if !function.code.iter().any(has_loop) {
        return false;
    }
    let facts = Facts::of(function);
    let view = View {
        function,
        facts,
        loops: loops(&function.code),
        calls,
    };
    let found: Vec<(usize, Join)> = (0..function.code.len())
        .filter_map(|at| Some((at, view.join(at)?)))
        .collect();
    let changed = !found.is_empty();
    for (at, join) in found.into_iter().rev() {
        join.write(function, at);
    }
    changed
}

/// A loop that looks for members.
struct Join {
    path: Vec<K>,
    value: Operand,
}

struct View<'f> {
    function: &'f Function,
    facts: Facts,
    loops: Vec<(usize, usize)>,
    calls: bool,
}

impl View<'_> {
    fn inst(&self, at: usize) -> Option<&Inst> {
        self.function.code.get(at).map(|step| &step.inst)
    }

    /// `loop s over c -> F; L: next s: k, v -> F; r = v[…]; test r == x -> L`, where the collection may be asked again.
    fn join(&self, at: usize) -> Option<Join> {
        let (
            Inst::LoopInit { over, .. },
            Inst::Label(round),
            Inst::LoopNext {
                value: Some(member), ..
            },
        ) = (self.inst(at)?, self.inst(at + 1)?, self.inst(at + 2)?)
        else {
            return None;
        };
        let outer = self
            .loops
            .iter()
            .filter(|(start, end)| (start..=end).contains(&&at));
        let outer = outer.map(|(start, _)| *start).max();
        let is_asked_again = match outer {
            Some(start) => self.is_same_from(*over, start),
            None => {
                self.function.kind != FnKind::Query && self.function.params > 0 && self.is_same_from(*over, 0)
            }
        };
        if !is_asked_again {
            return None;
        }
        let mut paths: HashMap<Reg, Vec<K>> = HashMap::from([(*member, Vec::new())]);
        for step in self.function.code.iter().skip(at + 3).take(REACH) {
            let inst = &step.inst;
            if !is_pure(inst, self.calls) || inst.target().is_some_and(|label| label != *round) {
                return None;
            }
            match inst {
                Inst::Field { dst, of, key, .. } if self.facts.is_single(*dst) => {
                    if let Some(path) = paths.get(of).filter(|path| path.len() < PATH_LEN_MAX) {
                        let path = path.iter().chain([key]).cloned().collect();
                        paths.insert(*dst, path);
                    }
                }
                Inst::Test {
                    cond: Cond::Compare(Cmp::Eq, a, b),
                    ..
                } => {
                    let found = self
                        .side(&paths, at, a, b)
                        .or_else(|| self.side(&paths, at, b, a));
                    if found.is_some() {
                        return found;
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The look-up that a test is, if one side is a part of the member and the other is known before.
    fn side(&self, paths: &HashMap<Reg, Vec<K>>, at: usize, part: &Operand, value: &Operand) -> Option<Join> {
        let Operand::Reg(part) = part else { return None };
        let path = paths.get(part).filter(|path| !path.is_empty())?;
        match value {
            Operand::Reg(reg) if !self.is_before(*reg, at) => return None,
            Operand::Slot(_) => return None,
            Operand::Reg(_) | Operand::Const(_) => {}
        }
        Some(Join {
            path: path.clone(),
            value: value.clone(),
        })
    }

    fn is_before(&self, reg: Reg, at: usize) -> bool {
        match self.facts.single_def(self.function, reg) {
            Some((def, _)) => def < at,
            None => self.facts.is_single(reg),
        }
    }

    /// Whether a register holds the very same collection each time that control comes back to `start`.
    fn is_same_from(&self, reg: Reg, start: usize) -> bool {
        match self.facts.single_def(self.function, reg) {
            Some((def, _)) if def < start => true,
            Some((_, Inst::Const { .. } | Inst::Slot { .. } | Inst::Base { .. } | Inst::CallRule { .. })) => {
                true
            }
            Some((def, Inst::Field { of, .. })) if def != 0 => self.is_same_from(*of, start),
            Some(_) => false,
            None => start > 0 && self.facts.is_single(reg),
        }
    }
}

impl Join {
    fn write(self, function: &mut Function, at: usize) {
        let Some(step) = function.code.get(at) else { return };
        let (span, Inst::LoopInit { state, over, fail }) = (step.span, &step.inst) else {
            return;
        };
        let (state, over, fail) = (*state, *over, *fail);
        let (value, constant) = match self.value {
            Operand::Const(value) => {
                let dst = Reg(function.regs);
                function.regs += 1;
                (dst, Some(Inst::Const { dst, value }))
            }
            Operand::Reg(reg) => (reg, None),
            Operand::Slot(_) => return,
        };
        let find = Inst::LoopFind {
            state,
            over,
            path: self.path,
            value,
            fail,
        };
        let new = constant.into_iter().chain([find]).map(|inst| Step { inst, span });
        function.code.splice(at..=at, new);
    }
}
