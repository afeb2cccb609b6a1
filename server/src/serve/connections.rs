//! The open connections of one core with their deadlines, the sweep that ends the late ones, and the queues in which they stand
//! to go for newcomers.
//!
//! Time is counted in ticks of about a second, so that a request costs no clock call. Only descriptors are held here;
//! an entry leaves before its descriptor is closed, so neither touches a descriptor that means something else.

use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::limits;
use crate::sys::{self, Half};

/// What a connection waits for; it decides how it ends when the process drains, and whether it may go for a newcomer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// For a request of which no byte is here.
    Idle,
    /// For the rest of a head, or of a TLS handshake.
    Head,
    /// For the rest of a body.
    Body,
    /// For a decision, for its record, or for its answer to be taken.
    Busy,
}

/// Who goes before whom for a newcomer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rank {
    /// It had no answer yet, whatever it sends.
    New,
    /// It had answers, and sends no body.
    Known,
    /// It had answers, and sends a body: last, as long as that takes no longer than bodies do.
    Sending,
}

#[derive(Debug)]
struct Entry {
    fd: RawFd,
    deadline: u64,
    waits: Waits,
    stand: Option<Stand>,
    /// The tick in which it had to go for a newcomer.
    evicted: Option<u64>,
    /// Its handshake, if it is in one, hears of its end here.
    cut: Option<Cut>,
}

/// Whether a connection was ended while others still work for it.
pub(crate) type Cut = Arc<AtomicBool>;

/// Where a connection stands in which queue.
#[derive(Clone, Copy, Debug)]
struct Stand {
    rank: Rank,
    /// The tick of its arrival there.
    since: u64,
    before: Option<usize>,
    behind: Option<usize>,
}

/// The ends of a queue: who goes first stands in front.
#[derive(Clone, Copy, Debug, Default)]
struct Queue {
    front: Option<usize>,
    back: Option<usize>,
}

/// Place of a connection in [`Connections`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(usize);

/// All connections of one core.
#[derive(Debug, Default)]
pub struct Connections {
    entries: Vec<Option<Entry>>,
    free: Vec<usize>,
    tick: u64,
    /// Those that had to go in this tick, and have not left.
    leaving: usize,
    /// By the number of their [`Rank`].
    queues: [Queue; Rank::ALL.len()],
}

impl Rank {
    const ALL: [Rank; 3] = [Rank::New, Rank::Known, Rank::Sending];
}

impl Entry {
    /// Shuts the connection down, and tells those who work for it.
    fn end(&self, half: Half) {
        sys::shutdown(self.fd, half);
        if let Some(cut) = &self.cut {
            cut.store(true, Ordering::Relaxed);
        }
    }
}

