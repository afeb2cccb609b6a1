//! Which registers and labels an instruction touches: the one place that passes and register allocation ask.

use super::cond::{Cond, Operand};
use super::ir::{Access, Inst, Label, Note, Reg};

/// The registers of an instruction, for readers and writers alike.
macro_rules! visit {
    ($inst:expr, $f:ident, $iter:ident, $cond:ident) => {{
        use Access::{Def, Use, UseDef};
        match $inst {
            Inst::Label(_)
            | Inst::RetConst { .. }
            | Inst::RetUndefined
            | Inst::Jump(_)
            | Inst::WithBegin
            | Inst::WithNoData { .. }
            | Inst::WithMockCall { .. }
            | Inst::WithMockDocument { .. }
            | Inst::WithEnd => {}
            Inst::Note(note) => {
                if let Note::Bound { reg, .. } = note {
                    $f(reg, Use);
                }
            }
            Inst::Const { dst, .. }
            | Inst::Unset { dst }
            | Inst::Slot { dst, .. }
            | Inst::SlotOr { dst, .. }
            | Inst::Base { dst, .. }
            | Inst::New { dst, .. }
            | Inst::CallRule { dst, .. } => $f(dst, Def),
            Inst::Move { dst, src } => {
                $f(src, Use);
                $f(dst, Def);
            }
            Inst::Index { dst, of, key, .. } => {
                $f(of, Use);
                $f(key, Use);
                $f(dst, Def);
            }
            Inst::Field { dst, of, .. } | Inst::Direct { dst, of, .. } => {
                $f(of, Use);
                $f(dst, Def);
            }
            Inst::Test { cond, .. } => cond.$cond(|reg| $f(reg, Use)),
            Inst::LoopInit { state, over, .. } => {
                $f(over, Use);
                $f(state, Def);
            }
            Inst::LoopFind {
                state, over, value, ..
            } => {
                $f(over, Use);
                $f(value, Use);
                $f(state, Def);
            }
            Inst::Switch { on, .. } => {
                if let Operand::Reg(reg) = on {
                    $f(reg, Use);
                }
            }
            Inst::LoopNext {
                state, key, value, ..
            } => {
                $f(state, UseDef);
                key.$iter().chain(value.$iter()).for_each(|reg| $f(reg, Def));
            }
            Inst::Add { to, value, .. } => {
                $f(value, Use);
                $f(to, Use);
            }
            Inst::Put { to, key, value, .. } => {
                $f(key, Use);
                $f(value, Use);
                $f(to, Use);
            }
            Inst::TreePut { to, path, value } | Inst::TreeMerge { to, path, value } => {
                path.$iter().for_each(|reg| $f(reg, Use));
                $f(value, Use);
                $f(to, Use);
            }
            Inst::TreeAdd { to, path, member } => {
                path.$iter().chain(member.$iter()).for_each(|reg| $f(reg, Use));
                $f(to, Use);
            }
            Inst::End { reg, .. } => $f(reg, UseDef),
            Inst::Collect { dst, parts, .. } => {
                parts.$iter().for_each(|reg| $f(reg, Use));
                $f(dst, Def);
            }
            Inst::CallFn { dst, args, .. }
            | Inst::CallBuiltin { dst, args, .. }
            | Inst::CallMocked { dst, args, .. } => {
                args.$iter().for_each(|reg| $f(reg, Use));
                $f(dst, Def);
            }
            Inst::SetOnce { dst, src } => {
                $f(src, Use);
                $f(dst, UseDef);
            }
            Inst::Ret { value, .. }
            | Inst::WithInput { value, .. }
            | Inst::WithData { value, .. }
            | Inst::WithBase { value, .. }
            | Inst::WithRule { value, .. }
            | Inst::WithMockValue { value, .. } => $f(value, Use),
        }
    }};
}

/// The registers of a condition.
macro_rules! visit_cond {
    ($cond:expr, $f:ident) => {{
        match $cond {
            Cond::Truthy(a) | Cond::Text(_, a, _) => {
                if let Operand::Reg(reg) = a {
                    $f(reg);
                }
            }
            Cond::Compare(_, a, b) | Cond::In(a, b) => {
                if let Operand::Reg(reg) = a {
                    $f(reg);
                }
                if let Operand::Reg(reg) = b {
                    $f(reg);
                }
            }
            Cond::Defined(_) | Cond::IsObject(_) | Cond::IsDocument(_) => {}
            Cond::IsSet(reg) | Cond::IsArrayOf(reg, _) | Cond::IsObjectOf(reg, _) => $f(reg),
        }
    }};
}

