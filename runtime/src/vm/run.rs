//! The loop: one flat match over the ops. Handlers that are more than a few lines live with their subject.
#![expect(
    unsafe_code,
    reason = "operands are fetched without bounds checks, which `verify` made superfluous; a check costs a third of the loop"
)]

mod collections;
mod direct;
mod frames;
mod groups;
mod rounds;

use super::builder::Again;
use super::calls::{Callee, Caller, NO_CALL};
use super::machine::Request;
use super::trace::{Reason, Watch, reason};
use crate::bytecode::{Inst, NO_PREPARED, Op, Prepared};
use crate::checks::check;
use crate::error::{EvalError, EvalErrorKind};
use crate::value::{Tag, Value};

use collections::{Build, ScopeStep};
pub(super) use groups::Grouped;
use rounds::{loop_init, loop_next};

/// Registers of the running frame, at the top of those of all frames.
struct Window<'w, 'v> {
    regs: &'w mut Vec<Value<'v>>,
    base: usize,
    /// One past its last register.
    top: usize,
    /// Register `base` of `regs`.
    frame: *mut Value<'v>,
}

impl<'w, 'v> Window<'w, 'v> {
    /// The window of the first frame, which ends at `top`.
    #[inline(always)]
    fn first(regs: &'w mut Vec<Value<'v>>, top: usize) -> Window<'w, 'v> {
        let frame = regs.as_mut_ptr();
        Window {
            regs,
            base: 0,
            top,
            frame,
        }
    }

    /// Makes the frame from `base` to `top` the running one. To be called whenever `regs` may have moved.
    #[inline(always)]
    fn move_to(&mut self, base: usize, top: usize) {
        (self.base, self.top) = (base, top);
        self.frame = self.regs.as_mut_ptr().wrapping_add(base);
    }

    #[inline(always)]
    fn place(&self, reg: u16) -> *mut Value<'v> {
        check(self.base + usize::from(reg) < self.regs.len(), UNPROVED);
        // SAFETY: `verify` proved that register operands are below the frame length of their function, and
        // `Request::enter` made `regs` at least that much longer than `base` before `move_to` was called for the frame.
        unsafe { self.frame.add(usize::from(reg)) }
    }

    #[inline(always)]
    fn get(&self, reg: u16) -> Value<'v> {
        // SAFETY: `place` gives a register inside of `regs`, which holds initialised values; nobody else accesses it while
        // this window borrows it.
        unsafe { self.place(reg).read() }
    }

    #[inline(always)]
    fn set(&mut self, reg: u16, value: Value<'v>) {
        // SAFETY: as in `get`.
        unsafe { self.place(reg).write(value) }
    }

    /// A register that nobody vouches for.
    fn checked(&self, reg: u16) -> Value<'v> {
        let value = self.regs.get(self.base + usize::from(reg));
        value.copied().unwrap_or(Value::UNSET)
    }

    /// A run of registers.
    fn run(&self, first: u16, count: usize) -> &[Value<'v>] {
        let first = self.base + usize::from(first);
        self.regs.get(first..first + count).unwrap_or_default()
    }

    /// Sets a register; an unset value sets nothing. Whether there was a value.
    #[inline(always)]
    fn set_some(&mut self, reg: u16, value: Value<'v>) -> bool {
        let is_some = !value.is_unset();
        if is_some {
            self.set(reg, value);
        }
        is_some
    }

    /// Sets a register if there is a value. Whether there was one.
    #[inline(always)]
    fn set_if(&mut self, reg: u16, value: Option<Value<'v>>) -> bool {
        match value {
            Some(value) => {
                self.set(reg, value);
                true
            }
            None => false,
        }
    }
}

/// The program's code, in which a place is a pointer: the next instruction is one addition away.
#[derive(Clone, Copy)]
struct Code<'p>(&'p [Inst]);

impl<'p> Code<'p> {
    #[inline(always)]
    fn at(self, index: usize) -> *const Inst {
        check(index < self.0.len(), UNPROVED);
        // SAFETY: `verify` proved that labels and entries are instructions; other indices come from `index`.
        unsafe { self.0.as_ptr().add(index) }
    }

    #[inline(always)]
    fn next(self, here: *const Inst) -> *const Inst {
        // SAFETY: `here` is an instruction of the code, so that this is at most the place behind its end; `verify` proved
        // that control never falls off that.
        unsafe { here.add(1) }
    }

    /// The n-th of the jumps behind a switch.
    #[inline(always)]
    fn behind(self, switch: *const Inst, way: u16) -> *const Inst {
        // SAFETY: `verify` proved that behind a switch stand as many jumps as its index has numbers.
        unsafe { switch.add(1 + usize::from(way)) }
    }

    /// Not for the loop: it divides.
    #[inline(always)]
    fn index(self, here: *const Inst) -> usize {
        (here.addr() - self.0.as_ptr().addr()) / size_of::<Inst>()
    }

