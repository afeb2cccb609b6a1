//! State of one evaluation: the rule that runs, the documents that it sees, how much work is left.
//!
//! Everything that may have several solutions takes what comes next as a function and calls it for each of them; a bound
//! variable is unbound again when that returns. [`Flow`] says whether further solutions are wanted.

use super::scope::Scope;
use super::tree::Node;
use super::value::Value;
use gavel_compiler::hir::{Query, Ref, Rule, Unit, VarId};
use gavel_runtime::builtins::caches::Caches;
use gavel_runtime::bytecode::Sleep;
use gavel_runtime::error::EvalErrorKind;
use gavel_runtime::value::Constant;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Steps of one evaluation: some seconds.
const STEPS_MAX: u64 = 3_000_000;

/// Nested steps; a step takes a few KiB of the machine's stack.
const DEPTH_MAX: usize = 3_000;

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The program's error, or a budget.
    Error(EvalErrorKind),
    /// The evaluator does not interpret this; says what.
    Strange(&'static str),
}

impl From<EvalErrorKind> for Stop {
    fn from(kind: EvalErrorKind) -> Stop {
        Stop::Error(kind)
    }
}

/// Whether further solutions are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// They are.
    More,
    /// They are not.
    Enough,
}

/// What trying a part of a program gives.
pub(super) type Tried = Result<Flow, Stop>;

/// What comes next, for each solution.
pub(super) type Next<'n, 'u> = &'n mut dyn FnMut(&mut Machine<'u>) -> Tried;

/// What comes next, for each value.
pub(super) type Take<'n, 'u> = &'n mut dyn FnMut(&mut Machine<'u>, Value) -> Tried;

/// What a query is asked with.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The input document.
    pub input: Option<Constant>,
    /// Failing builtins abort.
    pub strict_builtins: bool,
    /// Wall clock, ns since the epoch.
    pub wall_ns: i64,
    /// For `rand.intn` and `uuid.rfc4122`.
    pub seed: u64,
    /// For `test.sleep`.
    pub sleep: Option<Sleep>,
}

/// The state.
#[derive(Debug)]
pub(super) struct Machine<'u> {
    /// All rules.
    pub(super) tree: Rc<Node<'u>>,
    /// Variables of the running rule that have a value.
    pub(super) vars: BTreeMap<VarId, Value>,
    /// Names of the variables of the running rule.
    pub(super) names: &'u [String],
    /// References that variables of the running rule stand for, where the compiler put these in their place.
    pub(super) origins: BTreeMap<VarId, &'u Ref>,
    /// Documents and functions as `with` left them.
    pub(super) scope: Scope,
    /// What was asked.
    pub(super) request: Request,
    /// State of builtins.
    pub(super) caches: Caches,
    steps: u64,
    depth: usize,
}

/// Asks a query: for each solution the values of its bindings.
///
/// # Errors
/// The program's error, an exhausted budget, or a form that is not interpreted.
pub fn evaluate<'u>(unit: &'u Unit, query: &'u Query, request: &Request) -> Result<Vec<Vec<Constant>>, Stop> {
    let mut machine = Machine {
        tree: Rc::new(Node::of(unit)),
        vars: BTreeMap::new(),
        names: &query.var_names,
        origins: BTreeMap::new(),
        scope: Scope::new(request.input.as_ref(), unit.base.as_ref()),
        request: request.clone(),
        caches: Caches::default(),
        steps: STEPS_MAX,
        depth: 0,
    };
    let mut solutions = Vec::new();
    machine.block(&query.block.stmts, &mut |machine| {
        let values = query.bindings.iter().map(|(_, var)| machine.var(*var));
        let values: Vec<Value> = values.collect::<Result<_, Stop>>()?;
        solutions.push(values.iter().map(Value::to_constant).collect());
        Ok(Flow::More)
    })?;
    Ok(solutions)
}

impl<'u> Machine<'u> {
    /// The value of a variable that must have one.
    pub(super) fn var(&self, var: VarId) -> Result<Value, Stop> {
        self.vars
            .get(&var)
            .cloned()
            .ok_or(Stop::Strange("a variable without a value"))
    }

    /// Goes on with a variable bound.
    pub(super) fn bound(&mut self, var: VarId, value: Value, next: Next<'_, 'u>) -> Tried {
        let covered = self.vars.insert(var, value);
        let tried = next(self);
        match covered {
            Some(value) => self.vars.insert(var, value),
            None => self.vars.remove(&var),
        };
        tried
    }

    /// Runs something of another rule: no variable is known there.
    pub(super) fn apart<T>(
        &mut self,
        rule: &'u Rule,
        run: impl FnOnce(&mut Self) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        let outer = (
            std::mem::take(&mut self.vars),
            std::mem::replace(&mut self.names, &rule.var_names),
            std::mem::take(&mut self.origins),
        );
        let result = run(self);
        (self.vars, self.names, self.origins) = outer;
        result
    }

    /// One step deeper, within the budgets.
    pub(super) fn step(&mut self, run: impl FnOnce(&mut Self) -> Tried) -> Tried {
        self.steps = self.steps.checked_sub(1).ok_or(EvalErrorKind::FuelExhausted)?;
        if self.depth >= DEPTH_MAX {
            return Err(EvalErrorKind::DepthExceeded.into());
        }
        self.depth += 1;
        let tried = run(self);
        self.depth -= 1;
        tried
    }
}
