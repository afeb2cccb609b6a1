//! Which bytes of a text are JSON as they are, whatever is escaped: ASCII but for control characters, quotes, backslashes and
//! what HTML means something by. Writing records is mostly this.

use wide::u8x16;

/// Bytes that are looked at together where there are so many.
const LANES: usize = 16;

/// Copies bytes to where there is room for just as many; whether all of them are plain. Some bytes are looked at twice, which
/// costs less than to look at few one by one.
#[inline(always)]
pub(super) fn copy_plain(to: &mut [u8], from: &[u8]) -> bool {
    if from.len() > 2 * LANES {
        return copy_plain_many(to, from);
    }
    if let Some([first, last]) = copy_ends::<LANES>(to, from) {
        return (odd(first) | odd(last)).to_bitmask() == 0;
    }
    let all = if let Some(ends) = copy_ends::<8>(to, from) {
        let [first, last] = ends.map(|end| u128::from(u64::from_le_bytes(end)));
        first | last << 64
    } else if let Some(ends) = copy_ends::<4>(to, from) {
        let [first, last] = ends.map(|end| u128::from(u32::from_le_bytes(end)));
        first | last << 32 | BLANKS << 64
    } else {
        // Three at most.
        let pairs = to.iter_mut().zip(from);
        pairs.fold(BLANKS, |all, (to, from)| {
            *to = *from;
            all << 8 | u128::from(*from)
        })
    };
    odd(all.to_le_bytes()).to_bitmask() == 0
}

/// As [`copy_plain`] for texts that are long.
#[inline(never)]
fn copy_plain_many(to: &mut [u8], from: &[u8]) -> bool {
    to.copy_from_slice(from);
    let Some(last) = from.last_chunk() else {
        return false;
    };
    let (lanes, _) = from.as_chunks();
    let all = lanes.iter().fold(odd(*last), |all, lane| all | odd(*lane));
    all.to_bitmask() == 0
}

/// In place of bytes where there are none.
const BLANKS: u128 = u128::from_le_bytes([b' '; LANES]);

/// Copies the first `N` bytes and the last ones, which are given back; `None`: there are fewer.
#[inline(always)]
fn copy_ends<const N: usize>(to: &mut [u8], from: &[u8]) -> Option<[[u8; N]; 2]> {
    let (first, last) = (*from.first_chunk()?, *from.last_chunk()?);
    *to.first_chunk_mut()? = first;
    *to.last_chunk_mut()? = last;
    Some([first, last])
}

/// The bytes that are not plain have their highest bit set here, the others do not.
#[inline(always)]
fn odd(bytes: [u8; LANES]) -> u8x16 {
    let bytes = u8x16::new(bytes);
    let is = |bytes: u8x16, byte| bytes.simd_eq(u8x16::splat(byte));
    let control = bytes.min(u8x16::splat(0x1f)).simd_eq(bytes);
    // `"` and `&`, `<` and `>` differ in one bit.
    let quote_or_and = is(bytes | u8x16::splat(b'"' ^ b'&'), b'&');
    let angle = is(bytes | u8x16::splat(b'<' ^ b'>'), b'>');
    bytes | control | quote_or_and | angle | is(bytes, b'\\')
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
    use super::{copy_plain, plain_prefix};

    /// Whether bytes are plain, which come out as they are if so.
    fn is_plain(bytes: &[u8]) -> bool {
        let mut copy = vec![0; bytes.len()];
        let is_plain = copy_plain(&mut copy, bytes);
        assert!(!is_plain || copy == bytes);
        is_plain
    }

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
