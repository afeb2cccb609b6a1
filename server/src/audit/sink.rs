//! The worker's end of its audit ring, and what happens when the ring is full.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

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
    /// Wait for at most a millisecond, then drop the record.
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
    /// Set by the audit thread once its output is gone.
    broken: Arc<AtomicBool>,
    counters: Arc<Counters>,
    /// Records lost since the last gap mark.
    missing: u64,
    frame: Vec<u8>,
}

impl Sink {
    pub(crate) fn new(
        ring: rtrb::Producer<u8>,
        policy: FullPolicy,
        wake: Arc<Wake>,
        broken: Arc<AtomicBool>,
        counters: Arc<Counters>,
    ) -> Sink {
        Sink {
            ring,
            policy,
            wake,
            broken,
            counters,
            missing: 0,
            frame: Vec::with_capacity(FRAME_BYTES_START),
        }
    }

    /// Hands over one record, which `encode` appends to the buffer it is given. True if the decision may stand.
    ///
    /// A record that not even an empty ring holds denies under every policy: the policies are about a moment without
    /// room, and the caller chooses the size.
    ///
    /// Does not allocate once the frame buffer has grown to the size of the usual record; what a large one took is given
    /// back.
    pub fn submit(&mut self, encode: impl FnOnce(&mut Vec<u8>)) -> bool {
        self.frame.clear();
        self.frame.extend_from_slice(&[0; HEADER_BYTES]);
        encode(&mut self.frame);
        seal(&mut self.frame, KIND_RECORD);
        let fits = self.needed() <= self.ring.buffer().capacity();
        let kept = fits && !self.broken.load(Ordering::Relaxed) && self.make_room() && self.push();
        if self.frame.capacity() > limits::BUFFER_BYTES_KEEP {
            self.frame = Vec::with_capacity(FRAME_BYTES_START);
        }
        if kept {
            self.wake.notify();
        } else {
            self.missing += 1;
            self.counters.records_lost.add(1);
        }
        kept || (fits && self.policy != FullPolicy::Deny)
    }

    /// Whether half of the ring or more is free. Who hands over many records at once waits for that now and then.
    #[must_use]
    pub fn is_roomy(&self) -> bool {
        let roomy = self.ring.slots() >= self.ring.buffer().capacity() / 2;
        if !roomy {
            self.wake.rouse();
        }
        roomy || self.broken.load(Ordering::Relaxed)
    }

    fn needed(&self) -> usize {
        self.frame.len()
            + if self.missing > 0 {
                HEADER_BYTES + GAP_BYTES
            } else {
                0
            }
    }

    fn make_room(&mut self) -> bool {
        let needed = self.needed();
        if self.ring.slots() >= needed {
            return true;
        }
        self.wake.rouse();
        if self.policy != FullPolicy::Wait {
            return false;
        }
        let patience = Duration::from_micros(limits::AUDIT_WAIT_US);
        let start = Instant::now();
        while start.elapsed() < patience {
            // On a machine with one core the audit thread needs this one.
            std::thread::yield_now();
            if self.ring.slots() >= needed {
                return true;
            }
        }
        false
    }

    fn push(&mut self) -> bool {
        self.push_gap() && self.ring.push_entire_slice(&self.frame).is_ok()
    }

    fn push_gap(&mut self) -> bool {
        if self.missing > 0 {
            let [c0, c1, c2, c3, c4, c5, c6, c7] = self.missing.to_le_bytes();
            let mut frame = [0, 0, 0, 0, 0, c0, c1, c2, c3, c4, c5, c6, c7];
            seal(&mut frame, KIND_GAP);
            if self.ring.push_entire_slice(&frame).is_err() {
                return false;
            }
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

fn seal(frame: &mut [u8], kind: u8) {
    let length = u32::try_from(frame.len().saturating_sub(HEADER_BYTES)).unwrap_or(u32::MAX);
    if let [l0, l1, l2, l3, k, ..] = frame {
        [*l0, *l1, *l2, *l3] = length.to_le_bytes();
        *k = kind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RING_BYTES: usize = 64;

    fn sink(policy: FullPolicy) -> (Sink, rtrb::Consumer<u8>) {
        let (producer, consumer) = rtrb::RingBuffer::new(RING_BYTES);
        let sink = Sink::new(producer, policy, Arc::default(), Arc::default(), Arc::default());
        (sink, consumer)
    }

    #[test]
    fn a_large_record_leaves_no_large_buffer() {
        let (producer, _consumer) = rtrb::RingBuffer::new(2 * limits::BUFFER_BYTES_KEEP);
        let mut sink = Sink::new(
            producer,
            FullPolicy::Deny,
            Arc::default(),
            Arc::default(),
            Arc::default(),
        );
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
        }
    }
}