impl Connections {
    /// Open connections.
    #[must_use]
    pub fn count(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// Adds a connection, idle until it says otherwise.
    pub fn enter(&mut self, fd: RawFd) -> Place {
        let entry = Some(Entry {
            fd,
            deadline: u64::MAX,
            waits: Waits::Idle,
            stand: None,
            evicted: None,
            cut: None,
        });
        let at = match self.free.pop() {
            Some(at) => {
                if let Some(slot) = self.entries.get_mut(at) {
                    *slot = entry;
                }
                at
            }
            None => {
                self.entries.push(entry);
                self.entries.len() - 1
            }
        };
        self.queue_up(at, Rank::New);
        Place(at)
    }

    /// Forgets a connection; call before its descriptor is closed.
    pub fn leave(&mut self, place: Place) {
        self.step_out(place.0);
        if let Some(slot) = self.entries.get_mut(place.0)
            && let Some(entry) = slot.take()
        {
            self.free.push(place.0);
            if entry.evicted == Some(self.tick) {
                self.leaving = self.leaving.saturating_sub(1);
            }
        }
    }

    /// A connection begins a handshake: where it says so if it is ended in the meantime.
    pub(crate) fn begin_handshake(&mut self, place: Place) -> Cut {
        let cut = Cut::default();
        if let Some(entry) = self.entry(place.0) {
            entry.cut = Some(Arc::clone(&cut));
        }
        cut
    }

    /// The handshake of a connection is over.
    pub(crate) fn end_handshake(&mut self, place: Place) {
        if let Some(entry) = self.entry(place.0) {
            entry.cut = None;
        }
    }

    /// The tick by which something that may take `seconds` must be done.
    #[must_use]
    pub fn deadline(&self, seconds: u64) -> u64 {
        // The current tick is partly over.
        self.tick + seconds + 1
    }

    /// A connection does not wait for its client, and has until then.
    ///
    /// It keeps its stand, so that a request costs nothing here: whoever is met there by [`Connections::evict`] steps out.
    pub fn keep_busy(&mut self, place: Place, deadline: u64) {
        if let Some(entry) = self.entry(place.0) {
            entry.waits = Waits::Busy;
            entry.deadline = deadline;
        }
    }

    /// Says what a connection waits for from its client, which `is_known` if it had an answer, and until when.
    ///
    /// Whoever waits for a request goes to the end of its queue, once in a tick; whoever waits for the rest of one stands where
    /// it stood when the wait began, however many bytes came since.
    pub fn wait(&mut self, place: Place, (waits, is_known): (Waits, bool), deadline: u64) {
        let tick = self.tick;
        let Some(entry) = self.entry(place.0) else {
            return;
        };
        let goes_on = waits == entry.waits && waits != Waits::Idle;
        entry.waits = waits;
        entry.deadline = deadline;
        let rank = match waits {
            _ if !is_known => Rank::New,
            Waits::Body => Rank::Sending,
            Waits::Idle | Waits::Head | Waits::Busy => Rank::Known,
        };
        let stands = |stand: Stand| stand.rank == rank && (goes_on || stand.since == tick);
        if !entry.stand.is_some_and(stands) {
            self.step_out(place.0);
            self.queue_up(place.0, rank);
        }
    }

    /// Has one go, unless as many are about to leave as newcomers wait, however often those look. Who takes longer than a tick
    /// is not counted on.
    pub fn evict_for(&mut self, newcomers: usize) -> bool {
        self.leaving < newcomers && self.evict()
    }

    /// Ends the connection that should go for a newcomer: one that waits for a body that takes long; or else the one that waits
    /// for the longest time for a client which never had an answer; or else for one which had; or else for a body. Whatever
    /// already arrived on it is still read and answered. False if all are busy.
    fn evict(&mut self) -> bool {
        while let Some(at) = self.first_to_go() {
            self.step_out(at);
            let (tick, deadline) = (self.tick, self.deadline(1));
            if let Some(entry) = self.entry(at)
                && entry.waits != Waits::Busy
            {
                entry.waits = Waits::Busy;
                entry.deadline = deadline;
                entry.end(Half::Read);
                if entry.evicted.replace(tick) != Some(tick) {
                    self.leaving += 1;
                }
                return true;
            }
        }
        false
    }

    /// Who stands in front of the others.
    fn first_to_go(&mut self) -> Option<usize> {
        let tick = self.tick;
        let sending = self.queue(Rank::Sending).front;
        let is_slow = |stand: &mut Stand| stand.since + limits::BODY_SECONDS_KEPT <= tick;
        if self.stand(sending).is_some_and(is_slow) {
            return sending;
        }
        Rank::ALL.into_iter().find_map(|rank| self.queue(rank).front)
    }

    fn entry(&mut self, at: usize) -> Option<&mut Entry> {
        self.entries.get_mut(at)?.as_mut()
    }

    fn stand(&mut self, at: Option<usize>) -> Option<&mut Stand> {
        self.entry(at?)?.stand.as_mut()
    }

    fn queue(&mut self, rank: Rank) -> &mut Queue {
        let [new, known, sending] = &mut self.queues;
        match rank {
            Rank::New => new,
            Rank::Known => known,
            Rank::Sending => sending,
        }
    }

    /// Puts a connection that stands nowhere at the end of a queue.
    fn queue_up(&mut self, at: usize, rank: Rank) {
        let before = self.queue(rank).back.replace(at);
        match self.stand(before) {
            Some(stand) => stand.behind = Some(at),
            None => self.queue(rank).front = Some(at),
        }
        let since = self.tick;
        if let Some(entry) = self.entry(at) {
            entry.stand = Some(Stand {
                rank,
                since,
                before,
                behind: None,
            });
        }
    }

    /// Takes a connection out of the queue that it stands in, if it stands in one.
    fn step_out(&mut self, at: usize) {
        let Some(stand) = self.entry(at).and_then(|entry| entry.stand.take()) else {
            return;
        };
        match self.stand(stand.before) {
            Some(before) => before.behind = stand.behind,
            None => self.queue(stand.rank).front = stand.behind,
        }
        match self.stand(stand.behind) {
            Some(behind) => behind.before = stand.before,
            None => self.queue(stand.rank).back = stand.before,
        }
    }

    /// A second has passed: shuts down the connections that are past their deadline and counts them.
    pub fn sweep(&mut self) -> u64 {
        self.tick += 1;
        self.leaving = 0;
        let mut late = 0;
        for entry in self.entries.iter_mut().flatten() {
            if entry.deadline <= self.tick {
                // What already arrived on an idle connection is still read and answered.
                let half = match entry.waits {
                    Waits::Idle => Half::Read,
                    Waits::Head | Waits::Body | Waits::Busy => Half::Both,
                };
                entry.end(half);
                entry.deadline = u64::MAX;
                late += 1;
            }
        }
        late
    }

    /// Ends the idle connections of a draining process. What already arrived on them is still read and answered.
    ///
    /// A client that asked a moment ago is probably about to ask again: its connection has until the next tick, so that its
    /// request is answered, with `Connection: close`, instead of meeting a closed door.
    pub fn end_idle(&mut self) {
        let asked_lately = self.tick + limits::IDLE_SECONDS;
        for entry in self.entries.iter_mut().flatten() {
            if entry.waits != Waits::Idle {
                continue;
            }
            if entry.deadline >= asked_lately {
                entry.deadline = self.tick + 1;
            } else {
                sys::shutdown(entry.fd, Half::Read);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::fd::AsRawFd as _;
    use std::os::unix::net::UnixStream;

    use super::*;

    /// Connections, the clients of each, and which of them went.
    struct Bench {
        connections: Connections,
        gone: Vec<usize>,
        pairs: Vec<(UnixStream, UnixStream, Place)>,
    }

    impl Bench {
        fn of(count: usize) -> Bench {
            let mut connections = Connections::default();
            let pairs = (0..count)
                .map(|_| {
                    let (ours, theirs) = UnixStream::pair().unwrap();
                    ours.set_nonblocking(true).unwrap();
                    let place = connections.enter(ours.as_raw_fd());
                    (ours, theirs, place)
                })
                .collect();
            let gone = Vec::new();
            Bench {
                connections,
                gone,
                pairs,
            }
        }

        fn wait(&mut self, at: usize, waits: Waits, is_known: bool) {
            let deadline = self.connections.deadline(60);
            let place = self.pairs[at].2;
            match waits {
                Waits::Busy => self.connections.keep_busy(place, deadline),
                _ => self.connections.wait(place, (waits, is_known), deadline),
            }
        }

        /// Who goes, one after the other, until nobody does.
        fn evicted(&mut self) -> Vec<usize> {
            let known = self.gone.len();
            while self.connections.evict() {
                let has_ended = |(ours, ..): &(UnixStream, _, _)| matches!((&*ours).read(&mut [0]), Ok(0));
                let gone = (0..self.pairs.len())
                    .find(|at| !self.gone.contains(at) && has_ended(&self.pairs[*at]))
                    .unwrap();
                self.gone.push(gone);
                self.connections.leave(self.pairs[gone].2);
            }
            self.gone[known..].to_vec()
        }
    }

    #[test]
    fn who_waits_longest_goes_first_and_who_had_an_answer_behind_those_who_had_none() {
        let mut bench = Bench::of(4);
        bench.wait(0, Waits::Idle, true);
        bench.connections.sweep();
        bench.wait(3, Waits::Idle, true);
        bench.wait(1, Waits::Head, false);
        assert_eq!(bench.evicted(), [2, 1, 0, 3]);
    }

    #[test]
    fn who_sends_a_body_goes_last_and_who_is_busy_never() {
        let mut bench = Bench::of(3);
        bench.wait(0, Waits::Body, true);
        bench.wait(1, Waits::Busy, false);
        bench.wait(2, Waits::Idle, true);
        assert_eq!(bench.evicted(), [2, 0]);
        bench.wait(1, Waits::Idle, true);
        assert_eq!(bench.evicted(), [1]);
        assert_eq!(bench.connections.count(), 0);
    }

    /// Nobody earns a place by half a body: neither who never had an answer, nor who takes long.
    #[test]
    fn half_a_body_keeps_nobody_from_going() {
        let mut bench = Bench::of(5);
        bench.wait(0, Waits::Idle, true);
        bench.wait(1, Waits::Body, false);
        bench.wait(2, Waits::Body, true);
        for _ in 0..limits::BODY_SECONDS_KEPT {
            bench.connections.sweep();
            bench.wait(1, Waits::Body, false);
            bench.wait(2, Waits::Body, true);
        }
        bench.wait(3, Waits::Body, true);
        bench.wait(4, Waits::Idle, true);
        assert_eq!(bench.evicted(), [2, 1, 0, 4, 3]);
    }

    #[test]
    fn who_has_to_go_is_counted_until_it_left_or_takes_long() {
        let mut bench = Bench::of(3);
        let places = [0, 1].map(|at: usize| bench.pairs[at].2);
        assert!(bench.connections.evict_for(1) && !bench.connections.evict_for(1));
        assert!(bench.connections.evict_for(2));
        assert_eq!(bench.connections.leaving, 2);
        bench.connections.leave(places[0]);
        assert_eq!(bench.connections.leaving, 1);
        bench.connections.sweep();
        assert_eq!(bench.connections.leaving, 0);
        assert!(bench.connections.evict());
        bench.connections.leave(places[1]);
        assert_eq!(bench.connections.leaving, 1);
    }

    #[test]
    fn a_handshake_hears_that_its_connection_went() {
        let mut bench = Bench::of(3);
        let cuts = [0, 1, 2].map(|at: usize| bench.connections.begin_handshake(bench.pairs[at].2));
        bench.connections.end_handshake(bench.pairs[1].2);
        bench.wait(2, Waits::Head, false);
        assert!(bench.connections.evict() && bench.connections.evict());
        let heard = |cut: &Cut| cut.load(Ordering::Relaxed);
        assert_eq!(cuts.each_ref().map(heard), [true, false, false]);
        (0..=61).for_each(|_| _ = bench.connections.sweep());
        assert_eq!(cuts.each_ref().map(heard), [true, false, true]);
    }

    #[test]
    fn bytes_of_a_head_that_goes_on_keep_nobody_from_going() {
        let mut bench = Bench::of(2);
        bench.wait(0, Waits::Head, false);
        bench.wait(1, Waits::Idle, false);
        for _ in 0..3 {
            bench.connections.sweep();
            bench.wait(0, Waits::Head, false);
            bench.wait(1, Waits::Idle, false);
        }
        assert_eq!(bench.evicted(), [0, 1]);
    }

    #[test]
    fn a_place_that_was_left_is_taken_anew() {
        let mut bench = Bench::of(3);
        bench.connections.leave(bench.pairs[1].2);
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let place = bench.connections.enter(ours.as_raw_fd());
        assert_eq!(place, bench.pairs[1].2);
        bench.pairs[1] = (ours, theirs, place);
        assert_eq!(bench.evicted(), [0, 2, 1]);
    }
}
