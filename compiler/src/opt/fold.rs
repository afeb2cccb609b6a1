//! Constants: copies are followed, what is computed from constants is computed now, and tests that are decided become
//! jumps or nothing.

use super::FoldBuiltin;
use super::code::{is_within, retain};
use super::facts::Facts;
use crate::plan::{Access, Cmp, Cond, Container, Function, Inst, K, Operand, Reg};
use gavel_runtime::bytecode::Switch;
use gavel_runtime::value::{Constant, Value};

/// Runs the pass; whether anything changed.
pub(super) fn run(function: &mut Function, builtin: Option<FoldBuiltin<'_>>) -> bool {
    let mut changed = follow_copies(function);
    let facts = Facts::of(function);
    let simpler: Vec<(usize, Simpler)> = function
        .code
        .iter()
        .enumerate()
        .map(|(at, step)| (at, simpler(function, &facts, &step.inst, builtin)))
        .filter(|(_, simpler)| !matches!(simpler, Simpler::Same))
        .collect();
    if simpler.is_empty() {
        return changed;
    }
    changed = true;
    let mut keep = vec![true; function.code.len()];
    for (at, simpler) in simpler {
        match (simpler, function.code.get_mut(at), keep.get_mut(at)) {
            (Simpler::Is(inst), Some(step), _) => step.inst = inst,
            (Simpler::Gone, _, Some(keep)) => *keep = false,
            _ => {}
        }
    }
    retain(&mut function.code, keep);
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
        {
            // Copies mostly stand behind what they copy, so that this already is the original.
            let src = original.get(src.0 as usize).copied().flatten().unwrap_or(*src);
            if let Some(cell) = original.get_mut(dst.0 as usize) {
                *cell = Some(src);
            }
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

/// A look-up by a register that may hold a constant.
fn index(inst: &Inst, of: Option<K>, key: Option<K>) -> Simpler {
    let Inst::Index {
        dst,
        of: from,
        stored,
        fail,
        ..
    } = inst
    else {
        return Simpler::Same;
    };
    let (dst, fail) = (*dst, *fail);
    match (stored, of, key) {
        (false, _, Some(key)) => Simpler::Is(Inst::Field {
            dst,
            of: *from,
            key,
            fail,
        }),
        (true, Some(of), Some(key)) => match of.stored(&key) {
            Some(value) if is_small(value) => Simpler::Is(Inst::Const {
                dst,
                value: K::new(value.clone()),
            }),
            Some(_) => Simpler::Same,
            None => Simpler::Is(Inst::Jump(fail)),
        },
        _ => Simpler::Same,
    }
}

/// A switch on a register that may hold a constant.
fn switch(inst: &Inst, on: Option<K>) -> Simpler {
    let (
        Inst::Switch {
            index, ways, miss, ..
        },
        Some(value),
    ) = (inst, on)
    else {
        return Simpler::Same;
    };
    let index = Switch::new(index);
    let way = match &*value {
        Constant::String(text) => index.find(text),
        Constant::Int(int) => index.find_value(Value::int(*int)),
        Constant::Number(text) => index.find_value(Value::number_text(text)),
        Constant::Bool(flag) => index.find_value(Value::bool(*flag)),
        _ => None,
    };
    let way = way.and_then(|way| ways.get(usize::from(way)));
    Simpler::Is(Inst::Jump(*way.unwrap_or(miss)))
}

fn simpler(function: &Function, facts: &Facts, inst: &Inst, builtin: Option<FoldBuiltin<'_>>) -> Simpler {
    let known = |reg: Reg| facts.constant(function, reg);
    match inst {
        Inst::Move { dst, src } => match known(*src) {
            Some(value) => Simpler::Is(Inst::Const { dst: *dst, value }),
            None => Simpler::Same,
        },
        Inst::Index { of, key, .. } => index(inst, known(*of), known(*key)),
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
        Inst::Switch {
            on: Operand::Reg(reg),
            ..
        } => switch(inst, known(*reg)),
        Inst::Ret { value, body } => match known(*value) {
            Some(value) => Simpler::Is(Inst::RetConst { value, body: *body }),
            None => Simpler::Same,
        },
        Inst::Collect { kind, dst, parts } => {
            let parts: Option<Vec<Constant>> = parts
                .iter()
                .map(|part| {
                    known(*part)
                        .filter(|value| is_small(value))
                        .map(|value| (*value).clone())
                })
                .collect();
            match parts.and_then(|parts| collect(*kind, parts)).filter(is_small) {
                Some(value) => Simpler::Is(Inst::Const {
                    dst: *dst,
                    value: K::new(value),
                }),
                None => Simpler::Same,
            }
        }
        Inst::Direct { dst, what, of, fail } => match known(*of).map(|of| what.of(&of)) {
            Some(Some(value)) if is_small(&value) => Simpler::Is(Inst::Const {
                dst: *dst,
                value: K::new(value),
            }),
            Some(None) => Simpler::Is(Inst::Jump(*fail)),
            Some(Some(_)) | None => Simpler::Same,
        },
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
            match args.and_then(|args| run(*id, &args)).filter(is_small) {
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
    /// The machine decides: index by a number that is no plain integer, or a large value.
    Unknown,
}

fn lookup(of: &Constant, key: &Constant) -> Lookup {
    let found = match of {
        Constant::Object(members) => members
            .binary_search_by(|(k, _)| k.compare(key))
            .ok()
            .and_then(|at| members.get(at))
            .map(|(_, value)| value),
        // As the key is spelled.
        Constant::Set(members) => members
            .binary_search_by(|member| member.compare(key))
            .ok()
            .map(|_| key),
        Constant::Array(items) => match key {
            Constant::Int(at) => usize::try_from(*at).ok().and_then(|at| items.get(at)),
            Constant::Number(_) => return Lookup::Unknown,
            _ => None,
        },
        Constant::Null | Constant::Bool(_) | Constant::Int(_) | Constant::Number(_) | Constant::String(_) => {
            None
        }
    };
    match found {
        None => Lookup::Undefined,
        Some(value) if is_small(value) => Lookup::Found(value.clone()),
        Some(_) => Lookup::Unknown,
    }
}

/// Whether a constant may be copied to where it is used. Others are made or looked up at run time.
fn is_small(value: &Constant) -> bool {
    is_within(value, SMALL_PARTS)
}

/// Parts of a constant that is copied freely.
const SMALL_PARTS: usize = 256;

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
            members.sort_by(|a, b| a.0.compare(&b.0));
            let clash = |pair: &[(Constant, Constant)]| matches!(pair, [a, b] if a.0.compare(&b.0).is_eq() && a.1.compare(&b.1).is_ne());
            // Equal keys with different values are a conflict when the program runs.
            (!members.windows(2).any(clash)).then(|| Constant::object(members))
        }
        Container::Tree => None,
    }
}

/// A collection in which members are only looked for: in a set they are found by halves, elsewhere one by one.
fn searchable(collection: K) -> K {
    match &*collection {
        Constant::Array(items) if items.len() > MANY => K::new(Constant::set(items.clone())),
        Constant::Object(members) if members.len() > MANY => {
            let values = members.iter().map(|(_, value)| value.clone());
            K::new(Constant::set(values.collect()))
        }
        _ => collection,
    }
}

/// So many members are as fast to compare one by one.
const MANY: usize = 8;

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
                None => Some(Outcome::Cond(Cond::In(
                    a.clone(),
                    Operand::Const(searchable(collection)),
                ))),
            }
        }
        Cond::Text(test, a, text) => outcome(test.holds(&*of(a)?, text)),
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
        Cond::Defined(_) | Cond::IsObject(_) | Cond::IsDocument(_) => None,
    }
}
