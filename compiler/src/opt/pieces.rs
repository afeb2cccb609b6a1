//! `split(x, ":")[n]`: the pieces that somebody reads are looked for one by one, and no array of all of them is built.

use super::code::{REACH, is_pure};
use super::facts::Facts;
use crate::plan::{Direct, Function, Inst, K, Reg, Step};
use gavel_runtime::value::Constant;
use std::collections::HashMap;

/// Pieces of one text that are looked for from its start; for more of them the array pays.
const PIECES_MAX: usize = 4;

/// Runs the pass; whether anything changed.
pub(super) fn run(function: &mut Function) -> bool {
    let is_split = |step: &Step| matches!(&step.inst, Inst::CallBuiltin { builtin, .. } if builtin.get().name == "split");
    if !function.code.iter().any(is_split) {
        return false;
    }
    let facts = Facts::of(function);
    let reads = reads(function);
    let found: Vec<(usize, Split)> = (0..function.code.len())
        .filter_map(|at| Some((at, Split::at(function, &facts, &reads, at)?)))
        .collect();
    let changed = !found.is_empty();
    for (at, split) in found.into_iter().rev() {
        split.write(function, at);
    }
    changed
}

/// Where elements of constant numbers are read, by the register that is read from.
fn reads(function: &Function) -> HashMap<Reg, Vec<(usize, u16)>> {
    let mut reads: HashMap<Reg, Vec<(usize, u16)>> = HashMap::new();
    for (at, step) in function.code.iter().enumerate() {
        if let Inst::Field { of, key, .. } = &step.inst
            && let Constant::Int(number) = **key
            && let Ok(number) = u16::try_from(number)
        {
            reads.entry(*of).or_default().push((at, number));
        }
    }
    reads
}

struct Split {
    text: Reg,
    separator: K,
    reads: Vec<(usize, u16)>,
}

impl Split {
    fn at(
        function: &Function,
        facts: &Facts,
        reads: &HashMap<Reg, Vec<(usize, u16)>>,
        at: usize,
    ) -> Option<Split> {
        let inst = |at: usize| function.code.get(at).map(|step| &step.inst);
        let Inst::CallBuiltin {
            dst,
            builtin,
            args,
            fail,
            ..
        } = inst(at)?
        else {
            return None;
        };
        let ([text, separator], "split") = (args.as_slice(), builtin.get().name) else {
            return None;
        };
        let reads = reads.get(dst)?;
        let separator = facts.constant(function, *separator)?;
        let is_text = matches!(&*separator, Constant::String(separator) if !separator.is_empty());
        let are_all = facts.uses(*dst) as usize == reads.len() && reads.len() <= PIECES_MAX;
        if !is_text || !are_all || !facts.is_single(*dst) || !facts.is_single(*text) {
            return None;
        }
        // The first read fails for what is no text where the call would, and nobody can tell the difference.
        let (first, _) = *reads.first()?;
        let is_same = inst(first)?.target() == Some(*fail);
        let mut between = (at + 1..first).take(REACH + 1).filter_map(inst);
        let is_plain =
            between.all(|inst| is_pure(inst, true) && inst.target().is_none_or(|label| label == *fail));
        let is_near = first > at && first - at <= REACH;
        (is_same && is_plain && is_near).then(|| Split {
            text: *text,
            separator,
            reads: reads.clone(),
        })
    }

    fn write(self, function: &mut Function, at: usize) {
        for (read, number) in self.reads {
            if let Some(step) = function.code.get_mut(read)
                && let Inst::Field { dst, fail, .. } = &step.inst
            {
                step.inst = Inst::Direct {
                    dst: *dst,
                    what: Direct::Piece {
                        separator: K::clone(&self.separator),
                        at: number,
                    },
                    of: self.text,
                    fail: *fail,
                };
            }
        }
        function.code.remove(at);
    }
}
