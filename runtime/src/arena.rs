//! The request's memory: a bump arena with a byte budget. Everything in it dies at once, when the request ends.

use crate::error::EvalErrorKind;
use crate::value::{Entry, Value};
use bumpalo::Bump;

/// A bump arena. Allocation never panics and never exceeds the budget.
#[derive(Debug)]
pub struct Arena {
    bump: Bump,
}

impl Arena {
    /// An arena that keeps `warm_bytes` ready and takes `bytes_max` at most.
    #[must_use]
    pub fn new(warm_bytes: usize, bytes_max: usize) -> Arena {
        let bump = Bump::with_capacity(warm_bytes);
        bump.set_allocation_limit(Some(bytes_max));
        Arena { bump }
    }

    /// Frees everything at once and keeps the largest chunk, so that the next request allocates nothing.
    pub fn reset(&mut self) {
        self.bump.reset();
    }

    /// Bytes handed out since the last reset, chunk by chunk.
    #[must_use]
    pub fn used_bytes(&self) -> usize {
        self.bump.allocated_bytes()
    }

    /// A copy of a text.
    pub fn text(&self, text: &str) -> Result<&str, EvalErrorKind> {
        self.bump
            .try_alloc_str(text)
            .map(|copy| &*copy)
            .map_err(|_| EvalErrorKind::ArenaExhausted)
    }

    /// A copy of values.
    pub fn values<'r>(&'r self, values: &[Value<'r>]) -> Result<&'r [Value<'r>], EvalErrorKind> {
        self.bump
            .try_alloc_slice_copy(values)
            .map(|copy| &*copy)
            .map_err(|_| EvalErrorKind::ArenaExhausted)
    }

    /// A copy of values that may still be changed (sorted) by the caller.
    pub fn values_mut<'r>(&'r self, values: &[Value<'r>]) -> Result<&'r mut [Value<'r>], EvalErrorKind> {
        self.bump
            .try_alloc_slice_copy(values)
            .map_err(|_| EvalErrorKind::ArenaExhausted)
    }

    /// A copy of entries that may still be changed (sorted) by the caller.
    pub fn entries_mut<'r>(&'r self, entries: &[Entry<'r>]) -> Result<&'r mut [Entry<'r>], EvalErrorKind> {
        self.bump
            .try_alloc_slice_copy(entries)
            .map_err(|_| EvalErrorKind::ArenaExhausted)
    }

    /// The allocator itself, for growing vectors (`bumpalo::collections`); the budget holds there as a panic-free abort
    /// only through the `try_` functions.
    #[must_use]
    pub fn bump(&self) -> &Bump {
        &self.bump
    }
}
