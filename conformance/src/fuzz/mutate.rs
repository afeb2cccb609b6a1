//! Inputs made from seeds: pieces put in, cut out, repeated, bytes changed.

use super::Target;
use super::choices::Random;

/// Longest input.
const BYTES_MAX: usize = 32 << 10;

/// Bytes of an input that is a list of decisions.
const DECISIONS_MAX: usize = 2 << 10;

/// The input of a target that a number decides.
pub(super) fn input(target: Target, corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let Some(seed) = corpus.get(random.below(corpus.len())) else {
        let count = 64 + random.below(DECISIONS_MAX);
        return random.bytes(count);
    };
    let mut bytes = seed.clone();
    for _ in 0..=random.below(8) {
        change(target, corpus, &mut bytes, random);
    }
    bytes.truncate(BYTES_MAX);
    bytes
}

fn change(target: Target, corpus: &[Vec<u8>], bytes: &mut Vec<u8>, random: &mut Random) {
    let len = bytes.len();
    let at = random.below(len + 1);
    let end = (at + random.below(32)).min(len);
    match random.below(8) {
        0 | 1 => {
            let pieces = target.pieces();
            let piece = pieces
                .get(random.below(pieces.len()))
                .copied()
                .unwrap_or_default();
            bytes.splice(at..at, piece.bytes());
        }
        2 => {
            bytes.drain(at..end);
        }
        3 => {
            let part = bytes
                .get(at..end)
                .unwrap_or_default()
                .repeat(1 + random.below(200));
            bytes.splice(at..at, part);
        }
        4 => {
            let fresh = random.number() as u8;
            if let Some(byte) = bytes.get_mut(at) {
                *byte = fresh;
            }
        }
        5 => bytes.truncate(at),
        6 => {
            // A part of another seed.
            let other = corpus
                .get(random.below(corpus.len()))
                .cloned()
                .unwrap_or_default();
            let from = random.below(other.len() + 1);
            let to = (from + random.below(400)).min(other.len());
            bytes.splice(at..at, other.get(from..to).unwrap_or_default().iter().copied());
        }
        _ => {
            // A line somewhere else.
            let part: Vec<u8> = bytes.drain(at..end).collect();
            let to = random.below(bytes.len() + 1);
            bytes.splice(to..to, part);
        }
    }
}
