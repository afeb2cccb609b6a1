//! Numbers of annotations as they reach policies: whole ones exactly, others as the shortest text of their 64-bit float.

use gavel_runtime::number::f64_json_text;
use gavel_runtime::value::Constant;

/// Texts of the floats that JSON cannot hold; a number with one of them never reaches a policy.
pub(super) const UNPRINTABLE: [&str; 3] = ["+Inf", "-Inf", "NaN"];

/// A number in JSON's spelling; nothing if it is too large for a 64-bit float.
#[must_use]
pub(super) fn from_json(text: &str) -> Option<Constant> {
    let value: f64 = text.parse().ok().filter(|value: &f64| value.is_finite())?;
    if text == "-0" || text.contains(['.', 'e', 'E']) {
        return Some(from_float(value));
    }
    Some(Constant::number(text))
}

/// A float as Go prints it into JSON: plain digits from 1e-6 up to 1e21, an exponent beyond.
#[must_use]
pub(super) fn from_float(value: f64) -> Constant {
    if value.is_nan() {
        return Constant::Number("NaN".to_owned());
    }
    if value.is_infinite() {
        return Constant::Number(if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned());
    }
    Constant::number(&f64_json_text(value))
}
