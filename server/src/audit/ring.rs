//! A worker's end of its ring: two parts of a frame become one there, and what comes next is fetched meanwhile.
#![expect(
    unsafe_code,
    reason = "a frame is published whole without a copy of its own, and the ring's memory, which the audit thread has read since, \
              is asked for before it is needed: a fifth to a third of what handing a record over costs"
)]

use std::mem::MaybeUninit;

use rtrb::CopyToUninit as _;

/// Puts two parts behind each other and publishes them as one. False: there is no room, and nothing was put there.
#[inline]
pub(super) fn push(ring: &mut rtrb::Producer<u8>, front: &[u8], end: &[u8]) -> bool {
    let Ok(mut chunk) = ring.write_chunk_uninit(front.len() + end.len()) else {
        return false;
    };
    let (one, two) = chunk.as_mut_slices();
    // Behind the last byte of the ring nothing is missed: one frame in thousands ends there.
    let next = if two.is_empty() { &*one } else { &*two }.as_ptr_range().end;
    if two.is_empty() {
        let (place, rest) = one.split_at_mut(front.len());
        front.copy_to_uninit(place);
        end.copy_to_uninit(rest);
    } else {
        copy_around([front, end], [one, two]);
    }
    // SAFETY: the slices have as many bytes together as the parts, and each was written: both halves of the first where it is
    // the only one (a copy into a place of another length panics), or one byte after the other through both.
    unsafe { chunk.commit_all() };
    fetch(next);
    true
}

/// Copies parts into places that have the same length together: around the end of the ring.
#[cold]
fn copy_around(parts: [&[u8]; 2], places: [&mut [MaybeUninit<u8>]; 2]) {
    let bytes = parts.into_iter().flatten();
    for (place, byte) in places.into_iter().flatten().zip(bytes) {
        place.write(*byte);
    }
}

/// Asks for the memory that the next frame is put into. Only on x86-64: elsewhere there is no stable way.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn fetch(next: *const MaybeUninit<u8>) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    const LINE_BYTES: usize = 64;
    // The processor fetches those behind them by itself.
    const LINES_AHEAD: usize = 8;
    for line in 0..LINES_AHEAD {
        let at = next.wrapping_byte_add(line * LINE_BYTES).cast();
        // SAFETY: a hint reads nothing, writes nothing, and never faults, wherever it points; SSE is part of x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at) };
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn fetch(_next: *const MaybeUninit<u8>) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_one_frame_wherever_the_ring_ends() {
        let (mut producer, mut consumer) = rtrb::RingBuffer::new(7);
        for start in 0..7 {
            for (front, end) in [("abc", "de"), ("", "abcde"), ("abcde", ""), ("abcd", "e")] {
                assert!(push(&mut producer, front.as_bytes(), end.as_bytes()), "{start}");
                assert!(!push(&mut producer, b"xy", b"z"));
                let mut frame = [0; 5];
                consumer.pop_entire_slice(&mut frame).unwrap();
                assert_eq!(&frame, b"abcde", "{start}: {front}, {end}");
            }
            assert!(push(&mut producer, b"x", b""));
            consumer.pop().unwrap();
        }
    }
}
