//! Ops of loops, jumps and switches.

use super::encode::Encoder;
use super::operands::two;
use crate::diagnostic::Diagnostic;
use crate::plan::{Inst, K, Operand};
use gavel_runtime::bytecode::{Inst as Word, NO_REG, Op, PreparedSpec};
use gavel_runtime::value::Constant;

impl Encoder<'_, '_> {
    pub(super) fn control(&mut self, inst: &Inst) -> Result<(), Diagnostic> {
        match inst {
            Inst::LoopInit { state, over, fail } => {
                let mut op = Word::new(Op::LoopInit);
                (op.a, op.b) = (self.reg(*state)?, self.reg(*over)?);
                self.push_failing(op, *fail);
            }
            Inst::LoopFind {
                state,
                over,
                path,
                value,
                fail,
            } => {
                let mut op = two(Op::LoopFind, self.reg(*state)?, self.reg(*over)?);
                op.d = self.reg(*value)?;
                let path = path.iter().map(|key| (**key).clone()).collect();
                op.f = self.linker.pools.constant(&K::new(Constant::Array(path)));
                self.push_failing(op, *fail);
            }
            Inst::Switch {
                on,
                index,
                ways,
                miss,
            } => {
                let count = u16::try_from(ways.len()).map_err(|_| self.misplaced())?;
                let mut op = match on {
                    Operand::Reg(reg) => two(Op::Switch, self.reg(*reg)?, count),
                    Operand::Slot(path) => two(Op::SlotSwitch, self.slot(path)?, count),
                    Operand::Const(_) => return Err(self.misplaced()),
                };
                let index = PreparedSpec::Switch((**index).clone());
                op.f = self.linker.pools.prepared.at(&index);
                self.push_failing(op, *miss);
                for way in ways {
                    self.push_failing(Word::new(Op::Jump), *way);
                }
            }
            Inst::LoopNext {
                state,
                key,
                value,
                fail,
            } => {
                let mut op = Word::new(Op::LoopNext);
                op.a = self.reg(*state)?;
                op.b = key.map_or(Ok(NO_REG), |reg| self.reg(reg))?;
                op.d = value.map_or(Ok(NO_REG), |reg| self.reg(reg))?;
                self.push_failing(op, *fail);
            }
            Inst::Jump(label) => self.push_failing(Word::new(Op::Jump), *label),
            _ => return Err(self.misplaced()),
        }
        Ok(())
    }
}
