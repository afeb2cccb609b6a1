//! Random bits for record ids: unique, not secret. One generator for each thread, no system calls after its start.

use std::hash::{BuildHasher, Hasher, RandomState};

/// xoshiro256++, by Blackman and Vigna (public domain).
#[derive(Clone, Debug)]
pub struct Random([u64; 4]);

impl Random {
    /// A generator seeded with 256 bits from the system's randomness.
    #[must_use]
    pub fn seeded() -> Random {
        // `RandomState` is keyed by the system; hashing under its key is the standard library's only way to that key.
        Random([0u64, 1, 2, 3].map(|word| {
            let mut hasher = RandomState::new().build_hasher();
            hasher.write_u64(word);
            hasher.finish()
        }))
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        let [a, b, c, d] = self.0;
        let out = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        let (a, b) = (a ^ d, b ^ c);
        self.0 = [a, b, c ^ (self.0[1] << 17), d.rotate_left(45)];
        out
    }
}
