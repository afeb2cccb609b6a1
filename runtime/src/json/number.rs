//! JSON numbers → values, by one of two rules; and the spelling that numbers of requests have in access records.

use super::JsonErrorKind;
use crate::arena::{Arena, List};
use crate::number;
use crate::short_text::ShortText;
use crate::value::Value;

/// Longest shortest text of a float: at most 17 digits, sign, point, leading zeros or exponent.
const FLOAT_LEN: usize = 32;

/// Integers of so many digits are below 1e21, from where on Go's encoder writes an exponent.
const PLAIN_DIGITS: usize = 21;

/// What becomes of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// Its text is kept, as OPA keeps it (`1.50`, `1e2`).
    Text,
    /// The rule of requests: an integer-valued number is that integer in plain spelling, at any size; others are the
    /// shortest text of their 64-bit float. Minus zero stays `-0`. Beyond the range of floats it is an error.
    ByValue,
}

/// The value of a number's text, which is JSON's grammar.
pub(crate) fn value<'r>(
    arena: &'r Arena,
    text: &'r str,
    numbers: Numbers,
) -> Result<Value<'r>, JsonErrorKind> {
    match (plain_int(text), numbers) {
        (Some(int), _) => Ok(Value::int(int)),
        (None, Numbers::Text) => Ok(Value::number_text(text)),
        (None, Numbers::ByValue) => by_value(arena, text),
    }
}

/// The integer that this text is the plain spelling of.
fn plain_int(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let bytes = digits.as_bytes();
    let leading_zero = bytes.first() == Some(&b'0') && (bytes.len() > 1 || negative);
    if bytes.is_empty() || leading_zero || !bytes.iter().all(u8::is_ascii_digit) {
        return None;
    }
    text.parse().ok()
}

fn by_value<'r>(arena: &'r Arena, text: &'r str) -> Result<Value<'r>, JsonErrorKind> {
    let float: f64 = text.parse().map_err(|_| JsonErrorKind::NumberRange)?;
    if !float.is_finite() {
        return Err(JsonErrorKind::NumberRange);
    }
    if float == 0.0 {
        return Ok(zero(float));
    }
    match Decimal::read(text).integer(arena)? {
        Some(integer) => Ok(integer),
        None => float_value(arena, float),
    }
}

/// The zero of a sign.
fn zero(float: f64) -> Value<'static> {
    if float.is_sign_negative() {
        Value::number_text("-0")
    } else {
        Value::int(0)
    }
}

/// The value of a finite float: the integer it is, if it is one below 2^53, else its shortest text as Go prints it.
pub(crate) fn float_value(arena: &Arena, float: f64) -> Result<Value<'_>, JsonErrorKind> {
    if float == 0.0 {
        return Ok(zero(float));
    }
    if float.fract() == 0.0 && float.abs() < EXACT_FLOAT {
        return Ok(Value::int(float as i64));
    }
    let mut text = ShortText::<FLOAT_LEN>::new();
    number::write_f64(&mut text, float);
    arena
        .text(text.as_str())
        .map(Value::number_text)
        .map_err(|_| JsonErrorKind::Memory)
}

/// Below 2^53 every integer is a float of its own.
pub(crate) const EXACT_FLOAT: f64 = 9_007_199_254_740_992.0;

/// A number of a request as Go's encoder prints the 64-bit float that it is; `None`: as it is spelled already, or it is an
/// integer that this float's digits are not.
///
/// `text`: in the spelling that [`Numbers::ByValue`] or an annotation gave it.
pub(super) fn encoded(text: &str) -> Option<ShortText<FLOAT_LEN>> {
    // Both spellings are one where there is no exponent. Most numbers end here.
    if text.len() <= PLAIN_DIGITS && !text.bytes().any(|byte| byte | 0x20 == b'e') {
        return None;
    }
    let float: f64 = text.parse().ok().filter(|float: &f64| float.is_finite())?;
    let mut out = ShortText::new();
    number::write_f64_json(&mut out, float);
    let is_integer = text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
    (!is_integer || significant(out.as_str()).eq(significant(text))).then_some(out)
}

/// The digits of an integer, or of a mantissa, up to the last one that is not zero.
fn significant(text: &str) -> impl Iterator<Item = u8> {
    let mantissa = text.split_once('e').map_or(text, |(mantissa, _)| mantissa);
    let digits = mantissa.trim_end_matches('0').bytes();
    digits.filter(u8::is_ascii_digit)
}

/// A number's text in parts.
struct Decimal<'t> {
    negative: bool,
    whole: &'t str,
    fraction: &'t str,
    exponent: i64,
}

impl<'t> Decimal<'t> {
    fn read(text: &'t str) -> Decimal<'t> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
        // An exponent beyond i64 belongs to a zero, which is not asked here.
        let exponent = exponent.parse().unwrap_or(i64::MIN / 2);
        Decimal {
            negative,
            whole,
            fraction,
            exponent,
        }
    }

