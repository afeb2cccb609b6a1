//! Number texts: what they mean, without making anything of them.

use super::big::BITS_MAX;
use super::float::Float;
use crate::value::{Kind, Value};

/// Largest binary exponent of a number that a document, a literal or `to_number` may bring in (OPA's bound).
const EXPONENT_MAX: i64 = 100_000;
/// Decimal exponents below this are within [`EXPONENT_MAX`] without a closer look.
const POINT_SMALL: i64 = 25_000;
/// Decimal exponents beyond this are beyond [`EXPONENT_MAX`] without a closer look.
const POINT_MAX: i64 = 40_000;

/// A number in the normal form `±0.d₁d₂…dₙ × 10^point` with `d₁` and `dₙ` not zero; zero has no digits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decimal<'t> {
    /// Whether the text begins with a minus.
    pub(super) negative: bool,
    /// From the first to the last digit that is not zero; a point and underscores may be among them.
    text: &'t [u8],
    /// Number of digits in `text`.
    pub(super) count: usize,
    /// Power of ten.
    pub(super) point: i64,
}

impl<'t> Decimal<'t> {
    /// Reads a decimal text: JSON's, and what Go takes beyond it (`+1`, `.5`, `1.`, `1_0`).
    pub(super) fn parse(text: &'t str) -> Option<Decimal<'t>> {
        let bytes = text.as_bytes();
        let (negative, rest) = match bytes.first()? {
            b'-' => (true, bytes.get(1..)?),
            b'+' => (false, bytes.get(1..)?),
            _ => (false, bytes),
        };
        let marker = rest.iter().position(|b| matches!(b, b'e' | b'E'));
        let (mantissa, exponent) = match marker {
            Some(at) => (rest.get(..at)?, exponent(rest.get(at + 1..)?)?),
            None => (rest, 0),
        };
        let scan = Scan::of(mantissa)?;
        Some(Decimal {
            negative,
            text: mantissa.get(scan.first..scan.end)?,
            count: scan.count,
            point: scan.point + exponent,
        })
    }

    /// The digits, as bytes `b'0'..=b'9'`.
    pub(super) fn digits(&self) -> impl Iterator<Item = u8> + Clone + 't {
        self.text.iter().copied().filter(u8::is_ascii_digit)
    }

    /// Whether the value is zero.
    pub(super) fn is_zero(&self) -> bool {
        self.count == 0
    }

    /// Whether the value has no fraction.
    pub(super) fn is_integer(&self) -> bool {
        self.is_zero() || self.point >= self.count as i64
    }

    /// Power of ten of the last digit.
    pub(super) fn scale(&self) -> i64 {
        self.point - self.count as i64
    }

    /// The digits as an integer, if there are at most 19.
    pub(super) fn small_mantissa(&self) -> Option<u64> {
        (self.count <= 19).then(|| {
            self.digits().fold(0, |sum: u64, d| {
                sum.wrapping_mul(10).wrapping_add(u64::from(d - b'0'))
            })
        })
    }
}

/// Where the digits that count are in a mantissa.
struct Scan {
    first: usize,
    end: usize,
    count: usize,
    point: i64,
}

impl Scan {
    /// `None`: not digits with at most one point.
    fn of(mantissa: &[u8]) -> Option<Scan> {
        let dot = mantissa.iter().position(|b| *b == b'.').unwrap_or(mantissa.len());
        let fits = |(at, byte): (usize, &u8)| match byte {
            b'0'..=b'9' => true,
            b'.' => at == dot,
            b'_' => between_digits(mantissa, at),
            _ => false,
        };
        let digits = |from: usize, to: usize| {
            let part = mantissa.get(from..to).unwrap_or(&[]);
            part.iter().filter(|b| b.is_ascii_digit()).count()
        };
        if !mantissa.iter().enumerate().all(fits) || digits(0, mantissa.len()) == 0 {
            return None;
        }
        let counts = |b: &u8| matches!(b, b'1'..=b'9');
        let Some(first) = mantissa.iter().position(counts) else {
            return Some(Scan {
                first: 0,
                end: 0,
                count: 0,
                point: 0,
            });
        };
        let end = mantissa.iter().rposition(counts).unwrap_or(first) + 1;
        let point = if first < dot {
            digits(first, dot) as i64
        } else {
            -(digits(dot, first) as i64)
        };
        Some(Scan {
            first,
            end,
            count: digits(first, end),
            point,
        })
    }
}

