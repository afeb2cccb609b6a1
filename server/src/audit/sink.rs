//! The worker's end of its audit ring, and what happens when the ring is full.

use std::num::NonZeroU64;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::audit::ledger::Ledger;
use crate::audit::promise::Acks;
use crate::audit::ring;
use crate::audit::status::Status;
use crate::audit::wake::Wake;
use crate::limits;
use crate::metrics::Counters;

/// Bytes in front of a frame: its length, then its kind.
pub(crate) const HEADER_BYTES: usize = 5;
/// A frame of the decision engine.
pub(crate) const KIND_RECORD: u8 = 0;
/// A note that records are missing: their number as 64 bits.
pub(crate) const KIND_GAP: u8 = 1;

/// First size of a frame buffer.
const FRAME_BYTES_START: usize = 4096;

/// What a worker does when its audit ring has no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum FullPolicy {
    /// Wait while the audit thread makes room; once it has made none for a tenth of a second, drop until it does.
    #[default]
    Wait,
    /// Drop the record at once, count it, and leave a gap mark in the stream.
    Drop,
    /// No decision without a record: the answer is a denial.
    Deny,
}

/// One worker's way to the audit thread.
pub struct Sink {
    ring: rtrb::Producer<u8>,
    policy: FullPolicy,
    wake: Arc<Wake>,
    status: Arc<Status>,
    ledger: Arc<Ledger>,
    /// Where answers wait for their records: the worker's end of the bell, until it is taken.
    bell: Option<UnixStream>,
    /// Answers wait for their records.
    acknowledged: bool,
    counters: Arc<Counters>,
    /// Records lost since the last gap mark.
    missing: u64,
    frame: Vec<u8>,
    /// Of the last record, until it is taken.
    ticket: Option<u64>,
    /// How far the audit thread had come when this worker stopped waiting for it.
    stalled_at: Option<u64>,
}

/// What a [`Sink`] is made of.
pub(super) struct Parts {
    pub(super) ring: rtrb::Producer<u8>,
    pub(super) policy: FullPolicy,
    pub(super) wake: Arc<Wake>,
    pub(super) status: Arc<Status>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) bell: Option<UnixStream>,
    pub(super) counters: Arc<Counters>,
}

impl Sink {
    pub(super) fn new(parts: Parts) -> Sink {
        Sink {
            ring: parts.ring,
            policy: parts.policy,
            wake: parts.wake,
            status: parts.status,
            ledger: parts.ledger,
            acknowledged: parts.bell.is_some(),
            bell: parts.bell,
            counters: parts.counters,
            missing: 0,
            frame: Vec::with_capacity(FRAME_BYTES_START),
            ticket: None,
            stalled_at: None,
        }
    }

    /// Whether the record of a grant with this id is among the recorded ones, where of so many one is. Denials always are.
    #[must_use]
    pub fn keeps_grant(&self, id: [u8; 16], among: Option<NonZeroU64>) -> bool {
        among.is_none_or(|among| is_sampled(id, among)) || {
            self.counters.records_left_out.add(1);
            false
        }
    }

    /// Where this worker hears what became of its records, if answers wait for that. Once.
    pub fn acks(&mut self) -> Option<(Acks, UnixStream)> {
        let bell = self.bell.take()?;
        let acks = Acks::new(Arc::clone(&self.ledger), Arc::clone(&self.wake));
        Some((acks, bell))
    }

    /// The ticket of the record that was handed over last, if an answer has to wait for it. Once.
    pub fn take_ticket(&mut self) -> Option<u64> {
        self.ticket.take()
    }