    /// The value, if it is an integer. The caller made sure that it is a finite float and not zero, so there are at most
    /// some 310 digits more than in the text.
    fn integer<'r>(&self, arena: &'r Arena) -> Result<Option<Value<'r>>, JsonErrorKind> {
        let fraction = self.fraction.trim_end_matches('0');
        let zeros = self.exponent.saturating_sub(fraction.len() as i64);
        let (more, fewer) = (usize::try_from(zeros), usize::try_from(zeros.unsigned_abs()));
        let parts = [self.whole, fraction].map(str::as_bytes);
        let count = self.whole.len() + fraction.len();
        let kept = match (more, fewer) {
            (Ok(_), _) => count,
            // A negative exponent takes digits away: they must all be zeros.
            (Err(_), Ok(fewer)) if fewer <= count => count - fewer,
            _ => return Ok(None),
        };
        let digits = || parts.into_iter().flatten().copied();
        if digits().skip(kept).any(|digit| digit != b'0') {
            return Ok(None);
        }
        let mut text = List::new(arena);
        let memory = |_| JsonErrorKind::Memory;
        text.reserve(1 + kept + more.unwrap_or(0)).map_err(memory)?;
        if self.negative {
            text.push(b'-').map_err(memory)?;
        }
        let zeros = std::iter::repeat_n(b'0', more.unwrap_or(0));
        for digit in digits()
            .take(kept)
            .skip_while(|digit| *digit == b'0')
            .chain(zeros)
        {
            text.push(digit).map_err(memory)?;
        }
        let text = std::str::from_utf8(text.finish()).map_err(|_| JsonErrorKind::Memory)?;
        let plain = |text: &'r str| text.parse().map_or(Value::number_text(text), Value::int);
        Ok(Some(plain(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Kind;

    #[track_caller]
    fn check(text: &str, by_value: &str) {
        let arena = Arena::new(1 << 10, 1 << 20);
        let shown = match value(&arena, text, Numbers::ByValue).map(Value::kind) {
            Ok(Kind::Int(int)) => format!("int {int}"),
            Ok(Kind::Number(text)) => text.to_owned(),
            other => format!("{other:?}"),
        };
        assert_eq!(shown, by_value, "{text}");
    }

    #[test]
    fn integers_stay_exact() {
        check("0", "int 0");
        check("-7", "int -7");
        check("9223372036854775807", "int 9223372036854775807");
        check("9223372036854775808", "9223372036854775808");
        check("-9223372036854775808", "int -9223372036854775808");
        check("123456789012345678901234567890", "123456789012345678901234567890");
    }

    #[test]
    fn integer_values_become_integers() {
        check("1.0", "int 1");
        check("1e2", "int 100");
        check("1E+2", "int 100");
        check("10.0e-1", "int 1");
        check("0.1e1", "int 1");
        check("-0", "-0");
        check("-0.0", "-0");
        check("-1e-400", "-0");
        check("0e999999999999999999999", "int 0");
        check("1e20", "100000000000000000000");
        check("12345678901234567890.0", "12345678901234567890");
    }

    #[test]
    fn decimals_are_the_shortest_float() {
        check("1.50", "1.5");
        check("12e-1", "1.2");
        check("1e-2", "0.01");
        check("1e-7", "1e-07");
        check("0.00001", "1e-05");
        check("0.0001", "0.0001");
        check("123456.789", "123456.789");
        check("1234567.5", "1.2345675e+06");
        // Two texts are equally near: Go takes the even digit.
        check("1000000000000000.25", "1.0000000000000002e+15");
        check("3.14159265358979323846264338327950288", "3.141592653589793");
        check("5e-324", "5e-324");
        check("2.2250738585072014e-308", "2.2250738585072014e-308");
        check("1e-400", "int 0");
        check("1e-99999999999999999999", "int 0");
    }

    #[test]
    fn beyond_floats_is_an_error() {
        check("1e400", "Err(NumberRange)");
        check("-1e309", "Err(NumberRange)");
    }

    #[track_caller]
    fn check_encoded(text: &str, want: &str) {
        let arena = Arena::new(1 << 10, 1 << 20);
        let number = value(&arena, text, Numbers::ByValue).unwrap();
        let mut out = Vec::new();
        crate::json::write(&mut out, number, crate::json::Escape::Record).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), want, "{text}");
    }

    #[test]
    fn records_have_the_text_of_gos_encoder() {
        check_encoded("42248192.2", "42248192.2");
        check_encoded("1234567.5", "1234567.5");
        check_encoded("-123456789012345.6", "-123456789012345.6");
        check_encoded("1.50", "1.5");
        check_encoded("1000000000000000.25", "1000000000000000.2");
        check_encoded("-0.00012345678901234567", "-0.00012345678901234567");
        check_encoded("0.00001234", "0.00001234");
        check_encoded("1e-6", "0.000001");
        check_encoded("9.99e-7", "9.99e-7");
        check_encoded("0.0000001", "1e-7");
        check_encoded("-1.0e-10", "-1e-10");
        check_encoded("5e-324", "5e-324");
        check_encoded("2.2250738585072014e-308", "2.2250738585072014e-308");
        check_encoded("-0.0", "-0");
        check_encoded("1e-400", "0");
    }

    #[test]
    fn records_have_every_digit_of_an_integer() {
        check_encoded("9007199254740993", "9007199254740993");
        check_encoded("9223372036854775808", "9223372036854775808");
        check_encoded("1e20", "100000000000000000000");
        check_encoded("999999999999999999999", "999999999999999999999");
        check_encoded("1e21", "1e+21");
        check_encoded("-1.5e21", "-1.5e+21");
        check_encoded("1000000000000000000000000", "1e+24");
        check_encoded("9999999999999999999999", "9999999999999999999999");
        check_encoded("1234567890123456789012", "1234567890123456789012");
        check_encoded("1.7976931348623157e308", "1.7976931348623157e+308");
    }

    #[test]
    fn texts_are_kept_when_asked() {
        let arena = Arena::new(1 << 10, 1 << 20);
        for text in ["1.50", "1e2", "-0", "1E400", "123456789012345678901234567890"] {
            let kept = value(&arena, text, Numbers::Text).unwrap();
            assert!(matches!(kept.kind(), Kind::Number(kept) if kept == text));
        }
    }
}
