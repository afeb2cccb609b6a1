//! The fewest digits that read back as a float of the machine, as Go picks them, and Go's formats of them.
//!
//! Of two such numbers that are equally near Go takes the one with the even last digit, and Rust the larger one.

use super::digits::{write, write_plain, write_scientific};
use crate::short_text::ShortText;
use std::fmt::Write;

/// `d.ddd… × 10^exponent`, without a sign. Zero is the digit 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shortest {
    digits: [u8; DIGITS_MAX],
    count: usize,
    pub(crate) exponent: i32,
}

/// Digits of a 64-bit float at most.
const DIGITS_MAX: usize = 17;

impl Shortest {
    /// The digits of the size of a finite float.
    pub(crate) fn of_f64(float: f64) -> Shortest {
        // In a 64-bit float half a unit of the last place is at most 2^-53 of the size, so that a tie, which is five units
        // of the place behind the last digit away, needs so many digits.
        const TIE_DIGITS_MIN: usize = 16;
        let float = float.abs();
        let mut shortest = Shortest::of_rust(&float);
        if shortest.count >= TIE_DIGITS_MIN {
            shortest.settle_tie(float, |text| text.parse() == Ok(float));
        }
        shortest
    }

    /// The digits of the size of a finite 32-bit float.
    pub(crate) fn of_f32(float: f32) -> Shortest {
        const TIE_DIGITS_MIN: usize = 7;
        // The only power of two with a tie, 2^-12, which Go rounds up.
        const ROUNDED_UP: f32 = 1.0 / 4096.0;
        let float = float.abs();
        let mut shortest = Shortest::of_rust(&float);
        if shortest.count >= TIE_DIGITS_MIN && float != ROUNDED_UP {
            shortest.settle_tie(f64::from(float), |text| text.parse() == Ok(float));
        }
        shortest
    }

    /// Reads Rust's `d.ddde-7`.
    fn of_rust(float: &impl std::fmt::LowerExp) -> Shortest {
        let mut shortest = Shortest {
            digits: [b'0'; DIGITS_MAX],
            count: 0,
            exponent: 0,
        };
        let mut reader = Reader {
            shortest: &mut shortest,
            exponent: None,
        };
        // The reader takes everything.
        let _ = write!(reader, "{float:e}");
        shortest.exponent = reader.exponent.map_or(0, |(sign, size)| sign * size);
        shortest
    }

    /// The digits, the first of which is not 0 unless it is the only one.
    pub(crate) fn digits(&self) -> &[u8] {
        self.digits.get(..self.count).unwrap_or_default()
    }

    /// Where the point stands: `0.d₁d₂… × 10^point`.
    fn point(&self) -> i64 {
        i64::from(self.exponent) + 1
    }

    /// Takes the even last digit for an odd one that was rounded up from the middle, if that reads back as the float.
    fn settle_tie(&mut self, float: f64, reads_back: impl FnOnce(&str) -> bool) {
        let Some(last) = self.count.checked_sub(1) else {
            return;
        };
        let digit = self.digits.get(last).copied().unwrap_or(b'0');
        if digit & 1 == 0 || !self.is_rounded_up_from_middle(float) {
            return;
        }
        let mut even = *self;
        if let Some(digit) = even.digits.get_mut(last) {
            *digit -= 1;
        }
        let mut text = ShortText::<{ 2 * DIGITS_MAX }>::new();
        text.extend(even.digits().iter().copied());
        // There is room: an exponent has four digits at most.
        let _ = write!(text, "e{}", even.exponent - last as i32);
        if reads_back(text.as_str()) {
            *self = even;
        }
    }

    /// Whether the float is exactly half a unit of the last digit below the digits.
    fn is_rounded_up_from_middle(&self, float: f64) -> bool {
        // The decimal in the middle, `mantissa / 10^places`, has one digit more and is odd: without a fraction it would be
        // an odd integer beyond those that floats have, and with one it is a float only if `5^places` divides it.
        let places = self.count as i32 - self.exponent;
        let mantissa = self
            .digits()
            .iter()
            .fold(0_u64, |number, digit| number * 10 + u64::from(digit - b'0'))
            * 10
            - 5;
        let Some(power) = u32::try_from(places)
            .ok()
            .and_then(|places| 5_u64.checked_pow(places))
        else {
            return false;
        };
        let is_exact = mantissa.is_multiple_of(power) && mantissa / power < 1 << f64::MANTISSA_DIGITS;
        is_exact && (mantissa / power) as f64 * 2_f64.powi(-places) == float
    }
}

