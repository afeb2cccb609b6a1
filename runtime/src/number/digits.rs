//! Decimal digits of binary floats: the fewest that read back as the same float, in Go's formats.

use super::float::{Float, PRECISION};
use super::nat::{self, Nat};
use num_bigint::BigUint;

/// `0.d₁d₂… × 10^point`, without zeros behind the last digit.
#[derive(Debug)]
pub(super) struct Digits {
    buffer: Buffer,
    start: usize,
    end: usize,
    pub(super) point: i64,
}

#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "the large one is the usual one: it saves the allocator"
)]
enum Buffer {
    Stack([u8; nat::DIGITS]),
    Heap(Vec<u8>),
}

impl Digits {
    /// All digits of `mantissa × 2^exponent`; `mantissa` has at most 66 bits.
    pub(super) fn exact(mantissa: u128, exponent: i64) -> Digits {
        let size = Nat::of(mantissa);
        let power = exponent.unsigned_abs();
        let integer = match exponent > 0 {
            true => size.shifted_left(power),
            false => size.times_power(5, power),
        };
        let (buffer, start) = match integer {
            Some(integer) => {
                let mut digits = [b'0'; nat::DIGITS];
                let start = integer.write_decimal(&mut digits);
                (Buffer::Stack(digits), start)
            }
            None => (far(mantissa, exponent), 0),
        };
        let mut digits = Digits {
            start,
            end: buffer.len(),
            buffer,
            point: 0,
        };
        digits.point = digits.get().len() as i64 + exponent.min(0);
        digits.trim();
        digits
    }

    /// The fewest digits that only this float is nearest to. `precision`: 64, or 53 for a float of so many bits.
    pub(super) fn shortest(float: Float, precision: u32) -> Digits {
        let unused = PRECISION - precision;
        // One bit more than the float has, so that half a unit of its last place is a whole number.
        let mantissa = u128::from(float.mantissa >> unused) << 1;
        let exponent = float.exponent + i64::from(unused) - 1;
        let mut digits = Digits::exact(mantissa, exponent);
        let lower = Digits::exact(mantissa - 1, exponent);
        let upper = Digits::exact(mantissa + 1, exponent);
        // The bounds themselves read back as this float only if its last bit is even.
        let inclusive = mantissa & 2 == 0;
        for place in 0..digits.get().len() {
            let (low, digit, up) = (lower.at(place), digits.at(place), upper.at(place));
            let down_fits = low != digit || (inclusive && place + 1 == lower.get().len());
            let up_fits = digit != up && (inclusive || digit + 1 < up || place + 1 < upper.get().len());
            match (down_fits, up_fits) {
                (false, false) => continue,
                (true, false) => digits.round_down(place + 1),
                (false, true) => digits.round_up(place + 1),
                (true, true) if digits.rounds_up(place + 1) => digits.round_up(place + 1),
                (true, true) => digits.round_down(place + 1),
            }
            break;
        }
        digits
    }

    pub(super) fn get(&self) -> &[u8] {
        self.buffer.bytes().get(self.start..self.end).unwrap_or(&[])
    }

    fn at(&self, place: usize) -> u8 {
        self.get().get(place).copied().unwrap_or(b'0')
    }

    fn trim(&mut self) {
        let kept = self
            .get()
            .iter()
            .rposition(|d| *d != b'0')
            .map_or(0, |last| last + 1);
        self.end = self.start + kept;
    }

    fn rounds_up(&self, count: usize) -> bool {
        if count >= self.get().len() {
            return false;
        }
        let tie = self.at(count) == b'5' && count + 1 == self.get().len();
        if tie {
            return count.checked_sub(1).is_some_and(|last| self.at(last) & 1 == 1);
        }
        self.at(count) >= b'5'
    }

    fn round_down(&mut self, count: usize) {
        self.end = self.end.min(self.start + count);
        self.trim();
    }

    fn round_up(&mut self, count: usize) {
        if count >= self.get().len() {
            return;
        }
        let last = self.get().iter().take(count).rposition(|d| *d < b'9');
        let at = self.start + last.unwrap_or(0);
        if let Some(digit) = self.buffer.bytes_mut().get_mut(at) {
            match last {
                Some(_) => *digit += 1,
                // Nines all the way.
                None => *digit = b'1',
            }
        }
        self.point += i64::from(last.is_none());
        self.end = at + 1;
    }
}

impl Buffer {
    fn bytes(&self) -> &[u8] {
        match self {
            Buffer::Stack(bytes) => bytes,
            Buffer::Heap(bytes) => bytes,
        }
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        match self {
            Buffer::Stack(bytes) => bytes,
            Buffer::Heap(bytes) => bytes,
        }
    }

    fn len(&self) -> usize {
        self.bytes().len()
    }
}

/// Digits beyond the range of 64-bit floats.
#[cold]
fn far(mantissa: u128, exponent: i64) -> Buffer {
    let size = BigUint::from(mantissa);
    let power = exponent.unsigned_abs();
    let integer = match exponent > 0 {
        true => size << power,
        false => size * BigUint::from(5_u32).pow(u32::try_from(power).unwrap_or(0)),
    };
    Buffer::Heap(integer.to_string().into_bytes())
}

/// Writes a float the way Go's `%g` without a precision does: plain, or with an exponent below -4 or from 6 on.
/// `whole`: always plain, as OPA prints floats without a fraction.
pub(super) fn write(out: &mut impl Extend<u8>, negative: bool, digits: &[u8], point: i64, whole: bool) {
    if negative {
        out.extend([b'-']);
    }
    if digits.is_empty() {
        out.extend([b'0']);
    } else if !whole && !(-3..=6).contains(&point) {
        write_scientific(out, digits, point, 2);
    } else {
        write_plain(out, digits, point);
    }
}

/// `d.ddde±dd` with at least so many digits in the exponent, one or two.
pub(super) fn write_scientific(out: &mut impl Extend<u8>, digits: &[u8], point: i64, exponent_digits: usize) {
    let (first, rest) = digits.split_at(1);
    out.extend(first.iter().copied());
    if !rest.is_empty() {
        out.extend([b'.']);
        out.extend(rest.iter().copied());
    }
    let exponent = point - 1;
    out.extend([b'e', if exponent < 0 { b'-' } else { b'+' }]);
    if exponent.abs() < 10 && exponent_digits > 1 {
        out.extend([b'0']);
    }
    let mut buffer = [0; 20];
    out.extend(super::order::int_text(exponent.abs(), &mut buffer).bytes());
}

/// `ddd.ddd`
pub(super) fn write_plain(out: &mut impl Extend<u8>, digits: &[u8], point: i64) {
    let zeros = |n: i64| std::iter::repeat_n(b'0', usize::try_from(n).unwrap_or(0));
    let whole = usize::try_from(point).unwrap_or(0).min(digits.len());
    let (before, after) = digits.split_at(whole);
    if before.is_empty() {
        out.extend([b'0']);
    } else {
        out.extend(before.iter().copied());
        out.extend(zeros(point - digits.len() as i64));
    }
    if !after.is_empty() {
        out.extend([b'.']);
        out.extend(zeros(-point));
        out.extend(after.iter().copied());
    }
}