    #[inline(always)]
    fn inst(self, here: *const Inst) -> &'p Inst {
        check(self.index(here) < self.0.len(), UNPROVED);
        // SAFETY: `here` came from `at` or `next`, and `verify` proved that the code of no function runs past its end.
        unsafe { &*here }
    }
}

const UNPROVED: &str = "what `verify` proved does not hold";

/// An item of a table of the program.
#[inline(always)]
fn item<T>(table: &[T], at: usize) -> &T {
    check(at < table.len(), UNPROVED);
    // SAFETY: called only with the code at the index of a call, which is an instruction that ran, and with the constants at a
    // constant's index: `verify` proved that they exist.
    unsafe { table.get_unchecked(at) }
}

impl<'v> Request<'v> {
    /// Runs a function without parameters to its end; unset: undefined.
    #[inline]
    pub(super) fn run<W: Watch>(&mut self, function: u32, watch: &mut W) -> Result<Value<'v>, EvalError> {
        // Taken out so that they can be changed while the request is borrowed.
        let mut regs = std::mem::take(&mut self.regs);
        let code = Code(&self.program.code);
        let mut at = code.0.as_ptr();
        let result = self.run_with(&mut regs, &mut at, function, watch);
        self.regs = regs;
        let words = &self.program.words;
        result.map_err(|kind| EvalError {
            kind,
            pc: words.get(code.index(at)).copied().unwrap_or(0),
        })
    }

    /// The loop. `at` is the running instruction when it ends in an error.
    fn run_with<W: Watch>(
        &mut self,
        regs: &mut Vec<Value<'v>>,
        at: &mut *const Inst,
        function: u32,
        watch: &mut W,
    ) -> Result<Value<'v>, EvalErrorKind> {
        let program = self.program;
        let (code, constants) = (Code(&program.code), program.constants.values());
        let constant = |index: u32| -> Value<'v> { *item(constants, index as usize) };
        let info = self.enter(regs, function, Caller::NOBODY, false)?;
        let mut here = code.at(info.entry as usize);
        let mut window = Window::first(regs, info.regs.into());
        if W::ON {
            watch.enter(program, function, |params| window.run(0, params));
        }
        /// The value, or the end of the loop with an error at this instruction.
        macro_rules! ok {
            ($result:expr) => {
                match $result {
                    Ok(value) => value,
                    Err(kind) => {
                        *at = here;
                        return Err(kind);
                    }
                }
            };
        }
        /// The value of an input cell; unset: undefined.
        macro_rules! slot {
            ($cell:expr) => {{
                let cell = self.doc.cell($cell);
                match cell.value() {
                    value if !value.is_unset() => value,
                    _ if cell.is_missing() => Value::UNSET,
                    _ => ok!(self.unready_slot($cell)),
                }
            }};
        }
        /// Goes on in a function that is called.
        macro_rules! call {
            ($inst:expr, $function:expr, $is_mock:expr) => {{
                let entry = ok!(self.push_frame(&mut window, $inst, here, $function, $is_mock));
                here = code.at(entry);
                if W::ON {
                    watch.enter(program, $function, |params| window.run(0, params));
                }
                continue;
            }};
        }
        /// Goes on behind the instruction at once, if this holds: told by a value it would be asked for twice.
        macro_rules! when {
            ($holds:expr) => {{
                if $holds {
                    here = code.next(here);
                    continue;
                }
                false
            }};
        }
        /// Ends the running function with a value; unset: undefined.
        macro_rules! ret {
            ($value:expr, $inst:expr) => {{
                let value = $value;
                if W::ON {
                    watch.leave(value);
                }
                let next = ok!(self.pop_frame(&mut window, value, $inst.b));
                if next == NO_CALL {
                    return Ok(value);
                }
                if W::ON && value.is_unset() {
                    watch.fails(program, Some(Reason::Undefined));
                }
                here = code.at(next as usize);
                continue;
            }};
        }
        macro_rules! build {
            ($inst:expr, $step:expr) => {{
                ok!(self.build(&mut window, $inst, $step));
                true
            }};
        }
        macro_rules! with {
            ($inst:expr, $step:expr) => {{
                ok!(self.scope_op(&window, $inst, constants, $step));
                true
            }};
        }
        loop {
            // Operands are loaded where they are used.
            let inst = code.inst(here);
            if W::ON {
                watch.before(program, code.index(here), |reg| window.checked(reg));
            }
            let goes_on = match inst.op {
                Op::Const => {
                    window.set(inst.a, constant(inst.c));
                    true
                }
                Op::Move => {
                    window.set(inst.a, window.get(inst.b));
                    true
                }
                Op::Unset => {
                    window.set(inst.a, Value::UNSET);
                    true
                }
                Op::Slot => when!(window.set_some(inst.a, slot!(inst.b))),
                Op::SlotOr => {
                    let value = slot!(inst.b);
                    let default = constant(inst.f);
                    window.set(inst.a, if value.is_unset() { default } else { value });
                    true
                }
                Op::Base => window.set_some(inst.a, self.base),
                Op::Index => when!(window.set_if(inst.a, window.get(inst.b).index(window.get(inst.d)))),
                Op::IndexStored => {
                    let value = ok!(self.stored(window.get(inst.b), window.get(inst.d)));
                    when!(window.set_if(inst.a, value))
                }
                Op::Field => when!(window.set_if(inst.a, window.get(inst.b).index(constant(inst.f)))),
                Op::Truthy => when!(!window.get(inst.a).is_false()),
                Op::Eq => when!(window.get(inst.a).equals(window.get(inst.b))),
                Op::Ne => when!(!window.get(inst.a).equals(window.get(inst.b))),
                Op::Lt => when!(window.get(inst.a).compare(window.get(inst.b)).is_lt()),
                Op::Le => when!(window.get(inst.a).compare(window.get(inst.b)).is_le()),
                Op::EqK => when!(window.get(inst.a).equals(constant(inst.b.into()))),
                Op::NeK => when!(!window.get(inst.a).equals(constant(inst.b.into()))),
                Op::LtK => when!(window.get(inst.a).compare(constant(inst.b.into())).is_lt()),
                Op::LeK => when!(window.get(inst.a).compare(constant(inst.b.into())).is_le()),
                Op::GtK => when!(window.get(inst.a).compare(constant(inst.b.into())).is_gt()),
                Op::GeK => when!(window.get(inst.a).compare(constant(inst.b.into())).is_ge()),
                Op::SlotEqK => {
                    let value = slot!(inst.a);
                    when!(!value.is_unset() && value.equals(constant(inst.b.into())))
                }
                Op::SlotNeK => {
                    let value = slot!(inst.a);
                    when!(!value.is_unset() && !value.equals(constant(inst.b.into())))
                }
                Op::SlotDefined => when!(!self.doc.cell(inst.a).is_missing()),
                Op::SlotIsObject => when!(self.doc.has_members(&self.program.trie, inst.a).is_some()),
                // A container is not `false`, built or not.
                Op::SlotTruthy => {
                    let cell = self.doc.cell(inst.a);
                    when!(!cell.is_missing() && !cell.value().is_false())
                }
                Op::SlotEqSlot => {
                    let (a, b) = (slot!(inst.a), slot!(inst.b));
                    when!(!a.is_unset() && !b.is_unset() && a.equals(b))
                }
                Op::In => when!(window.get(inst.b).has_member(window.get(inst.a))),
                Op::InK => when!(constant(inst.b.into()).has_member(window.get(inst.a))),
                Op::SlotInK => {
                    let value = slot!(inst.a);
                    when!(!value.is_unset() && constant(inst.b.into()).has_member(value))
                }
                Op::StartsK => when!(window.get(inst.a).starts_with(constant(inst.b.into()))),
                Op::EndsK => when!(window.get(inst.a).ends_with(constant(inst.b.into()))),
                Op::SlotStartsK => when!(slot!(inst.a).starts_with(constant(inst.b.into()))),
                Op::SlotEndsK => when!(slot!(inst.a).ends_with(constant(inst.b.into()))),
                Op::IsSet => when!(!window.get(inst.a).is_unset()),
                Op::IsArrayOf => when!(is_of(window.get(inst.a), Tag::Array, inst.b)),
                Op::IsObjectOf => when!(is_of(window.get(inst.a), Tag::Object, inst.b)),
                Op::IsDocument => self.reads_document(inst.e),
                Op::LoopInit => when!(loop_init(&mut window, inst)),
                Op::LoopFind => ok!(self.loop_find(&mut window, inst, constant(inst.f))),
                Op::LoopNext => {
                    ok!(self.charge());
                    when!(loop_next(&mut window, inst))
                }
                Op::SetOnce => {
                    let (old, new) = (window.get(inst.a), window.get(inst.b));
                    if old.is_unset() {
                        window.set(inst.a, new);
                    } else if !old.equals(new) {
                        ok!(Err(self.conflict()));
                    }
                    true
                }
                Op::Jump => false,
                Op::Switch => {
                    here = code.at(self.way(code, here, window.get(inst.a)));
                    continue;
                }
                Op::SlotSwitch => {
                    let value = slot!(inst.a);
                    here = code.at(self.way(code, here, value));
                    continue;
                }
                Op::CallRule => match self.rules.known(inst.f) {
                    Some(outcome) => {
                        if W::ON {
                            watch.known(program, inst.f, outcome.value);
                        }
                        window.set_some(inst.a, outcome.value)
                    }
                    None => {
                        call!(inst, inst.f, false);
                    }
                },
                Op::CallFn => {
                    call!(inst, inst.f, false);
                }
                Op::CallMemo => {
                    let known = ok!(self.recall(inst.f, window.run(inst.b, inst.d.into())));
                    if known.is_unset() {
                        call!(inst, inst.f, false);
                    }
                    window.set_some(inst.a, known)
                }
                Op::CallMocked => match self.resolve_mock(inst) {
                    Callee::Function(function, is_mock) => {
                        let known = ok!(self.recall_any(function, window.run(inst.b, inst.d.into())));
                        if !known.is_unset() {
                            window.set(inst.a, known);
                            here = code.next(here);
                            continue;
                        }
                        call!(inst, function, is_mock);
                    }
                    Callee::Builtin(builtin) => {
                        let arguments = window.run(inst.b, inst.d.into());
                        let value = ok!(self.call_builtin(builtin, NO_PREPARED, arguments));
                        when!(window.set_some(inst.a, value))
                    }
                    Callee::Value(value) => window.set_some(inst.a, value),
                },
                Op::CallBuiltin => {
                    let arguments = window.run(inst.b, inst.d.into());
                    let value = ok!(self.call_builtin(inst.e, inst.f, arguments));
                    when!(window.set_some(inst.a, value))
                }
                Op::Count => when!(window.set_some(inst.a, ok!(self.count(window.get(inst.b))))),
                Op::Piece => {
                    let piece = ok!(self.piece(window.get(inst.b), constant(inst.f), inst.d));
                    window.set_some(inst.a, piece)
                }
                Op::Ret => ret!(window.get(inst.a), inst),
                Op::RetK => ret!(constant(inst.c), inst),
                Op::RetUndefined => ret!(Value::UNSET, inst),
                Op::ArrayNew => build!(inst, Build::NewArray),
                Op::SetNew => build!(inst, Build::NewSet),
                Op::ObjectNew => build!(inst, Build::NewObject),
                Op::TreeNew => build!(inst, Build::NewTree),
                Op::ArrayPush | Op::SetAdd => build!(inst, Build::Push),
                Op::ObjectPut => build!(inst, Build::Put(Again::First)),
                Op::ObjectPutLast => build!(inst, Build::Put(Again::Last)),
                Op::ObjectSet => build!(inst, Build::Put(Again::Replaces)),
                Op::TreePut => build!(inst, Build::TreePut),
                Op::TreeAdd => build!(inst, Build::TreeAdd),
                Op::TreeSet => build!(inst, Build::TreeSet),
                Op::TreeMerge => build!(inst, Build::TreeMerge),
                Op::ArrayEnd | Op::SetEnd | Op::ObjectEnd | Op::TreeEnd => build!(inst, Build::End),
                Op::ArrayOf => build!(inst, Build::ArrayOf),
                Op::SetOf => build!(inst, Build::SetOf),
                Op::ObjectOf => build!(inst, Build::ObjectOf),
                Op::WithBegin => with!(inst, ScopeStep::Begin),
                Op::WithInput => with!(inst, ScopeStep::Input),
                Op::WithBase => with!(inst, ScopeStep::Base),
                Op::WithRule => with!(inst, ScopeStep::Rule),
                Op::WithMockValue => with!(inst, ScopeStep::MockValue),
                Op::WithMockCall => with!(inst, ScopeStep::MockCall),
                Op::WithMockDocument => with!(inst, ScopeStep::MockDocument),
                Op::WithEnd => with!(inst, ScopeStep::End),
            };
            if W::ON && !goes_on {
                let arguments = window.run(inst.b, inst.d.into());
                watch.fails(
                    program,
                    reason(program, inst, |reg| window.checked(reg), arguments),
                );
            }
            here = if goes_on {
                code.next(here)
            } else {
                code.at(inst.c as usize)
            };
        }
    }

    /// Where the switch at a place goes on for a value.
    #[inline(always)]
    fn way(&self, code: Code<'v>, here: *const Inst, value: Value<'v>) -> usize {
        let switch = code.inst(here);
        let way = match self.program.prepared.get(switch.f as usize) {
            Some(Prepared::Switch(index)) => index.find_value(value),
            _ => None,
        };
        way.map_or(switch, |way| code.inst(code.behind(here, way))).c as usize
    }

    /// The value of an input cell that is a container that nobody has looked at yet.
    #[inline(never)]
    fn unready_slot(&mut self, cell: u16) -> Result<Value<'v>, EvalErrorKind> {
        Ok(self
            .doc
            .value(&self.program.trie, self.arena, cell)?
            .unwrap_or(Value::UNSET))
    }
}

fn is_of(value: Value<'_>, tag: Tag, len: u16) -> bool {
    value.tag() == tag && value.len() == usize::from(len)
}
