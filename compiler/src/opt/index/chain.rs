//! Finds bodies that ask one text one after the other, and leads control past those that it cannot be for.

use super::super::code::{REACH, is_pure, label_places, of};
use super::super::facts::Facts;
use super::texts::{Texts, question};
use crate::plan::{Access, Function, Inst, Label, Operand, Step};
use gavel_runtime::bytecode::SwitchSpec;
use std::collections::HashSet;
use std::sync::Arc;

/// Fewer bodies are as fast to ask one by one.
const BODIES_MIN: usize = 5;
/// Bodies of one index, and texts of all of them; what follows gets an index of its own.
const BODIES_MAX: usize = 512;
const TEXTS_MAX: usize = 4096;

/// Runs the pass; whether anything changed. `calls`: builtins need not be called.
pub(in crate::opt) fn run(function: &mut Function, calls: bool) -> bool {
    // Inside of a `with` the input is another one; and ways of a switch are not led elsewhere.
    let is_strange = |step: &Step| step.inst.is_with() || matches!(step.inst, Inst::Switch { .. });
    if function.code.len() < 2 * BODIES_MIN || function.code.iter().any(is_strange) {
        return false;
    }
    let view = View {
        facts: Facts::of(function),
        places: label_places(function),
        last: last_touches(function),
        function,
        calls,
    };
    let mut chains: Vec<Chain> = Vec::new();
    let mut at = 0;
    while let Some(step) = view.function.code.get(at) {
        let is_start = at == 0 || matches!(step.inst, Inst::Label(_));
        match is_start.then(|| view.best_chain(at)).flatten() {
            Some(chain) => {
                at = chain.nodes.last().map_or(at, |node| node.asks) + 1;
                chains.push(chain);
            }
            None => at += 1,
        }
    }
    let changes: Vec<Change> = chains.iter().flat_map(|chain| view.changes(chain)).collect();
    for change in changes {
        match change {
            Change::Goes(at, to) => {
                let step = function.code.get_mut(at);
                if let Some(label) = step.and_then(|step| step.inst.target_mut()) {
                    *label = to;
                }
            }
            // A label that nothing goes to.
            Change::Holds(at) => {
                if let Some(step) = function.code.get_mut(at) {
                    step.inst = Inst::Label(Label(function.labels));
                    function.labels += 1;
                }
            }
        }
    }
    for chain in chains.iter().rev() {
        chain.insert(function);
    }
    !chains.is_empty()
}

/// A body of a chain.
#[derive(Clone, Debug)]
struct Node {
    start: usize,
    /// The instruction that asks.
    asks: usize,
    texts: Texts,
    /// Where the next body begins.
    next: Label,
}

/// Bodies that ask one text, each of which fails to the next.
#[derive(Debug)]
struct Chain {
    start: usize,
    on: Operand,
    nodes: Vec<Node>,
}

/// What an index makes of the bodies.
enum Change {
    /// The instruction goes elsewhere when it fails.
    Goes(usize, Label),
    /// The question is answered with yes already.
    Holds(usize),
}

struct View<'f> {
    function: &'f Function,
    facts: Facts,
    places: Vec<usize>,
    /// By register, the last instruction that touches it.
    last: Vec<usize>,
    calls: bool,
}

