//! Calls of functions and builtins.

use super::machine::{Flow, Machine, Next, Stop, Tried};
use super::scope::Mock;
use super::value::Value;
use gavel_compiler::hir::{Callee, Term};
use gavel_compiler::opa_ast::parse_module;
use gavel_runtime::arena::Arena;
use gavel_runtime::builtins::{BuiltinId, Call, Failure, FailureCode};
use gavel_runtime::error::EvalErrorKind;

/// Memory of one builtin.
const ARENA_BYTES_MAX: usize = 64 << 20;

/// Work of one builtin.
const FUEL: u64 = 50_000_000;

impl<'u> Machine<'u> {
    /// A call statement.
    pub(super) fn call(
        &mut self,
        callee: &'u Callee,
        args: &'u [Term],
        out: Option<&'u Term>,
        next: Next<'_, 'u>,
    ) -> Tried {
        let args: Vec<&Term> = args.iter().collect();
        self.lists(&args, &mut Vec::new(), &mut |machine, args| {
            if out.is_none() && matches!(machine.scope.mocks.get(callee), Some(Mock::Document(_))) {
                // OPA does not read such a document where the call's value is not asked for.
                return next(machine);
            }
            let Some(result) = machine.result(callee, args)? else {
                return Ok(Flow::More);
            };
            let results = match callee {
                Callee::Builtin(id) if id.get().relation => {
                    result.members().into_iter().map(|(_, tuple)| tuple).collect()
                }
                Callee::Builtin(_) | Callee::Function(_) => vec![result],
            };
            for result in results {
                let tried = match out {
                    Some(pattern) => machine.unify_value(pattern, result, next)?,
                    None if result.is_true() => next(machine)?,
                    None => Flow::More,
                };
                if tried == Flow::Enough {
                    return Ok(Flow::Enough);
                }
            }
            Ok(Flow::More)
        })
    }

    /// What a call gives; `None`: undefined.
    fn result(&mut self, callee: &Callee, args: &[Value]) -> Result<Option<Value>, Stop> {
        match self.scope.mocks.get(callee).cloned() {
            None => self.original(callee, args),
            Some(Mock::Value(value)) => Ok(Some(value)),
            Some(Mock::Document(keys)) => self.data_at(&keys),
            Some(Mock::Call(target)) => {
                // While a replacement runs, every name means the original.
                let mocks = std::mem::take(&mut self.scope.mocks);
                let result = self.original(&target, args);
                self.scope.mocks = mocks;
                result
            }
        }
    }

    fn original(&mut self, callee: &Callee, args: &[Value]) -> Result<Option<Value>, Stop> {
        match callee {
            Callee::Builtin(id) => self.builtin(*id, args),
            Callee::Function(path) => {
                let rules = match self.tree.find(path) {
                    Some(node) => node.rules.clone(),
                    None => return Err(Stop::Strange("a call of no function")),
                };
                // OPA keeps what a call gave by arguments, and gives it again whatever is replaced by then.
                let call = (path.clone(), args.to_vec());
                if let Some(known) = self.scope.calls.get(&call) {
                    return Ok(Some(known.clone()));
                }
                let result = self.one_value(&rules, args, EvalErrorKind::FunctionConflict)?;
                if let Some(value) = &result {
                    self.scope.calls.insert(call, value.clone());
                }
                Ok(result)
            }
        }
    }

    /// A builtin of the runtime's table.
    pub(super) fn builtin(&mut self, id: BuiltinId, args: &[Value]) -> Result<Option<Value>, Stop> {
        let run = id
            .get()
            .run
            .ok_or(Stop::Strange("a builtin that is refused at compile time"))?;
        let arena = Arena::new(1 << 12, ARENA_BYTES_MAX);
        let args = args.iter().map(|arg| arg.to_constant().to_value(&arena));
        let args: Vec<gavel_runtime::value::Value<'_>> = args.collect::<Result<_, _>>()?;
        let mut fuel = FUEL;
        let mut call = Call {
            arena: &arena,
            now_ns: self.request.wall_ns,
            seed: self.request.seed,
            prepared: None,
            caches: &mut self.caches,
            parse_module: Some(parse_module),
            sleep: self.request.sleep,
            fuel: &mut fuel,
        };
        match run(&mut call, &args) {
            Ok(value) => Ok(value.to_constant().as_ref().map(Value::of)),
            Err(Failure::Abort(kind)) => Err(kind.into()),
            Err(Failure::Error(_)) if !self.request.strict_builtins => Ok(None),
            Err(Failure::Error(FailureCode::Type)) => Err(EvalErrorKind::StrictType.into()),
            Err(Failure::Error(FailureCode::Builtin)) => Err(EvalErrorKind::StrictBuiltin.into()),
        }
    }
}
