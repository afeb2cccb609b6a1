//! Functions that map constants to constants become one look-up in a constant object.

use crate::plan::{Cmp, Cond, Function, Inst, K, NO_BODY, Operand, Reg, Step};
use gavel_runtime::value::Constant;

/// Fewer entries are faster as tests.
const ENTRIES_MIN: usize = 4;

/// Runs the pass; whether the function became a table.
pub(super) fn run(function: &mut Function) -> bool {
    let Some((param, table, rest)) = entries(&function.code) else {
        return false;
    };
    let gone: Vec<_> = function
        .code
        .iter()
        .take(rest)
        .filter_map(|step| match &step.inst {
            Inst::Label(label) => Some(*label),
            _ => None,
        })
        .collect();
    let mut kept = function.code.iter().skip(rest);
    let goes_there = |step: &Step| {
        let mut found = false;
        step.inst.for_each_target(|label| found |= gone.contains(&label));
        found
    };
    if kept.any(goes_there) {
        return false;
    }
    let span = function.span;
    let (of, value) = (Reg(function.regs), Reg(function.regs + 1));
    let miss = crate::plan::Label(function.labels);
    function.regs += 2;
    function.labels += 1;
    let step = |inst| Step { inst, span };
    let mut code = vec![
        step(Inst::Const {
            dst: of,
            value: K::new(table),
        }),
        step(Inst::Index {
            dst: value,
            of,
            key: param,
            stored: false,
            fail: miss,
        }),
        step(Inst::Ret { value, body: NO_BODY }),
        step(Inst::Label(miss)),
    ];
    code.extend(function.code.drain(rest..));
    function.code = code;
    true
}

/// The parameter, the table, and where the code for a miss begins.
fn entries(code: &[Step]) -> Option<(Reg, Constant, usize)> {
    let mut members: Vec<(Constant, Constant)> = Vec::new();
    let mut param = None;
    let mut at = 0;
    while let (
        Some(Inst::Test {
            cond: Cond::Compare(Cmp::Eq, Operand::Reg(reg), Operand::Const(key)),
            fail,
        }),
        Some(Inst::RetConst { value, .. }),
        Some(Inst::Label(next)),
    ) = (
        code.get(at).map(|step| &step.inst),
        code.get(at + 1).map(|step| &step.inst),
        code.get(at + 2).map(|step| &step.inst),
    ) {
        let is_known = members.iter().any(|(known, _)| *known == **key);
        if fail != next || *param.get_or_insert(*reg) != *reg || is_known {
            break;
        }
        members.push(((**key).clone(), (**value).clone()));
        at += 3;
    }
    if members.len() < ENTRIES_MIN {
        return None;
    }
    Some((param?, Constant::object(members), at))
}
