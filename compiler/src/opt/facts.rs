//! How often and where the registers of a function are written and read.

use crate::plan::{Access, Function, Inst, K, Reg};

/// Counts by register.
pub(super) struct Facts {
    defs: Vec<u32>,
    uses: Vec<u32>,
    def_at: Vec<usize>,
}

impl Facts {
    /// Looks at a function.
    pub(super) fn of(function: &Function) -> Facts {
        let len = function.regs as usize;
        let mut facts = Facts {
            defs: vec![0; len],
            uses: vec![0; len],
            def_at: vec![usize::MAX; len],
        };
        for param in 0..function.params as usize {
            // A parameter is written before the first instruction.
            if let Some(count) = facts.defs.get_mut(param) {
                *count = 1;
            }
        }
        for (at, step) in function.code.iter().enumerate() {
            step.inst
                .for_each_reg(|reg, access| facts.touch(*reg, access, at));
        }
        facts
    }

    fn touch(&mut self, reg: Reg, access: Access, at: usize) {
        let index = reg.0 as usize;
        if access != Access::Def
            && let Some(count) = self.uses.get_mut(index)
        {
            *count += 1;
        }
        if access != Access::Use
            && let (Some(count), Some(place)) = (self.defs.get_mut(index), self.def_at.get_mut(index))
        {
            *count += 1;
            *place = at;
        }
    }

    /// Takes the readings of an instruction away.
    pub(super) fn forget(&mut self, inst: &Inst) {
        inst.for_each_reg(|reg, access| {
            if access != Access::Def
                && let Some(count) = self.uses.get_mut(reg.0 as usize)
            {
                *count = count.saturating_sub(1);
            }
        });
    }

    /// Number of readers.
    pub(super) fn uses(&self, reg: Reg) -> u32 {
        self.uses.get(reg.0 as usize).copied().unwrap_or(u32::MAX)
    }

    /// Whether exactly one instruction (or the call, for a parameter) writes the register. It then dominates all
    /// readers.
    pub(super) fn is_single(&self, reg: Reg) -> bool {
        self.defs.get(reg.0 as usize) == Some(&1)
    }

    /// The one instruction that writes the register.
    pub(super) fn single_def<'f>(&self, function: &'f Function, reg: Reg) -> Option<(usize, &'f Inst)> {
        if !self.is_single(reg) {
            return None;
        }
        let at = *self.def_at.get(reg.0 as usize)?;
        function.code.get(at).map(|step| (at, &step.inst))
    }

    /// The constant that a register always holds.
    pub(super) fn constant(&self, function: &Function, reg: Reg) -> Option<K> {
        match self.single_def(function, reg)? {
            (_, Inst::Const { value, .. }) => Some(K::clone(value)),
            _ => None,
        }
    }
}
