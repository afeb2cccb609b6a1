//! `eq`, `ne`, `lt`, `le`, `gt`, `ge`: only values of one kind compare; texts and numbers of documents are of one.

use super::value::Val;
use crate::arena::Arena;
use crate::builtins::Failure;
use std::cmp::Ordering;

/// Whether the first argument equals one of the others.
pub(super) fn equals_any<'r>(arena: &'r Arena, first: Val<'r>, others: &[Val<'r>]) -> Result<bool, Failure> {
    if others.is_empty() {
        return Err(Failure::BUILTIN);
    }
    for other in others {
        if equals(arena, first.settled(), other.settled())? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equals<'r>(arena: &'r Arena, left: Val<'r>, right: Val<'r>) -> Result<bool, Failure> {
    if let (Some(left), Some(right)) = (left.bytes(arena)?, right.bytes(arena)?) {
        return Ok(left == right);
    }
    match (left, right) {
        (Val::Bool(left), Val::Bool(right)) => Ok(left == right),
        (Val::Float(left), Val::Float(right)) => Ok(left == right),
        (Val::Nothing, Val::Nothing) => Ok(true),
        (Val::Nothing, _) | (_, Val::Nothing) => Ok(false),
        _ => match (integer(left), integer(right)) {
            (Some(left), Some(right)) => Ok(left == right),
            _ => Err(Failure::BUILTIN),
        },
    }
}

/// `lt`
pub(super) fn is_less<'r>(arena: &'r Arena, left: Val<'r>, right: Val<'r>) -> Result<bool, Failure> {
    if let (Some(left), Some(right)) = (left.bytes(arena)?, right.bytes(arena)?) {
        return Ok(left < right);
    }
    if let (Val::Float(left), Val::Float(right)) = (left, right) {
        return Ok(left < right);
    }
    match (integer(left), integer(right)) {
        (Some(left), Some(right)) => Ok(left.cmp(&right) == Ordering::Less),
        _ => Err(Failure::BUILTIN),
    }
}

fn integer(value: Val<'_>) -> Option<i64> {
    match value {
        Val::Int(int) => Some(int),
        Val::Byte(byte) => Some(byte.into()),
        _ => None,
    }
}
