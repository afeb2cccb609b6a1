//! The bounds of one core that the command line sets; the others stand in `limits.rs`.

use std::cell::Cell;

use crate::limits;

/// What clients may take of one core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Largest body.
    pub body_bytes: usize,
    /// Open connections; at the bound one that waits for its client goes for each that comes.
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

/// Counts what a request keeps while others have their turn, until this is dropped.
pub(crate) struct Kept<'c> {
    all: &'c Cell<usize>,
    bytes: usize,
}

impl Kept<'_> {
    /// It keeps nothing yet.
    pub(crate) fn begin(all: &Cell<usize>) -> Kept<'_> {
        Kept { all, bytes: 0 }
    }

    /// From now on it keeps so many bytes. False if all together keep too much and this one is not small: then it has to end.
    pub(crate) fn set(&mut self, bytes: usize) -> bool {
        let others = self.all.get().saturating_sub(self.bytes);
        self.bytes = bytes;
        self.all.set(others.saturating_add(bytes));
        self.all.get() <= limits::KEPT_BYTES_PER_WORKER || bytes <= limits::KEPT_BYTES_SMALL
    }
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_too_much_is_kept_who_keeps_much_has_to_end() {
        let all = Cell::new(0);
        let mut large = Kept::begin(&all);
        assert!(large.set(limits::KEPT_BYTES_PER_WORKER));
        let mut other = Kept::begin(&all);
        assert!(other.set(limits::KEPT_BYTES_SMALL));
        assert!(!other.set(limits::KEPT_BYTES_SMALL + 1));
        drop(large);
        assert!(other.set(limits::KEPT_BYTES_SMALL + 1));
        drop(other);
        assert_eq!(all.get(), 0);
    }
}
