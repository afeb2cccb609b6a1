//! Follows every way through a function: what each register holds, how deep `with` scopes are open, where code ends.
//!
//! Proves that registers are written before they are read, that loop states and builders are used as what they are and
//! nothing else, that "unset" reaches only ops that know it, that `with` scopes are closed in order, and that every way
//! back leads through a round of a loop, which costs fuel: no program runs without end.

use super::verify::run_len;
use super::{Inst, NO_REG, Op, Role};
use crate::limits::FLOW_BYTES_MAX;

/// One function's decoded code; labels are indices counted from `first` on.
pub(super) struct Flow<'c> {
    pub(super) code: &'c [Inst],
    pub(super) first: usize,
    pub(super) params: u16,
    pub(super) regs: u16,
}

type Complaint = (usize, &'static str);

/// A fault of ours, which must not let a program pass.
const LOST: &str = "what its registers hold was lost";

/// What a register holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    /// Nothing, or different things on different ways.
    Nothing,
    /// A value.
    Value,
    /// A value or "unset".
    MaybeUnset,
    /// The collection of a loop.
    LoopOver,
    /// The position of a loop.
    LoopAt,
    Array,
    Set,
    Object,
    Tree,
}

impl Holds {
    fn join(self, other: Holds) -> Holds {
        match (self, other) {
            _ if self == other => self,
            (Holds::Value | Holds::MaybeUnset, Holds::Value | Holds::MaybeUnset) => Holds::MaybeUnset,
            _ => Holds::Nothing,
        }
    }
}

/// What registers hold on one way.
#[derive(Default)]
struct State {
    regs: Vec<Holds>,
    with_depth: u32,
}

/// Memory for following functions one after the other: most are small, and each of them would take it anew.
#[derive(Default)]
pub(super) struct Tracks {
    is_leader: Vec<bool>,
    known: Known,
    state: State,
}

/// What is known at the first instruction of each run that several ways may lead to.
#[derive(Default)]
struct Known {
    /// For each instruction.
    places: Vec<Option<Place>>,
    /// One run of registers for each place.
    held: Vec<Holds>,
    /// Instructions that more is known of than was followed.
    waiting: Vec<usize>,
}

#[derive(Clone, Copy)]
struct Place {
    /// Where its registers begin in `held`.
    start: usize,
    with_depth: u32,
}

pub(super) fn check(flow: &Flow<'_>, tracks: &mut Tracks) -> Result<(), Complaint> {
    let Tracks {
        is_leader,
        known,
        state,
    } = tracks;
    let goes_back = mark_leaders(flow, is_leader);
    let leaders = is_leader.iter().filter(|is_leader| **is_leader).count();
    if leaders.saturating_mul(usize::from(flow.regs)) > FLOW_BYTES_MAX {
        return Err((0, "the function has too many labels for the size of its frame"));
    }
    known.begin(flow, leaders)?;
    state.begin(flow);
    known.arrive(0, state)?;
    while let Some(leader) = known.waiting.pop() {
        known.recall(leader, state)?;
        let mut at = leader;
        loop {
            let Some(&inst) = flow.code.get(at) else {
                return Err((at.saturating_sub(1), "the code runs past the end of its function"));
            };
            // Whoever jumps has done nothing yet.
            if let Some(label) = label_of(flow, inst) {
                known.arrive(label, state)?;
            }
            step(state, inst).map_err(|what| (at, what))?;
            for way in ways_of(inst, at) {
                known.arrive(way, state)?;
            }
            if !falls_through(inst.op) {
                break;
            }
            at += 1;
            if is_leader.get(at) == Some(&true) {
                known.arrive(at, state)?;
                break;
            }
        }
    }
    // Without such a jump every way leads forward from round to round.
    if goes_back { rounds(flow) } else { Ok(()) }
}

/// Marks the instructions that are jumped to. Whether some jump leads back that neither comes from nor goes to the beginning of
/// a round of a loop.
fn mark_leaders(flow: &Flow<'_>, is_leader: &mut Vec<bool>) -> bool {
    is_leader.clear();
    is_leader.resize(flow.code.len(), false);
    let mut goes_back = false;
    for (at, inst) in flow.code.iter().enumerate() {
        let label = label_of(flow, *inst);
        let is_round = |at: usize| flow.code.get(at).is_some_and(|inst| inst.op == Op::LoopNext);
        goes_back |= !is_round(at) && label.is_some_and(|label| label <= at && !is_round(label));
        for leader in ways_of(*inst, at).chain(label) {
            if let Some(leader) = is_leader.get_mut(leader) {
                *leader = true;
            }
        }
    }
    goes_back
}

