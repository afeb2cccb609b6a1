//! Times as texts.

use super::civil::{Civil, MONTHS, WEEKDAYS};
use super::layout::{Element, next};
use super::moment::Moment;
use crate::builtins::Failure;
use crate::builtins::output::Text;

/// Appends a time in a layout.
pub(super) fn write(out: &mut Text<'_>, moment: &Moment, layout: &str) -> Result<(), Failure> {
    let (civil, offset) = (moment.civil(), moment.offset());
    let mut rest = layout.as_bytes();
    loop {
        let (literal, element, behind) = next(rest);
        // Elements are ASCII, so what stands between them is whole.
        out.push_str(std::str::from_utf8(literal).map_err(|_| Failure::BUILTIN)?)?;
        let Some(element) = element else { return Ok(()) };
        match element {
            Element::Zone => moment.with_abbreviation(|name| out.push_str(name))?,
            Element::Offset { z_for_utc: true, .. } if offset == 0 => out.push('Z')?,
            Element::Offset {
                colons,
                minutes,
                seconds,
                ..
            } => {
                let (sign, size) = if offset < 0 { ('-', -offset) } else { ('+', offset) };
                out.format(format_args!("{sign}{:02}", size / 3600))?;
                let colon = if colons { ":" } else { "" };
                if minutes {
                    out.format(format_args!("{colon}{:02}", size / 60 % 60))?;
                }
                if seconds {
                    out.format(format_args!("{colon}{:02}", size % 60))?;
                }
            }
            Element::Fraction {
                trimmed,
                digits,
                separator,
            } => {
                fraction(out, civil.nanosecond, trimmed, digits, separator)?;
            }
            _ => field(out, &civil, element)?,
        }
        rest = behind;
    }
}

/// A part of the date or the clock.
fn field(out: &mut Text<'_>, civil: &Civil, element: Element) -> Result<(), Failure> {
    let hour12 = if civil.hour.is_multiple_of(12) {
        12
    } else {
        civil.hour % 12
    };
    let month = MONTHS.get(civil.month as usize - 1).copied().unwrap_or_default();
    let weekday = WEEKDAYS.get(civil.weekday()).copied().unwrap_or_default();
    let short = |name: &'static str| name.get(..3).unwrap_or_default();
    match element {
        Element::Year => out.format(format_args!("{:02}", civil.year.abs() % 100)),
        Element::LongYear if civil.year < 0 => out.format(format_args!("-{:04}", -civil.year)),
        Element::LongYear => out.format(format_args!("{:04}", civil.year)),
        Element::Month => out.push_str(short(month)),
        Element::LongMonth => out.push_str(month),
        Element::NumMonth => out.format(format_args!("{}", civil.month)),
        Element::ZeroMonth => out.format(format_args!("{:02}", civil.month)),
        Element::WeekDay => out.push_str(short(weekday)),
        Element::LongWeekDay => out.push_str(weekday),
        Element::Day => out.format(format_args!("{}", civil.day)),
        Element::UnderDay => out.format(format_args!("{:2}", civil.day)),
        Element::ZeroDay => out.format(format_args!("{:02}", civil.day)),
        Element::UnderYearDay => out.format(format_args!("{:3}", civil.day_of_year())),
        Element::ZeroYearDay => out.format(format_args!("{:03}", civil.day_of_year())),
        Element::Hour => out.format(format_args!("{:02}", civil.hour)),
        Element::Hour12 => out.format(format_args!("{hour12}")),
        Element::ZeroHour12 => out.format(format_args!("{hour12:02}")),
        Element::Minute => out.format(format_args!("{}", civil.minute)),
        Element::ZeroMinute => out.format(format_args!("{:02}", civil.minute)),
        Element::Second => out.format(format_args!("{}", civil.second)),
        Element::ZeroSecond => out.format(format_args!("{:02}", civil.second)),
        Element::UpperPm => out.push_str(if civil.hour >= 12 { "PM" } else { "AM" }),
        Element::LowerPm => out.push_str(if civil.hour >= 12 { "pm" } else { "am" }),
        // Written by the caller.
        Element::Zone | Element::Offset { .. } | Element::Fraction { .. } => Ok(()),
    }
}

/// At most nine digits are known; `trimmed` leaves out zeros at the end, and the separator with them.
fn fraction(
    out: &mut Text<'_>,
    nanosecond: u32,
    trimmed: bool,
    digits: usize,
    separator: u8,
) -> Result<(), Failure> {
    let mut buffer = [b'0'; 9];
    let mut rest = nanosecond;
    for slot in buffer.iter_mut().rev() {
        *slot = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let mut shown = buffer.get(..digits.min(9)).unwrap_or_default();
    if trimmed {
        let kept = shown
            .iter()
            .rposition(|digit| *digit != b'0')
            .map_or(0, |last| last + 1);
        shown = shown.get(..kept).unwrap_or_default();
        if shown.is_empty() {
            return Ok(());
        }
    }
    out.push(char::from(separator))?;
    out.push_str(std::str::from_utf8(shown).unwrap_or_default())
}
