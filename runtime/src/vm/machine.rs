//! One request: an input, a program, any number of calls that share slots and rule results.

use super::RequestEnv;
use super::calls::Frame;
use super::core::Spare;
use super::rare::Rare;
use super::rules::Rules;
use crate::arena::Arena;
use crate::builtins::caches::Caches;
use crate::bytecode::Program;
use crate::error::EvalErrorKind;
use crate::input::InputDoc;
use crate::limits::{DEADLINE_POLL_FUEL, Limits};
use crate::value::Value;

/// One request. Values that it hands out live as long as the borrow of the [`super::Vm`], not only as long as the request.
pub struct Request<'v> {
    pub(super) program: &'v Program,
    pub(super) arena: &'v Arena,
    pub(super) env: RequestEnv,
    pub(super) limits: &'v Limits,
    /// What is left of the instruction budget of the present call.
    pub(super) fuel: u64,
    /// When this much is left the clock is looked at.
    pub(super) poll_at: u64,
    pub(super) doc: InputDoc<'v>,
    /// The base document, as `with` left it; or unset.
    pub(super) base: Value<'v>,
    /// Registers of all frames.
    pub(super) regs: Vec<Value<'v>>,
    pub(super) frames: Vec<Frame>,
    pub(super) rules: Rules<'v>,
    /// `None`: nothing was put into any of them.
    pub(super) rare: Option<Rare<'v>>,
    /// Where the replacements of functions begin that the running function sees.
    pub(super) mock_base: u32,
    pub(super) caches: &'v mut Caches,
    /// Memory for a copy of the first PORC.
    pub(super) body: Option<&'v mut Vec<u8>>,
    pub(super) home: &'v mut Spare,
}

impl Request<'_> {
    /// One step of the budget.
    #[inline]
    pub(super) fn charge(&mut self) -> Result<(), EvalErrorKind> {
        if self.fuel <= self.poll_at {
            self.poll()?;
        }
        self.fuel -= 1;
        Ok(())
    }

    /// Pays for work that grows with a value. The clock is looked at when the next step is charged.
    #[inline]
    pub(super) fn pay(&mut self, steps: usize) -> Result<(), EvalErrorKind> {
        let left = self.fuel.checked_sub(steps as u64);
        self.fuel = left.unwrap_or(0);
        left.map(|_| ()).ok_or(EvalErrorKind::FuelExhausted)
    }

    /// Looks at the budget and the clock. After it the budget is not empty.
    #[cold]
    fn poll(&mut self) -> Result<(), EvalErrorKind> {
        if self.fuel == 0 {
            return Err(EvalErrorKind::FuelExhausted);
        }
        if self
            .env
            .deadline_ns
            .is_some_and(|deadline| (self.env.monotonic_ns)() >= deadline)
        {
            return Err(EvalErrorKind::DeadlineExceeded);
        }
        self.poll_at = self.fuel.saturating_sub(DEADLINE_POLL_FUEL);
        Ok(())
    }

    /// A whole budget for a new call; the next look at the clock stays where it was.
    pub(super) fn refuel(&mut self) {
        let until_poll = self.fuel.saturating_sub(self.poll_at);
        self.fuel = self.limits.fuel;
        self.poll_at = self.fuel.saturating_sub(until_poll);
    }
}
