//! Where a text is looked for among a good number of constant ones, a perfect hash finds it instead of a search.

use crate::plan::{Cond, Function, Inst, Label, Operand, Step};
use gavel_runtime::bytecode::SwitchSpec;
use gavel_runtime::value::Constant;
use std::sync::Arc;

/// Fewer texts are found as fast one by one.
const TEXTS_MIN: usize = 9;
/// A table without collisions takes up to 16 places for each text, rounded up to a power of two, and for many more texts there is
/// none of that size; looking for one takes time when an image is loaded.
const TEXTS_MAX: usize = 32;

/// Runs the pass; whether anything changed.
pub(super) fn run(function: &mut Function) -> bool {
    let mut labels = function.labels;
    let found: Vec<(usize, [Inst; 2])> = function
        .code
        .iter()
        .enumerate()
        .filter_map(|(at, step)| Some((at, hashed(&step.inst, &mut labels)?)))
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

/// What stands for an instruction that looks for a text. One label for all members: look-ups in tables would take one for each
/// value, and a function may only have so many.
fn hashed(inst: &Inst, labels: &mut u32) -> Option<[Inst; 2]> {
    let Inst::Test {
        cond: Cond::In(on @ (Operand::Reg(_) | Operand::Slot(_)), Operand::Const(collection)),
        fail,
    } = inst
    else {
        return None;
    };
    let (Constant::Array(items) | Constant::Set(items)) = &**collection else {
        return None;
    };
    let exact = lines(items)?;
    let hit = Label(*labels);
    *labels += 1;
    Some([switch(on.clone(), exact, hit, *fail), Inst::Label(hit)])
}

fn switch(on: Operand, exact: Vec<(String, u16)>, hit: Label, miss: Label) -> Inst {
    let index = Arc::new(SwitchSpec {
        exact,
        ..SwitchSpec::default()
    });
    Inst::Switch {
        on,
        index,
        ways: vec![hit],
        miss,
    }
}

/// Lines of an index; `None`: some member is no text, or they are too few or too many.
fn lines(items: &[Constant]) -> Option<Vec<(String, u16)>> {
    if !(TEXTS_MIN..=TEXTS_MAX).contains(&items.len()) {
        return None;
    }
    let text = |item: &Constant| match item {
        Constant::String(text) => Some((text.clone(), 0)),
        _ => None,
    };
    items.iter().map(text).collect()
}
