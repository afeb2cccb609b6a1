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

/// Bytes of a [`differing`] word.
pub(super) const WORD: usize = 2 * LANES;

/// Which bytes differ, a bit each.
#[inline(always)]
pub(super) fn differing(bytes: [u8; WORD], others: [u8; WORD]) -> u32 {
    !u8x32::new(bytes).simd_eq(u8x32::new(others)).to_bitmask()
}

#[cfg(test)]
mod tests {
    use super::{LANES, WORD, blank_run, differing, plain_run, space_run};

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
