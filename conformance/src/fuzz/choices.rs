//! Decisions drawn from bytes: whoever changes the bytes, a fuzzer or a seed, changes the decisions.

/// A source of decisions. When the bytes are used up, every decision is the first choice, so that what is made ends.
#[derive(Clone, Debug)]
pub struct Choices<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Choices<'b> {
    /// Draws from the bytes.
    #[must_use]
    pub fn new(bytes: &'b [u8]) -> Choices<'b> {
        Choices { bytes, at: 0 }
    }

    /// Whether all bytes are used up.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// A number below `count` (at most 65,536); 0 when `count` is 0.
    pub fn below(&mut self, count: usize) -> usize {
        let mut next = || {
            let byte = self.bytes.get(self.at).copied().unwrap_or(0);
            self.at += 1;
            usize::from(byte)
        };
        let drawn = if count > 256 { next() << 8 | next() } else { next() };
        drawn.checked_rem(count).unwrap_or(0)
    }

    /// True in about `percent` of a hundred cases; false when the bytes are used up.
    pub fn chance(&mut self, percent: usize) -> bool {
        !self.is_empty() && self.below(100) < percent
    }

    /// One of the items; the first when the bytes are used up.
    pub fn one<'i, T>(&mut self, items: &'i [T]) -> Option<&'i T> {
        let at = self.below(items.len());
        items.get(at)
    }

    /// One of the texts.
    pub fn text<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        self.one(texts).copied().unwrap_or_default()
    }
}

/// Random numbers that a seed decides: xorshift64*.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// From a seed.
    #[must_use]
    pub fn new(seed: u64) -> Random {
        // Neighbouring seeds must not give neighbouring numbers; zero would stay zero.
        Random(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `count`; 0 when `count` is 0.
    pub fn below(&mut self, count: usize) -> usize {
        ((self.number() >> 33) as usize).checked_rem(count).unwrap_or(0)
    }

    /// Some bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| (self.number() >> 40) as u8).collect()
    }
}
