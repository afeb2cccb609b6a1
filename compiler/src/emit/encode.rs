//! One function's instructions as machine ops, labels relative to its first word.

use super::operands::{limit, two};
use super::pool::Pools;
use super::regs::{Allocated, allocate};
use crate::diagnostic::Diagnostic;
use crate::plan::{
    Again, Cmp, Cond, Container, Direct, FnRef, Function, Inst, Label, Note, Operand, Reg, TextTest,
};
use crate::source::Span;
use gavel_runtime::bytecode::{FnKind, Inst as Word, NO_PREPARED, NO_REG, Op};
use std::collections::HashMap;

/// A function ready to be placed.
pub(super) struct Encoded {
    /// Ops; labels count words from the function's start.
    pub ops: Vec<Word>,
    /// Frame size.
    pub frame: u16,
    /// Word offset and source of each place where the source changes.
    pub spans: Vec<(u32, Span)>,
    /// Ops whose `f` names a function that has no number yet.
    pub forward: Vec<(usize, FnRef)>,
    /// Word offset of each note, and the frame register of the variable that it is about.
    pub notes: Vec<(u32, Note, u16)>,
}

/// What an encoding needs beside the function.
pub(super) struct Linker<'l> {
    /// Shared tables.
    pub pools: &'l mut Pools,
    /// Numbers of the unit's functions so far.
    pub numbers: &'l HashMap<FnRef, u32>,
    /// Names of the unit's functions, for mock cells.
    pub names: &'l [String],
    /// The unit's functions, for their kinds.
    pub functions: &'l [Function],
}

/// Encodes a function.
pub(super) fn encode(function: &Function, linker: &mut Linker<'_>) -> Result<Encoded, Diagnostic> {
    let allocated = allocate(function);
    let Ok(frame) = u16::try_from(allocated.frame.max(function.params)) else {
        return Err(limit(function, "more than 65,535 registers"));
    };
    let mut encoder = Encoder {
        function,
        allocated: &allocated,
        linker,
        ops: Vec::new(),
        at: 0,
        labels: HashMap::new(),
        jumps: Vec::new(),
        forward: Vec::new(),
        notes: Vec::new(),
    };
    let mut spans: Vec<(u32, Span)> = Vec::new();
    for step in &allocated.code {
        if let Some(span) = step.span
            && spans.last().is_none_or(|(_, last)| *last != span)
        {
            spans.push((encoder.at, span));
        }
        encoder.inst(&step.inst)?;
    }
    let Encoder {
        mut ops,
        labels,
        jumps,
        forward,
        notes,
        ..
    } = encoder;
    for (at, label) in jumps {
        let (Some(op), Some(target)) = (ops.get_mut(at), labels.get(&label)) else {
            return Err(limit(function, "a jump without a place"));
        };
        op.c = *target;
    }
    Ok(Encoded {
        ops,
        frame,
        spans,
        forward,
        notes,
    })
}

/// A function's code in the making.
pub(super) struct Encoder<'e, 'l> {
    pub(super) function: &'e Function,
    pub(super) allocated: &'e Allocated,
    pub(super) linker: &'e mut Linker<'l>,
    pub(super) ops: Vec<Word>,
    pub(super) at: u32,
    pub(super) labels: HashMap<Label, u32>,
    pub(super) jumps: Vec<(usize, Label)>,
    pub(super) forward: Vec<(usize, FnRef)>,
    pub(super) notes: Vec<(u32, Note, u16)>,
}

impl Encoder<'_, '_> {
    fn inst(&mut self, inst: &Inst) -> Result<(), Diagnostic> {
        match inst {
            Inst::Label(label) => {
                self.labels.insert(*label, self.at);
            }
            Inst::Const { .. }
            | Inst::Move { .. }
            | Inst::Unset { .. }
            | Inst::Slot { .. }
            | Inst::SlotOr { .. }
            | Inst::Base { .. }
            | Inst::Index { .. }
            | Inst::Field { .. } => self.load(inst)?,
            Inst::Test { cond, fail } => {
                let op = self.cond(cond)?;
                self.push_failing(op, *fail);
            }
            Inst::LoopInit { .. }
            | Inst::LoopFind { .. }
            | Inst::LoopNext { .. }
            | Inst::Jump(_)
            | Inst::Switch { .. } => self.control(inst)?,
            Inst::New { .. }
            | Inst::Add { .. }
            | Inst::Put { .. }
            | Inst::TreePut { .. }
            | Inst::TreeAdd { .. }
            | Inst::TreeMerge { .. }
            | Inst::End { .. }
            | Inst::Collect { .. } => self.build(inst)?,
            Inst::CallRule { .. }
            | Inst::CallFn { .. }
            | Inst::CallBuiltin { .. }
            | Inst::Direct { .. }
            | Inst::CallMocked { .. }
            | Inst::Ret { .. }
            | Inst::RetConst { .. }
            | Inst::RetUndefined
            | Inst::SetOnce { .. } => self.call(inst)?,
            Inst::WithBegin
            | Inst::WithInput { .. }
            | Inst::WithData { .. }
            | Inst::WithNoData { .. }
            | Inst::WithBase { .. }
            | Inst::WithRule { .. }
            | Inst::WithMockValue { .. }
            | Inst::WithMockCall { .. }
            | Inst::WithMockDocument { .. }
            | Inst::WithEnd => self.with(inst)?,
            Inst::Note(note) => {
                let reg = match note {
                    Note::Bound { reg, .. } => self.reg(*reg)?,
                    _ => NO_REG,
                };
                self.notes.push((self.at, note.clone(), reg));
            }
        }
        Ok(())
    }

