//! Exact integers of any size: on the stack as long as they fit [`Nat`], on the heap beyond.

use super::big::BITS_MAX;
use super::nat::{BITS, DIGITS, Nat};
use crate::arena::Arena;
use crate::builtins::output::Text;
use crate::builtins::{BuiltinResult, Failure};
use crate::error::EvalErrorKind;
use crate::value::Value;
use num_bigint::{BigInt, BigUint, Sign};
use num_integer::Integer as _;
use num_traits::Signed;
use std::cmp::Ordering;

/// An integer.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "the large one is the usual one: it saves the allocator"
)]
pub(crate) enum Integer {
    /// Zero is not negative.
    Near { negative: bool, size: Nat },
    /// Only what is too large for the other.
    Far(BigInt),
}

impl Integer {
    pub(crate) fn of(int: i128) -> Integer {
        Integer::near(int < 0, Nat::of(int.unsigned_abs()))
    }

    pub(super) fn near(negative: bool, size: Nat) -> Integer {
        Integer::Near {
            negative: negative && !size.is_zero(),
            size,
        }
    }

    fn far(big: BigInt) -> Integer {
        let near = (big.bits() <= BITS).then(|| Nat::of_words(big.iter_u32_digits()));
        match near.flatten() {
            Some(size) => Integer::near(big.is_negative(), size),
            None => Integer::Far(big),
        }
    }

    /// `±digits × 10^scale`, which is not beyond the bounds of numbers.
    pub(crate) fn of_digits(negative: bool, digits: impl Iterator<Item = u8> + Clone, scale: u64) -> Integer {
        let near = Nat::of_digits(digits.clone()).and_then(|size| size.times_power(10, scale));
        if let Some(size) = near {
            return Integer::near(negative, size);
        }
        let digits: Vec<u8> = digits.collect();
        let mantissa = BigUint::parse_bytes(&digits, 10).unwrap_or_default();
        let size = mantissa * BigUint::from(10_u32).pow(u32::try_from(scale).unwrap_or(0));
        Integer::far(BigInt::from_biguint(
            if negative { Sign::Minus } else { Sign::Plus },
            size,
        ))
    }

    fn to_big(&self) -> BigInt {
        match self {
            Integer::Near { negative, size } => {
                BigInt::from_slice(if *negative { Sign::Minus } else { Sign::Plus }, size.words())
            }
            Integer::Far(big) => big.clone(),
        }
    }

    pub(crate) fn is_negative(&self) -> bool {
        match self {
            Integer::Near { negative, .. } => *negative,
            Integer::Far(big) => big.is_negative(),
        }
    }

    pub(crate) fn is_zero(&self) -> bool {
        matches!(self, Integer::Near { size, .. } if size.is_zero())
    }

    /// Bits of the size.
    pub(crate) fn bits(&self) -> u64 {
        match self {
            Integer::Near { size, .. } => size.bits(),
            Integer::Far(big) => big.bits(),
        }
    }

    pub(crate) fn to_i128(&self) -> Option<i128> {
        let Integer::Near { negative, size } = self else {
            return None;
        };
        let size = size.to_u128()?;
        match negative {
            true => 0_i128.checked_sub_unsigned(size),
            false => i128::try_from(size).ok(),
        }
    }

    pub(crate) fn to_i64(&self) -> Option<i64> {
        self.to_i128().and_then(|wide| i64::try_from(wide).ok())
    }

    /// The lowest 64 bits of the size.
    pub(crate) fn low_bits(&self) -> u64 {
        let low = |words: &[u32]| {
            let word = |at: usize| u64::from(words.get(at).copied().unwrap_or(0));
            word(1) << 32 | word(0)
        };
        match self {
            Integer::Near { size, .. } => low(size.words()),
            Integer::Far(big) => big.iter_u64_digits().next().unwrap_or(0),
        }
    }

    pub(crate) fn negated(self) -> Integer {
        match self {
            Integer::Near { negative, size } => Integer::near(!negative, size),
            Integer::Far(big) => Integer::Far(-big),
        }
    }

    pub(crate) fn size(self) -> Integer {
        if self.is_negative() { self.negated() } else { self }
    }