impl State {
    /// As a function begins.
    fn begin(&mut self, flow: &Flow<'_>) {
        self.with_depth = 0;
        self.regs.clear();
        self.regs.resize(usize::from(flow.params), Holds::Value);
        self.regs.resize(usize::from(flow.regs), Holds::Nothing);
    }
}

impl Known {
    /// Nothing is known of a function that has so many instructions that are jumped to.
    fn begin(&mut self, flow: &Flow<'_>, leaders: usize) -> Result<(), Complaint> {
        self.places.clear();
        self.places.resize(flow.code.len(), None);
        self.waiting.clear();
        self.held.clear();
        // The beginning is a place, too. A list that grows would take twice what is bounded.
        let room = self
            .held
            .try_reserve_exact((leaders + 1) * usize::from(flow.regs));
        room.map_err(|_| (0, "what its registers hold does not fit into memory"))
    }

    /// What is known at an instruction, of which something is.
    fn recall(&self, at: usize, state: &mut State) -> Result<(), Complaint> {
        let place = self.places.get(at).copied().flatten().ok_or((at, LOST))?;
        let end = place.start + state.regs.len();
        let held = self.held.get(place.start..end).ok_or((at, LOST))?;
        state.regs.clear();
        state.regs.extend_from_slice(held);
        state.with_depth = place.with_depth;
        Ok(())
    }

    /// Joins a state into what is known at an instruction.
    fn arrive(&mut self, at: usize, state: &State) -> Result<(), Complaint> {
        let Some(place) = self.places.get_mut(at) else {
            return Err((at, "the code runs past the end of its function"));
        };
        let Some(place) = place else {
            *place = Some(Place {
                start: self.held.len(),
                with_depth: state.with_depth,
            });
            self.held.extend_from_slice(&state.regs);
            self.waiting.push(at);
            return Ok(());
        };
        if place.with_depth != state.with_depth {
            return Err((at, "ways with different `with` scopes meet"));
        }
        let end = place.start + state.regs.len();
        let held = self.held.get_mut(place.start..end).ok_or((at, LOST))?;
        let mut is_new = false;
        for (old, new) in held.iter_mut().zip(&state.regs) {
            let joined = old.join(*new);
            is_new |= joined != *old;
            *old = joined;
        }
        if is_new {
            self.waiting.push(at);
        }
        Ok(())
    }
}

fn falls_through(op: Op) -> bool {
    !matches!(
        op,
        Op::Jump | Op::Switch | Op::SlotSwitch | Op::Ret | Op::RetK | Op::RetUndefined
    )
}

/// The jumps behind a switch, which control goes to one by one.
fn ways_of(inst: Inst, at: usize) -> std::ops::Range<usize> {
    match inst.op {
        Op::Switch | Op::SlotSwitch => at + 1..at + 1 + usize::from(inst.b),
        _ => 0..0,
    }
}

/// Without the instructions that begin a round, which costs fuel, no way leads back to where it began.
fn rounds(flow: &Flow<'_>) -> Result<(), Complaint> {
    // The next one of those that control may go to, by number; `None` behind the last.
    let next = |at: usize, taken: usize| -> Option<Option<usize>> {
        let inst = flow.code.get(at).filter(|inst| inst.op != Op::LoopNext);
        match taken {
            0 => Some(inst.and_then(|inst| label_of(flow, *inst))),
            1 => Some(inst.filter(|inst| falls_through(inst.op)).map(|_| at + 1)),
            _ => inst.and_then(|inst| ways_of(*inst, at).nth(taken - 2)).map(Some),
        }
    };
    let mut is_open = vec![false; flow.code.len()];
    let mut is_done = vec![false; flow.code.len()];
    let mut way = Vec::new();
    for start in 0..flow.code.len() {
        way.push((start, 0));
        while let Some((at, taken)) = way.pop() {
            let (Some(open), Some(done)) = (is_open.get_mut(at), is_done.get_mut(at)) else {
                continue;
            };
            if *done {
                continue;
            }
            if taken == 0 && *open {
                return Err((
                    at,
                    "a way leads back without a round of a loop, so that nothing would end it",
                ));
            }
            *open = true;
            match next(at, taken) {
                Some(next) => {
                    way.push((at, taken + 1));
                    way.extend(next.map(|next| (next, 0)));
                }
                None => *done = true,
            }
        }
    }
    Ok(())
}

fn label_of(flow: &Flow<'_>, inst: Inst) -> Option<usize> {
    let has_label = inst.op.shape().roles[2] == Role::Label;
    has_label.then(|| (inst.c as usize).wrapping_sub(flow.first))
}

