//! Conditions: comparisons whose result is only tested become tests, input paths that are only tested move into the
//! test, and a test around a jump is turned over.

use super::code::{REACH, retain};
use super::facts::Facts;
use crate::plan::{Cmp, Cond, Function, Inst, K, Label, Operand, Reg, Step, TextTest, condition};
use gavel_runtime::value::Constant;

/// Runs the pass; whether anything changed.
pub(super) fn run(function: &mut Function, texts: bool) -> bool {
    let compared = comparisons(function, texts);
    let moved = input_operands(function);
    let turned = turn_over(function);
    compared || moved || turned
}

/// `r = lt(a, b); test r` is `test a < b`.
fn comparisons(function: &mut Function, texts: bool) -> bool {
    let facts = Facts::of(function);
    let mut keep = vec![true; function.code.len()];
    let mut changed = false;
    for at in 1..function.code.len() {
        let (Some(call), Some(test)) = (function.code.get(at - 1), function.code.get(at)) else {
            break;
        };
        let text = || text_tested(function, &facts, &call.inst, &test.inst).filter(|_| texts);
        if let Some(inst) = tested(&facts, &call.inst, &test.inst).or_else(text)
            && let Some(step) = function.code.get_mut(at - 1)
            && let Some(keep) = keep.get_mut(at)
        {
            step.inst = inst;
            *keep = false;
            changed = true;
        }
    }
    if changed {
        retain(&mut function.code, keep);
    }
    changed
}

/// The test that a call of a comparison and the test of its result are together.
fn tested(facts: &Facts, call: &Inst, test: &Inst) -> Option<Inst> {
    let (
        Inst::CallBuiltin {
            dst, builtin, args, ..
        },
        Inst::Test { cond, fail },
    ) = (call, test)
    else {
        return None;
    };
    if facts.uses(*dst) != 1 {
        return None;
    }
    let cond = match cond {
        Cond::Truthy(Operand::Reg(reg)) if reg == dst => condition(*builtin, args)?,
        Cond::Compare(Cmp::Eq, Operand::Reg(reg), Operand::Const(value)) if reg == dst => match **value {
            Constant::Bool(true) => condition(*builtin, args)?,
            Constant::Bool(false) => inverse(&condition(*builtin, args)?)?,
            _ => return None,
        },
        _ => return None,
    };
    Some(Inst::Test { cond, fail: *fail })
}

/// The test that a question about a text and the test of its result are together. What is no text fails either.
fn text_tested(function: &Function, facts: &Facts, call: &Inst, test: &Inst) -> Option<Inst> {
    let (
        Inst::CallBuiltin {
            dst,
            builtin,
            args,
            fail: undefined,
            ..
        },
        Inst::Test {
            cond: Cond::Truthy(Operand::Reg(reg)),
            fail,
        },
    ) = (call, test)
    else {
        return None;
    };
    let [text, other] = args.as_slice() else {
        return None;
    };
    if reg != dst || facts.uses(*dst) != 1 || undefined != fail {
        return None;
    }
    let what = match builtin.get().name {
        "startswith" => TextTest::Starts,
        "endswith" => TextTest::Ends,
        _ => return None,
    };
    let other = facts.constant(function, *other)?;
    matches!(*other, Constant::String(_)).then(|| Inst::Test {
        cond: Cond::Text(what, Operand::Reg(*text), other),
        fail: *fail,
    })
}

/// Reads of input paths move into the one test that uses them.
fn input_operands(function: &mut Function) -> bool {
    let facts = Facts::of(function);
    let mut changed = false;
    let code = &mut function.code;
    for at in 0..code.len() {
        let Some(Inst::Test { cond, fail }) = code.get(at).map(|step| &step.inst) else {
            continue;
        };
        if !has_register(cond) {
            continue;
        }
        let (fail, mut cond) = (*fail, cond.clone());
        let slot = |reg: Reg| {
            if facts.uses(reg) == 1 && facts.is_single(reg) {
                reaching_slot(code, at, reg, fail)
            } else {
                None
            }
        };
        if replace_operands(&mut cond, &slot)
            && let Some(step) = code.get_mut(at)
        {
            step.inst = Inst::Test { cond, fail };
            changed = true;
        }
    }
    // The reads have no readers now; they only still ask whether the path is defined, which the test does too.
    changed
}

