//! Text that grows in the arena.

use super::Failure;
use crate::arena::{Arena, List};
use crate::error::EvalErrorKind;
use crate::value::Value;
use std::fmt;

/// A growing text. A write fails only when the arena's budget is used up.
pub(crate) struct Text<'r> {
    bytes: List<'r, u8>,
}

impl<'r> Text<'r> {
    pub(crate) fn new(arena: &'r Arena) -> Text<'r> {
        Text {
            bytes: List::new(arena),
        }
    }

    /// Room for so many bytes more.
    pub(crate) fn reserve(&mut self, bytes: usize) -> Result<(), Failure> {
        Ok(self.bytes.reserve(bytes)?)
    }

    #[inline]
    pub(crate) fn push_str(&mut self, text: &str) -> Result<(), Failure> {
        Ok(self.bytes.extend(text.as_bytes())?)
    }

    /// Appends bytes that are ASCII.
    pub(crate) fn push_ascii(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.push_str(std::str::from_utf8(bytes).map_err(|_| Failure::BUILTIN)?)
    }

    /// Appends an ASCII text in upper case.
    pub(crate) fn push_upper(&mut self, text: &str) -> Result<(), Failure> {
        text.chars().try_for_each(|c| self.push(c.to_ascii_uppercase()))
    }

    #[inline]
    pub(crate) fn push(&mut self, c: char) -> Result<(), Failure> {
        self.push_str(c.encode_utf8(&mut [0; 4]))
    }

    /// `count` times the same character.
    pub(crate) fn fill(&mut self, c: char, count: usize) -> Result<(), Failure> {
        for _ in 0..count {
            self.push(c)?;
        }
        Ok(())
    }

    /// Formats what cannot fail otherwise.
    pub(crate) fn format(&mut self, arguments: fmt::Arguments<'_>) -> Result<(), Failure> {
        fmt::Write::write_fmt(self, arguments).map_err(|_| Failure::Abort(EvalErrorKind::ArenaExhausted))
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.items().len()
    }

    pub(crate) fn finish(self) -> Result<&'r str, Failure> {
        // Only whole texts were appended.
        std::str::from_utf8(self.bytes.finish()).map_err(|_| Failure::BUILTIN)
    }

    pub(crate) fn value(self) -> Result<Value<'r>, Failure> {
        Ok(Value::string(self.finish()?))
    }
}

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_str(text).map_err(|_| fmt::Error)
    }
}
