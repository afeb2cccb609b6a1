//! What callers do with a request: give it an input, look at slots, call rules.

use super::machine::Request;
use super::trace::{Observer, Unwatched, Watch, Watched};
use crate::arena::Arena;
use crate::bytecode::{FnId, FnKind, Program, SlotId};
use crate::error::{EvalError, EvalErrorKind};
use crate::input::{Layouts, Merge, PorcError, Trailing};
use crate::json::{JsonError, JsonErrorKind, Numbers, parse};
use crate::value::Value;

impl<'v> Request<'v> {
    /// The request's memory.
    #[must_use]
    pub fn arena(&self) -> &'v Arena {
        self.arena
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> &'v Program {
        self.program
    }

    /// Reads a PORC: JSON by the rules of requests (numbers by value; each bad byte of UTF-8 is U+FFFD). Forgets the
    /// former input, its replacements and all rule results.
    pub fn read_porc(&mut self, bytes: &[u8], trailing: Trailing) -> Result<(), PorcError> {
        self.read_porc_by(bytes, trailing, None)
    }

    /// As [`Request::read_porc`]; `layouts` know how earlier documents were laid out.
    pub(crate) fn read_porc_by(
        &mut self,
        bytes: &[u8],
        trailing: Trailing,
        layouts: Option<&mut Layouts>,
    ) -> Result<(), PorcError> {
        self.forget();
        let body = self.body.take();
        self.doc
            .read_porc(&self.program.trie, self.arena, (body, layouts), bytes, trailing)
    }

    /// As [`Request::read_porc`] for who needs the document as a whole and asks no policy: there is no input afterwards. `layouts`
    /// know how earlier documents were laid out.
    pub(crate) fn read_whole_porc(
        &mut self,
        bytes: &[u8],
        trailing: Trailing,
        layouts: &mut Layouts,
    ) -> Result<Value<'v>, PorcError> {
        self.set_input(None);
        let body = self.body.take();
        self.doc
            .read_whole_porc(self.arena, (body, Some(layouts)), bytes, trailing)
    }

    /// The copy of the PORC that texts of it point into, and something behind it; empty where there is none.
    pub(crate) fn kept_body(&self) -> &'v [u8] {
        self.doc.text.as_bytes()
    }

    /// Reads any JSON document; the text of numbers is kept. Forgets as [`Request::read_porc`] does.
    pub fn read_document(&mut self, bytes: &[u8]) -> Result<(), JsonError> {
        let memory = JsonError {
            kind: JsonErrorKind::Memory,
            at: 0,
        };
        let bytes = self.arena.bytes(bytes).map_err(|_| memory)?;
        let value = parse(self.arena, bytes, Numbers::Text)?;
        self.set_input(Some(value));
        Ok(())
    }

    /// The input is this value (`None`: undefined). Forgets as [`Request::read_porc`] does.
    pub fn set_input(&mut self, value: Option<Value<'v>>) {
        self.forget();
        match value {
            Some(value) => self.doc.set(&self.program.trie, value),
            None => self.doc.clear(&self.program.trie),
        }
    }

    fn forget(&mut self) {
        self.rules.forget();
        if let Some(rare) = &mut self.rare {
            rare.memo.clear();
            rare.grouped.clear();
        }
    }

    /// The value of a slot; `None`: undefined. A container is built in the arena at the first look.
    #[inline]
    pub fn slot(&mut self, slot: SlotId) -> Result<Option<Value<'v>>, EvalErrorKind> {
        match self.program.slot_cells.get(usize::from(slot.0)) {
            Some(&cell) => self.cell(cell),
            None => Ok(None),
        }
    }

    /// The text of a slot that is a string. Builds nothing.
    #[must_use]
    pub fn slot_text(&self, slot: SlotId) -> Option<&'v str> {
        self.cell_text(*self.program.slot_cells.get(usize::from(slot.0))?)
    }

    /// The value of a cell, as [`Request::slot`].
    #[inline(always)]
    pub(crate) fn cell(&mut self, cell: u16) -> Result<Option<Value<'v>>, EvalErrorKind> {
        let known = self.doc.cell(cell);
        match known.value() {
            value if !value.is_unset() => Ok(Some(value)),
            _ if known.is_missing() => Ok(None),
            _ => self.doc.value(&self.program.trie, self.arena, cell),
        }
    }

    /// The text of a cell that is a string. Builds nothing.
    #[inline(always)]
    pub(crate) fn cell_text(&self, cell: u16) -> Option<&'v str> {
        self.doc.cell(cell).value().as_str()
    }

    /// Whether a cell is an object, and if so whether it has members. Builds nothing.
    pub(crate) fn cell_has_members(&self, cell: u16) -> Option<bool> {
        self.doc.has_members(&self.program.trie, cell)
    }

    /// Whether nothing is in a cell, and so neither below it.
    #[inline(always)]
    pub(crate) fn is_missing(&self, cell: u16) -> bool {
        self.doc.cell(cell).is_missing()
    }

    /// The cell becomes `value` (`None`: undefined), and so do those below it; those above it are to be told by
    /// [`Request::outdate_cell`]. For the time before anything is called: rule results are kept.
    pub(crate) fn settle_cell(&mut self, cell: u16, value: Option<Value<'v>>) {
        self.doc.settle(&self.program.trie, cell, value);
    }

    /// As [`Request::settle_cell`] for an object of which it is known what stands in which cell.
    pub(crate) fn settle_known_cell(&mut self, cell: u16, cells: impl Iterator<Item = (u16, Value<'v>)>) {
        self.doc.settle_known(&self.program.trie, cell, cells);
    }

    /// The cell becomes the object of the cells right below it, `others` of which become undefined; as
    /// [`Request::settle_cell`].
    pub(crate) fn gather_cell(&mut self, cell: u16, others: &[u16]) {
        self.doc.gather(&self.program.trie, cell, others);
    }

    /// The cell becomes the object that `by` puts together, when somebody asks for it, with what is there now. Cells below it
    /// say already what that object will say, which has members; as [`Request::settle_cell`].
    pub(crate) fn settle_merged_cell(&mut self, cell: u16, by: &'v dyn Merge<'v>) {
        self.doc.settle_merged(cell, by);
    }

    /// Puts values into cells that nothing is in, nor below them.
    pub(crate) fn fill_cells(&mut self, cells: impl Iterator<Item = (u16, Value<'v>)>) {
        self.doc.fill(cells);
    }

    /// Tells a cell, which has members, that the one at `path` below it was settled or gathered.
    pub(crate) fn outdate_cell(
        &mut self,
        above: u16,
        path: &[Value<'v>],
        cell: u16,
    ) -> Result<(), EvalErrorKind> {
        self.doc
            .outdate(&self.program.trie, self.arena, above, path, cell)
    }

    /// The whole input; `None`: undefined.
    pub fn input(&mut self) -> Result<Option<Value<'v>>, EvalErrorKind> {
        self.doc.value(&self.program.trie, self.arena, 0)
    }

    /// The value of a rule or query; `None`: undefined. Each call has the whole instruction budget; the deadline is that
    /// of the request. After an error the request can go on with other calls.
    pub fn call(&mut self, function: FnId) -> Result<Option<Value<'v>>, EvalError> {
        self.call_watched(function, &mut Unwatched)
    }

    /// As [`Request::call`], telling an observer what happens. It is told most about a program that was compiled for tracing.
    pub fn trace(
        &mut self,
        function: FnId,
        observer: &mut dyn Observer,
    ) -> Result<Option<Value<'v>>, EvalError> {
        self.call_watched(function, &mut Watched::new(observer))
    }

    #[inline(always)]
    fn call_watched<W: Watch>(
        &mut self,
        function: FnId,
        watch: &mut W,
    ) -> Result<Option<Value<'v>>, EvalError> {
        let Some(info) = self.program.functions.get(function.0 as usize) else {
            return Err(EvalError {
                kind: EvalErrorKind::NoSuchEntry,
                pc: 0,
            });
        };
        if info.params > 0 {
            return Err(EvalError {
                kind: EvalErrorKind::NoSuchEntry,
                pc: 0,
            });
        }
        if info.kind == FnKind::Rule
            && let Some(outcome) = self.rules.known(function.0)
        {
            watch.known(self.program, function.0, outcome.value);
            return Ok((!outcome.value.is_unset()).then_some(outcome.value));
        }
        self.refuel();
        if self.doc.cells.is_empty() {
            self.doc.clear(&self.program.trie);
        }
        let result = self.run(function.0, watch);
        if result.is_err() {
            self.unwind();
        }
        let value = result?;
        Ok((!value.is_unset()).then_some(value))
    }

    /// Which body decided a rule that was called: the number in its `ret`. `None`: not called, or undefined.
    #[must_use]
    pub fn evidence(&self, function: FnId) -> Option<u16> {
        let outcome = self.rules.known(function.0)?;
        (!outcome.value.is_unset()).then_some(outcome.evidence)
    }

    /// Instruction budget that the last call used.
    #[must_use]
    pub fn fuel_used(&self) -> u64 {
        self.limits.fuel - self.fuel
    }
}
