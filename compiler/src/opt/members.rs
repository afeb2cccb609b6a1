//! A loop that only looks for one value is a test of membership.

use super::facts::Facts;
use crate::plan::{Cmp, Cond, Function, Inst, Label, Operand, Reg, Step};

/// Runs the pass; whether anything changed.
pub(super) fn run(function: &mut Function) -> bool {
    let facts = Facts::of(function);
    let mut found = None;
    for at in 0..function.code.len() {
        if let Some(search) = Search::at(function, &facts, at) {
            found = Some((at, search));
            break;
        }
    }
    let Some((at, search)) = found else {
        return false;
    };
    let span = function.code.get(at).and_then(|step| step.span);
    let mut steps = Vec::new();
    let item = match search.item {
        Operand::Const(value) => {
            let dst = Reg(function.regs);
            function.regs += 1;
            steps.push(Inst::Const { dst, value });
            Operand::Reg(dst)
        }
        item => item,
    };
    steps.push(Inst::Test {
        cond: Cond::In(item, Operand::Reg(search.over)),
        fail: search.fail,
    });
    let steps = steps.into_iter().map(|inst| Step { inst, span });
    function.code.splice(at..at + LENGTH, steps);
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
    fn at(function: &Function, facts: &Facts, at: usize) -> Option<Search> {
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
        let rounds = function
            .code
            .iter()
            .filter(|step| step.inst.target() == Some(*round))
            .count();
        let is_search = state == next
            && fail == end
            && again == round
            && rounds == 1
            && facts.uses(*value) == 1
            && is_before;
        is_search.then(|| Search {
            item: item.clone(),
            over: *over,
            fail: *fail,
        })
    }
}
