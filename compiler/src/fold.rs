//! Calls of builtins with constant arguments, run at compile time.

use crate::opa_ast::parse_module;
use crate::opt::{FoldBuiltin, OptOptions};
use gavel_runtime::arena::Arena;
use gavel_runtime::builtins::{BuiltinId, Call, caches::Caches};
use gavel_runtime::value::{Constant, Value};
use std::cell::Cell;

/// Memory for one folded call; what needs more is left for run time.
const ARENA_BYTES_MAX: usize = 1 << 20;
/// Work for one folded call.
const FUEL: u64 = 100_000;
/// Work for all folded calls of a unit; what comes after is left for run time.
const FUEL_OF_UNIT: u64 = 1_000_000;
/// What a call costs beside the work that the builtin counts itself.
const FUEL_OF_CALL: u64 = 1000;

/// Evaluates builtins for one unit, as long as its share of work lasts.
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

    /// The result of a deterministic builtin; `None` also once the unit has used up its work.
    pub fn call(&self, builtin: BuiltinId, args: &[Constant]) -> Option<Constant> {
        let left = self.0.get().checked_sub(FUEL_OF_CALL)?;
        let mut fuel = FUEL.min(left);
        let before = fuel;
        let result = call(builtin, args, &mut fuel);
        self.0.set(left - (before - fuel));
        result
    }
}

/// All passes with this folding, or none.
#[must_use]
pub fn opt_options(optimise: bool, fold: FoldBuiltin<'_>) -> OptOptions<'_> {
    if optimise {
        OptOptions {
            fold_builtin: Some(fold),
            ..OptOptions::all()
        }
    } else {
        OptOptions::none()
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
