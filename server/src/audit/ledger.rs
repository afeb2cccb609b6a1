//! What one worker put into its ring and what became of it: positions in the ring's stream of bytes, called tickets.
//!
//! The worker adds, the audit thread settles, in order. A ticket that is settled is either recorded or among the failed. Where
//! answers wait for their records, the worker says that it waits, and the audit thread rings its bell: a byte on a socket
//! that the worker's event loop reads.

use std::collections::VecDeque;
use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Times of failure that are told apart; then the oldest two become one, with what lies between them. An answer is asked about
/// for the last time some seconds after its record failed; so many failures apart from each other, each of which takes a write
/// that fails and one that succeeds, or a record too large for its outlet, do not fit into them.
const FAILED_MAX: usize = 4096;

/// Shared by a worker and the audit thread; anybody may read how much is on the way.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Bytes put into the ring. Written by the worker alone.
    pushed: AtomicU64,
    /// Bytes whose fate is known. Written by the audit thread alone.
    settled: AtomicU64,
    waiting: AtomicBool,
    bell: Option<UnixStream>,
    /// Whether anything failed ever: the list is looked at only then.
    any_failed: AtomicBool,
    /// Half-open to the left, ascending, apart from each other.
    failed: Mutex<VecDeque<(u64, u64)>>,
}

impl Ledger {
    /// A ledger whose worker waits for the fate of its records, and hears of it through `bell`.
    pub(crate) fn with_bell(bell: UnixStream) -> Ledger {
        Ledger {
            bell: Some(bell),
            ..Ledger::default()
        }
    }

    /// The worker put so many bytes more into the ring: their ticket.
    pub(crate) fn push(&self, bytes: usize) -> u64 {
        let ticket = self.pushed.load(Ordering::Relaxed) + bytes as u64;
        self.pushed.store(ticket, Ordering::Relaxed);
        ticket
    }

    /// Bytes that are on the way.
    pub(crate) fn depth(&self) -> u64 {
        let settled = self.settled.load(Ordering::Relaxed);
        self.pushed.load(Ordering::Relaxed).saturating_sub(settled)
    }

    /// Whether what has this ticket is recorded; `None` while nobody knows.
    pub(crate) fn outcome(&self, ticket: u64) -> Option<bool> {
        if self.settled.load(Ordering::SeqCst) < ticket {
            return None;
        }
        if !self.any_failed.load(Ordering::Acquire) {
            return Some(true);
        }
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let at = failed.partition_point(|(_, to)| *to < ticket);
        Some(failed.get(at).is_none_or(|(from, _)| ticket <= *from))
    }

    /// The worker waits: the next settlement rings. Ask for the outcome once more after this.
    pub(crate) fn wait(&self) {
        self.waiting.store(true, Ordering::SeqCst);
    }

    /// What lies between two tickets is not recorded. To be said before it is settled.
    ///
    /// What failed before may lie between them: a record that was too large, in a batch that is given up.
    pub(crate) fn fail(&self, from: u64, to: u64) {
        if from >= to {
            return;
        }
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut start, mut end) = (from, to);
        while let Some((before, until)) = failed.pop_back_if(|(_, until)| *until >= from) {
            (start, end) = (start.min(before), end.max(until));
        }
        failed.push_back((start, end));
        if failed.len() > FAILED_MAX
            && let Some((oldest, _)) = failed.pop_front()
            && let Some((start, _)) = failed.front_mut()
        {
            *start = oldest;
        }
        drop(failed);
        self.any_failed.store(true, Ordering::Release);
    }

    /// Everything up to this ticket has its fate.
    pub(crate) fn settle(&self, ticket: u64) {
        self.settled.store(ticket, Ordering::SeqCst);
        if self.waiting.swap(false, Ordering::SeqCst)
            && let Some(mut bell) = self.bell.as_ref()
        {
            // A bell that nobody takes from is full of rings already.
            let _ = bell.write(b"!");
        }
    }

    /// Everything that is settled.
    pub(crate) fn settled(&self) -> u64 {
        self.settled.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fates() {
        let ledger = Ledger::default();
        assert_eq!((ledger.push(10), ledger.push(10), ledger.push(10)), (10, 20, 30));
        assert_eq!((ledger.outcome(10), ledger.depth()), (None, 30));
        ledger.settle(10);
        assert_eq!((ledger.outcome(10), ledger.outcome(20)), (Some(true), None));
        ledger.fail(10, 20);
        ledger.fail(20, 30);
        ledger.fail(30, 30);
        assert_eq!(ledger.outcome(30), None);
        ledger.settle(30);
        let fates = [10, 20, 30].map(|ticket| ledger.outcome(ticket));
        assert_eq!(fates, [Some(true), Some(false), Some(false)]);
        assert_eq!((ledger.depth(), ledger.settled()), (0, 30));
        assert_eq!(ledger.failed.lock().unwrap().len(), 1);
    }

    /// A record was too large, and the batch around it is given up then.
    #[test]
    fn failures_within_a_later_one_become_part_of_it() {
        let ledger = Ledger::default();
        ledger.fail(100, 200);
        ledger.fail(300, 400);
        ledger.fail(50, 500);
        for at in 0..2 * FAILED_MAX as u64 {
            ledger.fail(1000 + at * 10, 1005 + at * 10);
        }
        ledger.settle(u64::MAX);
        for ticket in [51, 100, 200, 250, 500] {
            assert_eq!(ledger.outcome(ticket), Some(false), "{ticket}");
        }
        assert_eq!(ledger.outcome(50), Some(true));
    }

    #[test]
    fn many_failures_are_never_forgotten() {
        let ledger = Ledger::default();
        let count = FAILED_MAX as u64 + 100;
        for at in 0..count {
            ledger.fail(at * 10, at * 10 + 5);
        }
        ledger.settle(count * 10);
        assert!((0..count).all(|at| ledger.outcome(at * 10 + 5) == Some(false)));
        assert_eq!(ledger.outcome(count * 10), Some(true));
        assert_eq!(ledger.failed.lock().unwrap().len(), FAILED_MAX);
    }

    #[test]
    fn the_bell_rings_for_who_waits() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        theirs.set_nonblocking(true).unwrap();
        let ledger = Ledger::with_bell(ours);
        let rings = || std::io::Read::read(&mut &theirs, &mut [0; 8]).unwrap_or(0);
        ledger.settle(1);
        assert_eq!(rings(), 0);
        ledger.wait();
        ledger.settle(2);
        ledger.settle(3);
        assert_eq!(rings(), 1);
    }
}