    pub(crate) fn plus(&self, other: &Integer) -> Integer {
        let near = match (self, other) {
            (Integer::Near { negative: a, size: x }, Integer::Near { negative: b, size: y }) => {
                match (a == b, x.order(y)) {
                    (true, _) => x.plus(y).map(|sum| Integer::near(*a, sum)),
                    (false, Ordering::Less) => Some(Integer::near(*b, y.minus(x))),
                    (false, _) => Some(Integer::near(*a, x.minus(y))),
                }
            }
            _ => None,
        };
        near.unwrap_or_else(|| Integer::far(self.to_big() + other.to_big()))
    }

    pub(crate) fn minus(&self, other: &Integer) -> Integer {
        self.plus(&other.clone().negated())
    }

    /// The product, if it stays within the bounds of numbers.
    pub(crate) fn times(&self, other: &Integer) -> Result<Integer, Failure> {
        let near = match (self, other) {
            (Integer::Near { negative: a, size: x }, Integer::Near { negative: b, size: y }) => {
                x.times(y).map(|product| Integer::near(a != b, product))
            }
            _ => None,
        };
        match near {
            Some(product) => Ok(product),
            None if self.bits() + other.bits() <= BITS_MAX => {
                Ok(Integer::far(self.to_big() * other.to_big()))
            }
            None => Err(Failure::Abort(EvalErrorKind::FuelExhausted)),
        }
    }

    /// `self × 10^power`, if it stays within the bounds of numbers.
    pub(crate) fn times_ten(&self, power: u64) -> Result<Integer, Failure> {
        // A decimal digit is less than four bits.
        if power > BITS_MAX / 4 {
            return Err(Failure::Abort(EvalErrorKind::FuelExhausted));
        }
        self.times(&Integer::of_digits(false, std::iter::once(b'1'), power))
    }

    /// Quotient towards zero, and the rest with the sign of `self`; `None` for a zero divisor.
    pub(crate) fn divided(&self, divisor: &Integer) -> Option<(Integer, Integer)> {
        if divisor.is_zero() {
            return None;
        }
        if let (Integer::Near { negative: a, size: x }, Integer::Near { negative: b, size: y }) =
            (self, divisor)
            && let Some((quotient, rest)) = x.divided(y)
        {
            return Some((Integer::near(a != b, quotient), Integer::near(*a, rest)));
        }
        let (quotient, rest) = self.to_big().div_rem(&divisor.to_big());
        Some((Integer::far(quotient), Integer::far(rest)))
    }

    /// `self × 2^bits`, if it stays within the bounds of numbers.
    pub(crate) fn shifted_left(&self, bits: u64) -> Result<Integer, Failure> {
        let near = match self {
            Integer::Near { negative, size } => {
                size.shifted_left(bits).map(|size| Integer::near(*negative, size))
            }
            Integer::Far(_) => None,
        };
        match near {
            Some(shifted) => Ok(shifted),
            None if bits <= BITS_MAX => Ok(Integer::far(self.to_big() << bits)),
            None => Err(Failure::Abort(EvalErrorKind::FuelExhausted)),
        }
    }

    /// Whether a bit is set below a place.
    pub(super) fn has_bits_below(&self, place: u64) -> bool {
        let lowest = match self {
            Integer::Near { size, .. } => size.trailing_zeros(),
            Integer::Far(big) => big.trailing_zeros(),
        };
        lowest.is_some_and(|lowest| lowest < place)
    }

    /// `self / 2^bits`, rounded down.
    pub(crate) fn shifted_right(&self, bits: u64) -> Integer {
        match self {
            Integer::Near { negative, size } => {
                let shifted = Integer::near(*negative, size.shifted_right(bits));
                match *negative && self.has_bits_below(bits) {
                    true => shifted.minus(&Integer::of(1)),
                    false => shifted,
                }
            }
            Integer::Far(big) if bits <= big.bits() => Integer::far(big >> bits),
            Integer::Far(big) => Integer::of(if big.is_negative() { -1 } else { 0 }),
        }
    }

    /// An operation on the bits, of which negative integers have infinitely many.
    pub(crate) fn bitwise(
        &self,
        other: &Integer,
        near: impl Fn(i128, i128) -> i128,
        far: impl Fn(BigInt, BigInt) -> BigInt,
    ) -> Integer {
        match (self.to_i128(), other.to_i128()) {
            (Some(a), Some(b)) => Integer::of(near(a, b)),
            _ => Integer::far(far(self.to_big(), other.to_big())),
        }
    }

