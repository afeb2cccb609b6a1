//! Constants: copies are followed, what is computed from constants is computed now, and tests that are decided become
//! jumps or nothing.

use super::FoldBuiltin;
use super::facts::Facts;
use crate::plan::{Access, Cmp, Cond, Container, Function, Inst, K, Operand, Reg, Step};
use gavel_runtime::value::Constant;

/// Runs the pass; whether anything changed.
pub(super) fn run(function: &mut Function, builtin: Option<FoldBuiltin<'_>>) -> bool {
    let mut changed = follow_copies(function);
    let facts = Facts::of(function);
    let mut folded: Vec<Step> = Vec::with_capacity(function.code.len());
    for step in &function.code {
        match simpler(function, &facts, &step.inst, builtin) {
            Simpler::Same => folded.push(step.clone()),
            Simpler::Gone => changed = true,
            Simpler::Is(inst) => {
                changed = true;
                folded.push(Step {
                    inst,
                    span: step.span,
                });
            }
        }
    }
    function.code = folded;
    changed
}

/// Readers of a copy read the original.
fn follow_copies(function: &mut Function) -> bool {
    let facts = Facts::of(function);
    let mut original: Vec<Option<Reg>> = vec![None; function.regs as usize];
    for step in &function.code {
        if let Inst::Move { dst, src } = &step.inst
            && facts.is_single(*dst)
            && facts.is_single(*src)
            && let Some(cell) = original.get_mut(dst.0 as usize)
        {
            *cell = Some(*src);
        }
    }
    let find = |mut reg: Reg| {
        while let Some(Some(src)) = original.get(reg.0 as usize) {
            reg = *src;
        }
        reg
    };
    let mut changed = false;
    for step in &mut function.code {
        step.inst.for_each_reg_mut(|reg, access| {
            if access == Access::Use {
                let src = find(*reg);
                changed |= src != *reg;
                *reg = src;
            }
        });
    }
    changed
}

enum Simpler {
    Same,
    Gone,
    Is(Inst),
}

fn simpler(function: &Function, facts: &Facts, inst: &Inst, builtin: Option<FoldBuiltin<'_>>) -> Simpler {
    let known = |reg: Reg| facts.constant(function, reg);
    match inst {
        Inst::Move { dst, src } => match known(*src) {
            Some(value) => Simpler::Is(Inst::Const { dst: *dst, value }),
            None => Simpler::Same,
        },
        Inst::Index { dst, of, key, fail } => match known(*key) {
            Some(key) => Simpler::Is(Inst::Field {
                dst: *dst,
                of: *of,
                key,
                fail: *fail,
            }),
            None => Simpler::Same,
        },
        Inst::Field { dst, of, key, fail } => match known(*of).map(|of| lookup(&of, key)) {
            Some(Lookup::Found(value)) => Simpler::Is(Inst::Const {
                dst: *dst,
                value: K::new(value),
            }),
            Some(Lookup::Undefined) => Simpler::Is(Inst::Jump(*fail)),
            Some(Lookup::Unknown) | None => Simpler::Same,
        },
        Inst::Test { cond, fail } => test(cond, &known).map_or(Simpler::Same, |outcome| match outcome {
            Outcome::Holds => Simpler::Gone,
            Outcome::Fails => Simpler::Is(Inst::Jump(*fail)),
            Outcome::Cond(cond) => Simpler::Is(Inst::Test { cond, fail: *fail }),
        }),
        Inst::Ret { value, body } => match known(*value) {
            Some(value) => Simpler::Is(Inst::RetConst { value, body: *body }),
            None => Simpler::Same,
        },
        Inst::Collect { kind, dst, parts } => {
            let parts: Option<Vec<Constant>> = parts
                .iter()
                .map(|part| known(*part).map(|value| (*value).clone()))
                .collect();
            match parts.and_then(|parts| collect(*kind, parts)) {
                Some(value) => Simpler::Is(Inst::Const {
                    dst: *dst,
                    value: K::new(value),
                }),
                None => Simpler::Same,
            }
        }
        Inst::CallBuiltin {
            dst,
            builtin: id,
            args,
            ..
        } => {
            let row = id.get();
            let Some(run) = builtin.filter(|_| !row.nondeterministic) else {
                return Simpler::Same;
            };
            let args: Option<Vec<Constant>> = args
                .iter()
                .map(|arg| known(*arg).map(|value| (*value).clone()))
                .collect();
            match args.and_then(|args| run(*id, &args)) {
                Some(value) => Simpler::Is(Inst::Const {
                    dst: *dst,
                    value: K::new(value),
                }),
                None => Simpler::Same,
            }
        }
        _ => Simpler::Same,
    }
}

