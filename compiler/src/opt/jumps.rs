//! Control flow: jumps to jumps, jumps to the next instruction, code and labels that nothing reaches.

use crate::plan::{Function, Inst, Label, Step};
use std::collections::{HashMap, HashSet};

/// Runs the pass; whether anything changed.
pub(super) fn run(function: &mut Function) -> bool {
    let mut changed = false;
    while thread(function) | drop_unreached(function) | drop_short(function) {
        changed = true;
    }
    changed
}

/// A label whose code only goes elsewhere stands for that place.
fn thread(function: &mut Function) -> bool {
    let mut places: HashMap<Label, &Inst> = HashMap::new();
    let mut open: Vec<Label> = Vec::new();
    for step in &function.code {
        match &step.inst {
            Inst::Label(label) => open.push(*label),
            inst => {
                for label in open.drain(..) {
                    places.insert(label, inst);
                }
            }
        }
    }
    let end_of = |label: Label| {
        let mut label = label;
        // A loop of jumps cannot be: it would be a body that never ends. Bounded all the same.
        for _ in 0..places.len() {
            match places.get(&label) {
                Some(Inst::Jump(next)) => label = *next,
                _ => break,
            }
        }
        label
    };
    let mut targets: Vec<Option<Inst>> = Vec::with_capacity(function.code.len());
    for step in &function.code {
        let Some(label) = step.inst.target() else {
            targets.push(None);
            continue;
        };
        let end = end_of(label);
        let inst = match (&step.inst, places.get(&end)) {
            (Inst::Jump(_), Some(inst @ (Inst::RetUndefined | Inst::RetConst { .. }))) => {
                Some((*inst).clone())
            }
            _ if end != label => {
                let mut inst = step.inst.clone();
                if let Some(target) = inst.target_mut() {
                    *target = end;
                }
                Some(inst)
            }
            _ => None,
        };
        targets.push(inst);
    }
    let mut changed = false;
    for (step, inst) in function.code.iter_mut().zip(targets) {
        if let Some(inst) = inst {
            step.inst = inst;
            changed = true;
        }
    }
    changed
}

/// Labels that nothing names, and what no way from the start leads to.
fn drop_unreached(function: &mut Function) -> bool {
    let code = &function.code;
    let mut places: HashMap<Label, usize> = HashMap::new();
    for (at, step) in code.iter().enumerate() {
        if let Inst::Label(label) = &step.inst {
            places.insert(*label, at);
        }
    }
    let mut reached = vec![false; code.len()];
    let mut named: HashSet<Label> = HashSet::new();
    let mut open = vec![0];
    while let Some(at) = open.pop() {
        let (Some(step), Some(mark)) = (code.get(at), reached.get_mut(at)) else {
            continue;
        };
        if std::mem::replace(mark, true) {
            continue;
        }
        if let Some(label) = step.inst.target() {
            named.insert(label);
            open.extend(places.get(&label));
        }
        if !step.inst.is_end() {
            open.push(at + 1);
        }
    }
    let before = code.len();
    let mut reached = reached.into_iter();
    function.code.retain(|step| {
        let is_reached = reached.next().unwrap_or(true);
        match &step.inst {
            Inst::Label(label) => is_reached && named.contains(label),
            _ => is_reached,
        }
    });
    function.code.len() != before
}

/// A jump or a decided test to the next instruction.
fn drop_short(function: &mut Function) -> bool {
    let before = function.code.len();
    let mut code: Vec<Step> = Vec::with_capacity(before);
    let mut steps = std::mem::take(&mut function.code).into_iter().peekable();
    while let Some(step) = steps.next() {
        if let Inst::Jump(label) = &step.inst
            && matches!(steps.peek().map(|next| &next.inst), Some(Inst::Label(next)) if next == label)
        {
            continue;
        }
        code.push(step);
    }
    function.code = code;
    function.code.len() != before
}
