//! Natural numbers of bounded size on the stack: what exact arithmetic needs for every number that is a 64-bit float,
//! without the allocator. Larger ones are left to the caller (`None`).

use std::cmp::Ordering;

/// Words of a number. The exact digits of every 64-bit float (2,640 bits for the smallest) and the product of any two
/// integers that are floats (2,048 bits) fit.
const WORDS: usize = 96;
/// Bits of a number.
pub(super) const BITS: u64 = 32 * WORDS as u64;
/// Decimal digits of a number, rounded up to groups of nine.
pub(super) const DIGITS: usize = 936;
/// Nine digits are the most that a word holds.
const GROUP: u32 = 1_000_000_000;

/// A number below `2^BITS`, least word first.
#[derive(Clone, Debug)]
pub(crate) struct Nat {
    // INVARIANT: words from `len` on are zero, and the one before is not.
    words: [u32; WORDS],
    len: usize,
}

impl Nat {
    pub(super) const ZERO: Nat = Nat {
        words: [0; WORDS],
        len: 0,
    };

    pub(super) fn of(number: u128) -> Nat {
        let mut nat = Nat::ZERO;
        for (at, word) in nat.words.iter_mut().take(4).enumerate() {
            *word = (number >> (32 * at)) as u32;
        }
        nat.len = 4;
        nat.trimmed()
    }

    /// From decimal digits, as bytes `b'0'..=b'9'`.
    pub(super) fn of_digits(digits: impl Iterator<Item = u8>) -> Option<Nat> {
        let mut nat = Nat::ZERO;
        let (mut group, mut scale) = (0_u32, 1_u32);
        for digit in digits {
            group = group * 10 + u32::from(digit.wrapping_sub(b'0'));
            scale *= 10;
            if scale == GROUP {
                nat.times_plus(scale, group)?;
                (group, scale) = (0, 1);
            }
        }
        nat.times_plus(scale, group)?;
        Some(nat)
    }

    /// From words, least first.
    pub(super) fn of_words(words: impl ExactSizeIterator<Item = u32>) -> Option<Nat> {
        let mut nat = Nat::ZERO;
        nat.len = words.len();
        nat.words.get_mut(..nat.len)?;
        for (place, word) in nat.words.iter_mut().zip(words) {
            *place = word;
        }
        Some(nat.trimmed())
    }

    /// `5^power`
    pub(super) fn pow5(power: u64) -> Option<Nat> {
        Nat::of(1).times_power(5, power)
    }

    /// `self × base^power`, for bases of 5 and 10.
    pub(super) fn times_power(mut self, base: u32, power: u64) -> Option<Nat> {
        // What fits a word.
        let together = if base == 5 { 13 } else { 9 };
        let mut rest = power;
        while rest > 0 && !self.is_zero() {
            let step = rest.min(together);
            self.times_plus(base.pow(step as u32), 0)?;
            rest -= step;
        }
        Some(self)
    }

    /// `self = self × factor + more`
    fn times_plus(&mut self, factor: u32, more: u32) -> Option<()> {
        let mut carry = u64::from(more);
        for word in self.words.iter_mut().take(self.len) {
            let wide = u64::from(*word) * u64::from(factor) + carry;
            *word = wide as u32;
            carry = wide >> 32;
        }
        if carry > 0 {
            *self.words.get_mut(self.len)? = carry as u32;
            self.len += 1;
        }
        Some(())
    }

    /// The words that count.
    pub(super) fn words(&self) -> &[u32] {
        self.words.get(..self.len).unwrap_or_default()
    }

    fn trimmed(mut self) -> Nat {
        self.len = self
            .words
            .iter()
            .rposition(|word| *word != 0)
            .map_or(0, |top| top + 1);
        self
    }

    pub(super) fn is_zero(&self) -> bool {
        self.len == 0
    }

    /// Position of the highest bit, counted from one.
    pub(super) fn bits(&self) -> u64 {
        let top = self.words().last().map_or(32, |word| word.leading_zeros());
        (32 * self.len.max(1)) as u64 - u64::from(top)
    }

    pub(super) fn bit(&self, at: u64) -> bool {
        let word = usize::try_from(at / 32)
            .ok()
            .and_then(|word| self.words.get(word));
        word.is_some_and(|word| word >> (at % 32) & 1 == 1)
    }

