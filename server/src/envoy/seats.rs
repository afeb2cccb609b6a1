//! The connections of Envoys, of which there may be so many: where all seats are taken and another one comes, the connection goes
//! that asks for nothing for the longest time. Otherwise whoever reaches the port could keep Envoys out.
//!
//! A call is one here from its whole message to its answer: who only begins calls asks for nothing, and may have to go. How long one
//! that goes is waited for is another matter: until what has begun is answered (`steer.rs`).
//!
//! One thread accepts, others serve, so seats are shared. A call touches two atomics of its own connection's seat, and reads at its
//! end whether anybody waits; the lock is taken for connections that come and go.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::clock;
use crate::limits;

/// All seats that are taken, the oldest first.
#[derive(Debug)]
pub(super) struct Seats {
    taken: Mutex<BTreeMap<u64, Arc<Seat>>>,
    next: AtomicU64,
    /// For connections that are going, beside the seats.
    leaving: Arc<Semaphore>,
    newcomers: Arc<Newcomers>,
    /// How often a newcomer had to wait for the end of one that went: there was no room beside the seats.
    kept: AtomicU64,
}

/// Those of all doors that wait for a seat.
#[derive(Debug, Default)]
struct Newcomers {
    waiting: Mutex<usize>,
    /// Those of them for whom nobody goes, because they found calls everywhere: for each, the next connection does that has none
    /// any more. Raised under the lock, so that it is never more than wait.
    unmet: AtomicUsize,
}

/// One that waits for a seat, until this is dropped.
pub(super) struct Newcomer<'a>(&'a Seats);

/// One connection's; the seat is free when this is dropped.
pub(super) struct Taken {
    seats: Arc<Seats>,
    number: u64,
    pub(super) seat: Arc<Seat>,
    /// One of the connections that there may be, or one of those that may be going; none if it came when the server ended.
    permit: Cell<Option<OwnedSemaphorePermit>>,
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
    /// Those of all seats.
    newcomers: Arc<Newcomers>,
}

/// A call that is worked on, until this is dropped.
pub(super) struct Call(Arc<Seat>);

impl Default for Seats {
    fn default() -> Seats {
        Seats {
            taken: Mutex::default(),
            next: AtomicU64::new(0),
            leaving: Arc::new(Semaphore::new(limits::ENVOY_LEAVING_MAX)),
            newcomers: Arc::default(),
            kept: AtomicU64::new(0),
        }
    }
}

impl Seats {
    /// A connection has come.
    pub(super) fn take(self: &Arc<Seats>, permit: Option<OwnedSemaphorePermit>) -> Taken {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let seat = Arc::new(Seat {
            calls: AtomicUsize::new(0),
            was_asked: AtomicBool::new(false),
            silent_since_ns: AtomicU64::new(clock::monotonic_ns()),
            is_leaving: AtomicBool::new(false),
            leave: Notify::new(),
            newcomers: Arc::clone(&self.newcomers),
        });
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.insert(number, Arc::clone(&seat));
        drop(taken);
        Taken {
            seats: Arc::clone(self),
            number,
            seat,
            permit: Cell::new(permit),
        }
    }

    /// Somebody has come for whom there is no seat.
    pub(super) fn newcomer(&self) -> Newcomer<'_> {
        *self.newcomers.waiting() += 1;
        Newcomer(self)
    }
}

impl Newcomer<'_> {
    /// Tells one connection to go that nothing is asked on: the one of the longest silence among those that never asked, or else
    /// among those that did. If all have calls, the first one goes that has none any more. For n connections O(n),
    /// when one comes that has no seat; where it goes for one that never asked, for those alone that are older than this.
    pub(super) fn free_one(&self) {
        let taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if !free_silent(&taken) {
            self.0.newcomers.miss();
            // One may have ended its call before it could know.
            if free_silent(&taken) {
                self.0.newcomers.meet();
            }
        }
    }
}

impl Drop for Newcomer<'_> {
    /// It has a seat, or does not wait for one any more.
    fn drop(&mut self) {
        let newcomers = &self.0.newcomers;
        let mut waiting = newcomers.waiting();
        *waiting = waiting.saturating_sub(1);
        newcomers.unmet.fetch_min(*waiting, Ordering::SeqCst);
    }
}

