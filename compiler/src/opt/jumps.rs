//! Control flow: jumps to jumps, jumps to the next instruction, code and labels that nothing reaches.

use super::code::{label_places, retain};
use crate::plan::{Function, Inst, Label, Step};

/// Runs the pass; whether anything changed.
pub(super) fn run(function: &mut Function) -> bool {
    let mut changed = false;
    while thread(function) | drop_unreached(function) | drop_short(function) {
        changed = true;
    }
    changed
}

/// Where each label stands: the instruction behind it and behind the labels that follow it.
fn places(function: &Function) -> Vec<usize> {
    let mut places = vec![usize::MAX; function.labels as usize];
    let mut open: Vec<Label> = Vec::new();
    for (at, step) in function.code.iter().enumerate() {
        if let Inst::Label(label) = &step.inst {
            open.push(*label);
            continue;
        }
        for label in open.drain(..) {
            if let Some(place) = places.get_mut(label.0 as usize) {
                *place = at;
            }
        }
    }
    places
}

/// For each label, the label where control ends up that goes there.
fn ends(code: &[Step], places: &[usize]) -> Vec<Option<Label>> {
    let mut ends: Vec<Option<Label>> = vec![None; places.len()];
    let mut way = Vec::new();
    for start in (0..).map(Label).take(places.len()) {
        let mut label = start;
        let end = loop {
            if let Some(Some(end)) = ends.get(label.0 as usize) {
                break *end;
            }
            // Met again: a loop of jumps, which a body that ends cannot have, ends where it was entered.
            if let Some(cell) = ends.get_mut(label.0 as usize) {
                *cell = Some(label);
            }
            way.push(label);
            let inst = places.get(label.0 as usize).and_then(|at| code.get(*at));
            match inst.map(|step| &step.inst) {
                Some(Inst::Jump(next)) => label = *next,
                _ => break label,
            }
        };
        for label in way.drain(..) {
            if let Some(cell) = ends.get_mut(label.0 as usize) {
                *cell = Some(end);
            }
        }
    }
    ends
}

/// A label whose code only goes elsewhere stands for that place.
fn thread(function: &mut Function) -> bool {
    let places = places(function);
    let ends = ends(&function.code, &places);
    let mut changed = false;
    for at in 0..function.code.len() {
        let Some(step) = function.code.get(at) else { break };
        let end_of = |label: Label| ends.get(label.0 as usize).copied().flatten().unwrap_or(label);
        let Some(label) = step.inst.target() else {
            continue;
        };
        let end = end_of(label);
        let there = places.get(end.0 as usize).and_then(|at| function.code.get(*at));
        let inst = match (&step.inst, there.map(|step| &step.inst)) {
            (Inst::Jump(_), Some(inst @ (Inst::RetUndefined | Inst::RetConst { .. }))) => Some(inst.clone()),
            _ => None,
        };
        let Some(step) = function.code.get_mut(at) else {
            break;
        };
        if let Some(inst) = inst {
            step.inst = inst;
            changed = true;
        } else {
            step.inst.for_each_target_mut(|target| {
                let end = end_of(*target);
                changed |= end != *target;
                *target = end;
            });
        }
    }
    changed
}

/// Labels that nothing names, and what no way from the start leads to.
fn drop_unreached(function: &mut Function) -> bool {
    let code = &function.code;
    let places = label_places(function);
    let mut reached = vec![false; code.len()];
    let mut named = vec![false; places.len()];
    let mut open = vec![0];
    while let Some(at) = open.pop() {
        let (Some(step), Some(mark)) = (code.get(at), reached.get_mut(at)) else {
            continue;
        };
        if std::mem::replace(mark, true) {
            continue;
        }
        step.inst.for_each_target(|label| {
            if let Some(named) = named.get_mut(label.0 as usize) {
                *named = true;
            }
            open.extend(places.get(label.0 as usize));
        });
        if !step.inst.is_end() {
            open.push(at + 1);
        }
    }
    let keep: Vec<bool> = code
        .iter()
        .zip(reached)
        .map(|(step, is_reached)| match &step.inst {
            Inst::Label(label) => is_reached && named.get(label.0 as usize) == Some(&true),
            _ => is_reached,
        })
        .collect();
    let changed = keep.contains(&false);
    if changed {
        retain(&mut function.code, keep);
    }
    changed
}

/// A jump or a decided test to the next instruction.
fn drop_short(function: &mut Function) -> bool {
    let code = &function.code;
    let is_short = |at: usize| match (code.get(at), code.get(at + 1)) {
        (Some(step), Some(next)) => match (&step.inst, &next.inst) {
            (Inst::Jump(label), Inst::Label(next)) => next == label,
            _ => false,
        },
        _ => false,
    };
    let keep: Vec<bool> = (0..code.len()).map(|at| !is_short(at)).collect();
    let changed = keep.contains(&false);
    if changed {
        retain(&mut function.code, keep);
    }
    changed
}
