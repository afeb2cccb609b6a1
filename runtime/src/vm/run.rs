//! The loop: one flat match over the ops. Handlers that are more than a few lines live with their subject.
#![expect(
    unsafe_code,
    reason = "operands are fetched without bounds checks, which `verify` made superfluous; a check costs a third of the loop"
)]

use super::builder::Builder;
use super::calls::{Callee, NO_CALL};
use super::machine::Request;
use super::scopes::Mock;
use super::tree::{Tree, What};
use crate::arena::List;
use crate::bytecode::{Inst, NO_PREPARED, NO_REG, Op};
use crate::error::{EvalError, EvalErrorKind};
use crate::input::Cell;
use crate::value::{Entry, Kind, Tag, Value, object_from, set_from};

/// Registers of the running frame, at the top of those of all frames.
struct Window<'w, 'v> {
    regs: &'w mut Vec<Value<'v>>,
    base: usize,
}

impl<'v> Window<'_, 'v> {
    #[inline(always)]
    fn get(&self, reg: u16) -> Value<'v> {
        let at = self.base + usize::from(reg);
        debug_assert!(at < self.regs.len());
        // SAFETY: `verify` proved that register operands are below the frame length of their function, and
        // `Request::enter` made `regs` at least that much longer than `base`; nothing shortens it while the loop runs.
        unsafe { *self.regs.get_unchecked(at) }
    }

    #[inline(always)]
    fn set(&mut self, reg: u16, value: Value<'v>) {
        let at = self.base + usize::from(reg);
        debug_assert!(at < self.regs.len());
        // SAFETY: as in `get`.
        let place = unsafe { self.regs.get_unchecked_mut(at) };
        *place = value;
    }

    /// A run of registers.
    #[inline]
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
        value.is_some_and(|value| self.set_some(reg, value))
    }
}

/// An item of a table of the program.
#[inline(always)]
fn item<T>(table: &[T], at: usize) -> &T {
    debug_assert!(at < table.len());
    // SAFETY: called only with the code at an instruction index and with the constants at a constant's index. `verify`
    // proved that labels are instructions, that no function's code runs past its end, and that constants exist.
    unsafe { table.get_unchecked(at) }
}

