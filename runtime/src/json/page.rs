//! JSON text on its way into bytes that are there already: a text is looked at and copied at once, and what comes before and
//! behind it costs a store. Writing records is mostly this.

use super::plain::copy_plain;
use super::write::{Escape, write_escaped};
use crate::value::with_int_text;

/// Bytes that are made ready together where a document is written.
const ROOM_BYTES: usize = 512;

/// A buffer that is written on from its end; it ends with what was written when this is dropped.
pub(crate) struct Page<'o> {
    bytes: &'o mut Vec<u8>,
    /// Where the next byte goes; behind it is room.
    at: usize,
    /// Bytes that are made ready together, at least.
    room_bytes: usize,
}

impl Drop for Page<'_> {
    fn drop(&mut self) {
        self.bytes.truncate(self.at);
    }
}

impl<'o> Page<'o> {
    /// For a document.
    pub(crate) fn new(bytes: &'o mut Vec<u8>) -> Page<'o> {
        Page {
            at: bytes.len(),
            bytes,
            room_bytes: ROOM_BYTES,
        }
    }

    /// For a few bytes in a buffer that is kept: it gets no more room than they take.
    pub(super) fn of_few(bytes: &'o mut Vec<u8>) -> Page<'o> {
        Page {
            at: bytes.len(),
            bytes,
            room_bytes: 0,
        }
    }

    /// Bytes in the buffer.
    pub(crate) fn len(&self) -> usize {
        self.at
    }

    /// What was written behind the first `len` bytes.
    pub(crate) fn since(&self, len: usize) -> &[u8] {
        self.bytes.get(len..self.at).unwrap_or_default()
    }

    /// Takes back what was written behind the first `len` bytes.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.at = self.at.min(len);
    }

    /// Lets somebody else append to the buffer.
    pub(crate) fn append<T>(&mut self, append: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        self.bytes.truncate(self.at);
        let made = append(self.bytes);
        self.at = self.bytes.len();
        made
    }

    /// Bytes behind what was written, `count` of them or more.
    #[inline(always)]
    fn room(&mut self, count: usize) -> &mut [u8] {
        if self.bytes.len() - self.at < count {
            self.make_room(count);
        }
        self.bytes.get_mut(self.at..).unwrap_or_default()
    }

    #[cold]
    #[inline(never)]
    fn make_room(&mut self, count: usize) {
        self.bytes.resize(self.at + count.max(self.room_bytes), 0);
    }

    /// Appends bytes that are JSON as they are.
    #[inline(always)]
    pub(crate) fn put<const N: usize>(&mut self, bytes: &[u8; N]) {
        if let Some(place) = self.room(N).first_chunk_mut() {
            *place = *bytes;
            self.at += N;
        }
    }

    /// The same for more of them.
    #[inline(always)]
    pub(crate) fn put_all(&mut self, bytes: &[u8]) {
        if let Some(place) = self.room(bytes.len()).get_mut(..bytes.len()) {
            place.copy_from_slice(bytes);
            self.at += bytes.len();
        }
    }

    /// Makes `byte` of the last one.
    #[inline(always)]
    pub(crate) fn end_with(&mut self, byte: u8) {
        if let Some(last) = self.at.checked_sub(1).and_then(|last| self.bytes.get_mut(last)) {
            *last = byte;
        }
    }

    /// Appends a text in quotes, and a byte.
    #[inline(never)]
    pub(crate) fn text_and(&mut self, text: &str, escape: Escape, behind: u8) {
        let end = self.at + text.len() + 3;
        let is_copied = match self.bytes.get_mut(self.at..end) {
            Some([first, copy @ .., quote, last]) => {
                (*first, *quote, *last) = (b'"', b'"', behind);
                copy_plain(copy, text.as_bytes())
            }
            _ => false,
        };
        if is_copied {
            self.at = end;
        } else {
            self.other_text(text, escape, behind);
        }
    }

    /// As [`Page::text_and`], where there is no room or something to escape.
    #[cold]
    fn other_text(&mut self, text: &str, escape: Escape, behind: u8) {
        let whole = text.len() + 3;
        if self.bytes.len() - self.at < whole {
            self.make_room(whole);
            return self.text_and(text, escape, behind);
        }
        self.append(|out| {
            out.push(b'"');
            write_escaped(out, text.as_bytes(), escape);
            out.extend_from_slice(&[b'"', behind]);
        });
    }

    /// Appends a text in quotes.
    #[inline(always)]
    pub(crate) fn text(&mut self, text: &str, escape: Escape) {
        self.text_and(text, escape, b'"');
        self.at -= 1;
    }

    /// Appends an integer.
    #[inline(never)]
    pub(crate) fn integer(&mut self, int: i64) {
        match short_digits(int) {
            Some((digits, count)) => {
                self.put(&digits);
                self.at -= digits.len() - count;
            }
            None => with_int_text(int, |text| self.put_all(text.as_bytes())),
        }
    }

    /// Appends an integer in quotes.
    #[inline(always)]
    pub(crate) fn quoted(&mut self, int: i64) {
        self.put(b"\"");
        self.integer(int);
        self.put(b"\"");
    }
}

/// The digits of an integer of no more than eight, with others behind them, and how many it has.
#[inline(always)]
fn short_digits(int: i64) -> Option<([u8; 8], usize)> {
    let number = u32::try_from(int).ok().filter(|number| *number < 100_000_000)?;
    // Four digits each, then two, then one, all of them at once; the first ones in the lowest bits. To multiply and shift is to
    // divide by 100 and by 10, as far as such numbers go.
    let fours = u64::from(number / 10_000) | u64::from(number % 10_000) << 32;
    let hundreds = ((fours * 5_243) >> 19) & 0x0000_007f_0000_007f;
    let twos = hundreds | (fours - hundreds * 100) << 16;
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    let ones = tens | (twos - tens * 10) << 8;
    // The last one stays if all are zeros.
    let zeros = (ones | 1 << 56).trailing_zeros() / 8;
    let text = (ones | 0x3030_3030_3030_3030) >> (8 * zeros);
    Some((text.to_le_bytes(), 8 - zeros as usize))
}

#[cfg(test)]
mod tests {
    use super::{Escape, Page};
    use crate::repeated::repeated;

