//! What is computed when compiling: calls of builtins with constant arguments, and rules that need no request.

use crate::emit::{EmitOptions, ProgramBuilder};
use crate::opa_ast::parse_module;
use crate::opt::{Known, NODES_MAX, OptOptions, optimise};
use crate::plan::Plan;
use crate::source::SourceMap;
use gavel_runtime::arena::Arena;
use gavel_runtime::builtins::{BuiltinId, Call, caches::Caches};
use gavel_runtime::bytecode::verify;
use gavel_runtime::limits::Limits;
use gavel_runtime::value::{Constant, Value};
use gavel_runtime::vm::{RequestEnv, Vm};
use std::cell::Cell;

/// Memory for one folded call or rule; what needs more is left for run time.
const ARENA_BYTES_MAX: usize = 1 << 20;
/// Work for one folded call or rule.
const FUEL: u64 = 100_000;
/// Work for all that is folded in a unit; what comes after is left for run time.
const FUEL_OF_UNIT: u64 = 1_000_000;
/// What a call costs beside the work that the builtin counts itself.
const FUEL_OF_CALL: u64 = 1000;
/// What a rule costs beside the work that it counts itself: a program is made of it.
const FUEL_OF_RULE: u64 = 10_000;

/// Evaluates for one unit, as long as its share of work lasts.
#[derive(Debug)]
pub struct Folding(Cell<u64>);

impl Default for Folding {
    fn default() -> Folding {
        Folding(Cell::new(FUEL_OF_UNIT))
    }
}

impl Folding {
    /// For so many units that are compiled together.
    pub(crate) fn of_units(count: usize) -> Folding {
        Folding(Cell::new(FUEL_OF_UNIT.saturating_mul(count.max(1) as u64)))
    }

    /// The plan after some passes.
    #[must_use]
    pub fn optimise(&self, plan: Plan, options: &OptOptions<'_>) -> Plan {
        let fold = |builtin, args: &[Constant]| self.call(builtin, args);
        let evaluate = |plan: &Plan| self.rule(plan, options.strict_builtins);
        optimise(
            plan,
            &OptOptions {
                fold_builtin: Some(&fold),
                evaluate: Some(&evaluate),
                ..*options
            },
        )
    }

    /// The result of a deterministic builtin; `None` also once the unit has used up its work.
    fn call(&self, builtin: BuiltinId, args: &[Constant]) -> Option<Constant> {
        let left = self.0.get().checked_sub(FUEL_OF_CALL)?;
        let mut fuel = FUEL.min(left);
        let before = fuel;
        let result = call(builtin, args, &mut fuel);
        self.0.set(left - (before - fuel));
        result
    }

    /// What the one entry of a plan gives; `None` also once the unit has used up its work.
    fn rule(&self, plan: &Plan, strict_builtins: bool) -> Option<Known> {
        let left = self.0.get().checked_sub(FUEL_OF_RULE)?;
        self.0.set(left);
        let mut builder = ProgramBuilder::new(EmitOptions {
            strict_builtins,
            ..EmitOptions::default()
        });
        let entries = builder.add_unit(plan, &SourceMap::default()).ok()?;
        let entry = entries.find(&[])?;
        let program = verify(builder.finish()).ok()?;
        let mut vm = Vm::new(&Limits {
            fuel: FUEL.min(left),
            arena_warm_bytes: 1 << 10,
            arena_max_bytes: ARENA_BYTES_MAX,
            body_warm_bytes: 0,
            ..Limits::DEFAULT
        });
        let env = RequestEnv::timeless(0, 0);
        let mut request = vm.request(&program, &env);
        let result = request.call(entry);
        self.0.set(left - request.fuel_used().min(left));
        Some(match result.ok()? {
            // Parts that a value has many times take no room until they are written down.
            Some(value) if !value.has_at_most(NODES_MAX) => return None,
            Some(value) => Known {
                value: Some(value.to_constant()?),
                body: request.evidence(entry)?,
            },
            None => Known { value: None, body: 0 },
        })
    }
}

/// The result of a deterministic builtin. `None`: it fails, has no single value, is not there, or takes too much.
fn call(builtin: BuiltinId, args: &[Constant], fuel: &mut u64) -> Option<Constant> {
    let row = builtin.get();
    let run = row.run.filter(|_| !row.nondeterministic && !row.relation)?;
    let arena = Arena::new(1 << 10, ARENA_BYTES_MAX);
    let args: Vec<Value<'_>> = args
        .iter()
        .map(|arg| arg.to_value(&arena))
        .collect::<Result<_, _>>()
        .ok()?;
    let mut call = Call {
        arena: &arena,
        now_ns: 0,
        seed: 0,
        prepared: None,
        caches: &mut Caches::default(),
        parse_module: Some(parse_module),
        sleep: None,
        fuel,
    };
    run(&mut call, &args).ok()?.to_constant()
}
