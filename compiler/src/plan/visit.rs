//! Which registers and labels an instruction touches: the one place that passes and register allocation ask.

use super::ir::{Access, Cond, Inst, Label, Operand, Reg};

impl Inst {
    /// Calls `f` with each register.
    pub fn for_each_reg(&self, mut f: impl FnMut(Reg, Access)) {
        self.clone_regs(&mut f);
    }

    fn clone_regs(&self, f: &mut impl FnMut(Reg, Access)) {
        // A copy of the handles only: constants are shared, lists are short.
        let mut copy = self.clone();
        copy.for_each_reg_mut(|reg, access| f(*reg, access));
    }

    /// Calls `f` with each register; it may put another in its place.
    pub fn for_each_reg_mut(&mut self, mut f: impl FnMut(&mut Reg, Access)) {
        use Access::{Def, Use, UseDef};
        match self {
            Inst::Label(_)
            | Inst::RetConst { .. }
            | Inst::RetUndefined
            | Inst::Jump(_)
            | Inst::WithBegin
            | Inst::WithMockCall { .. }
            | Inst::WithEnd => {}
            Inst::Const { dst, .. }
            | Inst::Unset { dst }
            | Inst::Slot { dst, .. }
            | Inst::Base { dst, .. }
            | Inst::New { dst, .. }
            | Inst::CallRule { dst, .. } => f(dst, Def),
            Inst::Move { dst, src } => {
                f(src, Use);
                f(dst, Def);
            }
            Inst::Index { dst, of, key, .. } => {
                f(of, Use);
                f(key, Use);
                f(dst, Def);
            }
            Inst::Field { dst, of, .. } => {
                f(of, Use);
                f(dst, Def);
            }
            Inst::Test { cond, .. } => cond.for_each_reg_mut(|reg| f(reg, Use)),
            Inst::LoopInit { state, over, .. } => {
                f(over, Use);
                f(state, Def);
            }
            Inst::LoopNext {
                state, key, value, ..
            } => {
                f(state, UseDef);
                key.iter_mut().chain(value).for_each(|reg| f(reg, Def));
            }
            Inst::Add { to, value, .. } => {
                f(value, Use);
                f(to, Use);
            }
            Inst::Put { to, key, value, .. } => {
                f(key, Use);
                f(value, Use);
                f(to, Use);
            }
            Inst::TreePut { to, path, value } => {
                path.iter_mut().for_each(|reg| f(reg, Use));
                f(value, Use);
                f(to, Use);
            }
            Inst::TreeAdd { to, path, member } => {
                path.iter_mut().chain(member).for_each(|reg| f(reg, Use));
                f(to, Use);
            }
            Inst::End { reg, .. } => f(reg, UseDef),
            Inst::Collect { dst, parts, .. } => {
                parts.iter_mut().for_each(|reg| f(reg, Use));
                f(dst, Def);
            }
            Inst::CallFn { dst, args, .. }
            | Inst::CallBuiltin { dst, args, .. }
            | Inst::CallMocked { dst, args, .. } => {
                args.iter_mut().for_each(|reg| f(reg, Use));
                f(dst, Def);
            }
            Inst::SetOnce { dst, src } => {
                f(src, Use);
                f(dst, UseDef);
            }
            Inst::Ret { value, .. }
            | Inst::WithInput { value, .. }
            | Inst::WithData { value, .. }
            | Inst::WithBase { value, .. }
            | Inst::WithRule { value, .. }
            | Inst::WithMockValue { value, .. } => f(value, Use),
        }
    }

    /// The label that control may go to, other than falling through. Not that of [`Inst::Label`].
    pub fn target_mut(&mut self) -> Option<&mut Label> {
        match self {
            Inst::Slot { fail, .. }
            | Inst::Base { fail, .. }
            | Inst::Index { fail, .. }
            | Inst::Field { fail, .. }
            | Inst::Test { fail, .. }
            | Inst::LoopInit { fail, .. }
            | Inst::LoopNext { fail, .. }
            | Inst::CallRule { fail, .. }
            | Inst::CallFn { fail, .. }
            | Inst::CallBuiltin { fail, .. }
            | Inst::CallMocked { fail, .. }
            | Inst::Jump(fail) => Some(fail),
            Inst::Label(_)
            | Inst::Const { .. }
            | Inst::Move { .. }
            | Inst::Unset { .. }
            | Inst::New { .. }
            | Inst::Add { .. }
            | Inst::Put { .. }
            | Inst::TreePut { .. }
            | Inst::TreeAdd { .. }
            | Inst::End { .. }
            | Inst::Collect { .. }
            | Inst::Ret { .. }
            | Inst::RetConst { .. }
            | Inst::RetUndefined
            | Inst::SetOnce { .. }
            | Inst::WithBegin
            | Inst::WithInput { .. }
            | Inst::WithData { .. }
            | Inst::WithBase { .. }
            | Inst::WithRule { .. }
            | Inst::WithMockValue { .. }
            | Inst::WithMockCall { .. }
            | Inst::WithEnd => None,
        }
    }

    /// As [`Inst::target_mut`].
    #[must_use]
    pub fn target(&self) -> Option<Label> {
        match self {
            Inst::Slot { fail, .. }
            | Inst::Base { fail, .. }
            | Inst::Index { fail, .. }
            | Inst::Field { fail, .. }
            | Inst::Test { fail, .. }
            | Inst::LoopInit { fail, .. }
            | Inst::LoopNext { fail, .. }
            | Inst::CallRule { fail, .. }
            | Inst::CallFn { fail, .. }
            | Inst::CallBuiltin { fail, .. }
            | Inst::CallMocked { fail, .. }
            | Inst::Jump(fail) => Some(*fail),
            _ => None,
        }
    }

    /// Whether control never falls through.
    #[must_use]
    pub fn is_end(&self) -> bool {
        matches!(
            self,
            Inst::Jump(_) | Inst::Ret { .. } | Inst::RetConst { .. } | Inst::RetUndefined
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
                | Inst::WithBase { .. }
                | Inst::WithRule { .. }
                | Inst::WithMockValue { .. }
                | Inst::WithMockCall { .. }
                | Inst::WithEnd
        )
    }
}

impl Cond {
    /// Calls `f` with each register that is read.
    pub fn for_each_reg_mut(&mut self, mut f: impl FnMut(&mut Reg)) {
        let mut operand = |operand: &mut Operand| {
            if let Operand::Reg(reg) = operand {
                f(reg);
            }
        };
        match self {
            Cond::Truthy(a) => operand(a),
            Cond::Compare(_, a, b) | Cond::In(a, b) => {
                operand(a);
                operand(b);
            }
            Cond::Defined(_) => {}
            Cond::IsSet(reg) | Cond::IsArrayOf(reg, _) | Cond::IsObjectOf(reg, _) => f(reg),
        }
    }
}
