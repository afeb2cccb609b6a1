//! What a builtin function gets and gives back.

use crate::arena::Arena;
use crate::bytecode::{ParseModule, Sleep};
use crate::error::EvalErrorKind;
use crate::value::Value;

/// Request-scoped things a builtin may use beside its arguments.
pub struct Call<'c, 'r> {
    /// Memory for results.
    pub arena: &'r Arena,
    /// Wall clock of the request, ns since the epoch: the same for the whole request.
    pub now_ns: i64,
    /// Seed of the request for `rand.intn` and `uuid.rfc4122`.
    pub seed: u64,
    /// Compiled form of a constant pattern argument, when the compiler prepared one.
    pub prepared: Option<&'c crate::bytecode::Prepared>,
    /// Patterns compiled at run time and other state that outlives a request.
    pub caches: &'c mut super::caches::Caches,
    /// For `rego.parse_module`.
    pub parse_module: Option<ParseModule>,
    /// For `test.sleep`.
    pub sleep: Option<Sleep>,
    /// Remaining instruction budget; functions whose work grows with their arguments charge it.
    pub fuel: &'c mut u64,
}

/// Why a builtin gives no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The call is undefined; an error with this OPA code in strict mode.
    Error(FailureCode),
    /// The policy is aborted: a budget ran out.
    Abort(EvalErrorKind),
}

/// OPA's code for a failing builtin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureCode {
    /// `eval_type_error`: an operand of a wrong type.
    Type,
    /// `eval_builtin_error`: anything else.
    Builtin,
}

impl Failure {
    /// An operand of a wrong type.
    pub const TYPE: Failure = Failure::Error(FailureCode::Type);
    /// Any other error.
    pub const BUILTIN: Failure = Failure::Error(FailureCode::Builtin);
}

impl From<EvalErrorKind> for Failure {
    fn from(kind: EvalErrorKind) -> Failure {
        Failure::Abort(kind)
    }
}

impl Call<'_, '_> {
    /// Pays for work that grows with the arguments.
    pub fn charge(&mut self, steps: usize) -> Result<(), Failure> {
        charge(self.fuel, steps)
    }
}

/// [`Call::charge`] where only the budget is at hand.
pub(super) fn charge(fuel: &mut u64, steps: usize) -> Result<(), Failure> {
    match fuel.checked_sub(steps as u64) {
        Some(rest) => {
            *fuel = rest;
            Ok(())
        }
        None => {
            *fuel = 0;
            Err(Failure::Abort(EvalErrorKind::FuelExhausted))
        }
    }
}

/// A value, or the reason for none. `Ok(Value::UNSET)`: undefined without an error.
pub type BuiltinResult<'r> = Result<Value<'r>, Failure>;

/// A builtin. `args` has exactly as many values as the row declares arguments.
pub type BuiltinFn = for<'r> fn(&mut Call<'_, 'r>, &[Value<'r>]) -> BuiltinResult<'r>;
