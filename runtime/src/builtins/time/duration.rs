//! Durations: `1h30m`, `1.5s`, and OPA's days, weeks and years of 365 days.

use crate::short_text::ShortText;
use std::fmt::Write;

/// Longest text of a float without an exponent.
const FLOAT_LEN: usize = 400;

/// Nanoseconds of a duration; `None` when the text is none.
pub(in crate::builtins) fn parse(text: &str) -> Option<i64> {
    let extended = text.contains(['d', 'w', 'y']);
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0_u64;
    while !rest.is_empty() {
        let digits_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (digits, behind) = rest.split_at(digits_end);
        let unit_end = match extended {
            true => one_unit(behind)?,
            false => behind
                .find(|c: char| c.is_ascii_digit() || c == '.')
                .unwrap_or(behind.len()),
        };
        let (unit, behind) = behind.split_at(unit_end);
        let part = match hours_of(unit) {
            // Through a float of hours, as OPA does it.
            Some(hours) => {
                let hours = digits.parse::<f64>().ok()? * hours;
                let mut text = ShortText::<FLOAT_LEN>::new();
                write!(text, "{hours}").ok()?;
                amount(text.as_str(), 3_600_000_000_000)?
            }
            None => amount(digits, nanoseconds_of(unit)?)?,
        };
        total = total.checked_add(part).filter(|total| *total <= 1 << 63)?;
        rest = behind;
    }
    match negative {
        true => Some((total as i64).wrapping_neg()),
        false => i64::try_from(total).ok(),
    }
}

/// The length of the unit at the start, where days, weeks and years are among the units: then a unit is one letter but
/// for `ms`, `us`, `µs`, `ns`.
fn one_unit(text: &str) -> Option<usize> {
    if let Some(unit) = ["ms", "us", "µs", "ns"]
        .into_iter()
        .find(|unit| text.starts_with(unit))
    {
        return Some(unit.len());
    }
    text.bytes().next().filter(u8::is_ascii_lowercase).map(|_| 1)
}

fn hours_of(unit: &str) -> Option<f64> {
    match unit {
        "d" => Some(24.0),
        "w" => Some(168.0),
        "y" => Some(8760.0),
        _ => None,
    }
}

fn nanoseconds_of(unit: &str) -> Option<u64> {
    match unit {
        "ns" => Some(1),
        "us" | "µs" | "μs" => Some(1_000),
        "ms" => Some(1_000_000),
        "s" => Some(1_000_000_000),
        "m" => Some(60_000_000_000),
        "h" => Some(3_600_000_000_000),
        _ => None,
    }
}

/// Digits with at most one point, times a unit.
fn amount(digits: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let whole = if whole.is_empty() {
        0
    } else {
        whole.parse::<u64>().ok()?
    };
    let whole = Some(whole).filter(|whole| *whole <= (1 << 63) / unit)? * unit;
    // The fraction keeps as many digits as 63 bits hold.
    let (mut part, mut scale) = (0_u64, 1.0_f64);
    for digit in fraction.bytes() {
        let Some(longer) = Some(part)
            .filter(|part| *part <= (u64::MAX >> 1) / 10)
            .map(|part| part * 10 + u64::from(digit - b'0'))
            .filter(|longer| *longer <= 1 << 63)
        else {
            break;
        };
        (part, scale) = (longer, scale * 10.0);
    }
    let part = (part as f64 * (unit as f64 / scale)) as u64;
    whole.checked_add(part).filter(|sum| *sum <= 1 << 63)
}
