//! `object.get` of an input path and a constant key: a longer path, and a constant for where nothing is. No object is built for
//! the question whether it has a member.

use super::code::scopes;
use super::facts::Facts;
use crate::plan::{Cond, Function, Inst, K, Label, Reg, Step};
use gavel_runtime::limits::PATH_LEN_MAX;
use gavel_runtime::value::Constant;

/// Runs the pass; whether anything changed.
pub(super) fn run(function: &mut Function) -> bool {
    if !function.code.iter().any(|step| args(&step.inst).is_some()) {
        return false;
    }
    let facts = Facts::of(function);
    let scopes = scopes(&function.code);
    let found: Vec<(usize, Get)> = (0..function.code.len())
        .filter_map(|at| Some((at, Get::at(function, &facts, &scopes, at)?)))
        .collect();
    let changed = !found.is_empty();
    for (at, get) in found.into_iter().rev() {
        get.write(function, at);
    }
    changed
}

/// The arguments of a call of `object.get`.
fn args(inst: &Inst) -> Option<[Reg; 3]> {
    match inst {
        Inst::CallBuiltin { builtin, args, .. } if builtin.get().name == "object.get" => {
            args.as_slice().try_into().ok()
        }
        _ => None,
    }
}

struct Get {
    dst: Reg,
    /// Of the object and of the member.
    of: Vec<String>,
    path: Vec<String>,
    default: K,
    fail: Label,
}

impl Get {
    fn at(function: &Function, facts: &Facts, scopes: &[usize], at: usize) -> Option<Get> {
        let inst = &function.code.get(at)?.inst;
        let [of, key, default] = args(inst)?;
        let Inst::CallBuiltin { dst, fail, .. } = inst else {
            return None;
        };
        let (from, Inst::Slot { path: of, .. }) = facts.single_def(function, of)? else {
            return None;
        };
        if scopes.get(from) != scopes.get(at) || of.len() >= PATH_LEN_MAX {
            return None;
        }
        let key = facts.constant(function, key)?;
        let key = match &*key {
            Constant::String(key) => key,
            // A path of one step. Longer ones may lead through sets, which input paths do not.
            Constant::Array(steps) => match steps.as_slice() {
                [Constant::String(key)] => key,
                _ => return None,
            },
            _ => return None,
        };
        Some(Get {
            dst: *dst,
            of: of.clone(),
            path: of.iter().chain([key]).cloned().collect(),
            default: facts.constant(function, default)?,
            fail: *fail,
        })
    }

    fn write(self, function: &mut Function, at: usize) {
        let span = function.code.get(at).and_then(|step| step.span);
        let asks = Inst::Test {
            cond: Cond::IsObject(self.of),
            fail: self.fail,
        };
        let reads = Inst::SlotOr {
            dst: self.dst,
            path: self.path,
            default: self.default,
        };
        let new = [asks, reads].map(|inst| Step { inst, span });
        function.code.splice(at..=at, new);
    }
}