    /// Zero bits below the lowest one; `None` for zero.
    pub(super) fn trailing_zeros(&self) -> Option<u64> {
        let at = self.words().iter().position(|word| *word != 0)?;
        let word = self.words.get(at)?;
        Some(32 * at as u64 + u64::from(word.trailing_zeros()))
    }

    /// The number, if it fits.
    pub(super) fn to_u128(&self) -> Option<u128> {
        let wide = |sum, (at, word): (usize, &u32)| sum | u128::from(*word) << (32 * at);
        (self.len <= 4).then(|| self.words().iter().enumerate().fold(0, wide))
    }

    pub(super) fn plus(&self, other: &Nat) -> Option<Nat> {
        let mut sum = self.clone();
        let mut carry = 0_u64;
        for (word, more) in sum.words.iter_mut().zip(&other.words) {
            let wide = u64::from(*word) + u64::from(*more) + carry;
            *word = wide as u32;
            carry = wide >> 32;
        }
        (carry == 0).then(|| sum.trimmed())
    }

    /// `self - other`, which is at most `self`.
    pub(super) fn minus(&self, other: &Nat) -> Nat {
        let mut difference = self.clone();
        difference.take(other);
        difference.trimmed()
    }

    fn take(&mut self, other: &Nat) {
        let mut borrow = false;
        for (word, less) in self.words.iter_mut().take(self.len).zip(&other.words) {
            let (once, first) = word.overflowing_sub(*less);
            let (twice, second) = once.overflowing_sub(u32::from(borrow));
            *word = twice;
            borrow = first || second;
        }
    }

    pub(super) fn times(&self, other: &Nat) -> Option<Nat> {
        let mut product = Nat::ZERO;
        for (at, factor) in self.words().iter().enumerate() {
            let mut carry = 0_u64;
            let places = product.words.get_mut(at..)?;
            // Behind the words of `other` the carry goes on.
            let words = other.words().iter().copied().chain(std::iter::once(0));
            let mut places = places.iter_mut();
            for word in words {
                let Some(place) = places.next() else {
                    if word != 0 || carry != 0 {
                        return None;
                    }
                    break;
                };
                let wide = u64::from(*factor) * u64::from(word) + u64::from(*place) + carry;
                *place = wide as u32;
                carry = wide >> 32;
            }
        }
        Some(product.trimmed())
    }

    pub(super) fn shifted_left(&self, bits: u64) -> Option<Nat> {
        if self.is_zero() {
            return Some(Nat::ZERO);
        }
        if self.bits().checked_add(bits)? > BITS {
            return None;
        }
        let mut shifted = self.clone();
        shifted.words.rotate_right((bits / 32) as usize);
        let mut carry = 0_u64;
        for word in &mut shifted.words {
            let wide = u64::from(*word) << (bits % 32) | carry;
            *word = wide as u32;
            carry = wide >> 32;
        }
        Some(shifted.trimmed())
    }

    pub(super) fn shifted_right(&self, bits: u64) -> Nat {
        let mut shifted = Nat::ZERO;
        let whole = usize::try_from(bits / 32).unwrap_or(usize::MAX);
        let kept = self.words.get(whole..).unwrap_or_default();
        for (at, word) in shifted.words.iter_mut().take(kept.len()).enumerate() {
            let low = kept.get(at).copied().unwrap_or(0);
            let high = kept.get(at + 1).copied().unwrap_or(0);
            let wide = u64::from(high) << 32 | u64::from(low);
            *word = (wide >> (bits % 32)) as u32;
        }
        shifted.trimmed()
    }

    /// Quotient and rest; `None` for a zero divisor. Bit by bit: the quotients asked for here are short.
    pub(super) fn divided(&self, divisor: &Nat) -> Option<(Nat, Nat)> {
        if divisor.is_zero() {
            return None;
        }
        let skipped = divisor.bits() - 1;
        let steps = self.bits().saturating_sub(skipped);
        let mut rest = self.shifted_right(steps);
        let mut quotient = Nat::ZERO;
        for at in (0..steps).rev() {
            rest = rest.doubled(self.bit(at))?;
            let fits = rest.order(divisor).is_ge();
            if fits {
                rest.take(divisor);
                rest = rest.trimmed();
            }
            quotient = quotient.doubled(fits)?;
        }
        Some((quotient, rest))
    }

    /// `2 × self`, plus one if asked for.
    fn doubled(mut self, plus_one: bool) -> Option<Nat> {
        self.times_plus(2, u32::from(plus_one))?;
        if self.len == 0 && plus_one {
            self = Nat::of(1);
        }
        Some(self)
    }