fn between_digits(mantissa: &[u8], at: usize) -> bool {
    let digit = |i: Option<usize>| i.and_then(|i| mantissa.get(i)).is_some_and(u8::is_ascii_digit);
    digit(at.checked_sub(1)) && digit(Some(at + 1))
}

/// The power of ten behind `e`; absurd ones are held at a bound that every check refuses.
fn exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let fits =
        |(at, byte): (usize, &u8)| byte.is_ascii_digit() || (*byte == b'_' && between_digits(digits, at));
    if digits.is_empty() || !digits.iter().enumerate().all(fits) {
        return None;
    }
    let size = digits
        .iter()
        .filter(|b| b.is_ascii_digit())
        .fold(0_i64, |sum, d| (sum * 10 + i64::from(d - b'0')).min(1 << 40));
    Some(if negative { -size } else { size })
}

/// The value of a text that is a number: an integer where the text is the plain spelling of one.
#[must_use]
pub fn value(text: &str) -> Value<'_> {
    match text.parse::<i64>() {
        Ok(int) if is_plain(text) => Value::int(int),
        _ => Value::number_text(text),
    }
}

/// Whether an integer's text is spelled as a printer would.
fn is_plain(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    match digits.as_bytes().first() {
        Some(b'0') => text.len() == 1,
        Some(b'+') | None => false,
        Some(_) => true,
    }
}

/// Refuses what OPA refuses: texts that are no numbers, and binary exponents beyond ±100,000.
/// `Err` when the text may not become a value.
pub fn check(text: &str) -> Result<(), NotANumber> {
    let number = Decimal::parse(text).ok_or(NotANumber)?;
    // As in OPA, only the exponent form can be out of range.
    let in_range = number.is_zero()
        || number.point.abs() < POINT_SMALL
        || !text.bytes().any(|b| b | 0x20 == b'e')
        || (number.point.abs() <= POINT_MAX
            && Float::of_decimal(&number).is_ok_and(|float| float.binary_exponent().abs() <= EXPONENT_MAX));
    if in_range { Ok(()) } else { Err(NotANumber) }
}

/// A text is no number, or one that is too big.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANumber;

/// Whether a text has JSON's number syntax.
#[must_use]
pub fn json_number(text: &str) -> bool {
    let rest = text.strip_prefix('-').unwrap_or(text);
    let digits = |t: &str| t.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest.starts_with('0')) {
        return false;
    }
    let mut rest = rest.get(whole..).unwrap_or("");
    if let Some(fraction) = rest.strip_prefix('.') {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = fraction.get(count..).unwrap_or("");
    }
    match rest.strip_prefix(['e', 'E']) {
        Some(exponent) => {
            let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            !exponent.is_empty() && digits(exponent) == exponent.len()
        }
        None => rest.is_empty(),
    }
}

/// The value as a 64-bit integer, for `Int` and for the spellings that OPA takes for one: a sign, digits, a point with zeros.
#[must_use]
pub fn int(value: Value<'_>) -> Option<i64> {
    match value.kind() {
        Kind::Int(int) => Some(int),
        Kind::Number(text) => int_of_text(text),
        _ => None,
    }
}

pub(super) fn int_of_text(text: &str) -> Option<i64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned.is_empty() || unsigned.len() > 19 {
        return None;
    }
    let (whole, zeros) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    if !zeros.bytes().all(|b| b == b'0') || !whole.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    if whole.is_empty() {
        return Some(0);
    }
    let keep = text.len() - unsigned.len() + whole.len();
    text.get(..keep)?.parse().ok()
}

