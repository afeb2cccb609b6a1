//! The connections of Envoys, of which there may be so many: where all seats are taken and another one comes, the connection goes
//! that asks for nothing for the longest time. Otherwise whoever reaches the port could keep Envoys out.
//!
//! One thread accepts, others serve, so seats are shared. A call touches two atomics of its own connection's seat; the lock is
//! taken for connections that come and go.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::clock;

/// All seats that are taken, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Seats {
    taken: Mutex<BTreeMap<u64, Arc<Seat>>>,
    next: AtomicU64,
}

/// One connection's; the seat is free when this is dropped.
pub(super) struct Taken {
    seats: Arc<Seats>,
    number: u64,
    pub(super) seat: Arc<Seat>,
}

/// What is known of one connection.
#[derive(Debug)]
pub(super) struct Seat {
    /// Calls that are worked on.
    calls: AtomicUsize,
    /// Whether there was one ever.
    was_asked: AtomicBool,
    /// Since when there is none, by the monotonic clock.
    silent_since_ns: AtomicU64,
    /// It was told to go.
    is_leaving: AtomicBool,
    leave: Notify,
}

/// A call that is worked on, until this is dropped.
pub(super) struct Call(Arc<Seat>);

impl Seats {
    /// A connection has come.
    pub(super) fn take(self: &Arc<Seats>) -> Taken {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let seat = Arc::new(Seat {
            calls: AtomicUsize::new(0),
            was_asked: AtomicBool::new(false),
            silent_since_ns: AtomicU64::new(clock::monotonic_ns()),
            is_leaving: AtomicBool::new(false),
            leave: Notify::new(),
        });
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.insert(number, Arc::clone(&seat));
        drop(taken);
        Taken {
            seats: Arc::clone(self),
            number,
            seat,
        }
    }

    /// Tells one connection to go that nothing is asked on: the one of the longest silence among those that never asked, or else
    /// among those that did. False if all have calls. O(n) for n connections, when one comes that has no seat.
    pub(super) fn free_one(&self) -> bool {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let silent = taken.values().filter(|seat| seat.may_leave());
        let first = silent.min_by_key(|seat| {
            (
                seat.was_asked.load(Ordering::Relaxed),
                seat.silent_since_ns.load(Ordering::Relaxed),
            )
        });
        if let Some(seat) = first {
            seat.is_leaving.store(true, Ordering::Relaxed);
            seat.leave.notify_one();
        }
        first.is_some()
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut taken = self.seats.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.remove(&self.number);
    }
}

impl Seat {
    /// A call begins. Only on the thread of the connection.
    pub(super) fn call(self: &Arc<Seat>) -> Call {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.was_asked.store(true, Ordering::Relaxed);
        Call(Arc::clone(self))
    }

    /// Ends once the connection has to go. Only on the thread of the connection: no call begins between that and its end.
    pub(super) async fn wanted(&self) {
        loop {
            self.leave.notified().await;
            if self.calls.load(Ordering::Relaxed) == 0 {
                return;
            }
            // A call was quicker.
            self.is_leaving.store(false, Ordering::Relaxed);
        }
    }

    fn may_leave(&self) -> bool {
        self.calls.load(Ordering::Relaxed) == 0 && !self.is_leaving.load(Ordering::Relaxed)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let seat = &self.0;
        seat.silent_since_ns
            .store(clock::monotonic_ns(), Ordering::Relaxed);
        seat.calls.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_never_asked_goes_first_and_who_asks_never() {
        let seats = Arc::new(Seats::default());
        let [known, asking, silent] = [(); 3].map(|()| seats.take());
        drop(known.seat.call());
        let call = asking.seat.call();
        let leaving = |taken: &Taken| taken.seat.is_leaving.load(Ordering::Relaxed);
        assert!(seats.free_one());
        assert!(leaving(&silent) && !leaving(&known));
        assert!(seats.free_one());
        assert!(leaving(&known) && !leaving(&asking));
        assert!(!seats.free_one());
        drop(call);
        assert!(seats.free_one());
        drop((known, asking, silent));
        assert!(seats.taken.lock().unwrap().is_empty());
    }
}
