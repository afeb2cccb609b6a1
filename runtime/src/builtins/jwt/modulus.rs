//! The public operation of RSA: powers of a number under an odd modulus, on the stack.
//!
//! All of it is public (signature, modulus, exponent), so nothing here needs to take the same time for all operands.

use std::cmp::Ordering;

/// Sizes of moduli that are worked with, in bits. Go refuses smaller ones; larger ones take too long.
pub(super) const BITS_MIN: usize = 1024;
pub(super) const BITS_MAX: usize = 8192;
/// Go takes no larger exponent.
const EXPONENT_MAX: u32 = (1 << 31) - 1;
const WORDS_MAX: usize = BITS_MAX / 64;
/// Bytes of the largest modulus.
pub(super) const BYTES_MAX: usize = BITS_MAX / 8;

/// A number below the modulus, least word first; words beyond the modulus' own are zero.
type Words = [u64; WORDS_MAX];

/// Modulus and exponent, with what Montgomery's multiplication needs.
#[derive(Debug)]
pub(in crate::builtins) struct RsaKey {
    /// As many words as are not zero.
    modulus: Box<[u64]>,
    bits: usize,
    exponent: u32,
    /// `-1 / modulus` in 64 bits.
    inverse: u64,
    /// `2^(2 × 64 × words)` under the modulus.
    square: Box<[u64]>,
}

impl RsaKey {
    /// From big-endian numbers; `None` for what is no key that Go verifies with.
    pub(super) fn new(modulus: &[u8], exponent: &[u8]) -> Option<RsaKey> {
        let exponent = read(exponent)?;
        let modulus = read(modulus)?;
        let bits = bit_count(&modulus);
        let (small, large) = exponent.split_first()?;
        let exponent = u32::try_from(*small).ok()?;
        let fits = large.iter().all(|word| *word == 0) && (2..=EXPONENT_MAX).contains(&exponent);
        let lowest = *modulus.first()?;
        if !fits || exponent & lowest as u32 & 1 == 0 || !(BITS_MIN..=BITS_MAX).contains(&bits) {
            return None;
        }
        let mut key = RsaKey {
            modulus: modulus.get(..bits.div_ceil(64))?.into(),
            bits,
            exponent,
            inverse: inverse(lowest),
            square: Box::default(),
        };
        key.square = key.montgomery_square().get(..key.modulus.len())?.into();
        Some(key)
    }

    /// Bits of the modulus.
    pub(super) fn bits(&self) -> usize {
        self.bits
    }

    /// Bytes of the modulus, and of every signature under it.
    pub(super) fn bytes(&self) -> usize {
        self.bits.div_ceil(8)
    }

    /// `signature ^ exponent` under the modulus, big-endian, with as many bytes as the modulus; `None` for a signature
    /// of another length, or one that is not below the modulus.
    pub(super) fn opened<'b>(
        &self,
        signature: &[u8],
        buffer: &'b mut [u8; BYTES_MAX],
    ) -> Option<&'b mut [u8]> {
        if signature.len() != self.bytes() {
            return None;
        }
        let base = read(signature)?;
        if order(&base, &self.modulus).is_ge() {
            return None;
        }
        let base = self.product(&base, &self.square);
        let mut power = base;
        let below_top = 31 - self.exponent.leading_zeros();
        for bit in (0..below_top).rev() {
            power = self.product(&power, &power);
            if self.exponent >> bit & 1 == 1 {
                power = self.product(&power, &base);
            }
        }
        let plain = self.product(&power, &[1]);
        let out = buffer.get_mut(..self.bytes())?;
        let bytes = plain.iter().flat_map(|word| word.to_le_bytes());
        for (place, byte) in out.iter_mut().rev().zip(bytes) {
            *place = byte;
        }
        Some(out)
    }

    /// Montgomery's product: `a × b / 2^(64 × words)` under the modulus, of numbers below it.
    fn product(&self, a: &[u64], b: &[u64]) -> Words {
        let mut sum: Words = [0; WORDS_MAX];
        let mut top = 0_u64;
        let len = self.modulus.len();
        let low_of_b = b.first().copied().unwrap_or(0);
        let words_of_b = b.iter().copied().chain(std::iter::repeat(0));
        for factor in a.iter().copied().chain(std::iter::repeat(0)).take(len) {
            let low = sum.first().copied().unwrap_or(0);
            let multiple = low
                .wrapping_add(factor.wrapping_mul(low_of_b))
                .wrapping_mul(self.inverse);
            let (mut carry, mut reduced_carry) = (0_u64, 0_u64);
            for ((place, word), modulus) in sum.iter_mut().zip(words_of_b.clone()).zip(&self.modulus) {
                let wide = u128::from(factor) * u128::from(word) + u128::from(*place) + u128::from(carry);
                carry = (wide >> 64) as u64;
                let wide = u128::from(multiple) * u128::from(*modulus)
                    + u128::from(wide as u64)
                    + u128::from(reduced_carry);
                reduced_carry = (wide >> 64) as u64;
                *place = wide as u64;
            }
            // The lowest word is zero now: the sum moves down by one.
            sum.copy_within(1.., 0);
            let wide = u128::from(top) + u128::from(carry) + u128::from(reduced_carry);
            if let Some(place) = sum.get_mut(len - 1) {
                *place = wide as u64;
            }
            top = (wide >> 64) as u64;
        }
        if top > 0 || order(&sum, &self.modulus).is_ge() {
            subtract(&mut sum, &self.modulus);
        }
        sum
    }

    /// `2^(2 × 64 × words)` under the modulus.
    fn montgomery_square(&self) -> Words {
        let mut power: Words = [0; WORDS_MAX];
        let top = self.bits - 1;
        if let Some(word) = power.get_mut(top / 64) {
            *word = 1 << (top % 64);
        }
        // 2 in Montgomery's form, and from there 2^(64 × words) in it, by squaring.
        let exponent = 64 * self.modulus.len();
        for _ in top..=exponent {
            self.double(&mut power);
        }
        let below_top = exponent.ilog2();
        for bit in (0..below_top).rev() {
            power = self.product(&power, &power);
            if exponent >> bit & 1 == 1 {
                self.double(&mut power);
            }
        }
        power
    }

    fn double(&self, number: &mut Words) {
        let mut carry = 0;
        for word in number.iter_mut().take(self.modulus.len()) {
            let high = *word >> 63;
            *word = *word << 1 | carry;
            carry = high;
        }
        if carry > 0 || order(number, &self.modulus).is_ge() {
            subtract(number, &self.modulus);
        }
    }
}