/// The label that control goes to on failure, or always, as a reference that may be written to where the instruction may.
macro_rules! target {
    ($inst:expr) => {
        match $inst {
            Inst::Slot { fail, .. }
            | Inst::Base { fail, .. }
            | Inst::Index { fail, .. }
            | Inst::Field { fail, .. }
            | Inst::Test { fail, .. }
            | Inst::LoopInit { fail, .. }
            | Inst::LoopFind { fail, .. }
            | Inst::LoopNext { fail, .. }
            | Inst::CallRule { fail, .. }
            | Inst::CallFn { fail, .. }
            | Inst::CallBuiltin { fail, .. }
            | Inst::Direct { fail, .. }
            | Inst::CallMocked { fail, .. }
            | Inst::Switch { miss: fail, .. }
            | Inst::Jump(fail) => Some(fail),
            Inst::Label(_)
            | Inst::Const { .. }
            | Inst::Move { .. }
            | Inst::Unset { .. }
            | Inst::SlotOr { .. }
            | Inst::New { .. }
            | Inst::Add { .. }
            | Inst::Put { .. }
            | Inst::TreePut { .. }
            | Inst::TreeAdd { .. }
            | Inst::TreeMerge { .. }
            | Inst::End { .. }
            | Inst::Collect { .. }
            | Inst::Ret { .. }
            | Inst::RetConst { .. }
            | Inst::RetUndefined
            | Inst::SetOnce { .. }
            | Inst::WithBegin
            | Inst::WithInput { .. }
            | Inst::WithData { .. }
            | Inst::WithNoData { .. }
            | Inst::WithBase { .. }
            | Inst::WithRule { .. }
            | Inst::WithMockValue { .. }
            | Inst::WithMockCall { .. }
            | Inst::WithMockDocument { .. }
            | Inst::WithEnd
            | Inst::Note(_) => None,
        }
    };
}

impl Inst {
    /// Calls `f` with each register.
    pub fn for_each_reg(&self, mut f: impl FnMut(&Reg, Access)) {
        visit!(self, f, iter, for_each_reg);
    }

    /// Calls `f` with each register; it may put another in its place.
    pub fn for_each_reg_mut(&mut self, mut f: impl FnMut(&mut Reg, Access)) {
        visit!(self, f, iter_mut, for_each_reg_mut);
    }

    /// The label that control goes to on failure, or always. Not that of [`Inst::Label`], nor the ways of a switch.
    pub fn target_mut(&mut self) -> Option<&mut Label> {
        target!(self)
    }

    /// As [`Inst::target_mut`].
    #[must_use]
    pub fn target(&self) -> Option<Label> {
        target!(self).copied()
    }

    /// Calls `f` with each label that control may go to.
    pub fn for_each_target(&self, mut f: impl FnMut(Label)) {
        self.target().into_iter().for_each(&mut f);
        if let Inst::Switch { ways, .. } = self {
            ways.iter().copied().for_each(f);
        }
    }

    /// As [`Inst::for_each_target`]; `f` may put another label in its place.
    pub fn for_each_target_mut(&mut self, mut f: impl FnMut(&mut Label)) {
        if let Some(label) = self.target_mut() {
            f(label);
        }
        if let Inst::Switch { ways, .. } = self {
            ways.iter_mut().for_each(f);
        }
    }

    /// Whether control never falls through.
    #[must_use]
    pub fn is_end(&self) -> bool {
        matches!(
            self,
            Inst::Jump(_)
                | Inst::Switch { .. }
                | Inst::Ret { .. }
                | Inst::RetConst { .. }
                | Inst::RetUndefined
        )
    }

    /// Whether the instruction opens, fills or closes a scope of replacements.
    #[must_use]
    pub fn is_with(&self) -> bool {
        matches!(
            self,
            Inst::WithBegin
                | Inst::WithInput { .. }
                | Inst::WithData { .. }
                | Inst::WithNoData { .. }
                | Inst::WithBase { .. }
                | Inst::WithRule { .. }
                | Inst::WithMockValue { .. }
                | Inst::WithMockCall { .. }
                | Inst::WithMockDocument { .. }
                | Inst::WithEnd
        )
    }
}

impl Cond {
    /// Calls `f` with each register that is read.
    pub fn for_each_reg(&self, mut f: impl FnMut(&Reg)) {
        visit_cond!(self, f);
    }

    /// As [`Cond::for_each_reg`]; `f` may put another register in its place.
    pub fn for_each_reg_mut(&mut self, mut f: impl FnMut(&mut Reg)) {
        visit_cond!(self, f);
    }
}
