//! A program that may run: what `verify` proved and prepared.

use super::{FnId, FnKind, Inst, Line, Mark, ParseModule, Prepared, Sleep, SlotId};
use crate::input::SlotTrie;
use crate::value::{Pool, Value};

/// A verified program: immutable, shared by all cores. Only [`super::verify`] makes one.
///
/// Its code is decoded: labels are indices of instructions, slots are cells of the input document.
#[derive(Debug)]
pub struct Program {
    // INVARIANT (proved by `verify`, relied on by the loop): every register operand is below the frame length of its
    // function, every other index is inside its table, every label is an instruction of the same function, and no
    // function's code runs past its end.
    pub(crate) code: Box<[Inst]>,
    pub(crate) functions: Box<[Function]>,
    pub(crate) constants: Pool,
    /// Place of the base document among the constants.
    pub(crate) base: Option<usize>,
    pub(crate) trie: SlotTrie,
    pub(crate) slot_cells: Box<[u16]>,
    pub(crate) prepared: Box<[Prepared]>,
    pub(crate) strict_builtins: bool,
    pub(crate) parse_module: Option<ParseModule>,
    pub(crate) sleep: Option<Sleep>,
    /// Code word of each instruction, for messages.
    pub(crate) words: Box<[u32]>,
    pub(crate) sources: Box<[String]>,
    pub(crate) lines: Box<[Line]>,
    pub(crate) marks: Box<[Mark]>,
}

/// A function of a verified program.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) kind: FnKind,
    /// First instruction.
    pub(crate) entry: u32,
    pub(crate) params: u16,
    pub(crate) regs: u16,
}

impl Program {
    /// The function of a name.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<FnId> {
        let at = self.functions.iter().position(|function| function.name == name)?;
        u32::try_from(at).ok().map(FnId)
    }

    /// Name of the function that a code word belongs to.
    #[must_use]
    pub fn function_at(&self, pc: u32) -> Option<&str> {
        let starts = |function: &Function| self.words.get(function.entry as usize).copied();
        let after = self
            .functions
            .partition_point(|function| starts(function).is_some_and(|start| start <= pc));
        let function = self.functions.get(after.checked_sub(1)?)?;
        Some(&function.name)
    }

    /// The node of a slot in the trie; of a slot that is none, no node.
    pub(crate) fn cell_of(&self, slot: SlotId) -> u16 {
        self.slot_cells
            .get(usize::from(slot.0))
            .copied()
            .unwrap_or(u16::MAX)
    }

    /// The base document.
    #[must_use]
    pub fn base(&self) -> Option<Value<'_>> {
        self.constants.get(self.base?)
    }

    /// Name of a module, by the number that marks and lines know it by.
    #[must_use]
    pub fn source_name(&self, source: u32) -> Option<&str> {
        self.sources.get(source as usize).map(String::as_str)
    }

    /// Module name and row of a code word, as in [`crate::error::EvalError::pc`].
    #[must_use]
    pub fn place_of(&self, pc: u32) -> Option<(&str, u32)> {
        let after = self.lines.partition_point(|line| line.pc <= pc);
        let line = self.lines.get(after.checked_sub(1)?)?;
        let source = self.sources.get(line.source as usize)?;
        Some((source, line.row))
    }
}

const _: () = {
    const fn shared_by_threads<T: Send + Sync>() {}
    shared_by_threads::<Program>();
};