/// Takes the parts of Rust's scientific form as they are written.
struct Reader<'s> {
    shortest: &'s mut Shortest,
    /// Sign and size, once the mantissa is over.
    exponent: Option<(i32, i32)>,
}

impl Write for Reader<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for byte in text.bytes() {
            match (byte, &mut self.exponent) {
                (b'e', exponent) => *exponent = Some((1, 0)),
                (b'-', Some((sign, _))) => *sign = -1,
                (b'0'..=b'9', Some((_, size))) => *size = *size * 10 + i32::from(byte - b'0'),
                (b'0'..=b'9', None) => {
                    if let Some(digit) = self.shortest.digits.get_mut(self.shortest.count) {
                        *digit = byte;
                        self.shortest.count += 1;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The shortest text of a 64-bit float in Go's `%g` (what OPA makes of a Go float).
#[must_use]
pub fn f64_text(float: f64) -> String {
    text(|out| write_f64(out, float))
}

/// Appends the text of [`f64_text`]; takes no memory of its own.
pub(crate) fn write_f64(out: &mut impl Extend<u8>, float: f64) {
    write_general(out, float, float.is_sign_negative(), || Shortest::of_f64(float));
}

/// The shortest text of a 32-bit float in Go's `%g`.
#[must_use]
pub(crate) fn f32_text(float: f32) -> String {
    text(|out| write_general(out, float, float.is_sign_negative(), || Shortest::of_f32(float)))
}

fn write_general(
    out: &mut impl Extend<u8>,
    float: impl Into<f64>,
    is_negative: bool,
    shortest: impl FnOnce() -> Shortest,
) {
    let float = float.into();
    if float.is_finite() {
        let shortest = shortest();
        write(out, is_negative, shortest.digits(), shortest.point(), false);
        return;
    }
    let word = match (float.is_nan(), is_negative) {
        (true, _) => "NaN",
        (false, true) => "-Inf",
        (false, false) => "+Inf",
    };
    out.extend(word.bytes());
}

/// The shortest text of a finite 64-bit float as Go's writer of JSON has it: plain from 1e-6 up to 1e21.
#[must_use]
pub fn f64_json_text(float: f64) -> String {
    text(|out| write_f64_json(out, float))
}

/// Appends the text of [`f64_json_text`]; takes no memory of its own.
pub(crate) fn write_f64_json(out: &mut impl Extend<u8>, float: f64) {
    let (size, shortest) = (float.abs(), Shortest::of_f64(float));
    if float.is_sign_negative() {
        out.extend([b'-']);
    }
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        write_plain(out, shortest.digits(), shortest.point());
    } else {
        write_scientific(out, shortest.digits(), shortest.point(), 1);
    }
}

fn text(written: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    written(&mut out);
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Go's answers. A tie at the border of a power of two has one text that reads back.
    #[test]
    fn of_two_equally_near_texts_the_even_one_counts() {
        for (float, want) in [
            (1e15 + 0.25, "1.0000000000000002e+15"),
            (1e15 + 0.75, "1.0000000000000008e+15"),
            (-(1e15 + 0.25), "-1.0000000000000002e+15"),
            (2_f64.powi(-24), "5.960464477539063e-08"),
            (2_f64.powi(-25), "2.9802322387695312e-08"),
            (162_520_982_899_481_568.0, "1.6252098289948157e+17"),
            (0.0, "0"),
            (5e-324, "5e-324"),
        ] {
            assert_eq!(f64_text(float), want);
        }
    }

    #[test]
    fn ties_of_32_bits_are_even_too() {
        for (float, want) in [
            (2_f32.powi(21) + 0.25, "2.0971522e+06"),
            (1.0 / 4096.0, "0.00024414063"),
        ] {
            assert_eq!(f32_text(float), want);
        }
    }

    #[test]
    fn json_has_fewer_exponents() {
        for (float, want) in [
            (1e15 + 0.25, "1000000000000000.2"),
            (-0.0, "-0"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.5e-7, "1.5e-7"),
            (0.000001, "0.000001"),
        ] {
            assert_eq!(f64_json_text(float), want);
        }
    }
}
