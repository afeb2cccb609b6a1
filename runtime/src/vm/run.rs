//! The loop: one flat match over the ops. Handlers that are more than a line live with their subject.

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

/// Where control goes after an op.
enum Step<'v> {
    /// To the next instruction.
    Next,
    /// To the label of the instruction.
    Fail,
    /// Into another function.
    Enter(Entered),
    /// Back to the caller.
    Return(Value<'v>, u16),
}

/// A function to be entered.
struct Entered {
    function: u32,
    is_mock: bool,
}

/// Registers and position of the running frame.
#[derive(Clone, Copy)]
struct Here {
    pc: usize,
    base: usize,
}

impl From<bool> for Step<'_> {
    fn from(holds: bool) -> Self {
        if holds { Step::Next } else { Step::Fail }
    }
}

impl<'v> Request<'v> {
    /// Runs a function without parameters to its end; unset: undefined.
    pub(super) fn run(&mut self, function: u32) -> Result<Value<'v>, EvalError> {
        let program = self.program;
        let at = |pc: usize| program.words.get(pc).copied().unwrap_or(0);
        let entry = self
            .enter(function, 0, NO_CALL, false)
            .map_err(|kind| EvalError { kind, pc: 0 })?;
        let mut here = Here { pc: entry, base: 0 };
        loop {
            let Some(&inst) = program.code.get(here.pc) else {
                return Err(EvalError {
                    kind: EvalErrorKind::NoSuchEntry,
                    pc: at(here.pc),
                });
            };
            match self.step(inst, here.base).map_err(|kind| EvalError {
                kind,
                pc: at(here.pc),
            })? {
                Step::Next => here.pc += 1,
                Step::Fail => here.pc = inst.c as usize,
                Step::Enter(entered) => {
                    here = self.push_frame(inst, here, &entered).map_err(|kind| EvalError {
                        kind,
                        pc: at(here.pc),
                    })?;
                }
                Step::Return(value, evidence) => {
                    let back = self.pop_frame(value, evidence).map_err(|kind| EvalError {
                        kind,
                        pc: at(here.pc),
                    })?;
                    match back {
                        Some(back) => here = back,
                        None => return Ok(value),
                    }
                }
            }
        }
    }

    /// Begins the frame of a called function above the running one, with its arguments.
    fn push_frame(&mut self, inst: Inst, here: Here, entered: &Entered) -> Result<Here, EvalErrorKind> {
        self.charge()?;
        if entered.is_mock {
            self.open_mock(inst.e);
        }
        let caller = self.frames.last().ok_or(EvalErrorKind::NoSuchEntry)?.function;
        let base = here.base + usize::from(self.function(caller)?.regs);
        // Instructions are fewer than 2^32.
        let entry = self.enter(entered.function, base, here.pc as u32, entered.is_mock)?;
        let params = usize::from(self.function(entered.function)?.params);
        if params > 0 {
            let first = here.base + usize::from(inst.b);
            self.regs.copy_within(first..first + params, base);
        }
        Ok(Here { pc: entry, base })
    }

    /// Ends the running frame; where its caller goes on, if there is one.
    fn pop_frame(&mut self, value: Value<'v>, evidence: u16) -> Result<Option<Here>, EvalErrorKind> {
        let frame = self.leave(value, evidence)?;
        if frame.call == NO_CALL {
            return Ok(None);
        }
        let base = self.frames.last().ok_or(EvalErrorKind::NoSuchEntry)?.base as usize;
        let call = self
            .program
            .code
            .get(frame.call as usize)
            .copied()
            .ok_or(EvalErrorKind::NoSuchEntry)?;
        if value.is_unset() {
            return Ok(Some(Here {
                pc: call.c as usize,
                base,
            }));
        }
        self.set(base, call.a, value);
        Ok(Some(Here {
            pc: frame.call as usize + 1,
            base,
        }))
    }

    #[inline]
    fn get(&self, base: usize, reg: u16) -> Value<'v> {
        self.regs
            .get(base + usize::from(reg))
            .copied()
            .unwrap_or(Value::UNSET)
    }

    #[inline]
    fn set(&mut self, base: usize, reg: u16, value: Value<'v>) {
        if let Some(place) = self.regs.get_mut(base + usize::from(reg)) {
            *place = value;
        }
    }

    #[inline]
    fn constant(&self, index: u32) -> Value<'v> {
        let program = self.program;
        program.constants.get(index as usize).unwrap_or(Value::UNSET)
    }

    /// A run of registers.
    #[inline]
    fn run_of(&self, base: usize, first: u16, count: u16) -> &[Value<'v>] {
        let first = base + usize::from(first);
        self.regs
            .get(first..first + usize::from(count))
            .unwrap_or_default()
    }

    /// Sets a register, or fails on an unset value.
    #[inline]
    fn set_or_fail(&mut self, base: usize, reg: u16, value: Option<Value<'v>>) -> Step<'v> {
        match value {
            Some(value) if !value.is_unset() => {
                self.set(base, reg, value);
                Step::Next
            }
            _ => Step::Fail,
        }
    }

    /// The value of an input cell.
    #[inline]
    fn slot_value(&mut self, cell: u16) -> Result<Option<Value<'v>>, EvalErrorKind> {
        match self.doc.cells.get(usize::from(cell)) {
            Some(Cell::Ready(value)) => Ok(Some(*value)),
            Some(Cell::Missing) | None => Ok(None),
            Some(Cell::Node(_) | Cell::Stale(_)) => self.doc.value(&self.program.trie, self.arena, cell),
        }
    }

    #[inline]
    fn step(&mut self, inst: Inst, base: usize) -> Result<Step<'v>, EvalErrorKind> {
        let Inst { a, b, c, d, e, f, .. } = inst;
        Ok(match inst.op {
            Op::Const => {
                let value = self.constant(c);
                self.set(base, a, value);
                Step::Next
            }
            Op::Move => {
                let value = self.get(base, b);
                self.set(base, a, value);
                Step::Next
            }
            Op::Unset => {
                self.set(base, a, Value::UNSET);
                Step::Next
            }
            Op::Slot => {
                let value = self.slot_value(b)?;
                self.set_or_fail(base, a, value)
            }
            Op::Base => {
                let value = self.base;
                self.set_or_fail(base, a, Some(value))
            }
            Op::Index => {
                let value = self.get(base, b).index(self.get(base, d));
                self.set_or_fail(base, a, value)
            }
            Op::Field => {
                let (object, key) = (self.get(base, b), self.constant(f));
                let value = match key.as_str() {
                    Some(key) => object.field(key),
                    None => object.index(key),
                };
                self.set_or_fail(base, a, value)
            }
            Op::Truthy => (!self.get(base, a).is_false()).into(),
            Op::Eq => self.get(base, a).equals(self.get(base, b)).into(),
            Op::Ne => (!self.get(base, a).equals(self.get(base, b))).into(),
            Op::Lt => self.get(base, a).compare(self.get(base, b)).is_lt().into(),
            Op::Le => self.get(base, a).compare(self.get(base, b)).is_le().into(),
            Op::EqK => self.get(base, a).equals(self.constant(b.into())).into(),
            Op::NeK => (!self.get(base, a).equals(self.constant(b.into()))).into(),
            Op::LtK => self.get(base, a).compare(self.constant(b.into())).is_lt().into(),
            Op::LeK => self.get(base, a).compare(self.constant(b.into())).is_le().into(),
            Op::GtK => self.get(base, a).compare(self.constant(b.into())).is_gt().into(),
            Op::GeK => self.get(base, a).compare(self.constant(b.into())).is_ge().into(),
            Op::SlotEqK => {
                let constant = self.constant(b.into());
                self.slot_value(a)?
                    .is_some_and(|value| value.equals(constant))
                    .into()
            }
            Op::SlotNeK => {
                let constant = self.constant(b.into());
                self.slot_value(a)?
                    .is_some_and(|value| !value.equals(constant))
                    .into()
            }
            Op::SlotDefined => {
                let cell = self.doc.cells.get(usize::from(a));
                (!matches!(cell, None | Some(Cell::Missing))).into()
            }
            Op::SlotTruthy => {
                // A container is not `false`, built or not.
                let cell = self.doc.cells.get(usize::from(a));
                match cell {
                    Some(Cell::Ready(value)) => !value.is_false(),
                    Some(Cell::Node(_) | Cell::Stale(_)) => true,
                    Some(Cell::Missing) | None => false,
                }
                .into()
            }
            Op::SlotEqSlot => match (self.slot_value(a)?, self.slot_value(b)?) {
                (Some(a), Some(b)) => a.equals(b).into(),
                _ => Step::Fail,
            },
            Op::In => self.get(base, b).has_member(self.get(base, a)).into(),
            Op::InK => self.constant(b.into()).has_member(self.get(base, a)).into(),
            Op::SlotInK => {
                let constant = self.constant(b.into());
                self.slot_value(a)?
                    .is_some_and(|value| constant.has_member(value))
                    .into()
            }
            Op::IsSet => (!self.get(base, a).is_unset()).into(),
            Op::IsArrayOf => {
                let value = self.get(base, a);
                (value.tag() == Tag::Array && value.len() == usize::from(b)).into()
            }
            Op::IsObjectOf => {
                let value = self.get(base, a);
                (value.tag() == Tag::Object && value.len() == usize::from(b)).into()
            }
            Op::LoopInit => {
                let over = self.get(base, b);
                if over.parts().is_some() {
                    self.set(base, a, over);
                    self.set(base, a + 1, Value::int(0));
                    Step::Next
                } else {
                    Step::Fail
                }
            }
            Op::LoopNext => self.loop_next(inst, base)?,
            Op::ArrayNew => self.begin(base, a, Builder::Array(List::new(self.arena)))?,
            Op::SetNew => self.begin(base, a, Builder::Set(List::new(self.arena)))?,
            Op::ObjectNew => self.begin(base, a, Builder::object(self.arena))?,
            Op::TreeNew => self.begin(base, a, Builder::Tree(Tree::new(self.arena)))?,
            Op::ArrayPush | Op::SetAdd => {
                let (handle, value) = (self.get(base, a), self.get(base, b));
                let arena = self.arena;
                self.builder(handle)?.push(arena, value)?;
                Step::Next
            }
            Op::ObjectPut => self.put_member(inst, base, true)?,
            Op::ObjectSet => self.put_member(inst, base, false)?,
            Op::TreePut => self.tree_put(inst, base, What::Put(self.get(base, e)))?,
            Op::TreeAdd => self.tree_put(inst, base, What::Add(self.get(base, e)))?,
            Op::TreeSet => self.tree_put(inst, base, What::Set)?,
            Op::TreeMerge => self.tree_put(inst, base, What::Merge(self.get(base, e)))?,
            Op::ArrayEnd | Op::SetEnd | Op::ObjectEnd | Op::TreeEnd => {
                let value = self.finish(self.get(base, a))?;
                self.set(base, a, value);
                Step::Next
            }
            Op::ArrayOf => {
                let value = Value::array(self.arena.values(self.run_of(base, b, d))?);
                self.set(base, a, value);
                Step::Next
            }
            Op::SetOf => {
                let members = self.arena.values_mut(self.run_of(base, b, d))?;
                let value = set_from(self.arena, members)?;
                self.set(base, a, value);
                Step::Next
            }
            Op::ObjectOf => {
                let value = self.object_of(inst, base)?;
                self.set(base, a, value);
                Step::Next
            }
            Op::CallRule => match self.rules.known(f) {
                Some(outcome) => self.set_or_fail(base, a, Some(outcome.value)),
                None => Step::Enter(Entered {
                    function: f,
                    is_mock: false,
                }),
            },
            Op::CallFn => Step::Enter(Entered {
                function: f,
                is_mock: false,
            }),
            Op::CallBuiltin => {
                let value = self.call_builtin(e, f, base + usize::from(b), usize::from(d))?;
                self.set_or_fail(base, a, Some(value))
            }
            Op::CallMocked => match self.resolve_mock(inst) {
                Callee::Function(function, is_mock) => Step::Enter(Entered { function, is_mock }),
                Callee::Builtin(builtin) => {
                    let value =
                        self.call_builtin(builtin, NO_PREPARED, base + usize::from(b), usize::from(d))?;
                    self.set_or_fail(base, a, Some(value))
                }
                Callee::Value(value) => self.set_or_fail(base, a, Some(value)),
            },
            Op::Ret => Step::Return(self.get(base, a), b),
            Op::RetK => Step::Return(self.constant(c), b),
            Op::RetUndefined => Step::Return(Value::UNSET, 0),
            Op::SetOnce => {
                let (old, new) = (self.get(base, a), self.get(base, b));
                if old.is_unset() {
                    self.set(base, a, new);
                } else if !old.equals(new) {
                    return Err(self.conflict());
                }
                Step::Next
            }
            Op::Jump => Step::Fail,
            Op::WithBegin => {
                self.open_scope();
                Step::Next
            }
            Op::WithInput => {
                self.with_input(self.constant(c), self.get(base, a))?;
                Step::Next
            }
            Op::WithBase => {
                self.with_base(self.constant(c), self.get(base, a))?;
                Step::Next
            }
            Op::WithRule => {
                self.with_rule(f, self.get(base, a));
                Step::Next
            }
            Op::WithMockValue => {
                self.with_mock(e, Mock::Value(self.get(base, a)));
                Step::Next
            }
            Op::WithMockCall => {
                self.with_mock(e, Mock::Call(f));
                Step::Next
            }
            Op::WithEnd => {
                self.close_scope();
                Step::Next
            }
        })
    }

    #[inline]
    fn loop_next(&mut self, inst: Inst, base: usize) -> Result<Step<'v>, EvalErrorKind> {
        self.charge()?;
        let over = self.get(base, inst.a);
        let position = self.get(base, inst.a + 1).as_int().unwrap_or(i64::MAX);
        let at = usize::try_from(position).unwrap_or(usize::MAX);
        let member = match over.kind() {
            Kind::Array(items) => items.get(at).map(|&item| (Value::int(position), item)),
            Kind::Set(members) => members.get(at).map(|&member| (member, member)),
            Kind::Object(entries) => entries.get(at).map(|entry| (entry.key, entry.value)),
            _ => None,
        };
        let Some((key, value)) = member else {
            return Ok(Step::Fail);
        };
        self.set(base, inst.a + 1, Value::int(position + 1));
        if inst.b != NO_REG {
            self.set(base, inst.b, key);
        }
        if inst.d != NO_REG {
            self.set(base, inst.d, value);
        }
        Ok(Step::Next)
    }

    fn begin(&mut self, base: usize, reg: u16, builder: Builder<'v>) -> Result<Step<'v>, EvalErrorKind> {
        let handle = self.start(builder)?;
        self.set(base, reg, handle);
        Ok(Step::Next)
    }

    fn put_member(&mut self, inst: Inst, base: usize, unique: bool) -> Result<Step<'v>, EvalErrorKind> {
        let entry = Entry {
            key: self.get(base, inst.b),
            value: self.get(base, inst.d),
        };
        let (arena, handle) = (self.arena, self.get(base, inst.a));
        self.builder(handle)?.put(arena, entry, unique)?;
        Ok(Step::Next)
    }

    fn tree_put(&mut self, inst: Inst, base: usize, what: What<'v>) -> Result<Step<'v>, EvalErrorKind> {
        let (arena, handle) = (self.arena, self.get(base, inst.a));
        let path = arena.values(self.run_of(base, inst.b, inst.d))?;
        self.builder(handle)?.tree()?.put(arena, path, what)?;
        Ok(Step::Next)
    }

    fn object_of(&self, inst: Inst, base: usize) -> Result<Value<'v>, EvalErrorKind> {
        let unset = Entry {
            key: Value::UNSET,
            value: Value::UNSET,
        };
        let entries = self.arena.filled(usize::from(inst.d), unset)?;
        let first = base + usize::from(inst.b);
        let run = self
            .regs
            .get(first..first + 2 * usize::from(inst.d))
            .unwrap_or_default();
        for (entry, pair) in entries.iter_mut().zip(run.chunks_exact(2)) {
            if let [key, value] = *pair {
                *entry = Entry { key, value };
            }
        }
        object_from(self.arena, entries)
    }
}
