//! The bounds of one core that the command line sets; the others stand in `limits.rs`.

use std::cell::Cell;

/// What clients may take of one core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Largest body.
    pub body_bytes: usize,
    /// Open connections; at the bound no more are accepted until one closes.
    pub connections: usize,
    /// Requests that are worked on at the same time: batches between two slices, and answers that wait for their records. At
    /// the bound a request for a decision gets 503.
    pub in_flight: usize,
    /// Answers after which a connection ends; `None`: it may stay.
    pub requests_per_connection: Option<u64>,
}

/// Counts a request that is being worked on, until this is dropped.
pub(crate) struct InFlight<'c>(&'c Cell<usize>);

impl InFlight<'_> {
    /// From now on it is worked on.
    pub(crate) fn begin(count: &Cell<usize>) -> InFlight<'_> {
        count.set(count.get() + 1);
        InFlight(count)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}