    fn load(&mut self, inst: &Inst) -> Result<(), Diagnostic> {
        match inst {
            Inst::Const { dst, value } => {
                let mut op = Word::new(Op::Const);
                op.a = self.reg(*dst)?;
                op.c = self.linker.pools.constant(value);
                self.push(op);
            }
            Inst::Move { dst, src } => {
                let mut op = Word::new(Op::Move);
                (op.a, op.b) = (self.reg(*dst)?, self.reg(*src)?);
                self.push(op);
            }
            Inst::Unset { dst } => {
                let mut op = Word::new(Op::Unset);
                op.a = self.reg(*dst)?;
                self.push(op);
            }
            Inst::Slot { dst, path, fail } => {
                let mut op = Word::new(Op::Slot);
                (op.a, op.b) = (self.reg(*dst)?, self.slot(path)?);
                self.push_failing(op, *fail);
            }
            Inst::SlotOr { dst, path, default } => {
                let mut op = two(Op::SlotOr, self.reg(*dst)?, self.slot(path)?);
                op.f = self.linker.pools.constant(default);
                self.push(op);
            }
            Inst::Base { dst, fail } => {
                let mut op = Word::new(Op::Base);
                op.a = self.reg(*dst)?;
                self.push_failing(op, *fail);
            }
            Inst::Index {
                dst,
                of,
                key,
                stored,
                fail,
            } => {
                let mut op = Word::new(if *stored { Op::IndexStored } else { Op::Index });
                (op.a, op.b, op.d) = (self.reg(*dst)?, self.reg(*of)?, self.reg(*key)?);
                self.push_failing(op, *fail);
            }
            Inst::Field { dst, of, key, fail } => {
                let mut op = Word::new(Op::Field);
                (op.a, op.b) = (self.reg(*dst)?, self.reg(*of)?);
                op.f = self.linker.pools.constant(key);
                self.push_failing(op, *fail);
            }
            _ => return Err(self.misplaced()),
        }
        Ok(())
    }

    fn cond(&mut self, cond: &Cond) -> Result<Word, Diagnostic> {
        Ok(match cond {
            Cond::Truthy(Operand::Reg(reg)) => two(Op::Truthy, self.reg(*reg)?, 0),
            Cond::Truthy(Operand::Slot(path)) => two(Op::SlotTruthy, self.slot(path)?, 0),
            Cond::Compare(cmp, left, right) => return self.compare(*cmp, left, right),
            Cond::In(Operand::Reg(item), Operand::Reg(of)) => two(Op::In, self.reg(*item)?, self.reg(*of)?),
            Cond::In(Operand::Reg(item), Operand::Const(of)) => {
                two(Op::InK, self.reg(*item)?, self.short_constant(of)?)
            }
            Cond::In(Operand::Slot(item), Operand::Const(of)) => {
                two(Op::SlotInK, self.slot(item)?, self.short_constant(of)?)
            }
            Cond::Text(test, Operand::Reg(reg), text) => {
                let op = match test {
                    TextTest::Starts => Op::StartsK,
                    TextTest::Ends => Op::EndsK,
                };
                two(op, self.reg(*reg)?, self.short_constant(text)?)
            }
            Cond::Text(test, Operand::Slot(path), text) => {
                let op = match test {
                    TextTest::Starts => Op::SlotStartsK,
                    TextTest::Ends => Op::SlotEndsK,
                };
                two(op, self.slot(path)?, self.short_constant(text)?)
            }
            Cond::Defined(path) => two(Op::SlotDefined, self.slot(path)?, 0),
            Cond::IsObject(path) => two(Op::SlotIsObject, self.slot(path)?, 0),
            Cond::IsSet(reg) => two(Op::IsSet, self.reg(*reg)?, 0),
            Cond::IsArrayOf(reg, len) => two(Op::IsArrayOf, self.reg(*reg)?, *len),
            Cond::IsObjectOf(reg, len) => two(Op::IsObjectOf, self.reg(*reg)?, *len),
            Cond::IsDocument(cell) => {
                let mut op = Word::new(Op::IsDocument);
                op.e = self.cell(*cell)?;
                op
            }
            Cond::Truthy(Operand::Const(_)) | Cond::Text(..) | Cond::In(..) => return Err(self.misplaced()),
        })
    }

