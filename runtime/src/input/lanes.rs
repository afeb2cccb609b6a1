//! Sixteen bytes at once: where a text ends, where blanks end. One instruction a step on machines that can, which all of
//! ours are.

use wide::{u8x16, u8x32};

/// Bytes that are looked at together.
pub(super) const LANES: usize = 16;

fn is(bytes: u8x16, byte: u8) -> u8x16 {
    bytes.simd_eq(u8x16::splat(byte))
}

/// The place of the first quote, backslash or control character; [`LANES`]: there is none.
#[inline(always)]
pub(super) fn plain_run(bytes: [u8; LANES]) -> usize {
    let bytes = u8x16::new(bytes);
    let control = bytes.min(u8x16::splat(0x1f)).simd_eq(bytes);
    let marks = is(bytes, b'"') | is(bytes, b'\\') | control;
    (marks.to_bitmask() | 1 << LANES).trailing_zeros() as usize
}

/// The place of the first byte that is no blank; [`LANES`]: there is none.
#[inline(always)]
pub(super) fn blank_run(bytes: [u8; LANES]) -> usize {
    let bytes = u8x16::new(bytes);
    let blanks = is(bytes, b' ') | is(bytes, b'\t') | is(bytes, b'\n') | is(bytes, b'\r');
    (!blanks.to_bitmask()).trailing_zeros() as usize
}

/// The place of the first byte from `start` on that is no space; [`LANES`]: there is none.
#[inline(always)]
pub(super) fn space_run(bytes: [u8; LANES], start: u32) -> usize {
    let others = !is(u8x16::new(bytes), b' ').to_bitmask() >> start;
    (others.trailing_zeros() + start) as usize
}

/// Bytes that are looked at together where there are many.
const MANY: usize = 4 * LANES;

/// Whether all bytes are ASCII.
pub(super) fn is_ascii(bytes: &[u8]) -> bool {
    // Some bytes are looked at twice, which costs less than a loop over the rest.
    let Some(last) = bytes.last_chunk::<MANY>() else {
        return bytes.is_ascii();
    };
    let (chunks, _) = bytes.as_chunks::<MANY>();
    chunks.iter().all(are_ascii) && are_ascii(last)
}

#[inline(always)]
fn are_ascii(bytes: &[u8; MANY]) -> bool {
    let (lanes, _) = bytes.as_chunks::<LANES>();
    let all = lanes
        .iter()
        .fold(u8x16::splat(0), |all, lane| all | u8x16::new(*lane));
    all.to_bitmask() == 0
}

/// The value of an integer of one to seven digits that a word begins with, and their number, if JSON allows it and all of the
/// number is here.
#[inline(always)]
pub(super) fn short_integer(bytes: [u8; 8]) -> Option<(i64, usize)> {
    let mut rest = u64::from_le_bytes(bytes);
    let begins_with_zero = rest as u8 == b'0';
    let (mut value, mut digits) = (0, 0);
    // Zeros follow the word, which are no digits.
    loop {
        let digit = (rest as u8).wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value * 10 + i64::from(digit);
        digits += 1;
        rest >>= 8;
    }
    let is_short = digits == 1 || (2..8).contains(&digits) && !begins_with_zero;
    let goes_on = matches!(rest as u8, b'.' | b'e' | b'E');
    (is_short && !goes_on).then_some((value, digits))
}

/// Bytes of a [`differing`] word.
pub(super) const WORD: usize = 2 * LANES;

/// Which bytes differ, a bit each.
#[inline(always)]
pub(super) fn differing(bytes: [u8; WORD], others: [u8; WORD]) -> u32 {
    !u8x32::new(bytes).simd_eq(u8x32::new(others)).to_bitmask()
}

#[cfg(test)]
mod tests {
    use super::{LANES, MANY, WORD, blank_run, differing, is_ascii, plain_run, short_integer, space_run};
    use crate::repeated::repeated;

    /// Each byte at each place, among plain bytes and among blanks.
    #[test]
    fn every_byte_ends_what_it_has_to_end() {
        for byte in 0..=u8::MAX {
            for place in 0..LANES {
                let (mut text, mut blanks) = (*b"abcdefgh\xc3\xa9\xff mnop", *b" \n\t\r            ");
                (text[place], blanks[place]) = (byte, byte);
                let ends = byte < 0x20 || byte == b'"' || byte == b'\\';
                assert_eq!(plain_run(text), if ends { place } else { LANES }, "{byte}");
                let goes_on = b" \n\t\r".contains(&byte);
                assert_eq!(blank_run(blanks), if goes_on { LANES } else { place }, "{byte}");
                let mut spaces = [b' '; LANES];
                spaces[place] = byte;
                for start in 0..=place {
                    let end = if byte == b' ' { LANES } else { place };
                    assert_eq!(space_run(spaces, start as u32), end, "{byte}");
                }
            }
        }
    }

    #[test]
    fn one_byte_is_enough_to_be_no_ascii() {
        for len in 0..3 * MANY {
            let mut text = vec![0x7f; len];
            assert!(is_ascii(&text));
            for place in 0..len {
                text[place] = 0x80;
                assert!(!is_ascii(&text), "{len} {place}");
                text[place] = 0;
            }
        }
    }

    /// Numbers with each byte behind them, and each byte behind that.
    #[test]
    fn integers_are_read_as_far_as_they_are_short() {
        for number in (0_u64..)
            .take(repeated(3000))
            .chain((0..8).map(|power| 10_u64.pow(power) * 9 + 1))
        {
            let digits = number.to_string();
            for byte in 0..=u8::MAX {
                for more in [b'0', b'9', b' ', 0xff] {
                    let mut text = [more; 16];
                    text[..digits.len()].copy_from_slice(digits.as_bytes());
                    text[digits.len()] = byte;
                    let goes_on = byte.is_ascii_digit() || b".eE".contains(&byte);
                    let wanted = (digits.len() < 8 && !goes_on).then_some((number as i64, digits.len()));
                    let read = short_integer(*text.first_chunk().unwrap());
                    let is_read = read.is_some_and(|(_, count)| count > digits.len());
                    assert!(
                        read == wanted || is_read && byte.is_ascii_digit(),
                        "{digits} {byte}"
                    );
                }
            }
        }
        assert_eq!(short_integer(*b"01,     "), None);
        assert_eq!(short_integer(*b"-1,     "), None);
        assert_eq!(short_integer(*b"1234567}"), Some((1_234_567, 7)));
    }

    #[test]
    fn each_byte_that_differs_is_told() {
        let text = *b"abcdefgh\xc3\xa9\xff mnopabcdefgh\0\x80\x7f mnop";
        for byte in 0..=u8::MAX {
            for place in 0..WORD {
                let mut other = text;
                other[place] = byte;
                let bit = u32::from(text[place] != byte) << place;
                assert_eq!(differing(text, other), bit, "{byte}");
                other[WORD - 1] ^= 1;
                assert_eq!(
                    differing(text, other) & !(1 << (WORD - 1)),
                    bit & !(1 << (WORD - 1))
                );
            }
        }
    }
}