/// A big-endian number; `None` when it is too long.
fn read(bytes: &[u8]) -> Option<Words> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let digits = bytes.get(zeros..)?;
    let mut words = [0; WORDS_MAX];
    if digits.len() > BYTES_MAX {
        return None;
    }
    for (word, chunk) in words.iter_mut().zip(digits.rchunks(8)) {
        *word = chunk.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    }
    Some(words)
}

fn bit_count(words: &Words) -> usize {
    let top = words.iter().rposition(|word| *word != 0);
    let bits = |at: usize| 64 * (at + 1) - words.get(at).map_or(0, |word| word.leading_zeros() as usize);
    top.map_or(0, bits)
}

/// Order of a number and the modulus.
fn order(number: &Words, modulus: &[u64]) -> Ordering {
    let number = number.get(..modulus.len()).unwrap_or_default();
    number.iter().rev().cmp(modulus.iter().rev())
}

fn subtract(number: &mut Words, modulus: &[u64]) {
    let mut borrow = false;
    for (word, less) in number.iter_mut().zip(modulus) {
        let (once, first) = word.overflowing_sub(*less);
        let (twice, second) = once.overflowing_sub(u64::from(borrow));
        *word = twice;
        borrow = first || second;
    }
}

/// `-1 / odd` in 64 bits: each round of Newton's doubles the bits that are right, of which there are three at first.
fn inverse(odd: u64) -> u64 {
    let mut inverse = odd;
    for _ in 0..5 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
    }
    inverse.wrapping_neg()
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigUint;

    #[test]
    fn powers_are_those_of_big_integers() {
        let mut seed = 1_u64;
        let mut byte = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            match seed >> 61 {
                0 => 0,
                1 => 0xff,
                _ => (seed >> 33) as u8,
            }
        };
        for bits in [1024, 1025, 1087, 1088, 2048, 3000, 4096, 8191, 8192_usize] {
            for exponent in [3_u32, 17, 65_537, EXPONENT_MAX] {
                let mut modulus: Vec<u8> = (0..bits.div_ceil(8)).map(|_| byte()).collect();
                let unused = 8 * modulus.len() - bits;
                modulus[0] = modulus[0] & 0xff >> unused | 0x80 >> unused;
                *modulus.last_mut().unwrap() |= 1;
                let key = RsaKey::new(&modulus, &exponent.to_be_bytes()).unwrap();
                let n = BigUint::from_bytes_be(&modulus);
                for _ in 0..2 {
                    let base: Vec<u8> = (0..modulus.len()).map(|_| byte()).collect();
                    let base = BigUint::from_bytes_be(&base) % &n;
                    let digits = base.to_bytes_be();
                    let mut signature = vec![0; modulus.len() - digits.len()];
                    signature.extend(digits);
                    let mut buffer = [0; BYTES_MAX];
                    let opened = key.opened(&signature, &mut buffer).unwrap();
                    assert_eq!(opened.len(), modulus.len());
                    assert_eq!(BigUint::from_bytes_be(opened), base.modpow(&exponent.into(), &n));
                }
                let mut buffer = [0; BYTES_MAX];
                assert!(
                    key.opened(&modulus, &mut buffer).is_none(),
                    "not below the modulus"
                );
                assert!(key.opened(&modulus[1..], &mut buffer).is_none(), "too short");
            }
        }
    }

    #[test]
    fn what_is_no_key() {
        let odd = |bytes: usize| {
            let mut modulus = vec![0xab; bytes];
            modulus[bytes - 1] = 0xcd;
            modulus
        };
        assert!(RsaKey::new(&odd(128), &[3]).is_some());
        assert!(RsaKey::new(&odd(127), &[3]).is_none(), "short");
        assert!(RsaKey::new(&odd(1025), &[3]).is_none(), "long");
        assert!(RsaKey::new(&[0xab; 128], &[3]).is_some());
        assert!(RsaKey::new(&[0xaa; 128], &[3]).is_none(), "even");
        for exponent in [&[][..], &[0], &[1], &[2], &[4], &[0x80, 0, 0, 1], &[1; 9]] {
            assert!(RsaKey::new(&odd(128), exponent).is_none(), "{exponent:?}");
        }
    }
}