    fn compare(&mut self, cmp: Cmp, left: &Operand, right: &Operand) -> Result<Word, Diagnostic> {
        Ok(match (left, right) {
            (Operand::Reg(left), Operand::Reg(right)) => {
                let (left, right) = (self.reg(*left)?, self.reg(*right)?);
                match cmp {
                    Cmp::Eq => two(Op::Eq, left, right),
                    Cmp::Ne => two(Op::Ne, left, right),
                    Cmp::Lt => two(Op::Lt, left, right),
                    Cmp::Le => two(Op::Le, left, right),
                    Cmp::Gt => two(Op::Lt, right, left),
                    Cmp::Ge => two(Op::Le, right, left),
                }
            }
            (Operand::Reg(left), Operand::Const(right)) => {
                let op = match cmp {
                    Cmp::Eq => Op::EqK,
                    Cmp::Ne => Op::NeK,
                    Cmp::Lt => Op::LtK,
                    Cmp::Le => Op::LeK,
                    Cmp::Gt => Op::GtK,
                    Cmp::Ge => Op::GeK,
                };
                two(op, self.reg(*left)?, self.short_constant(right)?)
            }
            (Operand::Slot(left), Operand::Const(right)) if cmp == Cmp::Eq => {
                two(Op::SlotEqK, self.slot(left)?, self.short_constant(right)?)
            }
            (Operand::Slot(left), Operand::Const(right)) if cmp == Cmp::Ne => {
                two(Op::SlotNeK, self.slot(left)?, self.short_constant(right)?)
            }
            (Operand::Slot(left), Operand::Slot(right)) if cmp == Cmp::Eq => {
                two(Op::SlotEqSlot, self.slot(left)?, self.slot(right)?)
            }
            _ => return Err(self.misplaced()),
        })
    }

    fn build(&mut self, inst: &Inst) -> Result<(), Diagnostic> {
        let op = match inst {
            Inst::New { kind, dst } => {
                let op = match kind {
                    Container::Array => Op::ArrayNew,
                    Container::Set => Op::SetNew,
                    Container::Object => Op::ObjectNew,
                    Container::Tree => Op::TreeNew,
                };
                two(op, self.reg(*dst)?, 0)
            }
            Inst::Add { kind, to, value } => {
                let op = match kind {
                    Container::Array => Op::ArrayPush,
                    Container::Set => Op::SetAdd,
                    Container::Object | Container::Tree => return Err(self.misplaced()),
                };
                two(op, self.reg(*to)?, self.reg(*value)?)
            }
            Inst::Put {
                to,
                key,
                value,
                again,
            } => {
                let op = match again {
                    Again::First => Op::ObjectPut,
                    Again::Last => Op::ObjectPutLast,
                    Again::Replaces => Op::ObjectSet,
                };
                let mut op = two(op, self.reg(*to)?, self.reg(*key)?);
                op.d = self.reg(*value)?;
                op
            }
            Inst::TreePut { to, path, value } => self.tree(Op::TreePut, *to, path, Some(*value))?,
            Inst::TreeMerge { to, path, value } => self.tree(Op::TreeMerge, *to, path, Some(*value))?,
            Inst::TreeAdd { to, path, member } => {
                let op = if member.is_some() {
                    Op::TreeAdd
                } else {
                    Op::TreeSet
                };
                self.tree(op, *to, path, *member)?
            }
            Inst::End { kind, reg } => {
                let op = match kind {
                    Container::Array => Op::ArrayEnd,
                    Container::Set => Op::SetEnd,
                    Container::Object => Op::ObjectEnd,
                    Container::Tree => Op::TreeEnd,
                };
                two(op, self.reg(*reg)?, 0)
            }
            Inst::Collect { kind, dst, parts } => {
                let (op, count) = match kind {
                    Container::Array => (Op::ArrayOf, self.len(parts)?),
                    Container::Set => (Op::SetOf, self.len(parts)?),
                    Container::Object => (Op::ObjectOf, self.len(parts)? / 2),
                    Container::Tree => return Err(self.misplaced()),
                };
                let mut op = two(op, self.reg(*dst)?, self.first(parts)?);
                op.d = count;
                op
            }
            _ => return Err(self.misplaced()),
        };
        self.push(op);
        Ok(())
    }

