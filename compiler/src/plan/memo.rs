//! Which functions keep their results. OPA keeps those of every function, by scope of `with` and by arguments. That shows
//! where a call would not give the same again:
//!
//! * a function that depends on a replaced one runs inside of a replacement, where every name means the original, and
//!   outside of it: whichever call comes first decides;
//! * arguments are equal and spelled differently (`1`, `1.0`), and the result shows the spelling.
//!
//! Everywhere else a function is just called, and may become a part of its callers.

use super::cond::{Cond, Operand};
use super::ir::{FnRef, Function, Inst, K, Plan, Target};
use super::planner::refusal;
use crate::diagnostic::Diagnostic;
use gavel_runtime::bytecode::FnKind;

/// Functions that might be [`FnKind::Memo`] stay so where it shows, and become plain ones elsewhere.
///
/// # Errors
/// A partial document whose members depend on whether they were looked at inside of a replacement first.
pub(super) fn settle(plan: &mut Plan, partials: &[FnRef], spellings: bool) -> Result<(), Vec<Diagnostic>> {
    let hidden = inside_replacements(plan);
    let replaceable = callers_of(plan, |_| true, |inst| matches!(inst, Inst::CallMocked { .. }));
    let depends = |at: usize| hidden.get(at) == Some(&true) && replaceable.get(at) == Some(&true);
    let refused = partials.iter().filter(|func| depends(func.0));
    let problems: Vec<Diagnostic> = refused
        .filter_map(|func| plan.functions.get(func.0))
        .map(|function| {
            let message = format!(
                "a function in the place of another that reads `{}`, which depends on replaced functions, is not supported",
                function.name
            );
            refusal(function, message)
        })
        .collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let spelled = match spellings || has_spellings(plan) {
        // What a rule gives does not depend on who asks.
        true => callers_of(plan, |function| function.kind == FnKind::Memo, shows_spelling),
        false => Vec::new(),
    };
    let kept: Vec<bool> = (0..plan.functions.len())
        .map(|at| depends(at) || spelled.get(at) == Some(&true))
        .collect();
    for (function, kept) in plan.functions.iter_mut().zip(kept) {
        if function.kind == FnKind::Memo && !kept {
            function.kind = FnKind::Function;
        }
    }
    Ok(())
}

/// The functions that run inside of a replacement.
fn inside_replacements(plan: &Plan) -> Vec<bool> {
    let mut reached = vec![false; plan.functions.len()];
    let steps = plan.functions.iter().flat_map(|function| &function.code);
    let mut open: Vec<FnRef> = steps
        .filter_map(|step| match &step.inst {
            Inst::WithMockCall {
                target: Target::Function(func),
                ..
            } => Some(*func),
            _ => None,
        })
        .collect();
    while let Some(func) = open.pop() {
        let (Some(function), Some(mark)) = (plan.functions.get(func.0), reached.get_mut(func.0)) else {
            continue;
        };
        if !std::mem::replace(mark, true) {
            open.extend(function.code.iter().filter_map(|step| callee(&step.inst)));
        }
    }
    reached
}

/// The functions among some with an instruction of some kind, and those among them that call these.
fn callers_of(plan: &Plan, among: impl Fn(&Function) -> bool, is_it: impl Fn(&Inst) -> bool) -> Vec<bool> {
    let mut callers: Vec<Vec<usize>> = vec![Vec::new(); plan.functions.len()];
    let mut marks = vec![false; plan.functions.len()];
    let mut open = Vec::new();
    for (at, function) in plan
        .functions
        .iter()
        .enumerate()
        .filter(|(_, function)| among(function))
    {
        for step in &function.code {
            if let Some(callers) = callee(&step.inst).and_then(|func| callers.get_mut(func.0)) {
                callers.push(at);
            }
        }
        if function.code.iter().any(|step| is_it(&step.inst)) {
            open.push(at);
        }
    }
    while let Some(at) = open.pop() {
        if let Some(mark) = marks.get_mut(at)
            && !std::mem::replace(mark, true)
        {
            open.extend(callers.get(at).into_iter().flatten());
        }
    }
    marks
}

fn callee(inst: &Inst) -> Option<FnRef> {
    match inst {
        Inst::CallRule { func, .. }
        | Inst::CallFn { func, .. }
        | Inst::CallMocked {
            target: Target::Function(func),
            ..
        } => Some(*func),
        _ => None,
    }
}

/// Whether what a function gives may have the spelling of a number in its arguments, as far as one instruction tells.
fn shows_spelling(inst: &Inst) -> bool {
    match inst {
        Inst::Ret { .. } => true,
        Inst::CallBuiltin { builtin, .. }
        | Inst::CallMocked {
            target: Target::Builtin(builtin),
            ..
        } => SPELLING.contains(&builtin.get().name),
        _ => false,
    }
}

/// Builtins that make texts of numbers.
const SPELLING: &[&str] = &[
    "format_int",
    "internal.template_string",
    "json.marshal",
    "json.marshal_with_options",
    "json.match_schema",
    "json.verify_schema",
    "sprintf",
    "strings.render_template",
    "urlquery.encode_object",
    "yaml.marshal",
];

/// Whether a constant of the plan has a number that is not spelled as its value is printed.
fn has_spellings(plan: &Plan) -> bool {
    let spelled = |value: &K| value.has_spelling();
    let operand = |operand: &Operand| matches!(operand, Operand::Const(value) if spelled(value));
    let in_base = plan.base.as_ref().is_some_and(spelled);
    in_base
        || plan
            .functions
            .iter()
            .flat_map(|function| &function.code)
            .any(|step| match &step.inst {
                Inst::Const { value, .. } | Inst::RetConst { value, .. } => spelled(value),
                Inst::Field { key, .. } => spelled(key),
                Inst::Test {
                    cond: Cond::Compare(_, a, b) | Cond::In(a, b),
                    ..
                } => operand(a) || operand(b),
                _ => false,
            })
}
