//! The ops that give what a builtin would.

use super::super::machine::Request;
use crate::error::EvalErrorKind;
use crate::value::{Tag, Value};
use memchr::{memchr, memmem};

impl<'v> Request<'v> {
    /// How many members or characters a value has; unset: it has none to count.
    #[inline(always)]
    pub(super) fn count(&mut self, of: Value<'v>) -> Result<Value<'v>, EvalErrorKind> {
        match of.tag() {
            Tag::Array | Tag::Object | Tag::Set => Ok(int(of.len())),
            Tag::String => self.characters(of.as_str().unwrap_or_default()),
            Tag::Null | Tag::Bool | Tag::Int | Tag::Number | Tag::Undefined => Ok(Value::UNSET),
        }
    }

    #[inline(never)]
    fn characters(&mut self, text: &str) -> Result<Value<'v>, EvalErrorKind> {
        self.pay(text.len() / 16)?;
        Ok(int(text.chars().count()))
    }

    /// A piece of a text by what stands between them; unset: there is none, or no text.
    #[inline(never)]
    pub(super) fn piece(
        &mut self,
        text: Value<'v>,
        separator: Value<'v>,
        at: u16,
    ) -> Result<Value<'v>, EvalErrorKind> {
        let (Some(text), Some(separator)) = (text.as_str(), separator.as_str()) else {
            return Ok(Value::UNSET);
        };
        self.pay(text.len() / 8)?;
        Ok(piece_of(text, separator, at).map_or(Value::UNSET, Value::string))
    }
}

fn piece_of<'v>(text: &'v str, separator: &str, at: u16) -> Option<&'v str> {
    let find = |rest: &str| match separator.as_bytes() {
        &[byte] => memchr(byte, rest.as_bytes()),
        bytes => memmem::find(rest.as_bytes(), bytes),
    };
    let mut rest = text;
    for _ in 0..at {
        rest = rest.get(find(rest)? + separator.len()..)?;
    }
    rest.get(..find(rest).unwrap_or(rest.len()))
}

fn int<'v>(len: usize) -> Value<'v> {
    Value::int(i64::try_from(len).unwrap_or(i64::MAX))
}
