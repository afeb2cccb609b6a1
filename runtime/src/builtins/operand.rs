//! Operands by type; a wrong one is OPA's type error.

use super::Failure;
use crate::number::{self, Integer};
use crate::value::{Kind, Object, Value};

/// A string.
#[inline]
pub(super) fn string<'r>(value: Value<'r>) -> Result<&'r str, Failure> {
    value.as_str().ok_or(Failure::TYPE)
}

/// An array.
pub(super) fn array<'r>(value: Value<'r>) -> Result<&'r [Value<'r>], Failure> {
    match value.kind() {
        Kind::Array(items) => Ok(items),
        _ => Err(Failure::TYPE),
    }
}

/// A set.
pub(super) fn set<'r>(value: Value<'r>) -> Result<&'r [Value<'r>], Failure> {
    match value.kind() {
        Kind::Set(members) => Ok(members),
        _ => Err(Failure::TYPE),
    }
}

/// An array or a set.
pub(super) fn list<'r>(value: Value<'r>) -> Result<&'r [Value<'r>], Failure> {
    match value.kind() {
        Kind::Array(items) | Kind::Set(items) => Ok(items),
        _ => Err(Failure::TYPE),
    }
}

/// An object.
pub(super) fn object<'r>(value: Value<'r>) -> Result<Object<'r>, Failure> {
    match value.kind() {
        Kind::Object(entries) => Ok(entries),
        _ => Err(Failure::TYPE),
    }
}

/// A boolean.
pub(super) fn boolean(value: Value<'_>) -> Result<bool, Failure> {
    match value.kind() {
        Kind::Bool(value) => Ok(value),
        _ => Err(Failure::TYPE),
    }
}

/// A number of any size.
pub(super) fn number<'r>(value: Value<'r>) -> Result<Value<'r>, Failure> {
    match value.kind() {
        Kind::Int(_) | Kind::Number(_) => Ok(value),
        _ => Err(Failure::TYPE),
    }
}

/// A 64-bit integer, also spelled `1.0`; not `1e2`, as in OPA.
#[inline]
pub(super) fn int(value: Value<'_>) -> Result<i64, Failure> {
    number::int(value).ok_or(Failure::TYPE)
}

/// An integer of any size.
pub(super) fn big(value: Value<'_>) -> Result<Integer, Failure> {
    number::integer(number(value)?)?.ok_or(Failure::TYPE)
}

/// The arguments as an array; the table declares how many there are.
#[inline]
pub(super) fn args<'r, const N: usize>(args: &[Value<'r>]) -> Result<[Value<'r>; N], Failure> {
    args.try_into().map_err(|_| Failure::TYPE)
}
