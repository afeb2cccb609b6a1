//! The calendar: days since 1970 and dates.

/// A date and a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    /// 1 to 12.
    pub(crate) month: u32,
    /// 1 to 31.
    pub(crate) day: u32,
    pub(crate) hour: u32,
    pub(crate) minute: u32,
    pub(crate) second: u32,
    /// Below 1,000,000,000.
    pub(crate) nanosecond: u32,
}

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

const DAY_SECONDS: i64 = 86_400;

impl Civil {
    /// The date of a time in seconds since 1970 (of the zone that the date is of).
    pub(crate) fn of(seconds: i64, nanosecond: u32) -> Civil {
        let (days, rest) = (seconds.div_euclid(DAY_SECONDS), seconds.rem_euclid(DAY_SECONDS));
        // Years begin in March here, so that the leap day is the last of a year; eras are 400 years.
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * march_month + 2) / 5 + 1;
        let month = if march_month < 10 {
            march_month + 3
        } else {
            march_month - 9
        };
        Civil {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month: month as u32,
            day: day as u32,
            hour: (rest / 3600) as u32,
            minute: (rest / 60 % 60) as u32,
            second: (rest % 60) as u32,
            nanosecond,
        }
    }

    /// Seconds since 1970, with months and days of any size. What 64 bits do not hold wraps around wherever it does in Go,
    /// whose `time` OPA asks: it may end at a date that OPA takes.
    pub(super) fn seconds(self, more: Shift) -> i64 {
        let months = i64::from(self.month).wrapping_add(more.months).wrapping_sub(1);
        let year = self
            .year
            .wrapping_add(more.years)
            .wrapping_add(months.div_euclid(12));
        let day = i64::from(self.day).wrapping_add(more.days);
        let clock = i64::from(self.hour * 3600 + self.minute * 60 + self.second);
        wrapped_days(year, months.rem_euclid(12), day)
            .wrapping_mul(DAY_SECONDS)
            .wrapping_add(clock)
            .wrapping_sub(ABSOLUTE_DAYS * DAY_SECONDS)
    }

    /// Days since the first of January, from 1.
    pub(super) fn day_of_year(self) -> u32 {
        (days_before(self.year, self.month) - days_before(self.year, 1)) as u32 + self.day
    }

    /// 0 for Sunday.
    pub(super) fn weekday(self) -> usize {
        let days = days_before(self.year, self.month) + i64::from(self.day) - 1;
        (days + 4).rem_euclid(7) as usize
    }
}

/// What to add to a date.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shift {
    pub(super) years: i64,
    pub(super) months: i64,
    pub(super) days: i64,
}

/// Go counts from the first of March so many years before the year 0, a multiple of 400.
const ABSOLUTE_YEARS: i64 = 292_277_022_400;

/// Days from there to 1970.
const ABSOLUTE_DAYS: i64 = ABSOLUTE_YEARS / 400 * 146_097 + 719_468;

/// Days from that first of March to a day of a month, which is one of 0 to 11.
fn wrapped_days(year: i64, month: i64, day: i64) -> i64 {
    let (year, march_month) = match month {
        0 | 1 => (year.wrapping_sub(1), month + 10),
        _ => (year, month - 2),
    };
    let years = year.wrapping_add(ABSOLUTE_YEARS).cast_unsigned();
    let days_of_centuries = (years / 100).wrapping_mul(146_097) / 4;
    let days_of_years = years % 100 * 1_461 / 4;
    let days_of_months = (153 * march_month + 2) / 5;
    (days_of_centuries + days_of_years)
        .cast_signed()
        .wrapping_add(days_of_months)
        .wrapping_add(day)
        .wrapping_sub(1)
}

/// Days from 1970 to the first of a month.
fn days_before(year: i64, month: u32) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let march_month = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * march_month + 2) / 5;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

pub(super) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub(super) fn days_in(year: i64, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_days_agree() {
        for seconds in (-10_000_000_000_i64..10_000_000_000).step_by(86_399 * 7) {
            let civil = Civil::of(seconds, 0);
            assert_eq!(civil.seconds(Shift::default()), seconds);
            assert!((1..=days_in(civil.year, civil.month)).contains(&civil.day));
        }
        let leap_day = Civil::of(951_782_400, 0);
        assert_eq!((leap_day.year, leap_day.month, leap_day.day), (2000, 2, 29));
        assert_eq!(leap_day.day_of_year(), 60);
        assert_eq!(WEEKDAYS[leap_day.weekday()], "Tuesday");
    }
}
