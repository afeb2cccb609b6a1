//! Numbers beyond 64-bit integers: texts, their order, arithmetic.

use std::cmp::Ordering;

/// Order of two numbers given as texts, as OPA orders them.
#[must_use]
pub fn compare_text(a: &str, b: &str) -> Ordering {
    let value = |text: &str| text.parse::<f64>().unwrap_or(0.0);
    value(a).total_cmp(&value(b))
}