impl View<'_> {
    /// Of the chains that begin here the longest; of several the one whose bodies have least in common.
    fn best_chain(&self, start: usize) -> Option<Chain> {
        let start = self.behind_settings(start);
        let mut on: Vec<Operand> = Vec::new();
        for (operand, _) in self.questions(start) {
            if !on.contains(&operand) {
                on.push(operand);
            }
        }
        let mut best: Option<(usize, usize, Chain)> = None;
        for on in on {
            let chain = self.chain(start, on);
            let len = chain.nodes.len();
            if len < BODIES_MIN {
                continue;
            }
            let meeting = chain
                .nodes
                .windows(2)
                .filter(|pair| matches!(pair, [a, b] if a.texts.meets(&b.texts)));
            let apart = len - meeting.count();
            if best
                .as_ref()
                .is_none_or(|(most, least, _)| (*most, *least) < (len, apart))
            {
                best = Some((len, apart, chain));
            }
        }
        best.map(|(_, _, chain)| chain)
    }

    fn chain(&self, start: usize, on: Operand) -> Chain {
        let mut nodes: Vec<Node> = Vec::new();
        let mut at = start;
        let mut texts = 0;
        while nodes.len() < BODIES_MAX {
            let questions = self.questions(at).into_iter();
            let Some((_, node)) = questions.into_iter().find(|(operand, _)| *operand == on) else {
                break;
            };
            texts += node.texts.count();
            let next = of(&self.places, node.next);
            // What a body sets in front of its questions another may read.
            if texts > TEXTS_MAX || (at != start && !self.keeps_to_itself(at, next)) {
                break;
            }
            nodes.push(node);
            // Only forwards: a loop's round is no body.
            if next <= at || next == usize::MAX {
                break;
            }
            at = next;
        }
        Chain { start, on, nodes }
    }

    /// Behind what only gives values to registers, at the beginning of a body.
    fn behind_settings(&self, start: usize) -> usize {
        let is_setting = |step: &&Step| {
            matches!(
                step.inst,
                Inst::Label(_) | Inst::Unset { .. } | Inst::Const { .. } | Inst::Move { .. }
            )
        };
        let code = self.function.code.iter().skip(start);
        start + code.take_while(is_setting).count()
    }

    /// Whether what a body does in front of everything that may fail matters to it alone, so that it can be passed by.
    fn keeps_to_itself(&self, start: usize, end: usize) -> bool {
        let code = self.function.code.iter();
        let mut is_own = true;
        for step in code.take(self.behind_settings(start)).skip(start) {
            step.inst.for_each_reg(|reg, access| {
                let last = self.last.get(reg.0 as usize).copied().unwrap_or(usize::MAX);
                is_own &= access == Access::Use || last < end;
            });
        }
        is_own
    }

    /// The questions to texts at the beginning of a body.
    fn questions(&self, start: usize) -> Vec<(Operand, Node)> {
        let mut found = Vec::new();
        let mut next = None;
        let code = self.function.code.iter().enumerate().skip(start);
        let code = code.skip_while(|(_, step)| matches!(step.inst, Inst::Label(_)));
        for (asks, step) in code.take(REACH) {
            let inst = &step.inst;
            if !matches!(inst, Inst::Unset { .. }) && !is_pure(inst, self.calls) {
                break;
            }
            let Some(label) = inst.target() else { continue };
            if *next.get_or_insert(label) != label {
                break;
            }
            if let Some((on, texts)) = question(self.function, &self.facts, asks, inst)
                && let Some(on) = self.asked(on, start)
            {
                let node = Node {
                    start,
                    asks,
                    texts,
                    next: label,
                };
                found.push((on, node));
            }
        }
        found
    }

    /// What is asked, as it can be had in front of the body that begins at `start`.
    fn asked(&self, on: Operand, start: usize) -> Option<Operand> {
        let Operand::Reg(reg) = on else {
            return matches!(on, Operand::Slot(_)).then_some(on);
        };
        match self.facts.single_def(self.function, reg) {
            Some((_, Inst::Slot { path, .. })) => Some(Operand::Slot(path.clone())),
            Some((def, _)) => (def < start).then_some(on),
            // A parameter.
            None => (reg.0 < self.function.params && self.facts.is_single(reg)).then_some(on),
        }
    }

    /// What can be done with the bodies of a chain. From the look-up control comes to a body with a text that it asks for;
    /// from a body whose texts are known it goes on to the next body that has some of them.
    fn changes(&self, chain: &Chain) -> Vec<Change> {
        let mut changes = Vec::new();
        // Whether each way to a body comes with a text that it asks for.
        let mut is_certain: Vec<bool> = chain
            .nodes
            .iter()
            .map(|node| self.is_inside(chain, node))
            .collect();
        for (number, node) in chain.nodes.iter().enumerate() {
            let end = of(&self.places, node.next);
            let later = chain.nodes.get(number + 1..).unwrap_or_default();
            if end == usize::MAX || end <= node.asks {
                continue;
            }
            let certain = is_certain.get(number) == Some(&true) && self.is_closed(node.start, end);
            if certain && node.texts.all {
                changes.push(Change::Holds(node.asks));
            }
            let from = if certain { node.start } else { node.asks + 1 };
            // What is not sure to have one of the body's texts goes on to the next body, and is not sure there.
            let is_known = self.is_closed(from, end);
            let fits = later.iter().position(|other| other.texts.meets(&node.texts));
            let target = if is_known { fits } else { Some(0) };
            if let (Some(at), Some(to)) = (target, target.and_then(|at| later.get(at))) {
                let keeps = is_known && node.texts.is_within(&to.texts);
                if let Some(certain) = is_certain.get_mut(number + 1 + at) {
                    *certain &= keeps;
                }
            }
            if !(certain && is_known)
                && let Some(certain) = is_certain.get_mut(number + 1)
            {
                *certain = false;
            }
            // The label of a body is the one that the body in front of it fails to.
            let to = match fits {
                Some(at) => chain.nodes.get(number + at),
                None => chain.nodes.last(),
            };
            let Some(to) = to.map(|before| before.next).filter(|to| *to != node.next) else {
                continue;
            };
            if is_known {
                let region = self.function.code.iter().enumerate().take(end).skip(from);
                let goes_on = region.filter(|(at, step)| {
                    step.inst.target() == Some(node.next) && !(certain && node.texts.all && *at == node.asks)
                });
                changes.extend(goes_on.map(|(at, _)| Change::Goes(at, to)));
            }
        }
        changes
    }

    /// Whether a body is entered from the look-up and as the next of the body in front of it alone.
    fn is_inside(&self, chain: &Chain, node: &Node) -> bool {
        if node.start == chain.start {
            return true;
        }
        let before = chain.nodes.iter().rev().find(|before| before.start < node.start);
        let Some(before) = before else { return false };
        let own = before.start..node.start;
        let falls = node
            .start
            .checked_sub(1)
            .and_then(|at| self.function.code.get(at));
        let mut is_inside = falls.is_some_and(|step| step.inst.is_end());
        for (at, step) in self.function.code.iter().enumerate() {
            step.inst.for_each_target(|label| {
                is_inside &= own.contains(&at) || of(&self.places, label) != node.start;
            });
        }
        is_inside
    }

    /// Whether code is entered only at its start.
    fn is_closed(&self, start: usize, end: usize) -> bool {
        let mut is_closed = true;
        for (at, step) in self.function.code.iter().enumerate() {
            if (start..end).contains(&at) {
                continue;
            }
            step.inst.for_each_target(|label| {
                let to = of(&self.places, label);
                // The start itself may be a body's label.
                is_closed &= !(start + 1..end).contains(&to);
            });
        }
        is_closed
    }
}

