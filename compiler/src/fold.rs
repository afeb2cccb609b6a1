//! Calls of builtins with constant arguments, run at compile time.

use crate::opa_ast::parse_module;
use crate::opt::OptOptions;
use gavel_runtime::arena::Arena;
use gavel_runtime::builtins::{BuiltinId, Call, caches::Caches};
use gavel_runtime::value::{Constant, Value};

/// Memory for one folded call; what needs more is left for run time.
const ARENA_BYTES_MAX: usize = 1 << 20;
/// Work for one folded call.
const FUEL: u64 = 100_000;

/// All passes with this folding, or none.
#[must_use]
pub fn opt_options(optimise: bool) -> OptOptions<'static> {
    if optimise {
        OptOptions {
            fold_builtin: Some(&call),
            ..OptOptions::all()
        }
    } else {
        OptOptions::none()
    }
}

/// The result of a deterministic builtin. `None`: it fails, has no single value, is not there, or takes too much.
#[must_use]
pub fn call(builtin: BuiltinId, args: &[Constant]) -> Option<Constant> {
    let row = builtin.get();
    let run = row.run.filter(|_| !row.nondeterministic && !row.relation)?;
    let arena = Arena::new(1 << 10, ARENA_BYTES_MAX);
    let args: Vec<Value<'_>> = args
        .iter()
        .map(|arg| arg.to_value(&arena))
        .collect::<Result<_, _>>()
        .ok()?;
    let mut fuel = FUEL;
    let mut call = Call {
        arena: &arena,
        now_ns: 0,
        seed: 0,
        prepared: None,
        caches: &mut Caches::default(),
        parse_module: Some(parse_module),
        fuel: &mut fuel,
    };
    run(&mut call, &args).ok()?.to_constant()
}
