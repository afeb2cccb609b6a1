//! Text of a bounded length on the stack.

use std::fmt::{Error, Result, Write};

/// At most `N` bytes; writing more is an error.
#[derive(Debug)]
pub(crate) struct ShortText<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> ShortText<N> {
    pub(crate) fn new() -> ShortText<N> {
        ShortText {
            bytes: [0; N],
            len: 0,
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        // Only whole texts were appended.
        let text = self.bytes.get(..self.len).unwrap_or_default();
        std::str::from_utf8(text).unwrap_or_default()
    }
}

/// For texts that are known to fit: what does not is left out.
impl<const N: usize> Extend<u8> for ShortText<N> {
    fn extend<I: IntoIterator<Item = u8>>(&mut self, bytes: I) {
        let places = self.bytes.get_mut(self.len..).unwrap_or_default();
        for (place, byte) in places.iter_mut().zip(bytes) {
            *place = byte;
            self.len += 1;
        }
    }
}

impl<const N: usize> Write for ShortText<N> {
    fn write_str(&mut self, text: &str) -> Result {
        let end = self.len + text.len();
        let place = self.bytes.get_mut(self.len..end).ok_or(Error)?;
        place.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}
