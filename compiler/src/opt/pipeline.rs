//! Runs the passes of the table on every function of a plan, callees first.

use super::calls::Calls;
use super::passes::{Pass, Passes, Run};
use crate::plan::{Function, Plan};
use gavel_runtime::builtins::BuiltinId;
use gavel_runtime::value::Constant;

/// Runs a deterministic builtin on constants; `None`: it fails, or cannot be run here.
pub type FoldBuiltin<'f> = &'f dyn Fn(BuiltinId, &[Constant]) -> Option<Constant>;

/// What a rule gives for every request.
#[derive(Clone, Debug)]
pub struct Known {
    /// `None`: undefined.
    pub value: Option<Constant>,
    /// Which body decided.
    pub body: u16,
}

/// Runs the one entry of a plan; `None`: it aborts, or takes too much.
pub type Evaluate<'f> = &'f dyn Fn(&Plan) -> Option<Known>;

/// How a plan is optimised.
#[derive(Clone, Copy, Default)]
pub struct OptOptions<'f> {
    /// The passes that run.
    pub passes: Passes,
    /// Failing builtins abort, so that they have to be called where they were written.
    pub strict_builtins: bool,
    /// How builtins on constants are evaluated, if they are.
    pub fold_builtin: Option<FoldBuiltin<'f>>,
    /// How rules that need no request are evaluated, if they are.
    pub evaluate: Option<Evaluate<'f>>,
    /// Is told of each change.
    pub seen: Option<&'f dyn Fn(&Change<'_>)>,
}

/// What one pass made of one function.
#[derive(Clone, Copy, Debug)]
pub struct Change<'c> {
    /// The pass.
    pub pass: &'static Pass,
    /// The plan with the function as it is now.
    pub plan: &'c Plan,
    /// The function as it was.
    pub before: &'c Function,
    /// As it is.
    pub after: &'c Function,
}

/// More rounds than code was ever seen to need.
const ROUNDS: usize = 8;

/// Optimises a plan.
#[must_use]
pub fn optimise(plan: Plan, options: &OptOptions<'_>) -> Plan {
    let Ok(order) = crate::plan::order(&plan) else {
        return plan;
    };
    let calls = Calls::of(&plan, &order);
    let mut work = Work { plan, calls, options };
    // Callees first, so that what is inlined is already small.
    for &at in &order {
        work.rounds(at);
        work.others(at, |run| matches!(run, Run::Once(_) | Run::Whole(_)));
        work.update_calls(at);
    }
    // What these write other passes would no longer recognise in what is inlined.
    for &at in &order {
        work.others(at, |run| matches!(run, Run::Last(_)));
    }
    work.plan
}

struct Work<'w, 'f> {
    plan: Plan,
    calls: Calls,
    options: &'w OptOptions<'f>,
}

impl Work<'_, '_> {
    /// Rounds of the passes that look at one function; each makes work for the others.
    fn rounds(&mut self, at: usize) {
        for _ in 0..ROUNDS {
            let mut changed = false;
            for pass in self.options.passes.iter() {
                changed |= matches!(pass.run, Run::Round(_)) && self.run(pass, at);
            }
            if !changed {
                break;
            }
        }
        self.update_calls(at);
    }

    /// Passes that run once, with rounds behind each that changed something.
    fn others(&mut self, at: usize, are_these: fn(Run) -> bool) {
        for pass in self.options.passes.iter() {
            if are_these(pass.run) && self.run(pass, at) {
                self.rounds(at);
            }
        }
    }

    fn update_calls(&mut self, at: usize) {
        if let Some(function) = self.plan.functions.get(at) {
            self.calls.update(at, function);
        }
    }

    fn run(&mut self, pass: &'static Pass, at: usize) -> bool {
        let before = match self.options.seen {
            Some(_) => self.plan.functions.get(at).cloned(),
            None => None,
        };
        let changed = match (pass.run, self.plan.functions.get_mut(at)) {
            (Run::Round(run) | Run::Once(run), Some(function)) => run(function, self.options),
            (Run::Last(run), Some(function)) => run(function),
            (Run::Whole(run), Some(_)) => run(&mut self.plan, at, &self.calls, self.options),
            (_, None) => false,
        };
        if let (Some(seen), Some(before), Some(after)) =
            (self.options.seen, &before, self.plan.functions.get(at))
            && !before
                .code
                .iter()
                .map(|step| &step.inst)
                .eq(after.code.iter().map(|step| &step.inst))
        {
            seen(&Change {
                pass,
                plan: &self.plan,
                before,
                after,
            });
        }
        changed
    }
}