    pub(crate) fn order(&self, other: &Integer) -> Ordering {
        match (self, other) {
            (Integer::Near { negative: a, size: x }, Integer::Near { negative: b, size: y }) => {
                match (a, b) {
                    (false, true) => Ordering::Greater,
                    (true, false) => Ordering::Less,
                    (false, false) => x.order(y),
                    (true, true) => y.order(x),
                }
            }
            _ => self.to_big().cmp(&other.to_big()),
        }
    }

    /// Appends the digits of the size in a base of 2, 8, 10 or 16.
    pub(crate) fn write_digits(&self, out: &mut Text<'_>, base: u32) -> Result<(), Failure> {
        let size = match self {
            Integer::Near { size, .. } => size,
            Integer::Far(big) => return out.push_str(&big.magnitude().to_str_radix(base)),
        };
        if size.is_zero() {
            return out.push('0');
        }
        if base == 10 {
            let mut buffer = [b'0'; DIGITS];
            let start = size.clone().write_decimal(&mut buffer);
            return out.push_ascii(buffer.get(start..).unwrap_or_default());
        }
        let step = u64::from(base.trailing_zeros());
        let count = size.bits().div_ceil(step);
        for at in (0..count).rev() {
            let bits = (0..step).rev().map(|bit| u32::from(size.bit(at * step + bit)));
            let digit = bits.fold(0, |digit, bit| digit << 1 | bit);
            out.push(char::from_digit(digit, base).unwrap_or('0'))?;
        }
        Ok(())
    }

    /// The integer as a value.
    pub(crate) fn value<'r>(&self, arena: &'r Arena) -> BuiltinResult<'r> {
        if let Some(int) = self.to_i64() {
            return Ok(Value::int(int));
        }
        if self.bits() > BITS_MAX {
            return Err(Failure::Abort(EvalErrorKind::FuelExhausted));
        }
        let mut text = Text::new(arena);
        if self.is_negative() {
            text.push('-')?;
        }
        self.write_digits(&mut text, 10)?;
        Ok(Value::number_text(text.finish()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_traits::{ToPrimitive, Zero};

    /// Of all sizes and signs, also beyond what the stack holds.
    fn samples() -> Vec<BigInt> {
        let mut samples = vec![BigInt::ZERO];
        for bits in [1, 63, 64, 127, 128, 1000, BITS - 1, BITS, BITS + 1, 2 * BITS] {
            let power = BigInt::from(1) << bits;
            for size in [&power - 1, power.clone(), power + 12345] {
                samples.extend([-&size, size]);
            }
        }
        samples
    }

    #[track_caller]
    fn check(got: &Integer, want: &BigInt) {
        assert_eq!(&got.to_big(), want);
        assert_eq!(matches!(got, Integer::Near { .. }), want.bits() <= BITS);
        assert_eq!(got.is_negative(), want.is_negative());
        let arena = Arena::new(1 << 10, 1 << 20);
        for base in [2, 8, 10, 16] {
            let mut out = Text::new(&arena);
            got.write_digits(&mut out, base).unwrap();
            assert_eq!(out.finish().unwrap(), want.magnitude().to_str_radix(base));
        }
    }

    #[test]
    fn near_and_far_integers_are_the_same_integers() {
        for x in samples() {
            let a = Integer::far(x.clone());
            assert_eq!(a.to_i64(), x.to_i64());
            assert_eq!(a.to_i128(), x.to_i128());
            check(&a.clone().size(), &x.abs());
            for bits in [0, 1, 64, 5000] {
                check(&a.shifted_left(bits).unwrap(), &(&x << bits));
                check(&a.shifted_right(bits), &(&x >> bits));
            }
            for y in samples() {
                let b = Integer::far(y.clone());
                check(&a.plus(&b), &(&x + &y));
                check(&a.minus(&b), &(&x - &y));
                check(&a.times(&b).unwrap(), &(&x * &y));
                assert_eq!(a.order(&b), x.cmp(&y));
                match a.divided(&b) {
                    Some((quotient, rest)) => {
                        check(&quotient, &(&x / &y));
                        check(&rest, &(&x % &y));
                    }
                    None => assert!(y.is_zero()),
                }
            }
        }
    }

    #[test]
    fn digits_beyond_the_stack() {
        let digits = "123456789".repeat(200);
        check(
            &Integer::of_digits(true, digits.bytes(), 0),
            &format!("-{digits}").parse().unwrap(),
        );
        check(
            &Integer::of_digits(false, "7".bytes(), 40),
            &"7".to_owned()
                .chars()
                .chain("0".repeat(40).chars())
                .collect::<String>()
                .parse()
                .unwrap(),
        );
    }
}