    /// Hands over one record. `encode` appends its front to the buffer it is given and gives back what it ends with, which is
    /// copied once, from where it is. `could_be_written`: behind the ring there is what it takes; else this is a moment without
    /// room. True if the decision may stand.
    ///
    /// A record that not even an empty ring holds denies under every policy: the policies are about a moment without
    /// room, and the caller chooses the size.
    ///
    /// Does not allocate once the buffer has grown to the size of the usual front; what a large one took is given back.
    pub fn submit_where<'b>(
        &mut self,
        could_be_written: bool,
        encode: impl FnOnce(&mut Vec<u8>) -> &'b [u8],
    ) -> bool {
        self.frame.clear();
        self.frame.extend_from_slice(&[0; HEADER_BYTES]);
        let end = encode(&mut self.frame);
        seal(&mut self.frame, KIND_RECORD, end.len());
        let needed = self.needed(end);
        let fits = needed <= self.ring.buffer().capacity();
        let kept = fits && could_be_written && !self.refuses() && self.make_room(needed) && self.push(end);
        if self.frame.capacity() > limits::BUFFER_BYTES_KEEP {
            self.frame = Vec::with_capacity(FRAME_BYTES_START);
        }
        if kept {
            // Who waits for the record wakes the audit thread, once for all records of one write.
            if !self.acknowledged {
                self.wake.notify();
            } else {
                self.is_roomy();
            }
        } else {
            self.missing += 1;
            self.counters.records_lost.add(1);
        }
        kept || (fits && self.policy != FullPolicy::Deny)
    }

    #[cfg(test)]
    pub(super) fn submit(&mut self, encode: impl FnOnce(&mut Vec<u8>)) -> bool {
        self.submit_where(true, |frame| {
            encode(frame);
            &[]
        })
    }

    /// Whether half of the ring or more is free. Who hands over many records at once waits for that now and then.
    pub fn is_roomy(&self) -> bool {
        let roomy = self.has_room(self.ring.buffer().capacity() / 2);
        if !roomy {
            self.wake.rouse();
        }
        roomy || self.status.broken.load(Ordering::Relaxed) || self.status.failing.load(Ordering::Relaxed)
    }

    /// Whether so many bytes are free. Where those suffice that were free at the last look, it does not look again at what the
    /// audit thread writes, which costs the two cores a cache line that goes there and back.
    fn has_room(&self, bytes: usize) -> bool {
        self.ring.cached_slots() >= bytes || self.ring.slots() >= bytes
    }

    /// Nothing can be recorded at this moment, so that there is no use in trying.
    fn refuses(&self) -> bool {
        self.status.broken.load(Ordering::Relaxed)
            || (self.policy == FullPolicy::Deny && self.status.failing.load(Ordering::Relaxed))
    }

    fn needed(&self, end: &[u8]) -> usize {
        self.frame.len()
            + end.len()
            + if self.missing > 0 {
                HEADER_BYTES + GAP_BYTES
            } else {
                0
            }
    }

    fn make_room(&mut self, needed: usize) -> bool {
        self.has_room(needed) || self.wait_for_room(needed)
    }

    /// Waits as long as the audit thread makes room, if that is the policy. Only one that has made none for a while, because its
    /// outlet takes nothing, is not waited for, until it goes on.
    #[cold]
    fn wait_for_room(&mut self, needed: usize) -> bool {
        self.wake.rouse();
        let patience = Duration::from_micros(limits::AUDIT_WAIT_US);
        let (mut come_to, mut since) = (self.come_to(), Instant::now());
        if self.policy != FullPolicy::Wait || self.stalled_at == Some(come_to) {
            return false;
        }
        while !self.has_room(needed) {
            if self.status.failing.load(Ordering::Relaxed) || self.status.broken.load(Ordering::Relaxed) {
                return false;
            }
            // The audit thread may need this core, and a thread of short turns gives away next to nothing by yielding.
            std::thread::sleep(Duration::from_micros(limits::AUDIT_LOOK_US));
            let now = self.come_to();
            if now != come_to {
                (come_to, since) = (now, Instant::now());
            } else if since.elapsed() >= patience {
                self.stalled_at = Some(come_to);
                return false;
            }
        }
        self.stalled_at = None;
        true
    }

    /// A number that grows with all that the audit thread does, for whichever core: this one's turn comes.
    fn come_to(&self) -> u64 {
        let progress = &self.status.progress;
        progress.taken.load(Ordering::Relaxed) + progress.written.load(Ordering::Relaxed)
    }

    fn push(&mut self, end: &[u8]) -> bool {
        let pushed = self.push_gap() && ring::push(&mut self.ring, &self.frame, end);
        if pushed {
            let ticket = self.ledger.push(self.frame.len() + end.len());
            self.ticket = self.acknowledged.then_some(ticket);
        }
        pushed
    }

    fn push_gap(&mut self) -> bool {
        if self.missing > 0 {
            let [c0, c1, c2, c3, c4, c5, c6, c7] = self.missing.to_le_bytes();
            let mut frame = [0, 0, 0, 0, 0, c0, c1, c2, c3, c4, c5, c6, c7];
            seal(&mut frame, KIND_GAP, 0);
            if self.ring.push_entire_slice(&frame).is_err() {
                return false;
            }
            self.ledger.push(frame.len());
            self.missing = 0;
        }
        true
    }

    /// Reports what is missing at the very end, when no further record carries the mark.
    pub fn finish(&mut self) {
        let _ = self.push_gap();
        self.wake.rouse();
    }
}

