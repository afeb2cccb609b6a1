//! The bytes of a request as text.
#![expect(
    unsafe_code,
    reason = "requests are nearly all ASCII, which is told in half of the time that the standard library takes to tell UTF-8"
)]

use super::lanes::is_ascii;
use crate::checks::{self, check};

/// The text that the bytes are; `None`: they are no UTF-8.
pub(crate) fn text_of(bytes: &[u8]) -> Option<&str> {
    if !is_ascii(bytes) {
        return std::str::from_utf8(bytes).ok();
    }
    check(!checks::ALL || bytes.is_ascii(), "a text is no ASCII");
    // SAFETY: all bytes are ASCII, which is UTF-8.
    Some(unsafe { std::str::from_utf8_unchecked(bytes) })
}
