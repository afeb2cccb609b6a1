//! Results of rules within one request. A result counts while its epoch is the present one: a `with` scope has an epoch
//! of its own, and nothing ever has to be cleared.

use super::core::emptied;
use crate::value::Value;

/// Where the result of one rule is.
#[derive(Clone, Copy, Debug)]
pub(super) struct RuleCell {
    epoch: u64,
    outcome: u32,
}

impl RuleCell {
    /// No result: epochs start at 1.
    pub(super) const EMPTY: RuleCell = RuleCell { epoch: 0, outcome: 0 };
}

/// What a rule gave.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome<'v> {
    /// Unset: undefined.
    pub(super) value: Value<'v>,
    /// Which body decided.
    pub(super) evidence: u16,
}

/// All results.
pub(super) struct Rules<'v> {
    /// No cell has a later epoch than [`Rules::last_epoch`], so that one that begins was never used.
    pub(super) cells: Vec<RuleCell>,
    pub(super) outcomes: Vec<Outcome<'v>>,
    epoch: u64,
    last_epoch: u64,
}

impl Default for Rules<'_> {
    fn default() -> Self {
        Rules {
            cells: Vec::new(),
            outcomes: Vec::new(),
            epoch: 1,
            last_epoch: 1,
        }
    }
}

impl<'v> Rules<'v> {
    /// Their memory for another request, which finds no results: cells stay as they are, and the next epoch begins.
    pub(super) fn emptied<'w>(self) -> Rules<'w> {
        let next = self.last_epoch + 1;
        Rules {
            cells: self.cells,
            outcomes: emptied(self.outcomes),
            epoch: next,
            last_epoch: next,
        }
    }

    /// Number of the present scope.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Forgets all results.
    pub(super) fn forget(&mut self) {
        self.last_epoch += 1;
        self.epoch = self.last_epoch;
        self.outcomes.clear();
    }

    /// The result of a rule, if it has one in this epoch.
    #[inline]
    pub(super) fn known(&self, function: u32) -> Option<Outcome<'v>> {
        let cell = self.cells.get(function as usize)?;
        if cell.epoch != self.epoch {
            return None;
        }
        self.outcomes.get(cell.outcome as usize).copied()
    }

    /// Keeps a result; gives the cell that it replaces.
    pub(super) fn keep(&mut self, function: u32, outcome: Outcome<'v>) -> RuleCell {
        // Each result cost an instruction, so the budget keeps their number far below 2^32.
        let at = u32::try_from(self.outcomes.len()).unwrap_or(u32::MAX);
        self.outcomes.push(outcome);
        let new = RuleCell {
            epoch: self.epoch,
            outcome: at,
        };
        match self.cells.get_mut(function as usize) {
            Some(cell) => std::mem::replace(cell, new),
            None => RuleCell::EMPTY,
        }
    }

    /// Starts an epoch without results; gives the present one.
    pub(super) fn enter(&mut self) -> u64 {
        self.last_epoch += 1;
        std::mem::replace(&mut self.epoch, self.last_epoch)
    }

    /// Goes back to an epoch; drops the results found since there were `outcomes` of them, which no cell of that epoch
    /// means.
    pub(super) fn leave(&mut self, epoch: u64, outcomes: usize) {
        self.epoch = epoch;
        self.outcomes.truncate(outcomes);
    }

    /// Puts a cell back.
    pub(super) fn put_back(&mut self, function: u32, cell: RuleCell) {
        if let Some(place) = self.cells.get_mut(function as usize) {
            *place = cell;
        }
    }
}
