//! Static data: rules that depend on neither the input nor the clock are run when compiling, and are constants from then on.

use super::calls::Calls;
use super::code::is_within;
use super::pipeline::{Evaluate, Known};
use crate::plan::{Cond, FnRef, Function, Inst, K, Operand, Plan, Step};
use gavel_runtime::bytecode::FnKind;

/// What a value may be made of. Larger ones are made at run time, so that what a program says in few words does not become
/// a large image.
pub(crate) const NODES_MAX: usize = 4096;
/// Functions that one evaluation may need.
const FUNCTIONS_MAX: usize = 256;

/// Runs the pass; whether the rule became a constant.
pub(super) fn run(plan: &mut Plan, at: usize, calls: &Calls, evaluate: Option<Evaluate<'_>>) -> bool {
    let Some(evaluate) = evaluate else { return false };
    let Some(function) = plan.functions.get(at) else {
        return false;
    };
    let is_rule = function.kind == FnKind::Rule && function.params == 0;
    if !is_rule || function.code.len() <= 1 || !is_fixed(function) {
        return false;
    }
    let Some(part) = part(plan, at, calls) else {
        return false;
    };
    let Some(Known { value, body }) = evaluate(&part) else {
        return false;
    };
    if value.as_ref().is_some_and(|value| !is_within(value, NODES_MAX)) {
        return false;
    }
    let inst = match value {
        Some(value) => Inst::RetConst {
            value: K::new(value),
            body,
        },
        None => Inst::RetUndefined,
    };
    if let Some(function) = plan.functions.get_mut(at) {
        let span = function.span;
        function.code = vec![Step { inst, span }];
    }
    true
}

/// The rule with all that it calls, as a plan of its own; `None`: something in it is not the same for every request.
fn part(plan: &Plan, at: usize, calls: &Calls) -> Option<Plan> {
    let mut wanted = vec![FnRef(at)];
    let mut functions = Vec::new();
    while let Some(func) = wanted.get(functions.len()).copied() {
        let function = plan.functions.get(func.0).filter(|function| is_fixed(function));
        let mut function = function.filter(|_| !calls.is_replaced(func))?.clone();
        for step in &mut function.code {
            step.span = None;
            if let Inst::CallRule { func, .. } | Inst::CallFn { func, .. } = &mut step.inst {
                let known = wanted.iter().position(|other| other == func);
                let place = known.unwrap_or(wanted.len());
                if known.is_none() {
                    wanted.push(*func);
                }
                *func = FnRef(place);
            }
        }
        functions.push(function);
        if wanted.len() > FUNCTIONS_MAX {
            return None;
        }
    }
    Some(Plan {
        functions,
        entries: vec![(Vec::new(), FnRef(0))],
        ..Plan::default()
    })
}

/// Whether a function does the same for every request, if its callees do.
fn is_fixed(function: &Function) -> bool {
    let reads = |operand: &Operand| matches!(operand, Operand::Slot(_));
    function.code.iter().all(|step| match &step.inst {
        Inst::Slot { .. }
        | Inst::SlotOr { .. }
        | Inst::Base { .. }
        | Inst::CallMocked { .. }
        | Inst::Note(_) => false,
        Inst::Switch { on, .. } => !reads(on),
        Inst::Test { cond, .. } => match cond {
            Cond::Defined(_) | Cond::IsObject(_) | Cond::IsDocument(_) => false,
            Cond::Truthy(a) | Cond::Text(_, a, _) => !reads(a),
            Cond::Compare(_, a, b) | Cond::In(a, b) => !reads(a) && !reads(b),
            Cond::IsSet(_) | Cond::IsArrayOf(..) | Cond::IsObjectOf(..) => true,
        },
        Inst::CallBuiltin { builtin, .. } => super::code::is_plain(*builtin) || builtin.get().relation,
        inst => !inst.is_with(),
    })
}
