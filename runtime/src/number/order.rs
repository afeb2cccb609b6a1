//! Order, equality and hash of numbers. No allocation.

use super::text::{Decimal, int_of_text, to_f64};
use std::cmp::Ordering;

/// Up to so many digits two different decimals are different as 64-bit floats too.
const FLOAT_DIGITS: usize = 15;

/// Order of two numbers given as texts, as OPA orders them: by value, except that two long fractions which are the same
/// 64-bit float are equal.
#[must_use]
pub fn compare_text(a: &str, b: &str) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    if let (Some(x), Some(y)) = (int_of_text(a), int_of_text(b)) {
        return x.cmp(&y);
    }
    let (Some(x), Some(y)) = (Decimal::parse(a), Decimal::parse(b)) else {
        // Not reached by values: every number text was checked when it came in.
        return a.cmp(b);
    };
    let long = x.count > FLOAT_DIGITS || y.count > FLOAT_DIGITS;
    if long && compares_as_float(a) && compares_as_float(b) {
        let (x, y) = (to_f64(a), to_f64(b));
        if x.is_finite() && x == y {
            return Ordering::Equal;
        }
    }
    compare_exact(&x, &y)
}

/// [`compare_text`] of an integer and a text.
#[must_use]
pub fn compare_int_text(a: i64, b: &str) -> Ordering {
    let mut buffer = [0; 20];
    compare_text(int_text(a, &mut buffer), b)
}

/// A hash that agrees with [`compare_text`]: equal numbers are the same 64-bit float.
#[must_use]
pub fn hash_text(text: &str) -> u64 {
    hash_float(to_f64(text))
}

/// [`hash_text`] of an integer.
#[must_use]
pub fn hash_int(int: i64) -> u64 {
    hash_float(int as f64)
}

fn hash_float(float: f64) -> u64 {
    // Minus zero equals zero.
    (float + 0.0).to_bits()
}

/// OPA's test for "a fraction": it looks at the text, and only a text that ends in zeros passes.
fn compares_as_float(text: &str) -> bool {
    let trimmed = text.trim_end_matches(['.', '0']);
    trimmed.len() != text.len() && trimmed.contains('.')
}

/// Order by value alone.
pub(super) fn compare_exact(a: &Decimal<'_>, b: &Decimal<'_>) -> Ordering {
    let sign = |d: &Decimal<'_>| match (d.is_zero(), d.negative) {
        (true, _) => 0,
        (false, true) => -1,
        (false, false) => 1,
    };
    let by_sign = sign(a).cmp(&sign(b));
    if by_sign.is_ne() || a.is_zero() {
        return by_sign;
    }
    let magnitude = a.point.cmp(&b.point).then_with(|| a.digits().cmp(b.digits()));
    if a.negative {
        magnitude.reverse()
    } else {
        magnitude
    }
}

/// The text of an integer, in a buffer of the caller.
pub(super) fn int_text(int: i64, buffer: &mut [u8; 20]) -> &str {
    let mut rest = int.unsigned_abs();
    let mut start = buffer.len();
    for (at, slot) in buffer.iter_mut().enumerate().rev() {
        *slot = b'0' + (rest % 10) as u8;
        start = at;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if int < 0 {
        start = start.saturating_sub(1);
        if let Some(slot) = buffer.get_mut(start) {
            *slot = b'-';
        }
    }
    std::str::from_utf8(buffer.get(start..).unwrap_or(b"0")).unwrap_or("0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(a: &str, want: Ordering, b: &str) {
        assert_eq!(compare_text(a, b), want);
        assert_eq!(compare_text(b, a), want.reverse());
        if want.is_eq() {
            assert_eq!(hash_text(a), hash_text(b));
        }
        if let Ok(int) = a.parse() {
            assert_eq!(compare_int_text(int, b), want);
        }
    }

    #[test]
    fn by_value_not_by_spelling() {
        check("1", Ordering::Equal, "1.0");
        check("100", Ordering::Equal, "1e2");
        check("-0", Ordering::Equal, "0.0");
        check("-1", Ordering::Less, "0.5");
        check("2.5", Ordering::Less, "100.0");
        check("-2.5", Ordering::Greater, "-100.0");
        check("9007199254740993", Ordering::Greater, "9007199254740992.0");
        check(
            "123456789012345678901234567890",
            Ordering::Less,
            "123456789012345678901234567891",
        );
        check("9223372036854775807", Ordering::Less, "9223372036854775808");
        check("-9223372036854775808", Ordering::Less, "-1");
        check("1e-400", Ordering::Greater, "0");
    }

    #[test]
    fn long_fractions_with_trailing_zeros_compare_as_floats() {
        check(
            "0.10000000000000000010",
            Ordering::Equal,
            "0.10000000000000000020",
        );
        check("0.1000000000000000001", Ordering::Less, "0.1000000000000000002");
    }

    #[test]
    fn int_texts() {
        for int in [0, 7, -1, i64::MAX, i64::MIN] {
            assert_eq!(int_text(int, &mut [0; 20]), int.to_string());
        }
    }
}
