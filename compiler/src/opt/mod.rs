//! Optimisation of plans: one pass to a file, each of which can be switched off. A pass never changes a result, an abort,
//! or which body of a rule decided.

mod compact;
mod conditions;
mod dead;
mod facts;
mod fold;
mod inline;
mod invariant;
mod jumps;
mod members;
mod prepare;
mod slots;
mod tables;

use crate::plan::{Plan, Step};
use gavel_runtime::builtins::BuiltinId;
use gavel_runtime::value::Constant;

/// Runs a deterministic builtin on constants; `None`: it fails, or cannot be run here.
pub type FoldBuiltin<'f> = &'f dyn Fn(BuiltinId, &[Constant]) -> Option<Constant>;

/// Which passes run.
#[derive(Clone, Copy)]
pub struct OptOptions<'f> {
    /// Small functions and rules into their callers.
    pub inline: bool,
    /// Fields of input paths become input paths.
    pub slots: bool,
    /// Constants.
    pub fold: bool,
    /// Results that are only tested become control flow; operands move into tests.
    pub conditions: bool,
    /// With them, also questions about texts: wrong where a failing builtin aborts.
    pub texts: bool,
    /// Functions that map constants to constants become look-ups.
    pub tables: bool,
    /// Instructions without effect.
    pub dead: bool,
    /// Jumps to jumps, code that is never reached.
    pub jumps: bool,
    /// Constant patterns.
    pub prepare: bool,
    /// How builtins on constants are evaluated, if they are.
    pub fold_builtin: Option<FoldBuiltin<'f>>,
}

impl OptOptions<'_> {
    /// Every pass; builtins on constants are left alone.
    #[must_use]
    pub fn all() -> OptOptions<'static> {
        OptOptions {
            inline: true,
            slots: true,
            fold: true,
            conditions: true,
            texts: true,
            tables: true,
            dead: true,
            jumps: true,
            prepare: true,
            fold_builtin: None,
        }
    }

    /// No pass.
    #[must_use]
    pub fn none() -> OptOptions<'static> {
        OptOptions {
            inline: false,
            slots: false,
            fold: false,
            conditions: false,
            texts: false,
            tables: false,
            dead: false,
            jumps: false,
            prepare: false,
            fold_builtin: None,
        }
    }
}

/// Optimises a plan.
#[must_use]
pub fn optimise(mut plan: Plan, options: &OptOptions<'_>) -> Plan {
    let Ok(order) = crate::plan::order(&plan) else {
        return plan;
    };
    let mut calls = inline::Calls::of(&plan);
    // Callees first, so that what is inlined is already small.
    for at in order {
        let Some(function) = plan.functions.get_mut(at) else {
            continue;
        };
        local(function, options);
        calls.update(at, function);
        let inlined = options.inline && inline::run(&mut plan, at, &calls);
        let Some(function) = plan.functions.get_mut(at) else {
            continue;
        };
        if inlined {
            local(function, options);
            compact::run(function);
        }
        if options.tables && tables::run(function) && options.dead {
            dead::run(function);
        }
        if options.slots && slots::share(function) {
            local(function, options);
        }
        if options.prepare {
            prepare::run(function);
        }
        calls.update(at, function);
    }
    plan
}

/// Rounds of the passes that look at one function; each makes work for the others.
fn local(function: &mut crate::plan::Function, options: &OptOptions<'_>) {
    for _ in 0..ROUNDS {
        let mut changed = false;
        if options.slots {
            changed |= slots::run(function);
            changed |= invariant::run(function);
        }
        if options.fold {
            changed |= fold::run(function, options.fold_builtin);
        }
        if options.conditions {
            changed |= conditions::run(function, options.texts);
            changed |= members::run(function);
        }
        if options.dead {
            changed |= dead::run(function);
        }
        if options.jumps {
            changed |= jumps::run(function);
        }
        if !changed {
            break;
        }
    }
}

/// More rounds than code was ever seen to need.
const ROUNDS: usize = 8;

/// Instructions that a pass looks ahead or back from one of them; more would make it quadratic in long bodies.
const REACH: usize = 64;

/// Keeps the instructions that are marked so.
fn retain(code: &mut Vec<Step>, keep: Vec<bool>) {
    let mut keep = keep.into_iter();
    code.retain(|_| keep.next().unwrap_or(true));
}
