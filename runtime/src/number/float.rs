//! The binary float of OPA's arithmetic: sign, 64-bit mantissa, wide exponent; rounds to nearest, ties to even.
//!
//! It is Go's `big.Float` at its default precision: each operation is exact and then rounded once, and reading a text
//! rounds the power of five the way Go does.

use super::integer::Integer;
use super::nat::Nat;
use super::text::Decimal;
use crate::builtins::Failure;

/// Bits of the mantissa of all operations but `product`'s.
pub(super) const PRECISION: u32 = 64;
/// Digits of a text that are worked with exactly; what follows only says that the number is larger.
const DIGITS_KEPT: usize = 20_000;
/// Powers of five up to this fit 64 bits.
const POW5_SMALL: i64 = 27;

/// `±mantissa × 2^exponent`; the mantissa's top bit is set, except that of zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Float {
    pub(super) negative: bool,
    pub(super) mantissa: u64,
    pub(super) exponent: i64,
}

impl Float {
    pub(super) const ONE: Float = Float {
        negative: false,
        mantissa: 1 << 63,
        exponent: -63,
    };
    pub(super) const HALF: Float = Float {
        negative: false,
        mantissa: 1 << 63,
        exponent: -64,
    };

    pub(super) const fn zero(negative: bool) -> Float {
        Float {
            negative,
            mantissa: 0,
            exponent: 0,
        }
    }

    pub(super) fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// An integer, exactly.
    pub(super) fn of_int(int: i64) -> Float {
        rounded(int < 0, u128::from(int.unsigned_abs()), 0, false, PRECISION)
    }

    /// The float nearest to a decimal.
    pub(super) fn of_decimal(number: &Decimal<'_>) -> Result<Float, Failure> {
        let (negative, scale) = (number.negative, number.scale());
        if number.is_zero() {
            return Ok(Float::zero(negative));
        }
        match number.small_mantissa() {
            Some(mantissa) if scale.abs() <= POW5_SMALL => Ok(of_small(negative, mantissa, scale)),
            _ => of_large(number, scale),
        }
    }

    /// `e` of `m × 2^e` with `0.5 <= m < 1`; 0 for zero.
    pub(super) fn binary_exponent(self) -> i64 {
        if self.is_zero() { 0 } else { self.exponent + 64 }
    }

    /// Whether the value has no fraction.
    pub(super) fn is_integer(self) -> bool {
        self.is_zero() || self.exponent >= 0 || i64::from(self.mantissa.trailing_zeros()) >= -self.exponent
    }

    pub(super) fn negated(self) -> Float {
        Float {
            negative: !self.negative,
            ..self
        }
    }

    pub(super) fn add(self, other: Float) -> Float {
        match (self.is_zero(), other.is_zero()) {
            (true, true) => Float::zero(self.negative && other.negative),
            (true, false) => other,
            (false, true) => self,
            (false, false) => self.add_finite(other),
        }
    }

    pub(super) fn sub(self, other: Float) -> Float {
        self.add(other.negated())
    }

    fn add_finite(self, other: Float) -> Float {
        let (large, small) = match (self.exponent, self.mantissa) >= (other.exponent, other.mantissa) {
            true => (self, other),
            false => (other, self),
        };
        // The larger operand stands 63 bits up; what the smaller one loses below is kept as one sticky bit.
        let up = u128::from(large.mantissa) << 63;
        let distance = large.exponent - small.exponent;
        let (down, sticky) = match u32::try_from(distance) {
            Ok(shift) if shift < 127 => {
                let wide = u128::from(small.mantissa) << 63;
                (wide >> shift, (wide >> shift) << shift != wide)
            }
            _ => (0, true),
        };
        let sum = if large.negative == small.negative {
            up + down
        } else {
            up - down - u128::from(sticky)
        };
        if sum == 0 {
            return Float::zero(false);
        }
        rounded(large.negative, sum, large.exponent - 63, sticky, PRECISION)
    }

    pub(super) fn mul(self, other: Float, precision: u32) -> Float {
        let negative = self.negative != other.negative;
        let product = u128::from(self.mantissa) * u128::from(other.mantissa);
        rounded(
            negative,
            product,
            self.exponent + other.exponent,
            false,
            precision,
        )
    }

    /// The quotient; `None` for a zero divisor.
    pub(super) fn div(self, other: Float) -> Option<Float> {
        let divisor = u128::from(other.mantissa);
        let numerator = u128::from(self.mantissa) << 64;
        let (high, rest) = (numerator.checked_div(divisor)?, numerator.checked_rem(divisor)?);
        let (low, rest) = ((rest << 32) / divisor, (rest << 32) % divisor);
        let negative = self.negative != other.negative;
        let exponent = self.exponent - other.exponent - 96;
        Some(rounded(
            negative,
            (high << 32) | low,
            exponent,
            rest != 0,
            PRECISION,
        ))
    }

    /// The integer part, towards zero; its sign is lost when it is zero.
    pub(super) fn truncated(self) -> Float {
        if self.is_integer() {
            return Float {
                negative: self.negative && !self.is_zero(),
                ..self
            };
        }
        match u32::try_from(-self.exponent) {
            Ok(shift) if shift < 64 => {
                let whole = u128::from(self.mantissa >> shift);
                rounded(self.negative, whole, 0, false, PRECISION)
            }
            _ => Float::zero(false),
        }
    }
}

