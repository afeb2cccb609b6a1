//! What a record is stamped with, as JSON: its id and its time, digit by digit.

use crate::builtins::Civil;
use crate::json::Page;

/// Where the bytes of a UUID stand in its text, which begins with a quote.
const ID_PLACES: [usize; 16] = [1, 3, 5, 7, 10, 12, 15, 17, 20, 22, 25, 27, 29, 31, 33, 35];

/// The UUID of version 4 that random bytes make, in quotes.
pub(super) fn id(random: [u8; 16]) -> [u8; 38] {
    let number = u128::from_be_bytes(random) & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let mut text = *b"\"00000000-0000-0000-0000-000000000000\"";
    for (at, byte) in ID_PLACES.into_iter().zip(number.to_be_bytes()) {
        if let Some(place) = text.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
            *place = [byte >> 4, byte & 15].map(|nibble| match nibble {
                0..=9 => b'0' + nibble,
                _ => b'a' + (nibble - 10),
            });
        }
    }
    text
}

/// Appends a time in RFC 3339, in UTC, with 0, 3, 6 or 9 decimals, in quotes.
pub(super) fn write_timestamp(page: &mut Page<'_>, wall_ns: i64) {
    let fraction_ns = wall_ns.rem_euclid(1_000_000_000) as u32;
    let time = Civil::of(wall_ns.div_euclid(1_000_000_000), fraction_ns);
    // What fits into 64 bits of nanoseconds lies between the years 1677 and 2262.
    let year = time.year.unsigned_abs() as u32;
    let [century, of_century, month, day] = [year / 100, year % 100, time.month, time.day].map(digits);
    let [hour, minute, second] = [time.hour, time.minute, time.second].map(digits);
    page.put(b"\"");
    page.put(&century);
    page.put(&of_century);
    page.put(&[b'-', month[0], month[1], b'-', day[0], day[1]]);
    page.put(&[b'T', hour[0], hour[1]]);
    page.put(&[b':', minute[0], minute[1], b':', second[0], second[1]]);
    if fraction_ns > 0 {
        let thousands = [
            fraction_ns / 1_000_000,
            fraction_ns / 1_000 % 1_000,
            fraction_ns % 1_000,
        ];
        let count = match thousands {
            [_, 0, 0] => 1,
            [_, _, 0] => 2,
            _ => 3,
        };
        page.put(b".");
        for thousand in thousands.into_iter().take(count) {
            let [tens, ones] = digits(thousand % 100);
            page.put(&[b'0' + (thousand / 100) as u8, tens, ones]);
        }
    }
    page.put(b"Z\"");
}

/// The two digits of a number below 100.
fn digits(number: u32) -> [u8; 2] {
    [number / 10, number % 10].map(|digit| b'0' + digit as u8)
}

#[cfg(test)]
mod tests {
    use super::{id, write_timestamp};
    use crate::json::Page;

    #[track_caller]
    fn check(write: impl FnOnce(&mut Page<'_>), want: &str) {
        let mut out = Vec::new();
        write(&mut Page::new(&mut out));
        assert_eq!(String::from_utf8(out).unwrap(), format!("\"{want}\""));
    }

    #[test]
    fn timestamps_have_as_many_decimals_as_they_need() {
        for (wall_ns, want) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_700_000_000_120_000_000, "2023-11-14T22:13:20.120Z"),
            (1_700_000_000_000_120_000, "2023-11-14T22:13:20.000120Z"),
            (1_700_000_000_000_000_001, "2023-11-14T22:13:20.000000001Z"),
            (-1, "1969-12-31T23:59:59.999999999Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00Z"),
            (i64::MIN, "1677-09-21T00:12:43.145224192Z"),
            (i64::MAX, "2262-04-11T23:47:16.854775807Z"),
        ] {
            check(|page| write_timestamp(page, wall_ns), want);
        }
    }

    #[test]
    fn ids_say_version_and_variant() {
        check(
            |page| page.put(&id([0xff; 16])),
            "ffffffff-ffff-4fff-bfff-ffffffffffff",
        );
        check(
            |page| page.put(&id([0; 16])),
            "00000000-0000-4000-8000-000000000000",
        );
        let counted = std::array::from_fn(|at| 0x10 + at as u8);
        check(
            |page| page.put(&id(counted)),
            "10111213-1415-4617-9819-1a1b1c1d1e1f",
        );
    }
}