fn has_register(cond: &Cond) -> bool {
    let mut found = false;
    cond.for_each_reg(|_| found = true);
    found
}

fn replace_operands(cond: &mut Cond, slot: &dyn Fn(Reg) -> Option<Vec<String>>) -> bool {
    let of = |operand: &Operand| match operand {
        Operand::Reg(reg) => slot(*reg),
        Operand::Const(_) | Operand::Slot(_) => None,
    };
    match cond {
        Cond::Truthy(operand) | Cond::Text(_, operand, _) => match of(operand) {
            Some(path) => {
                *operand = Operand::Slot(path);
                true
            }
            None => false,
        },
        Cond::Compare(Cmp::Eq | Cmp::Ne, left, Operand::Const(_)) | Cond::In(left, Operand::Const(_)) => {
            match of(left) {
                Some(path) => {
                    *left = Operand::Slot(path);
                    true
                }
                None => false,
            }
        }
        Cond::Compare(Cmp::Eq, left, right) => match (of(left), of(right)) {
            (Some(a), Some(b)) => {
                *left = Operand::Slot(a);
                *right = Operand::Slot(b);
                true
            }
            _ => false,
        },
        _ => false,
    }
}

/// The input path that a register was read from on the straight way to `at`, where nothing between can tell the
/// difference: everything there fails to the same place and has no effect.
fn reaching_slot(code: &[Step], at: usize, reg: Reg, fail: Label) -> Option<Vec<String>> {
    for step in code.get(..at)?.iter().rev().take(REACH) {
        match &step.inst {
            Inst::Slot {
                dst,
                path,
                fail: other,
            } if *dst == reg => {
                return (*other == fail).then(|| path.clone());
            }
            Inst::Const { .. } | Inst::Move { .. } | Inst::SlotOr { .. } => {}
            Inst::Slot { fail: other, .. }
            | Inst::Field { fail: other, .. }
            | Inst::Index { fail: other, .. }
            | Inst::Direct { fail: other, .. }
            | Inst::Test { fail: other, .. }
                if *other == fail => {}
            _ => return None,
        }
    }
    None
}

/// `test c -> L; jump F; L:` is `test not c -> F; L:`.
fn turn_over(function: &mut Function) -> bool {
    let mut keep = vec![true; function.code.len()];
    let mut changed = false;
    for at in 0..function.code.len().saturating_sub(2) {
        let turned = match (
            function.code.get(at).map(|step| &step.inst),
            function.code.get(at + 1).map(|step| &step.inst),
            function.code.get(at + 2).map(|step| &step.inst),
        ) {
            (Some(Inst::Test { cond, fail }), Some(Inst::Jump(away)), Some(Inst::Label(here)))
                if fail == here =>
            {
                inverse(cond).map(|cond| Inst::Test { cond, fail: *away })
            }
            _ => None,
        };
        if let Some(inst) = turned
            && let Some(step) = function.code.get_mut(at)
            && let Some(keep) = keep.get_mut(at + 1)
        {
            step.inst = inst;
            *keep = false;
            changed = true;
        }
    }
    if changed {
        retain(&mut function.code, keep);
    }
    changed
}

/// The condition that holds exactly when this one does not; none where an operand may be undefined.
fn inverse(cond: &Cond) -> Option<Cond> {
    let is_defined = |operand: &Operand| match operand {
        Operand::Reg(_) | Operand::Const(_) => true,
        Operand::Slot(_) => false,
    };
    match cond {
        Cond::Truthy(a) if is_defined(a) => Some(Cond::Compare(
            Cmp::Eq,
            a.clone(),
            Operand::Const(K::new(Constant::Bool(false))),
        )),
        Cond::Compare(cmp, a, b) if is_defined(a) && is_defined(b) => {
            let cmp = match cmp {
                Cmp::Eq => Cmp::Ne,
                Cmp::Ne => Cmp::Eq,
                Cmp::Lt => Cmp::Ge,
                Cmp::Ge => Cmp::Lt,
                Cmp::Le => Cmp::Gt,
                Cmp::Gt => Cmp::Le,
            };
            Some(Cond::Compare(cmp, a.clone(), b.clone()))
        }
        _ => None,
    }
}