impl Newcomers {
    fn waiting(&self) -> MutexGuard<'_, usize> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody goes for one of those that wait.
    fn miss(&self) {
        let waiting = self.waiting();
        if self.unmet.load(Ordering::SeqCst) < *waiting {
            self.unmet.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// One goes for one of those for whom nobody did. False if there is none.
    fn meet(&self) -> bool {
        let one_less = |unmet: usize| unmet.checked_sub(1);
        self.unmet
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
            .is_ok()
    }
}

/// Tells one to go that has no call. False if there is none.
fn free_silent(taken: &BTreeMap<u64, Arc<Seat>>) -> bool {
    let silent = taken.values().filter(|seat| seat.may_leave());
    // Who never asked is silent since it came. In a flood of those, the first is soon found.
    let first = silent.clone().find(|seat| !seat.was_asked());
    let first = first.or_else(|| silent.min_by_key(|seat| seat.silent_since_ns.load(Ordering::Relaxed)));
    first.inspect(|seat| seat.tell()).is_some()
}

impl Taken {
    /// The connection is going. False if so many others are, too, that it keeps the seat until it is gone.
    pub(super) fn give_way(&self) -> bool {
        self.seat.is_leaving.store(true, Ordering::SeqCst);
        match Arc::clone(&self.seats.leaving).try_acquire_owned() {
            Ok(permit) => {
                self.permit.set(Some(permit));
                true
            }
            Err(_) => {
                // One that goes by itself is in nobody's way.
                if self.is_waited_for() {
                    self.seats.kept.fetch_add(1, Ordering::Relaxed);
                }
                false
            }
        }
    }

    /// Whether anybody waits for a seat.
    pub(super) fn is_waited_for(&self) -> bool {
        *self.seats.newcomers.waiting() > 0
    }

    /// How often any connection that went kept its seat while a newcomer waited for one.
    pub(super) fn kept_seats(&self) -> u64 {
        self.seats.kept.load(Ordering::Relaxed)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut taken = self.seats.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.remove(&self.number);
    }
}

impl Seat {
    /// The message of a call is here, or cannot be had. Only on the thread of the connection.
    pub(super) fn call(self: &Arc<Seat>) -> Call {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.was_asked.store(true, Ordering::Relaxed);
        Call(Arc::clone(self))
    }

    /// Ends once the connection has to go. Only on the thread of the connection.
    pub(super) async fn wanted(&self) {
        loop {
            self.leave.notified().await;
            let has_calls = self.calls.load(Ordering::Relaxed) > 0;
            if !has_calls && *self.newcomers.waiting() > 0 {
                return;
            }
            // The newcomer found another seat; or a call was quicker, so that it waits for its end, or for that of another.
            self.is_leaving.store(false, Ordering::SeqCst);
            if has_calls {
                self.newcomers.miss();
            }
            self.offer();
        }
    }

    /// Goes, if it has no call, for one for whom nobody does.
    fn offer(&self) {
        let is_wanted = self.newcomers.unmet.load(Ordering::SeqCst) > 0;
        if is_wanted && self.may_leave() && self.newcomers.meet() {
            self.tell();
        }
    }

    /// Whether there was a call ever.
    pub(super) fn was_asked(&self) -> bool {
        self.was_asked.load(Ordering::Relaxed)
    }

    /// For how long there has been no call; nothing while there is one.
    pub(super) fn silence(&self) -> Option<Duration> {
        let is_silent = self.calls.load(Ordering::Relaxed) == 0;
        let since = self.silent_since_ns.load(Ordering::Relaxed);
        is_silent.then(|| Duration::from_nanos(clock::monotonic_ns().saturating_sub(since)))
    }

    fn may_leave(&self) -> bool {
        self.calls.load(Ordering::SeqCst) == 0 && !self.is_leaving.load(Ordering::SeqCst)
    }

    fn tell(&self) {
        self.is_leaving.store(true, Ordering::SeqCst);
        self.leave.notify_one();
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let seat = &self.0;
        seat.silent_since_ns
            .store(clock::monotonic_ns(), Ordering::Relaxed);
        seat.calls.fetch_sub(1, Ordering::SeqCst);
        seat.offer();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_leaving(taken: &Taken) -> bool {
        taken.seat.is_leaving.load(Ordering::SeqCst)
    }

    #[test]
    fn who_never_asked_goes_first_and_who_asks_never() {
        let seats = Arc::new(Seats::default());
        let [known, asking, silent] = [(); 3].map(|()| seats.take(None));
        drop(known.seat.call());
        let call = asking.seat.call();
        let newcomer = seats.newcomer();
        newcomer.free_one();
        assert!(is_leaving(&silent) && !is_leaving(&known));
        newcomer.free_one();
        assert!(is_leaving(&known) && !is_leaving(&asking));
        drop(call);
        assert!(!is_leaving(&asking));
        newcomer.free_one();
        assert!(is_leaving(&asking));
        drop((known, asking, silent));
        assert!(seats.taken.lock().unwrap().is_empty());
    }

    #[test]
    fn where_all_ask_the_first_goes_whose_calls_have_ended() {
        let seats = Arc::new(Seats::default());
        let both = [(); 2].map(|()| seats.take(None));
        let leaving = || both.each_ref().map(is_leaving);
        let [first, second] = both.each_ref().map(|taken| [(); 2].map(|()| taken.seat.call()));
        let newcomer = seats.newcomer();
        newcomer.free_one();
        let [one, other] = first;
        drop(one);
        assert_eq!(leaving(), [false, false]);
        drop(second);
        assert_eq!(leaving(), [false, true]);
        drop(other);
        assert_eq!(leaving(), [false, true]);
        // A newcomer that has its seat by other ways.
        let call = both[0].seat.call();
        newcomer.free_one();
        drop(newcomer);
        drop(call);
        assert_eq!(leaving(), [false, true]);
    }

    /// Newcomers of several doors, one of which has found a seat.
    #[test]
    fn for_each_who_waits_one_goes_and_no_more() {
        let seats = Arc::new(Seats::default());
        let all = [(); 4].map(|()| seats.take(None));
        let [one, two, three, four] = all.each_ref().map(|taken| taken.seat.call());
        let newcomers = [(); 3].map(|()| seats.newcomer());
        // However often each of them looks.
        for newcomer in newcomers.iter().chain(&newcomers) {
            newcomer.free_one();
        }
        let [first, second, third] = newcomers;
        drop(first);
        drop((one, two, three));
        assert_eq!(all.each_ref().map(is_leaving), [true, true, false, false]);
        drop((second, third));
        drop(four);
        assert_eq!(all.each_ref().map(is_leaving), [true, true, false, false]);
    }

    /// Told to go for one that found another seat before it could hear of that.
    #[test]
    fn nobody_goes_for_nobody() {
        let seats = Arc::new(Seats::default());
        let taken = seats.take(None);
        let newcomer = seats.newcomer();
        newcomer.free_one();
        drop(newcomer);
        let mut wanted = std::pin::pin!(taken.seat.wanted());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(wanted.as_mut().poll(&mut context).is_pending() && !is_leaving(&taken));
        let newcomer = seats.newcomer();
        newcomer.free_one();
        assert!(wanted.as_mut().poll(&mut context).is_ready());
    }

    /// Told to go, and asked something before it could hear of that.
    #[test]
    fn a_call_that_was_quicker_is_waited_for() {
        let seats = Arc::new(Seats::default());
        let taken = seats.take(None);
        let newcomer = seats.newcomer();
        newcomer.free_one();
        let call = taken.seat.call();
        let mut wanted = std::pin::pin!(taken.seat.wanted());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(wanted.as_mut().poll(&mut context).is_pending());
        drop(call);
        assert!(wanted.as_mut().poll(&mut context).is_ready());
    }

    #[test]
    fn who_goes_gives_way_at_once_unless_many_go() {
        let (seats, permits) = (Arc::new(Seats::default()), Arc::new(Semaphore::new(100)));
        let take = |_| seats.take(Arc::clone(&permits).try_acquire_owned().ok());
        let all: Vec<Taken> = (0..100).map(take).collect();
        assert_eq!(permits.available_permits(), 0);
        // Nobody waits for the end of the first that has no room.
        let (some, others) = all.split_at(limits::ENVOY_LEAVING_MAX + 1);
        let ways = some.iter().filter(|taken| taken.give_way()).count();
        assert_eq!(ways, limits::ENVOY_LEAVING_MAX);
        assert_eq!(permits.available_permits(), ways);
        assert_eq!(all[0].kept_seats(), 0);
        let _newcomer = seats.newcomer();
        assert!(!others.iter().any(Taken::give_way));
        assert_eq!(all[0].kept_seats(), others.len() as u64);
        drop(all);
        assert_eq!(permits.available_permits(), 100);
    }
}
