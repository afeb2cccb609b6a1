//! Register allocation: virtual registers of one function get numbers of its frame.
//!
//! A register is live from its first to its last appearance in the code, and to the end of each loop that it enters
//! alive: loops are found as jumps that go back. Operands that the machine wants in consecutive registers form a group
//! that is placed as one; a register that cannot join one is copied.

use crate::plan::{Access, Function, Inst, Label, Reg, Step};
use std::collections::{HashMap, HashSet};

/// Result of the allocation.
pub(super) struct Allocated {
    /// The code with copies in front of runs.
    pub code: Vec<Step>,
    /// Frame register by virtual register.
    pub number: HashMap<Reg, u32>,
    /// Size of the frame.
    pub frame: u32,
}

impl Allocated {
    /// The frame register of a virtual one.
    pub(super) fn of(&self, reg: Reg) -> u32 {
        self.number.get(&reg).copied().unwrap_or(u32::MAX)
    }
}

/// Allocates one function's registers.
pub(super) fn allocate(function: &Function) -> Allocated {
    let mut grouped = Groups::collect(function);
    let live = live_ranges(function.params, &grouped.code);
    let mut blocks = grouped.blocks(&live, function.params);
    blocks.sort_by_key(|block| (block.start, block.members.first().copied()));
    let mut number: HashMap<Reg, u32> = (0..function.params).map(|at| (Reg(at), at)).collect();
    // One past the last position where each frame register is taken.
    let mut taken: Vec<usize> = (0..function.params)
        .map(|at| live.get(&Reg(at)).map_or(0, |range| range.1 + 1))
        .collect();
    for block in blocks {
        let size = block.size as usize;
        let mut first = 0;
        let mut run = 0;
        for at in 0..=taken.len() + size {
            if run == size {
                break;
            }
            if taken.get(at).copied().unwrap_or(0) <= block.start {
                run += 1;
            } else {
                first = at + 1;
                run = 0;
            }
        }
        if taken.len() < first + size {
            taken.resize(first + size, 0);
        }
        for cell in taken.iter_mut().skip(first).take(size) {
            *cell = block.end + 1;
        }
        for (member, at) in block.members.iter().zip(first..) {
            number.insert(*member, u32::try_from(at).unwrap_or(u32::MAX));
        }
    }
    Allocated {
        code: std::mem::take(&mut grouped.code),
        number,
        frame: u32::try_from(taken.len()).unwrap_or(u32::MAX),
    }
}

/// Registers placed together.
struct Block {
    members: Vec<Reg>,
    size: u32,
    start: usize,
    end: usize,
}

/// Runs and loop states of a function.
#[derive(Default)]
struct Groups {
    code: Vec<Step>,
    runs: Vec<Vec<Reg>>,
    states: HashSet<Reg>,
}

impl Groups {
    fn collect(function: &Function) -> Groups {
        let mut groups = Groups::default();
        let mut next = function.regs;
        let mut taken: HashSet<Reg> = (0..function.params).map(Reg).collect();
        for step in &function.code {
            if let Inst::LoopInit { state, .. } | Inst::LoopFind { state, .. } = &step.inst {
                groups.states.insert(*state);
                taken.insert(*state);
            }
        }
        for step in &function.code {
            let mut step = step.clone();
            if let Some(run) = run_mut(&mut step.inst)
                && run.len() > 1
                && !is_params(run, function.params)
            {
                for reg in run.iter_mut() {
                    if taken.insert(*reg) {
                        continue;
                    }
                    let copy = Reg(next);
                    next += 1;
                    taken.insert(copy);
                    let inst = Inst::Move { dst: copy, src: *reg };
                    groups.code.push(Step {
                        inst,
                        span: step.span,
                    });
                    *reg = copy;
                }
                groups.runs.push(run.clone());
            }
            groups.code.push(step);
        }
        groups
    }

    fn blocks(&self, live: &HashMap<Reg, (usize, usize)>, params: u32) -> Vec<Block> {
        let block = |members: Vec<Reg>, size: u32| {
            let ranges = members.iter().filter_map(|reg| live.get(reg));
            let start = ranges.clone().map(|range| range.0).min().unwrap_or(0);
            let end = ranges.map(|range| range.1).max().unwrap_or(0);
            Block {
                members,
                size,
                start,
                end,
            }
        };
        let in_runs: HashSet<Reg> = self.runs.iter().flatten().copied().collect();
        let mut blocks: Vec<Block> = self
            .runs
            .iter()
            .map(|run| block(run.clone(), u32::try_from(run.len()).unwrap_or(u32::MAX)))
            .collect();
        for reg in live.keys() {
            if reg.0 >= params && !in_runs.contains(reg) {
                let size = if self.states.contains(reg) { 2 } else { 1 };
                blocks.push(block(vec![*reg], size));
            }
        }
        blocks
    }
}

/// The operands of an instruction that stand in consecutive registers.
fn run_mut(inst: &mut Inst) -> Option<&mut Vec<Reg>> {
    match inst {
        Inst::Collect { parts: run, .. }
        | Inst::CallFn { args: run, .. }
        | Inst::CallBuiltin { args: run, .. }
        | Inst::CallMocked { args: run, .. }
        | Inst::TreePut { path: run, .. }
        | Inst::TreeAdd { path: run, .. }
        | Inst::TreeMerge { path: run, .. } => Some(run),
        _ => None,
    }
}

/// Whether a run is a run of parameters as they stand.
fn is_params(run: &[Reg], params: u32) -> bool {
    run.iter().all(|reg| reg.0 < params)
        && run
            .windows(2)
            .all(|pair| matches!(pair, [a, b] if a.0 + 1 == b.0))
}

/// First and last position of each register, with loops.
fn live_ranges(params: u32, code: &[Step]) -> HashMap<Reg, (usize, usize)> {
    let mut live: HashMap<Reg, (usize, usize)> = (0..params).map(|at| (Reg(at), (0, 0))).collect();
    let mut places: HashMap<Label, usize> = HashMap::new();
    let mut back: Vec<(usize, usize)> = Vec::new();
    for (at, step) in code.iter().enumerate() {
        step.inst.for_each_reg(|reg, _: Access| {
            live.entry(*reg).or_insert((at, at)).1 = at;
        });
        if let Inst::Label(label) = &step.inst {
            places.insert(*label, at);
        }
        step.inst
            .for_each_target(|label| back.extend(places.get(&label).map(|start| (*start, at))));
    }
    // Loops by where they end, so that one pass meets inner loops first; repeated for loops that overlap otherwise.
    back.sort_by_key(|(start, end)| (*end, *start));
    for range in live.values_mut() {
        loop {
            let before = range.1;
            for (start, end) in &back {
                if range.0 < *start && range.1 >= *start && range.1 < *end {
                    range.1 = *end;
                }
            }
            if range.1 == before {
                break;
            }
        }
    }
    live
}
