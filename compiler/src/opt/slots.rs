//! Access paths: a field of an input path is a longer input path, which is read without building or searching anything.

use super::code::scopes;
use super::facts::Facts;
use crate::plan::{Function, Inst, Step};
use gavel_runtime::limits::PATH_LEN_MAX;
use gavel_runtime::value::Constant;

/// Runs the pass; whether anything changed.
pub(super) fn run(function: &mut Function) -> bool {
    let has_field = |step: &Step| matches!(step.inst, Inst::Field { .. });
    if !function.code.iter().any(has_field) {
        return false;
    }
    let facts = Facts::of(function);
    let scopes = scopes(&function.code);
    let mut changed = false;
    for at in 0..function.code.len() {
        let Some(Inst::Field { dst, of, key, fail }) = function.code.get(at).map(|step| &step.inst) else {
            continue;
        };
        let Constant::String(key) = &**key else {
            continue;
        };
        let Some((from, Inst::Slot { path, .. })) = facts.single_def(function, *of) else {
            continue;
        };
        if scopes.get(from) != scopes.get(at) || path.len() >= PATH_LEN_MAX {
            continue;
        }
        let mut path = path.clone();
        path.push(key.clone());
        let inst = Inst::Slot {
            dst: *dst,
            path,
            fail: *fail,
        };
        if let Some(step) = function.code.get_mut(at) {
            step.inst = inst;
            changed = true;
        }
    }
    changed
}
