//! The ops that loop over members.

use super::Window;
use crate::bytecode::{Inst, NO_REG};
use crate::value::{Kind, Tag, Value};

/// Sets the state of a loop; `false` when there is nothing to loop over.
#[inline(always)]
pub(super) fn loop_init(window: &mut Window<'_, '_>, inst: &Inst) -> bool {
    let over = window.get(inst.b);
    loop_over(window, inst, over)
}

/// Sets the state of a loop over a collection; `false` when it is none.
#[inline(always)]
pub(super) fn loop_over<'v>(window: &mut Window<'_, 'v>, inst: &Inst, over: Value<'v>) -> bool {
    let is_collection = matches!(over.tag(), Tag::Array | Tag::Object | Tag::Set);
    if is_collection {
        window.set(inst.a, over);
        window.set(inst.a + 1, Value::int(0));
    }
    is_collection
}

/// Sets the registers of the next round; `false` when there is none.
#[inline(always)]
pub(super) fn loop_next(window: &mut Window<'_, '_>, inst: &Inst) -> bool {
    let over = window.get(inst.a);
    let position = window.get(inst.a + 1).as_int().unwrap_or(i64::MAX);
    let at = position as usize;
    let (key, value) = match over.kind() {
        Kind::Array(items) => match items.get(at) {
            Some(&item) => (Value::int(position), item),
            None => return false,
        },
        Kind::Object(entries) => match entries.get(at) {
            Some(entry) => (entry.key, entry.value),
            None => return false,
        },
        Kind::Set(members) => match members.get(at) {
            Some(&member) => (member, member),
            None => return false,
        },
        _ => return false,
    };
    window.set(inst.a + 1, Value::int(position + 1));
    if inst.b != NO_REG {
        window.set(inst.b, key);
    }
    if inst.d != NO_REG {
        window.set(inst.d, value);
    }
    true
}
