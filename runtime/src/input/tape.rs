//! simd-json's tape → values: whole subtrees into the arena, strings borrowed from the request's bytes.

use crate::arena::Arena;
use crate::error::EvalErrorKind;
use crate::json::{EXACT_FLOAT, float_value};
use crate::value::{Entry, Value, object_from, with_int_text};
use simd_json::{Node, StaticNode};

/// Nesting up to which the tape is used; deeper documents go to the exact parser. Bounds the recursion of [`subtree`].
pub(super) const TAPE_DEPTH_MAX: usize = 128;

/// Number of nodes that the value at a node takes.
#[inline]
pub(super) fn span(node: &Node<'_>) -> usize {
    match *node {
        Node::Object { count, .. } | Node::Array { count, .. } => count + 1,
        Node::String(_) | Node::Static(_) => 1,
    }
}

/// Whether every number of the tape is exact. A float beyond 2^53 may have had more digits than it holds, and an integer
/// zero may have had a sign; only the text can tell.
pub(super) fn is_exact(tape: &[Node<'_>], text: &[u8]) -> bool {
    let mut has_zero = false;
    for node in tape {
        match *node {
            Node::Static(StaticNode::F64(float)) if float.abs() >= EXACT_FLOAT => return false,
            Node::Static(StaticNode::I64(0)) => has_zero = true,
            _ => {}
        }
    }
    !(has_zero && may_have_minus_zero(text))
}

/// Whether `-0` stands where a number may stand (or in a string that looks like it).
fn may_have_minus_zero(text: &[u8]) -> bool {
    memchr::memmem::find_iter(text, b"-0").any(|at| {
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        let is_start = before.is_none_or(|byte| b":[, \t\r\n".contains(byte));
        is_start && text.get(at + 2).is_none_or(|byte| b",]} \t\r\n".contains(byte))
    })
}

/// The value of a scalar; `None` for a container.
#[inline]
pub(super) fn scalar<'r>(arena: &'r Arena, node: &Node<'r>) -> Result<Option<Value<'r>>, EvalErrorKind> {
    Ok(Some(match *node {
        Node::String(text) => Value::string(text),
        Node::Static(StaticNode::Null) => Value::NULL,
        Node::Static(StaticNode::Bool(value)) => Value::bool(value),
        Node::Static(StaticNode::I64(int)) if int != 0 => Value::int(int),
        Node::Static(number) => return cold_number(arena, number).map(Some),
        Node::Object { .. } | Node::Array { .. } => return Ok(None),
    }))
}

#[cold]
fn cold_number(arena: &Arena, number: StaticNode) -> Result<Value<'_>, EvalErrorKind> {
    match number {
        StaticNode::U64(unsigned) => match i64::try_from(unsigned) {
            Ok(int) => Ok(Value::int(int)),
            Err(_) => big_unsigned(arena, unsigned),
        },
        StaticNode::F64(float) => float_value(arena, float).map_err(|_| EvalErrorKind::ArenaExhausted),
        // simd-json reads integers without a sign as `U64`, so this zero had one.
        StaticNode::I64(0) => Ok(Value::number_text("-0")),
        StaticNode::I64(int) => Ok(Value::int(int)),
        StaticNode::Bool(value) => Ok(Value::bool(value)),
        StaticNode::Null => Ok(Value::NULL),
    }
}

/// An integer of 64 bits that is no `i64`.
fn big_unsigned(arena: &Arena, unsigned: u64) -> Result<Value<'_>, EvalErrorKind> {
    // All digits but the last fit into an i64.
    let last = (unsigned % 10) as u8;
    with_int_text((unsigned / 10) as i64, |head| {
        let text = arena.filled(head.len() + 1, b'0' + last)?;
        for (place, &digit) in text.iter_mut().zip(head.as_bytes()) {
            *place = digit;
        }
        std::str::from_utf8(text)
            .map(Value::number_text)
            .map_err(|_| EvalErrorKind::ArenaExhausted)
    })
}

/// The value at node `at` of the tape. Recursive; [`TAPE_DEPTH_MAX`] bounds the depth.
pub(super) fn subtree<'r>(
    arena: &'r Arena,
    tape: &[Node<'r>],
    at: usize,
) -> Result<Value<'r>, EvalErrorKind> {
    let Some(node) = tape.get(at) else {
        return Ok(Value::NULL);
    };
    match *node {
        Node::Array { len, .. } => {
            let items = arena.filled(len, Value::NULL)?;
            let mut next = at + 1;
            for item in items.iter_mut() {
                *item = subtree(arena, tape, next)?;
                next += tape.get(next).map_or(1, span);
            }
            Ok(Value::array(items))
        }
        Node::Object { len, .. } => {
            let entries = arena.filled(
                len,
                Entry {
                    key: Value::NULL,
                    value: Value::NULL,
                },
            )?;
            let mut next = at + 1;
            for entry in entries.iter_mut() {
                let Some(Node::String(key)) = tape.get(next) else {
                    break;
                };
                *entry = Entry {
                    key: Value::string(key),
                    value: subtree(arena, tape, next + 1)?,
                };
                next += 1 + tape.get(next + 1).map_or(1, span);
            }
            object_from(arena, entries)
        }
        Node::String(_) | Node::Static(_) => Ok(scalar(arena, node)?.unwrap_or(Value::NULL)),
    }
}
