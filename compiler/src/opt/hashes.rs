//! Where a text is looked for among a good number of constant ones, a perfect hash finds it instead of a search.

use super::facts::Facts;
use crate::plan::{Cond, Function, Inst, K, Label, Operand, Step};
use gavel_runtime::bytecode::SwitchSpec;
use gavel_runtime::value::Constant;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Fewer texts are found as fast one by one.
const TEXTS_MIN: usize = 9;
/// A table without collisions takes up to 16 places for each text, and for many more texts there is none of that size.
const TEXTS_MAX: usize = 64;

/// Runs the pass; whether anything changed.
pub(super) fn run(function: &mut Function) -> bool {
    let facts = Facts::of(function);
    let mut labels = function.labels;
    let found: Vec<(usize, Vec<Inst>)> = function
        .code
        .iter()
        .enumerate()
        .filter_map(|(at, step)| Some((at, hashed(function, &facts, &step.inst, &mut labels)?)))
        .collect();
    if found.is_empty() {
        return false;
    }
    function.labels = labels;
    for (at, insts) in found.into_iter().rev() {
        let span = function.code.get(at).and_then(|step| step.span);
        let steps = insts.into_iter().map(|inst| Step { inst, span });
        function.code.splice(at..=at, steps);
    }
    true
}

/// What stands for an instruction that looks for a text.
fn hashed(function: &Function, facts: &Facts, inst: &Inst, labels: &mut u32) -> Option<Vec<Inst>> {
    let mut label = || {
        *labels += 1;
        Label(*labels - 1)
    };
    match inst {
        Inst::Test {
            cond: Cond::In(on @ (Operand::Reg(_) | Operand::Slot(_)), Operand::Const(collection)),
            fail,
        } => {
            let (Constant::Array(items) | Constant::Set(items)) = &**collection else {
                return None;
            };
            let exact = lines(items.iter().map(|item| (item, 0)))?;
            let hit = label();
            Some(vec![
                switch(on.clone(), exact, vec![hit], *fail),
                Inst::Label(hit),
            ])
        }
        Inst::Index {
            dst,
            of,
            key,
            stored: false,
            fail,
        } => {
            let table = facts.constant(function, *of)?;
            let Constant::Object(members) = &*table else {
                return None;
            };
            let (values, ways) = distinct(members.iter().map(|(_, value)| value))?;
            let exact = lines(members.iter().map(|(key, _)| key).zip(ways))?;
            let places: Vec<Label> = values.iter().map(|_| label()).collect();
            let done = label();
            let mut insts = vec![switch(Operand::Reg(*key), exact, places.clone(), *fail)];
            for (place, value) in places.into_iter().zip(values) {
                let value = K::new(value.clone());
                insts.extend([
                    Inst::Label(place),
                    Inst::Const { dst: *dst, value },
                    Inst::Jump(done),
                ]);
            }
            insts.push(Inst::Label(done));
            Some(insts)
        }
        _ => None,
    }
}

/// The values of a table and, for each of its members, which of these it has.
fn distinct<'c>(all: impl Iterator<Item = &'c Constant>) -> Option<(Vec<&'c Constant>, Vec<u16>)> {
    let mut values = Vec::new();
    let mut ways = Vec::new();
    let mut known: BTreeMap<&Constant, u16> = BTreeMap::new();
    for value in all {
        // Numbers that are equal may be spelled in several ways.
        let is_plain = matches!(
            value,
            Constant::Null | Constant::Bool(_) | Constant::Int(_) | Constant::String(_)
        );
        let way = known.get(value).copied().filter(|_| is_plain);
        let way = way.or_else(|| {
            values.push(value);
            u16::try_from(values.len() - 1).ok()
        })?;
        if is_plain {
            known.insert(value, way);
        }
        ways.push(way);
    }
    Some((values, ways))
}

fn switch(on: Operand, exact: Vec<(String, u16)>, ways: Vec<Label>, miss: Label) -> Inst {
    let index = Arc::new(SwitchSpec {
        exact,
        ..SwitchSpec::default()
    });
    Inst::Switch {
        on,
        index,
        ways,
        miss,
    }
}

/// Lines of an index; `None`: some key is no text, or they are too few or too many.
fn lines<'c>(keys: impl ExactSizeIterator<Item = (&'c Constant, u16)>) -> Option<Vec<(String, u16)>> {
    if !(TEXTS_MIN..=TEXTS_MAX).contains(&keys.len()) {
        return None;
    }
    keys.map(|(key, way)| match key {
        Constant::String(text) => Some((text.clone(), way)),
        _ => None,
    })
    .collect()
}
