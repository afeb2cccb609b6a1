//! The times of certificates.

use super::der::{GENERALIZED_TIME, Read, Reader, UTC_TIME};
use crate::builtins::Failure;

const DAY_SECONDS: i64 = 86_400;

/// A time as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    /// Minutes east of Greenwich.
    offset_minutes: i64,
}

impl Moment {
    /// The next element, of one of the two types of time.
    pub(super) fn read(reader: &mut Reader<'_>) -> Read<Moment> {
        let element = reader.any()?;
        Moment::decoded(element.tag, element.content).ok_or(Failure::BUILTIN)
    }

    /// The time of an element.
    pub(super) fn decoded(tag: u8, content: &[u8]) -> Option<Moment> {
        let mut digits = Digits(content);
        let year = match tag {
            // Two digits mean 1950 to 2049.
            UTC_TIME => match digits.number(2)? {
                year @ 0..50 => 2000 + year,
                year => 1900 + year,
            },
            GENERALIZED_TIME => digits.number(4)?,
            _ => return None,
        };
        let (month, day) = (digits.number(2)?, digits.number(2)?);
        let (hour, minute) = (digits.number(2)?, digits.number(2)?);
        // Seconds may be missing in the older type.
        let second = match digits.0.first() {
            Some(b'0'..=b'9') => digits.number(2)?,
            _ if tag == UTC_TIME => 0,
            _ => return None,
        };
        let offset_minutes = match digits.0 {
            b"Z" => 0,
            [sign @ (b'+' | b'-'), offset @ ..] => {
                let mut digits = Digits(offset);
                let (hours, minutes) = (digits.number(2)?, digits.number(2)?);
                let offset = 60 * hours + minutes;
                // No offset is written `Z`.
                if hours >= 24 || minutes >= 60 || offset == 0 || !digits.0.is_empty() {
                    return None;
                }
                if *sign == b'-' { -offset } else { offset }
            }
            _ => return None,
        };
        let moment = Moment {
            year,
            month,
            day,
            hour,
            minute,
            second,
            offset_minutes,
        };
        let is_date = (1..=12).contains(&month) && (1..=moment.days_of_month()).contains(&day);
        (is_date && hour < 24 && minute < 60 && second < 60).then_some(moment)
    }

    fn days_of_month(&self) -> i64 {
        let is_leap = self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0);
        match self.month {
            2 if is_leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }

    /// Nanoseconds since 1970.
    pub(super) fn ns(&self) -> i128 {
        // Years begin in March here, so that the leap day is the last of a year.
        let year = self.year - i64::from(self.month <= 2);
        let march_month = (self.month + 9) % 12;
        let day_of_year = (153 * march_month + 2) / 5 + self.day - 1;
        let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        let days = 365 * year + leap_days + day_of_year - 719_468;
        let minutes = 60 * self.hour + self.minute - self.offset_minutes;
        let seconds = days * DAY_SECONDS + 60 * minutes + self.second;
        i128::from(seconds) * 1_000_000_000
    }

    /// As Go's JSON has it.
    pub(super) fn text(&self) -> String {
        let zone = match self.offset_minutes {
            0 => "Z".to_owned(),
            offset => {
                let sign = if offset < 0 { '-' } else { '+' };
                let offset = offset.abs();
                format!("{sign}{:02}:{:02}", offset / 60, offset % 60)
            }
        };
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{zone}",
            self.year, self.month, self.day, self.hour, self.minute, self.second
        )
    }
}

struct Digits<'a>(&'a [u8]);

impl Digits<'_> {
    /// A number of so many digits.
    fn number(&mut self, len: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        digits.iter().try_fold(0, |number, digit| {
            let digit = char::from(*digit).to_digit(10)?;
            Some(10 * number + i64::from(digit))
        })
    }
}
