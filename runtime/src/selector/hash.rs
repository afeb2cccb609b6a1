//! Hash of texts in tables that only policy authors fill: eight bytes a step, no defence against made-up keys needed.

use std::hash::{BuildHasherDefault, Hasher};

/// For `HashMap`s keyed by text of the image.
pub(super) type BuildTextHasher = BuildHasherDefault<TextHasher>;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TextHasher(u64);

const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

impl TextHasher {
    fn mix(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(ODD);
    }
}

impl Hasher for TextHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.mix(u64::from_le_bytes(*word)));
        let mut last = [0; 8];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        self.mix(u64::from_le_bytes(last) ^ (bytes.len() as u64) << 56);
    }

    fn write_u8(&mut self, byte: u8) {
        self.mix(u64::from(byte));
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}
