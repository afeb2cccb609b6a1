//! Texts as times, with all that Go lets pass.

use super::civil::{Civil, MONTHS, Shift, WEEKDAYS, days_in, is_leap};
use super::layout::{Element, next};

/// What was read so far.
#[derive(Debug, Default)]
struct Fields {
    year: i64,
    month: Option<u32>,
    day: Option<u32>,
    day_of_year: Option<u32>,
    hour: u32,
    minute: u32,
    second: u32,
    nanosecond: u32,
    am: bool,
    pm: bool,
    /// Seconds east of UTC.
    offset: Option<i64>,
    /// `UTC` or `Z` was read: then an offset elsewhere does not count.
    utc: bool,
}

/// Whether a text is a moment in a layout.
pub(in crate::builtins) fn is_moment(layout: &str, text: &str) -> bool {
    parse(layout, text).is_some()
}

/// A text that is a moment in a layout as Go writes it into JSON. `None` too for an offset of a day or more.
pub(in crate::builtins) fn rfc3339(layout: &str, text: &str) -> Option<String> {
    const DAY_SECONDS: i64 = 86_400;
    let fields = fields(layout, text)?;
    let offset = fields.zone_offset();
    let (seconds, nanosecond) = fields.seconds()?;
    let civil = Civil::of(seconds + offset, nanosecond);
    if offset.abs() >= DAY_SECONDS {
        return None;
    }
    let date = format!("{:04}-{:02}-{:02}", civil.year, civil.month, civil.day);
    let clock = format!("{:02}:{:02}:{:02}", civil.hour, civil.minute, civil.second);
    let fraction = match nanosecond {
        0 => String::new(),
        _ => format!(".{nanosecond:09}").trim_end_matches('0').to_owned(),
    };
    let (sign, size) = if offset < 0 { ('-', -offset) } else { ('+', offset) };
    let zone = match offset {
        0 => "Z".to_owned(),
        _ => format!("{sign}{:02}:{:02}", size / 3600, size / 60 % 60),
    };
    Some(format!("{date}T{clock}{fraction}{zone}"))
}

/// Seconds since 1970 and nanoseconds; `None` when the text does not fit the layout.
pub(super) fn parse(layout: &str, text: &str) -> Option<(i64, u32)> {
    fields(layout, text)?.seconds()
}

fn fields(layout: &str, text: &str) -> Option<Fields> {
    let (mut layout, mut text) = (layout.as_bytes(), text.as_bytes());
    let mut fields = Fields::default();
    loop {
        let (literal, element, behind) = next(layout);
        text = skip(text, literal)?;
        let Some(element) = element else {
            return text.is_empty().then_some(fields);
        };
        layout = behind;
        text = fields.read(element, text, behind)?;
    }
}