/// Checks what an op reads and notes what it leaves when it succeeds.
fn step(state: &mut State, inst: Inst) -> Result<(), &'static str> {
    scopes(state, inst.op)?;
    reads(state, inst)?;
    writes(state, inst);
    Ok(())
}

fn scopes(state: &mut State, op: Op) -> Result<(), &'static str> {
    match op {
        Op::WithBegin => state.with_depth += 1,
        Op::WithEnd => {
            state.with_depth = state
                .with_depth
                .checked_sub(1)
                .ok_or("a `with` scope ends that never began")?;
        }
        Op::WithInput
        | Op::WithBase
        | Op::WithRule
        | Op::WithMockValue
        | Op::WithMockCall
        | Op::WithMockDocument
            if state.with_depth == 0 =>
        {
            return Err("a replacement stands in a `with` scope");
        }
        Op::Ret | Op::RetK | Op::RetUndefined if state.with_depth > 0 => {
            return Err("a frame returns out of a `with` scope");
        }
        _ => {}
    }
    Ok(())
}

/// The builder that `a` of an op must hold.
fn builder_of(op: Op) -> Option<Holds> {
    match op {
        Op::ArrayPush | Op::ArrayEnd => Some(Holds::Array),
        Op::SetAdd | Op::SetEnd => Some(Holds::Set),
        Op::ObjectPut | Op::ObjectPutLast | Op::ObjectSet | Op::ObjectEnd => Some(Holds::Object),
        Op::TreePut | Op::TreeAdd | Op::TreeSet | Op::TreeMerge | Op::TreeEnd => Some(Holds::Tree),
        _ => None,
    }
}

/// The operands that registers may stand in, `a` and `b` first; the others are wider.
fn registers(inst: Inst) -> [(Role, u16); 4] {
    let [a, b, _, d, e, _] = inst.op.shape().roles;
    [(a, inst.a), (b, inst.b), (d, inst.d), (e, inst.e)]
}

fn reads(state: &State, inst: Inst) -> Result<(), &'static str> {
    for (place, (role, reg)) in registers(inst).into_iter().enumerate() {
        match role {
            Role::Use | Role::UseDef => {
                let held = holds(state, reg);
                let ok = match (place, builder_of(inst.op), inst.op) {
                    (0, Some(builder), _) => held == builder,
                    (0, None, Op::IsSet | Op::SetOnce | Op::WithRule | Op::Ret) | (1, None, Op::Move) => {
                        matches!(held, Holds::Value | Holds::MaybeUnset)
                    }
                    _ => held == Holds::Value,
                };
                if !ok {
                    return Err("a register that is read holds no value of the right kind on every way");
                }
            }
            Role::Loop => {
                if holds(state, reg) != Holds::LoopOver || holds(state, reg + 1) != Holds::LoopAt {
                    return Err("a loop goes on that was not started on every way");
                }
            }
            Role::Run => {
                let run = usize::from(reg)..usize::from(reg) + run_len(inst) as usize;
                let run = state.regs.get(run).unwrap_or_default();
                if run.iter().any(|&held| held != Holds::Value) {
                    return Err("a register of a run holds no value on every way");
                }
            }
            Role::None
            | Role::Def
            | Role::DefLoop
            | Role::DefOpt
            | Role::Count
            | Role::CountPairs
            | Role::Const
            | Role::Slot
            | Role::Label
            | Role::Func
            | Role::Builtin
            | Role::Prepared
            | Role::Mock
            | Role::Target
            | Role::Imm => {}
        }
    }
    Ok(())
}

fn writes(state: &mut State, inst: Inst) {
    let result = match inst.op {
        Op::Unset => Holds::MaybeUnset,
        Op::Move => holds(state, inst.b),
        Op::ArrayNew => Holds::Array,
        Op::SetNew => Holds::Set,
        Op::ObjectNew => Holds::Object,
        Op::TreeNew => Holds::Tree,
        _ => Holds::Value,
    };
    for (role, reg) in registers(inst) {
        match role {
            Role::Def | Role::UseDef => hold(state, reg, result),
            Role::DefOpt if reg != NO_REG => hold(state, reg, Holds::Value),
            Role::DefLoop => {
                hold(state, reg, Holds::LoopOver);
                hold(state, reg + 1, Holds::LoopAt);
            }
            _ => {}
        }
    }
    if inst.op == Op::IsSet {
        hold(state, inst.a, Holds::Value);
    }
}

fn holds(state: &State, reg: u16) -> Holds {
    state
        .regs
        .get(usize::from(reg))
        .copied()
        .unwrap_or(Holds::Nothing)
}

fn hold(state: &mut State, reg: u16, what: Holds) {
    if let Some(place) = state.regs.get_mut(usize::from(reg)) {
        *place = what;
    }
}