    fn tree(&mut self, op: Op, to: Reg, path: &[Reg], value: Option<Reg>) -> Result<Word, Diagnostic> {
        let mut op = two(op, self.reg(to)?, self.first(path)?);
        op.d = self.len(path)?;
        op.e = value.map_or(Ok(0), |reg| self.reg(reg))?;
        Ok(op)
    }

    fn call(&mut self, inst: &Inst) -> Result<(), Diagnostic> {
        match inst {
            Inst::CallRule { dst, func, fail } => {
                let mut op = two(Op::CallRule, self.reg(*dst)?, 0);
                op.f = self.func(*func);
                self.push_failing(op, *fail);
            }
            Inst::CallFn {
                dst,
                func,
                args,
                fail,
            } => {
                let op = match self.linker.functions.get(func.0).map(|callee| callee.kind) {
                    Some(FnKind::Memo) => Op::CallMemo,
                    _ => Op::CallFn,
                };
                let mut op = self.args(op, *dst, args)?;
                op.f = self.func(*func);
                self.push_failing(op, *fail);
            }
            Inst::CallBuiltin {
                dst,
                builtin,
                args,
                prepared,
                fail,
            } => {
                let mut op = self.args(Op::CallBuiltin, *dst, args)?;
                op.e = builtin.0;
                op.f = match prepared {
                    Some(spec) => self.linker.pools.prepared.at(spec),
                    None => NO_PREPARED,
                };
                self.push_failing(op, *fail);
            }
            Inst::Direct { dst, what, of, fail } => {
                let op = match what {
                    Direct::Count => two(Op::Count, self.reg(*dst)?, self.reg(*of)?),
                    Direct::Piece { separator, at } => {
                        let mut op = two(Op::Piece, self.reg(*dst)?, self.reg(*of)?);
                        (op.d, op.f) = (*at, self.linker.pools.constant(separator));
                        op
                    }
                };
                self.push_failing(op, *fail);
            }
            Inst::CallMocked {
                dst,
                target,
                args,
                fail,
            } => {
                let mut op = self.args(Op::CallMocked, *dst, args)?;
                op.e = self.cell(*target)?;
                op.f = self.target(*target);
                self.push_failing(op, *fail);
            }
            Inst::Ret { value, body } => {
                let op = two(Op::Ret, self.reg(*value)?, *body);
                self.push(op);
            }
            Inst::RetConst { value, body } => {
                let mut op = two(Op::RetK, 0, *body);
                op.c = self.linker.pools.constant(value);
                self.push(op);
            }
            Inst::RetUndefined => self.push(Word::new(Op::RetUndefined)),
            Inst::SetOnce { dst, src } => {
                let op = two(Op::SetOnce, self.reg(*dst)?, self.reg(*src)?);
                self.push(op);
            }
            _ => return Err(self.misplaced()),
        }
        Ok(())
    }

    fn args(&self, op: Op, dst: Reg, args: &[Reg]) -> Result<Word, Diagnostic> {
        let mut op = two(op, self.reg(dst)?, self.first(args)?);
        op.d = self.len(args)?;
        Ok(op)
    }

    fn with(&mut self, inst: &Inst) -> Result<(), Diagnostic> {
        let op = match inst {
            Inst::WithBegin => Word::new(Op::WithBegin),
            Inst::WithInput { value, path } => {
                let mut op = two(Op::WithInput, self.reg(*value)?, 0);
                op.c = self.linker.pools.path(path);
                op
            }
            Inst::WithBase { value, path } => {
                let mut op = two(Op::WithBase, self.reg(*value)?, 0);
                op.c = self.linker.pools.path(path);
                op
            }
            Inst::WithRule { value, func } => {
                let mut op = two(Op::WithRule, self.reg(*value)?, 0);
                op.f = self.func(*func);
                op
            }
            Inst::WithMockValue { cell, value } => {
                let mut op = two(Op::WithMockValue, self.reg(*value)?, 0);
                op.e = self.cell(*cell)?;
                op
            }
            Inst::WithMockCall { cell, target } => {
                let mut op = Word::new(Op::WithMockCall);
                op.e = self.cell(*cell)?;
                op.f = self.target(*target);
                op
            }
            Inst::WithMockDocument { cell, func } => {
                let mut op = Word::new(Op::WithMockDocument);
                op.e = self.cell(*cell)?;
                op.f = self.func(*func);
                op
            }
            Inst::WithEnd => Word::new(Op::WithEnd),
            _ => return Err(self.misplaced()),
        };
        self.push(op);
        Ok(())
    }
}