    pub(super) fn order(&self, other: &Nat) -> Ordering {
        let by_len = self.len.cmp(&other.len);
        by_len.then_with(|| self.words().iter().rev().cmp(other.words().iter().rev()))
    }

    /// Writes the decimal digits to the end of a buffer; gives the start of the first that is not zero.
    pub(super) fn write_decimal(mut self, buffer: &mut [u8; DIGITS]) -> usize {
        let mut end = buffer.len();
        while self.len > 0 {
            let mut rest = 0_u64;
            for word in self.words.iter_mut().take(self.len).rev() {
                let wide = rest << 32 | u64::from(*word);
                *word = (wide / u64::from(GROUP)) as u32;
                rest = wide % u64::from(GROUP);
            }
            while self.len > 0 && self.words.get(self.len - 1) == Some(&0) {
                self.len -= 1;
            }
            for _ in 0..9 {
                end = end.saturating_sub(1);
                if let Some(slot) = buffer.get_mut(end) {
                    *slot = b'0' + (rest % 10) as u8;
                }
                rest /= 10;
            }
        }
        let digits = buffer.get(end..).unwrap_or_default();
        end + digits
            .iter()
            .position(|digit| *digit != b'0')
            .unwrap_or(digits.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigUint;

    fn big(nat: &Nat) -> BigUint {
        BigUint::from_slice(nat.words())
    }

    fn text(nat: Nat) -> String {
        let mut buffer = [b'0'; DIGITS];
        let start = nat.write_decimal(&mut buffer);
        String::from_utf8_lossy(&buffer[start..]).into_owned()
    }

    /// Numbers of all lengths, with runs of zeros and ones.
    fn samples() -> Vec<Nat> {
        let mut samples = vec![Nat::ZERO, Nat::of(1), Nat::of(u128::MAX)];
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        for len in [1, 2, 3, 5, 31, 47, 48, 49, 95, 96_usize] {
            for _ in 0..3 {
                let words: Vec<u32> = (0..len)
                    .map(|_| {
                        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                        match seed >> 60 {
                            0..3 => 0,
                            3..6 => u32::MAX,
                            _ => (seed >> 32) as u32,
                        }
                    })
                    .collect();
                samples.push(Nat::of_words(words.into_iter()).unwrap());
            }
        }
        samples
    }

    #[test]
    fn arithmetic_is_that_of_big_integers() {
        let limit = BigUint::from(1_u32) << BITS;
        let fits = |wide: BigUint| (wide < limit).then_some(wide);
        for a in &samples() {
            for b in &samples() {
                let (x, y) = (big(a), big(b));
                assert_eq!(a.plus(b).as_ref().map(big), fits(&x + &y));
                assert_eq!(a.times(b).as_ref().map(big), fits(&x * &y));
                assert_eq!(a.order(b), x.cmp(&y));
                if x >= y {
                    assert_eq!(big(&a.minus(b)), &x - &y);
                }
                if a.len < 96 && !b.is_zero() {
                    let (quotient, rest) = a.divided(b).unwrap();
                    assert_eq!((big(&quotient), big(&rest)), (&x / &y, &x % &y));
                }
            }
        }
    }

    #[test]
    fn shifts_bits_and_digits_are_those_of_big_integers() {
        let limit = BigUint::from(1_u32) << BITS;
        for a in samples() {
            let x = big(&a);
            assert_eq!(a.bits(), x.bits());
            assert_eq!(a.trailing_zeros(), x.trailing_zeros());
            for shift in [0, 1, 31, 32, 33, 64, 1000, 3071, 3072, 5000] {
                assert_eq!(big(&a.shifted_right(shift)), &x >> shift);
                let left = &x << shift;
                assert_eq!(
                    a.shifted_left(shift).as_ref().map(big),
                    (left < limit).then_some(left)
                );
                assert_eq!(a.bit(shift), x.bit(shift));
            }
            let digits = x.to_string();
            if !a.is_zero() {
                assert_eq!(text(a.clone()), digits);
            }
            assert_eq!(big(&Nat::of_digits(digits.bytes()).unwrap()), x);
        }
        assert_eq!(big(&Nat::pow5(1137).unwrap()), BigUint::from(5_u32).pow(1137));
        assert!(Nat::pow5(1400).is_none());
    }
}
