//! Operands of one function's ops: register numbers, table indices, labels that are filled in at the end.

use super::encode::Encoder;
use crate::diagnostic::{Code, Diagnostic};
use crate::plan::{FnRef, Function, K, Label, Reg, Target};
use gavel_runtime::bytecode::{Inst as Word, MOCK_BUILTIN, Op};

impl Encoder<'_, '_> {
    pub(super) fn push(&mut self, op: Word) {
        self.at += if op.op.shape().is_wide() { 2 } else { 1 };
        self.ops.push(op);
    }

    pub(super) fn push_failing(&mut self, op: Word, fail: Label) {
        self.jumps.push((self.ops.len(), fail));
        self.push(op);
    }

    pub(super) fn reg(&self, reg: Reg) -> Result<u16, Diagnostic> {
        u16::try_from(self.allocated.of(reg)).map_err(|_| limit(self.function, "more than 65,535 registers"))
    }

    pub(super) fn first(&self, run: &[Reg]) -> Result<u16, Diagnostic> {
        run.first().map_or(Ok(0), |reg| self.reg(*reg))
    }

    pub(super) fn short(&self, value: u32, what: &str) -> Result<u16, Diagnostic> {
        u16::try_from(value).map_err(|_| limit(self.function, what))
    }

    pub(super) fn len(&self, run: &[Reg]) -> Result<u16, Diagnostic> {
        u16::try_from(run.len()).map_err(|_| limit(self.function, "a list of more than 65,535 elements"))
    }

    pub(super) fn short_constant(&mut self, value: &K) -> Result<u16, Diagnostic> {
        let at = self.linker.pools.constant(value);
        self.short(at, "more than 65,535 constants in comparisons")
    }

    pub(super) fn slot(&mut self, path: &Vec<String>) -> Result<u16, Diagnostic> {
        let at = self.linker.pools.slots.at(path);
        self.short(at, "more than 65,535 input paths")
    }

    /// The mock cell of a target. All users of a cell agree on the number of arguments, which is part of its name.
    pub(super) fn cell(&mut self, target: Target) -> Result<u16, Diagnostic> {
        let name = match target {
            Target::Function(func) => self.linker.names.get(func.0).cloned().unwrap_or_default(),
            Target::Builtin(id) => format!("{}/{}", id.get().name, id.get().args.len()),
        };
        let at = self.linker.pools.mocks.at(&name);
        self.short(at, "more than 65,535 replaced functions")
    }

    /// The number of a function; one that has none yet is filled in later.
    pub(super) fn func(&mut self, func: FnRef) -> u32 {
        match self.linker.numbers.get(&func) {
            Some(number) => *number,
            None => {
                self.forward.push((self.ops.len(), func));
                0
            }
        }
    }

    pub(super) fn target(&mut self, target: Target) -> u32 {
        match target {
            Target::Function(func) => self.func(func),
            Target::Builtin(id) => MOCK_BUILTIN | u32::from(id.0),
        }
    }

    pub(super) fn misplaced(&self) -> Diagnostic {
        limit(self.function, "an instruction that has no encoding")
    }
}

/// An op with two operands.
pub(super) fn two(op: Op, a: u16, b: u16) -> Word {
    let mut word = Word::new(op);
    (word.a, word.b) = (a, b);
    word
}

/// A function beyond the word layout.
pub(super) fn limit(function: &Function, what: &str) -> Diagnostic {
    let message = format!("`{}` cannot be encoded: {what}", function.name);
    match function.span {
        Some(span) => Diagnostic::error(Code::Limit, span, message),
        None => Diagnostic::global(Code::Limit, message),
    }
}