/// Content of a gap frame: the number of missing records.
const GAP_BYTES: usize = 8;

/// Whether one of `among` records with random ids is this one: by the number in the last 48 bits of its id, which is the
/// last group of the UUID.
fn is_sampled(id: [u8; 16], among: NonZeroU64) -> bool {
    let [.., b0, b1, b2, b3, b4, b5] = id;
    among.get() == 1 || u64::from_be_bytes([0, 0, b0, b1, b2, b3, b4, b5]).is_multiple_of(among.get())
}

/// `more_bytes`: what follows is not in the buffer.
fn seal(frame: &mut [u8], kind: u8, more_bytes: usize) {
    let length = u32::try_from(frame.len().saturating_sub(HEADER_BYTES) + more_bytes).unwrap_or(u32::MAX);
    if let [l0, l1, l2, l3, k, ..] = frame {
        [*l0, *l1, *l2, *l3] = length.to_le_bytes();
        *k = kind;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;

    const RING_BYTES: usize = 64;

    fn sink(policy: FullPolicy) -> (Sink, rtrb::Consumer<u8>) {
        sink_of(policy, RING_BYTES)
    }

    fn sink_of(policy: FullPolicy, ring_bytes: usize) -> (Sink, rtrb::Consumer<u8>) {
        let (ring, consumer) = rtrb::RingBuffer::new(ring_bytes);
        let sink = Sink::new(Parts {
            ring,
            policy,
            wake: Arc::default(),
            status: Arc::default(),
            ledger: Arc::default(),
            bell: None,
            counters: Arc::default(),
        });
        (sink, consumer)
    }

    #[test]
    fn a_large_record_leaves_no_large_buffer() {
        let (mut sink, _ring) = sink_of(FullPolicy::Deny, 2 * limits::BUFFER_BYTES_KEEP);
        assert!(sink.submit(|out| out.resize(limits::BUFFER_BYTES_KEEP + 1, b'x')));
        assert!(sink.frame.capacity() <= limits::BUFFER_BYTES_KEEP);
        assert!(sink.submit(|out| out.push(b'x')));
    }

    #[test]
    fn a_record_larger_than_the_ring_denies_under_every_policy() {
        let largest = RING_BYTES - HEADER_BYTES;
        for policy in [FullPolicy::Wait, FullPolicy::Drop, FullPolicy::Deny] {
            let (mut at_the_bound, ring) = sink(policy);
            assert!(at_the_bound.submit(|out| out.resize(out.len() + largest, b'x')));
            assert_eq!(ring.slots(), RING_BYTES);
            let (mut above, ring) = sink(policy);
            assert!(!above.submit(|out| out.resize(out.len() + largest + 1, b'x')));
            assert_eq!((ring.slots(), above.counters.records_lost.get()), (0, 1));
            // The mark of the lost record needs room too.
            let marked = largest - HEADER_BYTES - GAP_BYTES;
            assert!(!above.submit(|out| out.resize(out.len() + marked + 1, b'x')));
            assert!(above.submit(|out| out.resize(out.len() + marked, b'x')));
            // A moment without room is what the policy is for.
            assert_eq!(above.submit(|out| out.push(b'x')), policy != FullPolicy::Deny);
            let (mut stuck, ring) = sink(policy);
            // What a frame ends with counts as well, wherever it is.
            let all = [b'x'; RING_BYTES];
            let mut submit = |end: usize| stuck.submit_where(false, |_| all.get(..end).unwrap());
            assert!(!submit(largest + 1));
            assert_eq!(submit(1), policy != FullPolicy::Deny);
            assert_eq!((ring.slots(), stuck.counters.records_lost.get()), (0, 2));
        }
    }

    #[test]
    fn a_failing_output_denies_at_once_or_fills_the_ring() {
        for (policy, kept) in [
            (FullPolicy::Wait, 1),
            (FullPolicy::Drop, 1),
            (FullPolicy::Deny, 0),
        ] {
            let (mut sink, ring) = sink(policy);
            sink.status.failing.store(true, Ordering::Relaxed);
            assert_eq!(sink.submit(|out| out.push(b'x')), policy != FullPolicy::Deny);
            assert_eq!(ring.slots(), kept * (HEADER_BYTES + 1));
            assert_eq!(sink.ledger.depth(), ring.slots() as u64);
        }
    }

    /// Each record but the first waits for its room: what an audit thread has that takes one a millisecond.
    fn taken_by_one_that_goes_on(records: &[u8]) -> Vec<u8> {
        let (mut sink, mut ring) = sink(FullPolicy::Wait);
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let audit = scope.spawn(|| {
                let mut taken = Vec::new();
                loop {
                    let is_last = is_over.load(Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(1));
                    let mut frame = [0; RING_BYTES];
                    if ring.pop_entire_slice(&mut frame).is_ok() {
                        taken.push(frame[RING_BYTES - 1]);
                    } else if is_last {
                        return taken;
                    }
                }
            });
            for record in records {
                assert!(sink.submit(|out| out.resize(RING_BYTES, *record)));
            }
            is_over.store(true, Ordering::SeqCst);
            audit.join().unwrap()
        })
    }

    #[test]
    fn an_audit_thread_that_goes_on_is_waited_for() {
        let records: Vec<u8> = (0..50).collect();
        // A machine that stalls may take as long as nobody is waited for.
        assert!((0..5).any(|_| taken_by_one_that_goes_on(&records) == records));
    }

    #[test]
    fn an_audit_thread_that_stands_still_is_waited_for_once() {
        let fill = |out: &mut Vec<u8>| out.resize(RING_BYTES, b'x');
        let stall = Duration::from_micros(limits::AUDIT_WAIT_US);
        let (mut sink, mut ring) = sink(FullPolicy::Wait);
        assert!(sink.submit(fill));
        let start = Instant::now();
        for _ in 0..40 {
            assert!(sink.submit(|out| out.push(b'x')));
        }
        assert!(start.elapsed() >= stall && start.elapsed() < 20 * stall);
        assert_eq!(sink.counters.records_lost.get(), 40);
        // Whatever it does, and for whichever core, it goes on.
        ring.pop().unwrap();
        sink.status.progress.taken.fetch_add(1, Ordering::Relaxed);
        let start = Instant::now();
        assert!(sink.submit(|out| out.push(b'x')));
        assert!(start.elapsed() >= stall);
    }

    #[test]
    fn one_of_so_many_ids() {
        let two = NonZeroU64::new(2).unwrap();
        let id = |last| [9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 0, 0, 0, 0, 0, last];
        let kept = |among| (0..=9).filter(|last| is_sampled(id(*last), among)).count();
        assert_eq!((kept(NonZeroU64::MIN), kept(two)), (10, 5));
    }
}