impl Chain {
    /// Puts the look-up in front of the first body.
    fn insert(&self, function: &mut Function) {
        let Some(last) = self.nodes.last() else { return };
        let first = Label(function.labels);
        function.labels += 1;
        let mut index = SwitchSpec::default();
        let mut known: HashSet<(u8, &String)> = HashSet::new();
        let mut ways: Vec<Label> = Vec::new();
        let labels = std::iter::once(first).chain(self.nodes.iter().map(|node| node.next));
        for ((way, node), label) in (0u16..).zip(&self.nodes).zip(labels) {
            let texts = &node.texts;
            let mut add = |list: &mut Vec<(String, u16)>, kind: u8, text| {
                if known.insert((kind, text)) {
                    list.push((text.clone(), way));
                }
            };
            texts.exact.iter().for_each(|text| add(&mut index.exact, 0, text));
            texts
                .starts
                .iter()
                .for_each(|text| add(&mut index.starts, 1, text));
            texts.ends.iter().for_each(|text| add(&mut index.ends, 2, text));
            let integers = texts.integers.iter().map(|integer| (*integer, way));
            index.integers.extend(integers);
            index.flags.extend(texts.flags.iter().map(|flag| (*flag, way)));
            ways.push(label);
        }
        let at = self.start;
        let span = function.code.get(at).and_then(|step| step.span);
        let switch = Inst::Switch {
            on: self.on.clone(),
            index: Arc::new(index),
            ways,
            miss: last.next,
        };
        let new = [switch, Inst::Label(first)].map(|inst| Step { inst, span });
        function.code.splice(at..at, new);
    }
}

fn last_touches(function: &Function) -> Vec<usize> {
    let mut last = vec![0; function.regs as usize];
    for (at, step) in function.code.iter().enumerate() {
        step.inst.for_each_reg(|reg, _| {
            if let Some(place) = last.get_mut(reg.0 as usize) {
                *place = at;
            }
        });
    }
    last
}