impl<'v> Request<'v> {
    /// Runs a function without parameters to its end; unset: undefined.
    pub(super) fn run(&mut self, function: u32) -> Result<Value<'v>, EvalError> {
        // Taken out so that they can be changed while the request is borrowed.
        let mut regs = std::mem::take(&mut self.regs);
        let mut pc = 0;
        let result = self.run_with(&mut regs, &mut pc, function);
        self.regs = regs;
        let words = &self.program.words;
        result.map_err(|kind| EvalError {
            kind,
            pc: words.get(pc).copied().unwrap_or(0),
        })
    }

    /// The loop. `at` is the running instruction when it ends in an error.
    fn run_with(
        &mut self,
        regs: &mut Vec<Value<'v>>,
        at: &mut usize,
        function: u32,
    ) -> Result<Value<'v>, EvalErrorKind> {
        let program = self.program;
        let (code, constants) = (&*program.code, program.constants.values());
        let constant = |index: u32| -> Value<'v> { *item(constants, index as usize) };
        let mut pc = self.enter(regs, function, 0, NO_CALL, false)?;
        let mut window = Window { regs, base: 0 };
        /// The value, or the end of the loop with an error at this instruction.
        macro_rules! ok {
            ($result:expr) => {
                match $result {
                    Ok(value) => value,
                    Err(kind) => {
                        *at = pc;
                        return Err(kind);
                    }
                }
            };
        }
        loop {
            let inst = *item(code, pc);
            let Inst { a, b, c, d, e, f, .. } = inst;
            let goes_on = match inst.op {
                Op::Const => {
                    window.set(a, constant(c));
                    true
                }
                Op::Move => {
                    window.set(a, window.get(b));
                    true
                }
                Op::Unset => {
                    window.set(a, Value::UNSET);
                    true
                }
                Op::Slot => {
                    let value = ok!(self.slot_value(b));
                    window.set_if(a, value)
                }
                Op::Base => window.set_some(a, self.base),
                Op::Index => window.set_if(a, window.get(b).index(window.get(d))),
                Op::Field => {
                    let (object, key) = (window.get(b), constant(f));
                    let value = match key.as_str() {
                        Some(key) => object.field(key),
                        None => object.index(key),
                    };
                    window.set_if(a, value)
                }
                Op::Truthy => !window.get(a).is_false(),
                Op::Eq => window.get(a).equals(window.get(b)),
                Op::Ne => !window.get(a).equals(window.get(b)),
                Op::Lt => window.get(a).compare(window.get(b)).is_lt(),
                Op::Le => window.get(a).compare(window.get(b)).is_le(),
                Op::EqK => window.get(a).equals(constant(b.into())),
                Op::NeK => !window.get(a).equals(constant(b.into())),
                Op::LtK => window.get(a).compare(constant(b.into())).is_lt(),
                Op::LeK => window.get(a).compare(constant(b.into())).is_le(),
                Op::GtK => window.get(a).compare(constant(b.into())).is_gt(),
                Op::GeK => window.get(a).compare(constant(b.into())).is_ge(),
                Op::SlotEqK => {
                    let value = ok!(self.slot_value(a));
                    value.is_some_and(|value| value.equals(constant(b.into())))
                }
                Op::SlotNeK => {
                    let value = ok!(self.slot_value(a));
                    value.is_some_and(|value| !value.equals(constant(b.into())))
                }
                Op::SlotDefined => !matches!(self.doc.cell(a), Cell::Missing),
                Op::SlotTruthy => match self.doc.cell(a) {
                    Cell::Ready(value) => !value.is_false(),
                    // A container is not `false`, built or not.
                    Cell::Node(_) | Cell::Stale(_) => true,
                    Cell::Missing => false,
                },
                Op::SlotEqSlot => match (ok!(self.slot_value(a)), ok!(self.slot_value(b))) {
                    (Some(a), Some(b)) => a.equals(b),
                    _ => false,
                },
                Op::In => window.get(b).has_member(window.get(a)),
                Op::InK => constant(b.into()).has_member(window.get(a)),
                Op::SlotInK => {
                    let value = ok!(self.slot_value(a));
                    value.is_some_and(|value| constant(b.into()).has_member(value))
                }
                Op::IsSet => !window.get(a).is_unset(),
                Op::IsArrayOf => is_of(window.get(a), Tag::Array, b),
                Op::IsObjectOf => is_of(window.get(a), Tag::Object, b),
                Op::LoopInit => {
                    let over = window.get(b);
                    let is_collection = matches!(over.tag(), Tag::Array | Tag::Object | Tag::Set);
                    if is_collection {
                        window.set(a, over);
                        window.set(a + 1, Value::int(0));
                    }
                    is_collection
                }
                Op::LoopNext => {
                    ok!(self.charge());
                    loop_next(&mut window, inst)
                }
                Op::ArrayNew => {
                    let handle = ok!(self.start(Builder::Array(List::new(self.arena))));
                    window.set(a, handle);
                    true
                }
                Op::SetNew => {
                    let handle = ok!(self.start(Builder::Set(List::new(self.arena))));
                    window.set(a, handle);
                    true
                }
                Op::ObjectNew => {
                    let handle = ok!(self.start(Builder::object(self.arena)));
                    window.set(a, handle);
                    true
                }
                Op::TreeNew => {
                    let handle = ok!(self.start(Builder::Tree(Tree::new(self.arena))));
                    window.set(a, handle);
                    true
                }
                Op::ArrayPush | Op::SetAdd => {
                    ok!(self.push_part(window.get(a), window.get(b)));
                    true
                }
                Op::ObjectPut | Op::ObjectSet => {
                    let entry = Entry {
                        key: window.get(b),
                        value: window.get(d),
                    };
                    ok!(self.put_member(window.get(a), entry, inst.op == Op::ObjectPut));
                    true
                }
                Op::TreePut | Op::TreeAdd | Op::TreeSet | Op::TreeMerge => {
                    let what = what_of(&window, inst);
                    ok!(self.put_in_tree(window.get(a), window.run(b, d.into()), what));
                    true
                }
                Op::ArrayEnd | Op::SetEnd | Op::ObjectEnd | Op::TreeEnd => {
                    let value = ok!(self.finish(window.get(a)));
                    window.set(a, value);
                    true
                }
                Op::ArrayOf => {
                    let items = ok!(self.arena.values(window.run(b, d.into())));
                    window.set(a, Value::array(items));
                    true
                }
                Op::SetOf => {
                    let members = ok!(self.arena.values_mut(window.run(b, d.into())));
                    let value = ok!(set_from(self.arena, members));
                    window.set(a, value);
                    true
                }
                Op::ObjectOf => {
                    let value = ok!(self.object_of(window.run(b, 2 * usize::from(d))));
                    window.set(a, value);
                    true
                }
                Op::CallRule => match self.rules.known(f) {
                    Some(outcome) => window.set_some(a, outcome.value),
                    None => {
                        pc = ok!(self.push_frame(&mut window, inst, pc, f, false));
                        continue;
                    }
                },
                Op::CallFn => {
                    pc = ok!(self.push_frame(&mut window, inst, pc, f, false));
                    continue;
                }
                Op::CallBuiltin => {
                    let value = ok!(self.call_builtin(e, f, window.run(b, d.into())));
                    window.set_some(a, value)
                }
                Op::CallMocked => match self.resolve_mock(inst) {
                    Callee::Function(function, is_mock) => {
                        pc = ok!(self.push_frame(&mut window, inst, pc, function, is_mock));
                        continue;
                    }
                    Callee::Builtin(builtin) => {
                        let value = ok!(self.call_builtin(builtin, NO_PREPARED, window.run(b, d.into())));
                        window.set_some(a, value)
                    }
                    Callee::Value(value) => window.set_some(a, value),
                },
                Op::Ret | Op::RetK | Op::RetUndefined => {
                    let value = match inst.op {
                        Op::Ret => window.get(a),
                        Op::RetK => constant(c),
                        _ => Value::UNSET,
                    };
                    match ok!(self.pop_frame(&mut window, value, b)) {
                        Some(next) => {
                            pc = next;
                            continue;
                        }
                        None => return Ok(value),
                    }
                }
                Op::SetOnce => {
                    let (old, new) = (window.get(a), window.get(b));
                    if old.is_unset() {
                        window.set(a, new);
                    } else if !old.equals(new) {
                        ok!(Err(self.conflict()));
                    }
                    true
                }
                Op::Jump => false,
                Op::WithBegin => {
                    self.open_scope();
                    true
                }
                Op::WithInput => {
                    ok!(self.with_input(constant(c), window.get(a)));
                    true
                }
                Op::WithBase => {
                    ok!(self.with_base(constant(c), window.get(a)));
                    true
                }
                Op::WithRule => {
                    self.with_rule(f, window.get(a));
                    true
                }
                Op::WithMockValue => {
                    self.with_mock(e, Mock::Value(window.get(a)));
                    true
                }
                Op::WithMockCall => {
                    self.with_mock(e, Mock::Call(f));
                    true
                }
                Op::WithEnd => {
                    self.close_scope();
                    true
                }
            };
            pc = if goes_on { pc + 1 } else { c as usize };
        }
    }

    /// Begins the frame of a called function above the running one, with its arguments; its first instruction.
    #[inline]
    fn push_frame(
        &mut self,
        window: &mut Window<'_, 'v>,
        inst: Inst,
        pc: usize,
        function: u32,
        is_mock: bool,
    ) -> Result<usize, EvalErrorKind> {
        self.charge()?;
        if is_mock {
            self.open_mock(inst.e);
        }
        let caller = self.frames.last().ok_or(EvalErrorKind::NoSuchEntry)?.function;
        let base = window.base + usize::from(self.function(caller)?.regs);
        // Instructions are fewer than 2^32.
        let entry = self.enter(window.regs, function, base, pc as u32, is_mock)?;
        let params = usize::from(self.function(function)?.params);
        if params > 0 {
            let first = window.base + usize::from(inst.b);
            window.regs.copy_within(first..first + params, base);
        }
        window.base = base;
        Ok(entry)
    }

    /// Ends the running frame; where its caller goes on, if there is one.
    #[inline]
    fn pop_frame(
        &mut self,
        window: &mut Window<'_, 'v>,
        value: Value<'v>,
        evidence: u16,
    ) -> Result<Option<usize>, EvalErrorKind> {
        let frame = self.leave(value, evidence)?;
        if frame.call == NO_CALL {
            return Ok(None);
        }
        window.base = self.frames.last().ok_or(EvalErrorKind::NoSuchEntry)?.base as usize;
        let call = *item(&self.program.code, frame.call as usize);
        let goes_on = window.set_some(call.a, value);
        Ok(Some(if goes_on {
            frame.call as usize + 1
        } else {
            call.c as usize
        }))
    }

    /// The value of an input cell.
    #[inline(always)]
    fn slot_value(&mut self, cell: u16) -> Result<Option<Value<'v>>, EvalErrorKind> {
        match self.doc.cell(cell) {
            Cell::Ready(value) => Ok(Some(value)),
            Cell::Missing => Ok(None),
            Cell::Node(_) | Cell::Stale(_) => self.doc.value(&self.program.trie, self.arena, cell),
        }
    }

    fn object_of(&self, run: &[Value<'v>]) -> Result<Value<'v>, EvalErrorKind> {
        let unset = Entry {
            key: Value::UNSET,
            value: Value::UNSET,
        };
        let entries = self.arena.filled(run.len() / 2, unset)?;
        for (entry, pair) in entries.iter_mut().zip(run.chunks_exact(2)) {
            if let [key, value] = *pair {
                *entry = Entry { key, value };
            }
        }
        object_from(self.arena, entries)
    }
}

fn is_of(value: Value<'_>, tag: Tag, len: u16) -> bool {
    value.tag() == tag && value.len() == usize::from(len)
}

/// Sets the registers of the next round; `false` when there is none.
#[inline(always)]
fn loop_next(window: &mut Window<'_, '_>, inst: Inst) -> bool {
    let over = window.get(inst.a);
    let position = window.get(inst.a + 1).as_int().unwrap_or(i64::MAX);
    let at = usize::try_from(position).unwrap_or(usize::MAX);
    let member = match over.kind() {
        Kind::Array(items) => items.get(at).map(|&item| (Value::int(position), item)),
        Kind::Set(members) => members.get(at).map(|&member| (member, member)),
        Kind::Object(entries) => entries.get(at).map(|entry| (entry.key, entry.value)),
        _ => None,
    };
    let Some((key, value)) = member else {
        return false;
    };
    window.set(inst.a + 1, Value::int(position + 1));
    if inst.b != NO_REG {
        window.set(inst.b, key);
    }
    if inst.d != NO_REG {
        window.set(inst.d, value);
    }
    true
}

/// What an op of trees notes.
fn what_of<'v>(window: &Window<'_, 'v>, inst: Inst) -> What<'v> {
    match inst.op {
        Op::TreePut => What::Put(window.get(inst.e)),
        Op::TreeAdd => What::Add(window.get(inst.e)),
        Op::TreeMerge => What::Merge(window.get(inst.e)),
        _ => What::Set,
    }
}
