//! A loop that only looks for one value is a test of membership.

use super::facts::Facts;
use crate::plan::{Cmp, Cond, Function, Inst, Label, Operand, Reg, Step};

/// Runs the pass; whether anything changed.
pub(super) fn run(function: &mut Function) -> bool {
    let has_loop = |step: &Step| matches!(step.inst, Inst::LoopInit { .. });
    if !function.code.iter().any(has_loop) {
        return false;
    }
    let facts = Facts::of(function);
    let mut jumps = vec![0_u32; function.labels as usize];
    for label in function.code.iter().filter_map(|step| step.inst.target()) {
        if let Some(count) = jumps.get_mut(label.0 as usize) {
            *count += 1;
        }
    }
    let found: Vec<(usize, Search)> = (0..function.code.len())
        .filter_map(|at| Some((at, Search::at(function, &facts, &jumps, at)?)))
        .collect();
    if found.is_empty() {
        return false;
    }
    let mut found = found.into_iter().peekable();
    let mut code = Vec::with_capacity(function.code.len());
    let mut steps = std::mem::take(&mut function.code).into_iter().enumerate();
    while let Some((at, step)) = steps.next() {
        let Some((_, search)) = found.next_if(|(start, _)| *start == at) else {
            code.push(step);
            continue;
        };
        let span = step.span;
        let item = match search.item {
            Operand::Const(value) => {
                let dst = Reg(function.regs);
                function.regs += 1;
                let inst = Inst::Const { dst, value };
                code.push(Step { inst, span });
                Operand::Reg(dst)
            }
            item => item,
        };
        let inst = Inst::Test {
            cond: Cond::In(item, Operand::Reg(search.over)),
            fail: search.fail,
        };
        code.push(Step { inst, span });
        // The rest of the search.
        steps.nth(LENGTH - 2);
    }
    function.code = code;
    true
}

/// Instructions of a search: start, label, next, test.
const LENGTH: usize = 4;

struct Search {
    item: Operand,
    over: Reg,
    fail: Label,
}

impl Search {
    /// `loop s over c -> F; L: next s: _, v -> F; test v == x -> L`, where nothing else asks for the next round.
    fn at(function: &Function, facts: &Facts, jumps: &[u32], at: usize) -> Option<Search> {
        let inst = |offset: usize| function.code.get(at + offset).map(|step| &step.inst);
        let Inst::LoopInit { state, over, fail } = inst(0)? else {
            return None;
        };
        let (
            Inst::Label(round),
            Inst::LoopNext {
                state: next,
                key: None,
                value: Some(value),
                fail: end,
            },
            Inst::Test {
                cond: Cond::Compare(Cmp::Eq, left, right),
                fail: again,
            },
        ) = (inst(1)?, inst(2)?, inst(3)?)
        else {
            return None;
        };
        let is_value = |operand: &Operand| *operand == Operand::Reg(*value);
        let item = match (is_value(left), is_value(right)) {
            (true, false) => right,
            (false, true) => left,
            _ => return None,
        };
        let is_before = match item {
            Operand::Reg(reg) => match facts.single_def(function, *reg) {
                Some((def, _)) => def < at,
                None => facts.is_single(*reg),
            },
            Operand::Const(_) => true,
            Operand::Slot(_) => false,
        };
        let rounds = jumps.get(round.0 as usize).copied();
        let is_search = state == next
            && fail == end
            && again == round
            && rounds == Some(1)
            && facts.uses(*value) == 1
            && is_before;
        is_search.then(|| Search {
            item: item.clone(),
            over: *over,
            fail: *fail,
        })
    }
}
