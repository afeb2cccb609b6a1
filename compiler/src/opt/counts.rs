//! `count` is an op of the machine: the number is part of the value, so that a call would cost many times what it asks.

use crate::plan::{Direct, Function, Inst};

/// Runs the pass; whether anything changed.
pub(super) fn run(function: &mut Function) -> bool {
    let mut changed = false;
    for step in &mut function.code {
        if let Inst::CallBuiltin {
            dst,
            builtin,
            args,
            fail,
            ..
        } = &step.inst
            && let ([of], "count") = (args.as_slice(), builtin.get().name)
        {
            step.inst = Inst::Direct {
                dst: *dst,
                what: Direct::Count,
                of: *of,
                fail: *fail,
            };
            changed = true;
        }
    }
    changed
}