impl Fields {
    /// Reads one element; what remains of the text.
    fn read<'t>(&mut self, element: Element, text: &'t [u8], layout_behind: &[u8]) -> Option<&'t [u8]> {
        let blank = |text: &'t [u8]| text.strip_prefix(b" ").unwrap_or(text);
        match element {
            Element::Year => {
                let (digits, rest) = text.split_at_checked(2)?;
                let year: i64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
                self.year = if year >= 69 { year + 1900 } else { year + 2000 };
                Some(rest)
            }
            Element::LongYear => {
                let (digits, rest) = text.split_at_checked(4)?;
                self.year = i64::from(digits_of(digits)?);
                Some(rest)
            }
            Element::Month => {
                let rest;
                (self.month, rest) = named(text, &MONTHS, 3)?;
                Some(rest)
            }
            Element::LongMonth => {
                let rest;
                (self.month, rest) = named(text, &MONTHS, usize::MAX)?;
                Some(rest)
            }
            Element::NumMonth | Element::ZeroMonth => {
                let (month, rest) = number(text, element == Element::ZeroMonth)?;
                self.month = Some(month).filter(|month| (1..=12).contains(month));
                self.month.map(|_| rest)
            }
            Element::WeekDay => named(text, &WEEKDAYS, 3).map(|(_, rest)| rest),
            Element::LongWeekDay => named(text, &WEEKDAYS, usize::MAX).map(|(_, rest)| rest),
            Element::Day | Element::UnderDay | Element::ZeroDay => {
                let text = if element == Element::UnderDay {
                    blank(text)
                } else {
                    text
                };
                let (day, rest) = number(text, element == Element::ZeroDay)?;
                self.day = Some(day);
                Some(rest)
            }
            Element::UnderYearDay | Element::ZeroYearDay => {
                let under = element == Element::UnderYearDay;
                let text = if under { blank(blank(text)) } else { text };
                let count = text.iter().take(3).take_while(|b| b.is_ascii_digit()).count();
                let (digits, rest) = text.split_at(count);
                self.day_of_year = Some(digits_of(digits)?);
                (under || count == 3).then_some(rest)
            }
            Element::Hour => self.hour_below(text, 24, false),
            Element::Hour12 => self.hour_below(text, 13, false),
            Element::ZeroHour12 => self.hour_below(text, 13, true),
            Element::Minute | Element::ZeroMinute => {
                let (minute, rest) = number(text, element == Element::ZeroMinute)?;
                self.minute = minute;
                (minute < 60).then_some(rest)
            }
            Element::Second | Element::ZeroSecond => {
                let (second, rest) = number(text, element == Element::ZeroSecond)?;
                self.second = second;
                if second >= 60 {
                    return None;
                }
                // A fraction may follow even where the layout has none.
                let follows = matches!(next(layout_behind).1, Some(Element::Fraction { .. }));
                if follows { Some(rest) } else { self.fraction(rest) }
            }
            Element::UpperPm => self.half_day(text, b"AM", b"PM"),
            Element::LowerPm => self.half_day(text, b"am", b"pm"),
            Element::Zone => match text.strip_prefix(b"UTC") {
                Some(rest) => {
                    self.utc = true;
                    Some(rest)
                }
                // Abbreviations have no offset that everybody agrees on: Go takes such a time as UTC.
                None => text.get(abbreviation(text)?..),
            },
            Element::Offset {
                z_for_utc,
                colons,
                minutes,
                seconds,
            } => match text.strip_prefix(b"Z") {
                Some(rest) if z_for_utc => {
                    self.utc = true;
                    Some(rest)
                }
                _ => self.offset(text, colons, minutes, seconds),
            },
            Element::Fraction { trimmed: true, .. } => self.fraction(text),
            Element::Fraction { digits, .. } => {
                let (part, rest) = text.split_at_checked(1 + digits)?;
                self.nanosecond = nanoseconds(part)?;
                Some(rest)
            }
        }
    }

    fn hour_below<'t>(&mut self, text: &'t [u8], bound: u32, fixed: bool) -> Option<&'t [u8]> {
        let (hour, rest) = number(text, fixed)?;
        self.hour = hour;
        (hour < bound).then_some(rest)
    }

    /// `.123` or `,123`, if it is there.
    fn fraction<'t>(&mut self, text: &'t [u8]) -> Option<&'t [u8]> {
        if !matches!(text, [b'.' | b',', b'0'..=b'9', ..]) {
            return Some(text);
        }
        let digits = text.iter().skip(1).take_while(|b| b.is_ascii_digit()).count();
        let (part, rest) = text.split_at(1 + digits);
        self.nanosecond = nanoseconds(part)?;
        Some(rest)
    }

    fn half_day<'t>(&mut self, text: &'t [u8], am: &[u8], pm: &[u8]) -> Option<&'t [u8]> {
        let (word, rest) = text.split_at_checked(2)?;
        (self.am, self.pm) = (self.am || word == am, self.pm || word == pm);
        (word == am || word == pm).then_some(rest)
    }

    fn offset<'t>(&mut self, text: &'t [u8], colons: bool, minutes: bool, seconds: bool) -> Option<&'t [u8]> {
        let (sign, mut rest) = text.split_first()?;
        let mut parts = [0_i64; 3];
        for (at, part) in parts
            .iter_mut()
            .take(1 + usize::from(minutes) + usize::from(seconds))
            .enumerate()
        {
            if at > 0 && colons {
                rest = rest.strip_prefix(b":")?;
            }
            let (digits, behind) = rest.split_at_checked(2)?;
            (*part, rest) = (i64::from(digits_of(digits)?), behind);
        }
        let [hour, minute, second] = parts;
        let size = hour * 3600 + minute * 60 + second;
        self.offset = Some(match sign {
            b'+' => size,
            b'-' => -size,
            _ => return None,
        });
        (hour <= 24 && minute <= 60 && second <= 60).then_some(rest)
    }

    fn seconds(mut self) -> Option<(i64, u32)> {
        if self.pm && self.hour < 12 {
            self.hour += 12;
        } else if self.am && self.hour == 12 {
            self.hour = 0;
        }
        if let Some(day_of_year) = self.day_of_year {
            self.set_day_of_year(day_of_year)?;
        }
        let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
        if !(1..=days_in(self.year, month)).contains(&day) {
            return None;
        }
        let civil = Civil {
            year: self.year,
            month,
            day,
            hour: self.hour,
            minute: self.minute,
            second: self.second,
            nanosecond: self.nanosecond,
        };
        Some((
            civil.seconds(Shift::default()) - self.zone_offset(),
            self.nanosecond,
        ))
    }

    /// Seconds east of UTC.
    fn zone_offset(&self) -> i64 {
        if self.utc { 0 } else { self.offset.unwrap_or(0) }
    }

    /// Month and day follow from the day of the year, and must agree with it where they were read too.
    fn set_day_of_year(&mut self, day_of_year: u32) -> Option<()> {
        if !(1..=365 + u32::from(is_leap(self.year))).contains(&day_of_year) {
            return None;
        }
        let (mut month, mut day) = (1, day_of_year);
        while day > days_in(self.year, month) {
            day -= days_in(self.year, month);
            month += 1;
        }
        let agrees = self.month.is_none_or(|read| read == month) && self.day.is_none_or(|read| read == day);
        (self.month, self.day) = (Some(month), Some(day));
        agrees.then_some(())
    }
}