/// What arithmetic with a number costs beyond a step, in steps: nothing for what machines work with, the square of the
/// length for long digits and far exponents.
#[must_use]
pub fn price(value: Value<'_>) -> usize {
    const FREE_DIGITS: u64 = 64;
    let Kind::Number(text) = value.kind() else {
        return 0;
    };
    let has_exponent = || text.bytes().any(|b| b | 0x20 == b'e');
    if text.len() as u64 <= FREE_DIGITS && !has_exponent() {
        return 0;
    }
    let digits = Decimal::parse(text).map_or(0, |d| d.point.unsigned_abs().max(d.count as u64));
    // Beyond this nothing is worked out exactly.
    let digits = digits.min(BITS_MAX / 4);
    let groups = digits / FREE_DIGITS;
    usize::try_from(text.len() as u64 / FREE_DIGITS + groups * groups).unwrap_or(usize::MAX)
}

/// Whether a number has no fraction (`1`, `1.0`, `1e2`). False for other values.
#[must_use]
pub fn is_integer(value: Value<'_>) -> bool {
    match value.kind() {
        Kind::Int(_) => true,
        Kind::Number(text) => Decimal::parse(text).is_some_and(|d| d.is_integer()),
        _ => false,
    }
}

/// The nearest 64-bit float of a number text; infinite beyond its range.
#[must_use]
pub fn to_f64(text: &str) -> f64 {
    match text.parse() {
        Ok(float) => float,
        Err(_) => text.replace('_', "").parse().unwrap_or(0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn normal(text: &str, want: &str) {
        let d = Decimal::parse(text).expect("a number");
        let digits: String = d.digits().map(char::from).collect();
        assert_eq!(
            format!("{}{digits}^{}", if d.negative { "-" } else { "" }, d.point),
            want
        );
        assert_eq!(d.count, digits.len());
    }

    #[test]
    fn decimals_have_one_normal_form() {
        for text in ["100", "100.00", "1e2", "0.1e3", "0010e1", "1_00", "+1.E2"] {
            normal(text, "1^3");
        }
        normal("-0.00120", "-12^-2");
        normal(".5", "5^0");
        normal("10.50", "105^2");
        normal("0.0", "^0");
        normal("1020304", "1020304^7");
    }

    #[test]
    fn what_is_no_number() {
        for text in [
            "", "-", ".", "e1", "1e", "1e+", "1..2", "0x1", "_1", "1__0", "1_", "inf", "1 ",
        ] {
            assert!(Decimal::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn exponents_are_bounded_as_in_opa() {
        assert_eq!(check("1e30102"), Ok(()));
        assert_eq!(check("1e30103"), Err(NotANumber));
        assert_eq!(check("1e-30102"), Ok(()));
        assert_eq!(check("0e999999999999"), Ok(()));
        assert_eq!(check("1e999999999999"), Err(NotANumber));
    }

    #[test]
    fn plain_integers_become_ints() {
        assert!(matches!(value("-12").kind(), Kind::Int(-12)));
        for text in ["-0", "007", "+1", "1.0", "9223372036854775808"] {
            assert!(matches!(value(text).kind(), Kind::Number(_)), "{text}");
        }
        assert_eq!(int_of_text("7.00"), Some(7));
        assert_eq!(int_of_text("-9223372036854775808"), Some(i64::MIN));
        assert_eq!(int_of_text("9999999999999999999"), None);
        assert_eq!(int_of_text("1e2"), None);
    }

    #[test]
    fn json_syntax() {
        for text in ["0", "-0", "1.5e+3", "10", "0.1"] {
            assert!(json_number(text), "{text}");
        }
        for text in ["", "-", "01", ".5", "1.", "+1", "1e", "0x1", "1_0"] {
            assert!(!json_number(text), "{text}");
        }
    }
}
