//! Builtins that read what came with the request: its clock and its environment.

use super::{BuiltinResult, Call};
use crate::value::Value;

/// `time.now_ns`: the same instant for the whole request.
pub(super) fn now_ns<'r>(call: &mut Call<'_, 'r>, _args: &[Value<'r>]) -> BuiltinResult<'r> {
    Ok(Value::int(call.now_ns))
}

/// `opa.runtime`: a decision point tells policies nothing about its host, so this is the empty object.
pub(super) fn runtime<'r>(_call: &mut Call<'_, 'r>, _args: &[Value<'r>]) -> BuiltinResult<'r> {
    Ok(Value::object(&[]))
}

/// `trace`: true; notes are kept only by OPA's explanations.
pub(super) fn trace<'r>(_call: &mut Call<'_, 'r>, _args: &[Value<'r>]) -> BuiltinResult<'r> {
    Ok(Value::TRUE)
}
