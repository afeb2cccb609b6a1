//! Hash of texts in tables that only policy authors fill: eight bytes a step, no defence against made-up keys needed.

use std::hash::{BuildHasherDefault, Hasher};

/// For `HashMap`s keyed by text of the image.
pub(super) type BuildTextHasher = BuildHasherDefault<TextHasher>;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TextHasher(u64);

const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

/// A word more. Names differ in few bytes, wherever those stand in a word; only the two halves of the product together
/// depend on all of them.
#[inline]
fn mix(state: u64, word: u64) -> u64 {
    let product = u128::from(state ^ word) * u128::from(ODD);
    product as u64 ^ (product >> 64) as u64
}

/// The hash of a text.
#[inline]
pub(crate) fn hash(text: &[u8]) -> u64 {
    hash_from(ODD, text)
}

#[inline]
fn hash_from(state: u64, text: &[u8]) -> u64 {
    let (words, rest) = text.as_chunks::<8>();
    let mut state = words.iter().fold(state ^ text.len() as u64, |state, word| {
        mix(state, u64::from_le_bytes(*word))
    });
    // Some bytes count twice, which costs less than a loop over the rest.
    match text.last_chunk::<8>() {
        Some(last) if !rest.is_empty() => state = mix(state, u64::from_le_bytes(*last)),
        Some(_) => {}
        None => {
            let word = rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
            state = mix(state, word);
        }
    }
    state
}

impl Hasher for TextHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash_from(self.0 ^ ODD, bytes);
    }

    fn write_u8(&mut self, byte: u8) {
        self.0 = mix(self.0, u64::from(byte));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
