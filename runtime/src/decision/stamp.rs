//! What a record is stamped with, as JSON: its id and its time, digit by digit.

use crate::builtins::Civil;

/// Appends the UUID of version 4 that random bytes make, in quotes.
pub(super) fn write_id(random: [u8; 16], out: &mut Vec<u8>) {
    let number = u128::from_be_bytes(random) & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    out.push(b'"');
    for (at, byte) in number.to_be_bytes().into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        out.extend([byte >> 4, byte & 15].map(|nibble| match nibble {
            0..=9 => b'0' + nibble,
            _ => b'a' + (nibble - 10),
        }));
    }
    out.push(b'"');
}

/// Appends a time in RFC 3339, in UTC, with 0, 3, 6 or 9 decimals, in quotes.
pub(super) fn write_timestamp(wall_ns: i64, out: &mut Vec<u8>) {
    let fraction_ns = wall_ns.rem_euclid(1_000_000_000) as u32;
    let time = Civil::of(wall_ns.div_euclid(1_000_000_000), fraction_ns);
    out.push(b'"');
    // What fits into 64 bits of nanoseconds lies between the years 1677 and 2262.
    digits::<4>(time.year.unsigned_abs() as u32, out);
    for (mark, number) in [
        (b'-', time.month),
        (b'-', time.day),
        (b'T', time.hour),
        (b':', time.minute),
        (b':', time.second),
    ] {
        out.push(mark);
        digits::<2>(number, out);
    }
    if fraction_ns > 0 {
        out.push(b'.');
        match (fraction_ns % 1_000_000, fraction_ns % 1_000) {
            (0, _) => digits::<3>(fraction_ns / 1_000_000, out),
            (_, 0) => digits::<6>(fraction_ns / 1_000, out),
            _ => digits::<9>(fraction_ns, out),
        }
    }
    out.extend_from_slice(b"Z\"");
}

/// Appends a number that has no more than N digits, with zeros in front.
fn digits<const N: usize>(mut number: u32, out: &mut Vec<u8>) {
    let mut text = [b'0'; N];
    for digit in text.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
    out.extend_from_slice(&text);
}

#[cfg(test)]
mod tests {
    use super::{write_id, write_timestamp};

    #[track_caller]
    fn check(write: impl FnOnce(&mut Vec<u8>), want: &str) {
        let mut out = Vec::new();
        write(&mut out);
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
            check(|out| write_timestamp(wall_ns, out), want);
        }
    }

    #[test]
    fn ids_say_version_and_variant() {
        check(
            |out| write_id([0xff; 16], out),
            "ffffffff-ffff-4fff-bfff-ffffffffffff",
        );
        check(
            |out| write_id([0; 16], out),
            "00000000-0000-4000-8000-000000000000",
        );
        let counted = std::array::from_fn(|at| 0x10 + at as u8);
        check(
            |out| write_id(counted, out),
            "10111213-1415-4617-9819-1a1b1c1d1e1f",
        );
    }
}
