//! Builtins about what is around the policy: the clock and environment of the request, the host, the program itself.

use super::operand::{args, string};
use super::{BuiltinResult, Call, Failure, time};
use crate::error::EvalErrorKind;
use crate::value::Value;
use std::time::Duration;

/// `time.now_ns`: the same instant for the whole request.
pub(super) fn now_ns<'r>(call: &mut Call<'_, 'r>, _args: &[Value<'r>]) -> BuiltinResult<'r> {
    Ok(Value::int(call.now_ns))
}

/// `opa.runtime`: a decision point tells policies nothing about its host, so this is the empty object.
pub(super) fn runtime<'r>(_call: &mut Call<'_, 'r>, _args: &[Value<'r>]) -> BuiltinResult<'r> {
    Ok(Value::object(&[]))
}

/// `rego.metadata.chain` and `.rule`: the compiler makes constants of them in rules, so this is a call outside of a rule.
pub(super) fn metadata<'r>(_call: &mut Call<'_, 'r>, _args: &[Value<'r>]) -> BuiltinResult<'r> {
    Err(Failure::BUILTIN)
}

/// What a byte of a module costs: its parser does more for it than an instruction does.
const STEPS_PER_BYTE: usize = 32;

/// `rego.parse_module(filename, text)`
pub(super) fn parse_module<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [filename, text] = self::args(args)?;
    let (filename, text) = (string(filename)?, string(text)?);
    call.charge(text.len().saturating_mul(STEPS_PER_BYTE))?;
    let parse = call.parse_module.ok_or(EvalErrorKind::NoSuchEntry)?;
    let tree = parse(filename, text).ok_or(Failure::BUILTIN)?;
    Ok(tree.to_value(call.arena)?)
}

/// `trace`: true; notes are kept only by OPA's explanations.
pub(super) fn trace<'r>(_call: &mut Call<'_, 'r>, _args: &[Value<'r>]) -> BuiltinResult<'r> {
    Ok(Value::TRUE)
}

/// `test.sleep(duration)`: waits; a text that is no duration is none to wait for.
pub(super) fn sleep<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [duration] = self::args(args)?;
    let wait = call.sleep.ok_or(EvalErrorKind::NoSuchEntry)?;
    let ns = time::parse_duration(string(duration)?);
    wait(Duration::from_nanos(
        ns.and_then(|ns| u64::try_from(ns).ok()).unwrap_or(0),
    ));
    Ok(Value::NULL)
}

/// `test.touch(label)`: true; OPA's tests count the calls.
pub(super) fn touch<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [label] = self::args(args)?;
    string(label)?;
    Ok(Value::TRUE)
}
