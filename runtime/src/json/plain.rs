//! Which bytes of a text are JSON as they are, whatever is escaped: ASCII but for control characters, quotes, backslashes and
//! what HTML means something by. Writing records is mostly this.

use wide::u8x16;

/// Bytes that are looked at together where there are so many.
const LANES: usize = 16;

/// Whether all of them are. The last bytes are looked at once more together with those in front of them, so that few are looked
/// at one by one.
#[inline]
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    if let Some(last) = bytes.last_chunk::<LANES>() {
        return bytes.as_chunks::<LANES>().0.iter().all(are_plain) && are_plain(last);
    }
    let word = |bytes: &[u8; 8]| not_plain(u64::from_le_bytes(*bytes));
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return word(first) | word(last) == 0;
    }
    let half = |bytes: &[u8; 4]| u64::from(u32::from_le_bytes(*bytes));
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return not_plain(half(first) | half(last) << 32) == 0;
    }
    not_plain(filled(bytes)) == 0
}

#[inline(always)]
fn are_plain(bytes: &[u8; LANES]) -> bool {
    let bytes = u8x16::new(*bytes);
    let is = |byte| bytes.simd_eq(u8x16::splat(byte));
    let control = bytes.min(u8x16::splat(0x1f)).simd_eq(bytes);
    let marks = is(b'"') | is(b'\\') | is(b'&') | is(b'<') | is(b'>');
    (bytes | control | marks).to_bitmask() == 0
}

/// How many bytes at the start are, eight at a time.
pub(super) fn plain_prefix(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let found = not_plain(u64::from_le_bytes(*eight));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    match not_plain(filled(rest)) {
        0 => bytes.len(),
        found => at + found.trailing_zeros() as usize / 8,
    }
}

/// Up to eight bytes, and blanks behind them.
fn filled(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(ONES * u64::from(b' '), |word, byte| word << 8 | u64::from(*byte))
}

/// The first byte of `word` (in memory order) that is not plain has its highest bit set, and no bit below it is.
fn not_plain(word: u64) -> u64 {
    let repeated = |byte: u8| ONES * u64::from(byte);
    let below = |word: u64, bound: u8| word.wrapping_sub(repeated(bound)) & !word;
    let control = below(word, 0x20);
    // `"` and `&`, `<` and `>` differ in one bit.
    let quote_or_and = below(word & !repeated(b'"' ^ b'&') ^ repeated(b'"'), 1);
    let angle = below(word & !repeated(b'<' ^ b'>') ^ repeated(b'<'), 1);
    let backslash = below(word ^ repeated(b'\\'), 1);
    (word | control | quote_or_and | angle | backslash) & repeated(0x80)
}

const ONES: u64 = u64::from_le_bytes([1; 8]);

#[cfg(test)]
mod tests {
    use super::{is_plain, plain_prefix};

    /// Each byte at each place of texts of each length up to more than two lanes.
    #[test]
    fn every_byte_at_every_place() {
        for bytes in 0..40 {
            let mut text = vec![b'x'; bytes];
            assert!(is_plain(&text) && plain_prefix(&text) == bytes);
            for place in 0..bytes {
                for byte in 0..=u8::MAX {
                    text[place] = byte;
                    let plain = (b' '..0x80).contains(&byte) && !b"\"\\&<>".contains(&byte);
                    assert_eq!(is_plain(&text), plain, "{byte} at {place} of {bytes}");
                    assert_eq!(plain_prefix(&text), if plain { bytes } else { place }, "{byte}");
                }
                text[place] = b'x';
            }
        }
    }
}