    #[test]
    fn integers_are_written_as_the_standard_library_does() {
        let powers = (0..19).flat_map(|power| [-1, 0, 1].map(|more| 10_i64.pow(power) + more));
        let some = (0..repeated(40_000)).map(|at| at as i64 * 2_531);
        for int in powers.chain(some).chain([0, i64::MAX, i64::MIN]) {
            for int in [int, int.wrapping_neg()] {
                let mut out = Vec::new();
                Page::new(&mut out).integer(int);
                assert_eq!(String::from_utf8(out).unwrap(), int.to_string());
            }
        }
    }

    #[test]
    fn what_is_written_is_what_is_there() {
        let mut out = b"before ".to_vec();
        let mut page = Page::new(&mut out);
        page.put(b"[");
        for int in [0, 9, 10, -1, 1234, i64::MAX, i64::MIN] {
            page.integer(int);
            page.put(b",");
            page.quoted(int);
            page.put(b",");
        }
        let len = page.len();
        page.put_all(b"taken back");
        page.truncate(len);
        page.text_and("plain", Escape::Html, b',');
        page.text(&"long and <odd> ".repeat(100), Escape::Html);
        page.append(|out| out.extend_from_slice(b",7,"));
        page.end_with(b']');
        drop(page);
        let numbers = "0,\"0\",9,\"9\",10,\"10\",-1,\"-1\",1234,\"1234\",9223372036854775807,\"9223372036854775807\",\
            -9223372036854775808,\"-9223372036854775808\",";
        let long = "long and \\u003codd\\u003e ".repeat(100);
        let want = format!("before [{numbers}\"plain\",\"{long}\",7]");
        assert_eq!(String::from_utf8(out).unwrap(), want);
    }
}
