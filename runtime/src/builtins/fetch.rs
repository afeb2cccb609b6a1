//! `http.send`: the machine has no network; whoever owns it may lend it one.

use super::operand::args;
use super::{BuiltinResult, Call, Failure};
use crate::error::EvalErrorKind;
use crate::json::{self, Escape, Numbers};
use crate::value::{Tag, Value};

/// Carries out one request: the JSON text of `http.send`'s argument becomes the JSON text of its result.
type Carry = dyn FnMut(&[u8]) -> Result<Vec<u8>, FetchFailure> + Send;

/// The network of a machine, see [`Vm::lend_network`](crate::vm::Vm::lend_network).
pub struct Fetch(pub Box<Carry>);

impl std::fmt::Debug for Fetch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fetch")
    }
}

/// Why a request has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchFailure {
    /// The call is undefined, as OPA's is.
    Error,
    /// The request wants what we do not do: the evaluation ends.
    Refused,
}

/// What a byte of a result costs: parsing it does more for it than an instruction does.
const STEPS_PER_BYTE: usize = 8;

/// `http.send(request)`
pub(super) fn send<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [request] = self::args(args)?;
    if request.tag() != Tag::Object {
        return Err(Failure::TYPE);
    }
    let fetch = call.caches.fetch.as_mut().ok_or(EvalErrorKind::NoSuchEntry)?;
    let mut text = Vec::new();
    json::write(&mut text, request, Escape::Plain).map_err(|_| Failure::BUILTIN)?;
    let result = (fetch.0)(&text).map_err(|failure| match failure {
        FetchFailure::Error => Failure::BUILTIN,
        FetchFailure::Refused => Failure::Abort(EvalErrorKind::StrictBuiltin),
    })?;
    call.charge(result.len().saturating_mul(STEPS_PER_BYTE))?;
    let result = call.arena.bytes(&result)?;
    json::parse(call.arena, result, Numbers::Text).map_err(|_| Failure::BUILTIN)
}