/// `mantissa × 2^exponent`, and a bit more when `sticky`, rounded to `precision` bits.
fn rounded(negative: bool, mantissa: u128, exponent: i64, sticky: bool, precision: u32) -> Float {
    let bits = 128 - mantissa.leading_zeros();
    if bits == 0 {
        return Float::zero(negative);
    }
    let (mut kept, mut exponent) = (mantissa, exponent);
    if bits > precision {
        let drop = bits - precision;
        kept = mantissa >> drop;
        let rest = mantissa - (kept << drop);
        let half = 1_u128 << (drop - 1);
        let up = rest > half || (rest == half && (sticky || kept & 1 == 1));
        kept += u128::from(up);
        exponent += i64::from(drop);
    }
    // Here `kept` has at most `precision + 1` bits, the lowest zero if it has that many.
    if kept >> 64 != 0 {
        kept >>= 1;
        exponent += 1;
    }
    let mantissa = u64::try_from(kept).unwrap_or(u64::MAX);
    let shift = mantissa.leading_zeros();
    Float {
        negative,
        mantissa: mantissa << shift,
        exponent: exponent - i64::from(shift),
    }
}

fn of_small(negative: bool, mantissa: u64, scale: i64) -> Float {
    let power = 5_u64.pow(u32::try_from(scale.abs()).unwrap_or(0));
    if scale >= 0 {
        let product = u128::from(mantissa) * u128::from(power);
        return rounded(negative, product, scale, false, PRECISION);
    }
    let shift = mantissa.leading_zeros();
    let numerator = u128::from(mantissa << shift) << 64;
    let power = u128::from(power);
    let exponent = scale - 64 - i64::from(shift);
    rounded(
        negative,
        numerator / power,
        exponent,
        numerator % power != 0,
        PRECISION,
    )
}

/// Long mantissas and far exponents.
fn of_large(number: &Decimal<'_>, scale: i64) -> Result<Float, Failure> {
    let kept = number.count.min(DIGITS_KEPT);
    let has_more = kept < number.count;
    let scale = scale + (number.count - kept) as i64;
    let mantissa = Integer::of_digits(false, number.digits().take(kept), 0);
    let power = pow5(scale.unsigned_abs()).ok_or(Failure::BUILTIN)?;
    let factor = Integer::near(false, power.mantissa);
    if scale >= 0 {
        let exponent = power.exponent + scale;
        return Ok(rounded_integer(
            number.negative,
            &mantissa.times(&factor)?,
            exponent,
            has_more,
        ));
    }
    // Enough quotient bits for the mantissa, the rounding bit and some more.
    let shift = (factor.bits() + 70).saturating_sub(mantissa.bits());
    let numerator = mantissa.shifted_left(shift)?;
    let (quotient, rest) = numerator.divided(&factor).ok_or(Failure::BUILTIN)?;
    let exponent = scale - power.exponent - shift as i64;
    let sticky = has_more || !rest.is_zero();
    Ok(rounded_integer(number.negative, &quotient, exponent, sticky))
}

fn rounded_integer(negative: bool, mantissa: &Integer, exponent: i64, sticky: bool) -> Float {
    // One bit less than 128 leaves room for the sign.
    let drop = mantissa.bits().saturating_sub(127);
    let kept = mantissa.shifted_right(drop).to_i128().unwrap_or(0);
    let sticky = sticky || mantissa.has_bits_below(drop);
    rounded(
        negative,
        kept.unsigned_abs(),
        exponent + drop as i64,
        sticky,
        PRECISION,
    )
}

/// A rounded power of five.
struct Power {
    mantissa: Nat,
    exponent: i64,
}

impl Power {
    fn times(&self, other: &Power, precision: u64) -> Option<Power> {
        let exact = self.mantissa.times(&other.mantissa)?;
        let exponent = self.exponent + other.exponent;
        let drop = exact.bits().saturating_sub(precision);
        if drop == 0 {
            return Some(Power {
                mantissa: exact,
                exponent,
            });
        }
        let mut mantissa = exact.shifted_right(drop);
        let below_half = !exact.bit(drop - 1);
        let tie = exact.trailing_zeros() == Some(drop - 1);
        if !below_half && (!tie || mantissa.bit(0)) {
            mantissa = mantissa.plus(&Nat::of(1))?;
        }
        Some(Power {
            mantissa,
            exponent: exponent + drop as i64,
        })
    }
}

/// `5^n` as Go makes it when it reads a text: 128 bits, from squares of 192 bits.
fn pow5(n: u64) -> Option<Power> {
    const RESULT_BITS: u64 = 128;
    const SQUARE_BITS: u64 = 192;
    let start = n.min(27);
    let mut power = Power {
        mantissa: Nat::pow5(start)?,
        exponent: 0,
    };
    let mut square = Power {
        mantissa: Nat::of(5),
        exponent: 0,
    };
    let mut rest = n - start;
    while rest != 0 {
        if rest & 1 == 1 {
            power = power.times(&square, RESULT_BITS)?;
        }
        square = square.times(&square, SQUARE_BITS)?;
        rest >>= 1;
    }
    Some(power)
}
