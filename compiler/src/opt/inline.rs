//! Small functions and rules become part of their callers. Where the result is only tested, each way out of the callee
//! goes straight to where its outcome leads.

use super::calls::{Calls, callee};
use super::code::loops;
use super::fold::{Outcome, test};
use crate::plan::{FnRef, Function, Inst, K, Label, Plan, Reg, Step};
use gavel_runtime::bytecode::FnKind;

/// Instructions of a function that is copied into its callers; no rule may have more either.
const FUNCTION_MAX: usize = 40;
const _: () = assert!(RULE_MAX <= FUNCTION_MAX && RULE_ONCE_MAX <= FUNCTION_MAX);
/// Instructions of a rule that is; more would lose more through evaluating it anew than the call costs.
const RULE_MAX: usize = 8;
/// Instructions of a rule that each entry calls in one place.
const RULE_ONCE_MAX: usize = 24;
/// No function grows beyond this.
const CALLER_MAX: usize = 4000;

/// Runs the pass on one function; whether anything changed.
pub(super) fn run(plan: &mut Plan, at: usize, calls: &Calls) -> bool {
    let Some(caller) = plan.functions.get(at) else {
        return false;
    };
    if !caller.code.iter().any(|step| callee(&step.inst).is_some()) {
        return false;
    }
    let mut out = Inlined {
        code: Vec::with_capacity(caller.code.len()),
        regs: caller.regs,
        labels: caller.labels,
    };
    let loops = loops(&caller.code);
    let mut changed = false;
    let mut index = 0;
    while let Some(step) = caller.code.get(index) {
        let next = caller.code.get(index + 1);
        let Some(call) = Call::of(&step.inst) else {
            out.code.push(step.clone());
            index += 1;
            continue;
        };
        let in_loop = loops.iter().any(|(start, end)| (*start..=*end).contains(&index));
        index += 1;
        let is_once = !in_loop && calls.is_once(call.func);
        let callee = plan
            .functions
            .get(call.func.0)
            .filter(|callee| !calls.is_replaced(call.func) && fits(callee, is_once))
            .filter(|callee| out.code.len() + callee.code.len() <= CALLER_MAX);
        let Some(callee) = callee else {
            out.code.push(step.clone());
            continue;
        };
        changed = true;
        let test = next.filter(|next| matches!(next.inst, Inst::Test { .. }));
        out.splice(&call, callee, step, test);
        index += usize::from(test.is_some());
    }
    if let Some(caller) = plan.functions.get_mut(at) {
        caller.code = out.code;
        caller.regs = out.regs;
        caller.labels = out.labels;
    }
    changed
}

/// A direct call.
struct Call {
    func: FnRef,
    dst: Reg,
    args: Vec<Reg>,
    fail: Label,
}

impl Call {
    fn of(inst: &Inst) -> Option<Call> {
        match inst {
            Inst::CallRule { dst, func, fail } => Some(Call {
                func: *func,
                dst: *dst,
                args: Vec::new(),
                fail: *fail,
            }),
            Inst::CallFn {
                dst,
                func,
                args,
                fail,
            } => Some(Call {
                func: *func,
                dst: *dst,
                args: args.clone(),
                fail: *fail,
            }),
            _ => None,
        }
    }
}

/// Whether a callee is small and plain enough. A conflict must name the callee, and scopes keep to their function.
fn fits(callee: &Function, is_once: bool) -> bool {
    let size = callee
        .code
        .iter()
        .filter(|step| !matches!(step.inst, Inst::Label(_)))
        .take(FUNCTION_MAX + 1)
        .count();
    if size > FUNCTION_MAX {
        return false;
    }
    let is_plain = callee
        .code
        .iter()
        .all(|step| !matches!(step.inst, Inst::SetOnce { .. } | Inst::New { .. }) && !step.inst.is_with());
    let has_loop = !loops(&callee.code).is_empty();
    let has_work = callee.code.iter().any(|step| {
        matches!(
            step.inst,
            Inst::CallBuiltin { .. } | Inst::CallFn { .. } | Inst::CallRule { .. } | Inst::CallMocked { .. }
        )
    });
    is_plain
        && match callee.kind {
            FnKind::Function => size <= FUNCTION_MAX,
            FnKind::Rule if is_once => size <= RULE_ONCE_MAX,
            FnKind::Rule => size <= RULE_MAX && !has_loop && !has_work,
            FnKind::Query | FnKind::Memo => false,
        }
}

/// The caller's new code.
struct Inlined {
    code: Vec<Step>,
    regs: u32,
    labels: u32,
}

impl Inlined {
    fn label(&mut self) -> Label {
        self.labels += 1;
        Label(self.labels - 1)
    }

    /// Puts the callee's code in place of the call `at`; `next` is the test behind it.
    fn splice(&mut self, call: &Call, callee: &Function, at: &Step, next: Option<&Step>) {
        let (first_reg, first_label) = (self.regs, self.labels);
        self.regs += callee.regs;
        self.labels += callee.labels;
        let (done, after) = (self.label(), self.label());
        let reg = |reg: Reg| match call.args.get(reg.0 as usize) {
            Some(arg) if reg.0 < callee.params => *arg,
            _ => Reg(first_reg + reg.0),
        };
        for step in &callee.code {
            let span = step.span;
            let mut push = |inst| self.code.push(Step { inst, span });
            match &step.inst {
                Inst::Ret { value, .. } => {
                    push(Inst::Move {
                        dst: call.dst,
                        src: reg(*value),
                    });
                    push(Inst::Jump(done));
                }
                Inst::RetConst { value, .. } => {
                    push(Inst::Const {
                        dst: call.dst,
                        value: K::clone(value),
                    });
                    push(Inst::Jump(exit(call, value, next, done, after)));
                }
                Inst::RetUndefined => push(Inst::Jump(call.fail)),
                Inst::Label(label) => push(Inst::Label(Label(first_label + label.0))),
                inst => {
                    let mut inst = inst.clone();
                    inst.for_each_reg_mut(|r, _| *r = reg(*r));
                    inst.for_each_target_mut(|target| *target = Label(first_label + target.0));
                    push(inst);
                }
            }
        }
        let here = |inst| Step { inst, span: at.span };
        self.code.push(here(Inst::Label(done)));
        self.code.extend(next.cloned());
        self.code.push(here(Inst::Label(after)));
    }
}

/// Where a constant result leads: past the test behind the call, to where it fails, or to the test.
fn exit(call: &Call, value: &K, next: Option<&Step>, done: Label, after: Label) -> Label {
    let Some(Inst::Test { cond, fail }) = next.map(|step| &step.inst) else {
        return done;
    };
    let known = |reg: Reg| (reg == call.dst).then(|| K::clone(value));
    match test(cond, &known) {
        Some(Outcome::Holds) => after,
        Some(Outcome::Fails) => *fail,
        Some(Outcome::Cond(_)) | None => done,
    }
}
