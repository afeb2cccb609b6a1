//! Building documents the way Go's JSON shows structures: every field, null for lists that were never made.

use super::der::Read;
use super::oid::Oid;
use super::strings::lossy;
use crate::arena::{Arena, List};
use crate::builtins::Failure;
use crate::builtins::base64::standard_text;
use crate::builtins::bytes::string_of;
use crate::builtins::call::charge;
use crate::builtins::uri::{IN_FRAGMENT, Parts, escaped};
use crate::value::{Entry, Value, object_from};
use num_bigint::BigUint;

/// Digits of a number beyond which printing it costs more than its bytes pay for.
const CHEAP_DIGITS: usize = 64;

/// Makes values in the arena of a request.
pub(in crate::builtins) struct Maker<'f, 'r> {
    pub(super) arena: &'r Arena,
    pub(super) fuel: &'f mut u64,
}

impl<'r> Maker<'_, 'r> {
    /// An object of fields with their values.
    pub(super) fn object<const N: usize>(&self, fields: [(&'r str, Value<'r>); N]) -> Read<Value<'r>> {
        let entries = fields.map(|(key, value)| Entry {
            key: Value::string(key),
            value,
        });
        Ok(object_from(self.arena, self.arena.entries_mut(&entries)?)?)
    }

    /// An array, or null for no items.
    pub(super) fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut make: impl FnMut(&mut Self, T) -> Read<Value<'r>>,
    ) -> Read<Value<'r>> {
        let mut values = List::new(self.arena);
        for item in items {
            values.push(make(self, item)?)?;
        }
        Ok(match values.finish() {
            [] => Value::NULL,
            values => Value::array(values),
        })
    }

    /// Bytes as base64.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Read<Value<'r>> {
        charge(self.fuel, bytes.len())?;
        Ok(Value::string(standard_text(self.arena, bytes)?))
    }

    /// Bytes as text.
    pub(super) fn text(&self, bytes: &'r [u8]) -> Read<Value<'r>> {
        string_of(self.arena, lossy(self.arena, bytes)?.as_bytes())
    }

    /// Text that is made here.
    pub(super) fn owned_text(&self, text: &str) -> Read<Value<'r>> {
        string_of(self.arena, self.arena.bytes(text.as_bytes())?)
    }

    /// Big-endian digits as a number.
    pub(in crate::builtins) fn number(&mut self, digits: &[u8]) -> Read<Value<'r>> {
        self.big(&BigUint::from_bytes_be(digits))
    }

    pub(in crate::builtins) fn big(&mut self, number: &BigUint) -> Read<Value<'r>> {
        // Printing takes time that grows with the square of the length.
        let words = number.iter_u64_digits().len();
        if words > CHEAP_DIGITS {
            charge(self.fuel, words.saturating_mul(words))?;
        }
        if let Ok(small) = i64::try_from(number) {
            return Ok(Value::int(small));
        }
        Ok(Value::number_text(self.arena.text(&number.to_string())?))
    }

    /// An identifier as an array of numbers.
    pub(super) fn oid(&self, oid: Oid<'_>) -> Read<Value<'r>> {
        let parts = oid.parts().ok_or(Failure::BUILTIN)?;
        let mut values = List::new(self.arena);
        for part in parts {
            values.push(Value::int(part))?;
        }
        Ok(Value::array(values.finish()))
    }

    /// An identifier as text.
    pub(super) fn oid_text(&mut self, oid: Oid<'_>) -> Read<Value<'r>> {
        // A long part is printed as a long number is.
        let words = oid.0.len() / 8;
        charge(self.fuel, words.saturating_mul(words))?;
        self.owned_text(&oid.text())
    }

    /// The fields of a URI.
    pub(super) fn uri(&mut self, uri: &Parts) -> Read<Value<'r>> {
        let bytes = |bytes: &[u8]| self.text(self.arena.bytes(bytes)?);
        let raw_fragment = match escaped(&uri.fragment, IN_FRAGMENT) == uri.raw_fragment {
            true => "",
            false => &uri.raw_fragment,
        };
        let user = match uri.user {
            Some(_) => Value::object(&[]),
            None => Value::NULL,
        };
        self.object([
            ("Scheme", self.owned_text(&uri.scheme)?),
            ("Opaque", self.owned_text(&uri.opaque)?),
            ("User", user),
            ("Host", bytes(&uri.host)?),
            ("Path", bytes(&uri.path)?),
            ("Fragment", bytes(&uri.fragment)?),
            ("RawQuery", self.owned_text(&uri.raw_query)?),
            ("RawPath", self.owned_text(&uri.raw_path)?),
            ("RawFragment", self.owned_text(raw_fragment)?),
            ("ForceQuery", Value::bool(uri.empty_query)),
            ("OmitHost", Value::bool(uri.omits_host)),
        ])
    }
}