/// A literal of the layout; runs of blanks match each other.
fn skip<'t>(mut text: &'t [u8], mut literal: &[u8]) -> Option<&'t [u8]> {
    let without_blanks = |mut bytes: &'t [u8]| {
        while let [b' ', rest @ ..] = bytes {
            bytes = rest;
        }
        bytes
    };
    while let Some((first, rest)) = literal.split_first() {
        if *first == b' ' {
            if text.first().is_some_and(|b| *b != b' ') {
                return None;
            }
            text = without_blanks(text);
            literal = rest;
            while let [b' ', more @ ..] = literal {
                literal = more;
            }
            continue;
        }
        text = text.strip_prefix(std::slice::from_ref(first))?;
        literal = rest;
    }
    Some(text)
}

/// One or two digits; `fixed`: two.
fn number(text: &[u8], fixed: bool) -> Option<(u32, &[u8])> {
    let count = text.iter().take(2).take_while(|b| b.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(count);
    (count == 2 || (count == 1 && !fixed)).then_some((digits_of(digits)?, rest))
}

/// The number that digits and nothing else are.
fn digits_of(digits: &[u8]) -> Option<u32> {
    let all = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    all.then(|| digits.iter().fold(0, |sum, d| sum * 10 + u32::from(d - b'0')))
}

/// A name of a list, at least its first letters; its place from 1.
fn named<'t>(text: &'t [u8], names: &[&str], letters: usize) -> Option<(Option<u32>, &'t [u8])> {
    for (at, name) in names.iter().enumerate() {
        let name = name.as_bytes();
        let name = name.get(..letters).unwrap_or(name);
        if let Some((head, rest)) = text.split_at_checked(name.len())
            && head.eq_ignore_ascii_case(name)
        {
            return Some((u32::try_from(at + 1).ok(), rest));
        }
    }
    None
}

/// A separator and digits; those beyond nanoseconds are cut off.
fn nanoseconds(part: &[u8]) -> Option<u32> {
    let (separator, digits) = part.split_first()?;
    let digits = digits.get(..9).unwrap_or(digits);
    let scale = 10_u32.checked_pow(u32::try_from(9 - digits.len()).ok()?)?;
    matches!(separator, b'.' | b',').then_some(digits_of(digits)? * scale)
}

/// The length of what looks like the abbreviation of a time zone.
fn abbreviation(text: &[u8]) -> Option<usize> {
    if text.len() < 3 {
        return None;
    }
    if text.starts_with(b"ChST") || text.starts_with(b"MeST") {
        return Some(4);
    }
    if let Some(rest) = text.strip_prefix(b"GMT") {
        return Some(3 + signed_hours(rest).unwrap_or(0));
    }
    if matches!(text, [b'+' | b'-', ..]) {
        return signed_hours(text);
    }
    let letters = text.iter().take(6).take_while(|b| b.is_ascii_uppercase()).count();
    let ends_in_t = |count: usize| text.get(count - 1) == Some(&b'T');
    match letters {
        5 if ends_in_t(5) => Some(5),
        4 if ends_in_t(4) || text.starts_with(b"WITA") => Some(4),
        3 => Some(3),
        _ => None,
    }
}

/// The length of `+3`, `-11`: hours up to 23.
fn signed_hours(text: &[u8]) -> Option<usize> {
    let (sign, rest) = text.split_first()?;
    let count = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let hours = rest.iter().take(count).fold(0_u32, |sum, d| {
        sum.saturating_mul(10).saturating_add(u32::from(d - b'0'))
    });
    (matches!(sign, b'+' | b'-') && count > 0 && hours <= 23).then_some(1 + count)
}