/// What a look-up in a constant gives.
enum Lookup {
    Found(Constant),
    Undefined,
    /// The machine decides: index by a number that is no plain integer.
    Unknown,
}

fn lookup(of: &Constant, key: &Constant) -> Lookup {
    let found = match of {
        Constant::Object(members) => members.iter().find(|(k, _)| k == key).map(|(_, value)| value),
        Constant::Set(members) => members.iter().find(|member| *member == key),
        Constant::Array(items) => match key {
            Constant::Int(at) => usize::try_from(*at).ok().and_then(|at| items.get(at)),
            Constant::Number(_) => return Lookup::Unknown,
            _ => None,
        },
        Constant::Null | Constant::Bool(_) | Constant::Int(_) | Constant::Number(_) | Constant::String(_) => {
            None
        }
    };
    found.map_or(Lookup::Undefined, |value| Lookup::Found(value.clone()))
}

fn collect(kind: Container, parts: Vec<Constant>) -> Option<Constant> {
    match kind {
        Container::Array => Some(Constant::Array(parts)),
        Container::Set => Some(Constant::set(parts)),
        Container::Object => {
            let mut members = Vec::with_capacity(parts.len() / 2);
            let mut parts = parts.into_iter();
            while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
                members.push((key, value));
            }
            Some(Constant::object(members))
        }
        Container::Tree => None,
    }
}

/// What is known of a condition.
pub(super) enum Outcome {
    Holds,
    Fails,
    Cond(Cond),
}

fn outcome(holds: bool) -> Option<Outcome> {
    Some(if holds { Outcome::Holds } else { Outcome::Fails })
}

/// Decides a condition or moves constants into it; `None`: nothing is known.
pub(super) fn test(cond: &Cond, known: &dyn Fn(Reg) -> Option<K>) -> Option<Outcome> {
    let of = |operand: &Operand| match operand {
        Operand::Reg(reg) => known(*reg),
        Operand::Const(value) => Some(K::clone(value)),
        Operand::Slot(_) => None,
    };
    match cond {
        Cond::Truthy(a) => outcome(*of(a)? != Constant::Bool(false)),
        Cond::Compare(cmp, a, b) => match (of(a), of(b)) {
            (Some(a), Some(b)) => outcome(cmp.holds(a.compare(&b))),
            (Some(a), None) => Some(Outcome::Cond(Cond::Compare(
                cmp.flip(),
                b.clone(),
                Operand::Const(a),
            ))),
            (None, Some(b)) => match cond {
                Cond::Compare(_, _, Operand::Const(_)) => None,
                _ => Some(Outcome::Cond(Cond::Compare(*cmp, a.clone(), Operand::Const(b)))),
            },
            (None, None) => match (a, b) {
                (Operand::Reg(a), Operand::Reg(b)) if a == b => {
                    outcome(matches!(cmp, Cmp::Eq | Cmp::Le | Cmp::Ge))
                }
                _ => None,
            },
        },
        Cond::In(a, b) => {
            let collection = of(b)?;
            match of(a) {
                Some(item) => outcome(match &*collection {
                    Constant::Array(items) | Constant::Set(items) => items.contains(&item),
                    Constant::Object(members) => members.iter().any(|(_, value)| *value == *item),
                    _ => false,
                }),
                None if matches!(b, Operand::Const(_)) => None,
                None => Some(Outcome::Cond(Cond::In(a.clone(), Operand::Const(collection)))),
            }
        }
        Cond::IsArrayOf(reg, len) => match &*known(*reg)? {
            Constant::Array(items) => outcome(items.len() == usize::from(*len)),
            _ => outcome(false),
        },
        Cond::IsObjectOf(reg, len) => match &*known(*reg)? {
            Constant::Object(members) => outcome(members.len() == usize::from(*len)),
            _ => outcome(false),
        },
        Cond::IsSet(reg) => {
            known(*reg)?;
            outcome(true)
        }
        Cond::Defined(_) | Cond::IsDocument(_) => None,
    }
}
