//! Protobuf's wire form: fields one after the other, each a number with a varint, eight bytes, four bytes, or a length
//! and as many bytes.

use prost::encoding::{
    DecodeContext, WireType, decode_key, decode_varint, encode_key, encode_varint, skip_field,
};

/// What a field carries.
#[derive(Clone, Copy, Debug)]
pub(super) enum Payload<'m> {
    /// A varint.
    Varint(u64),
    /// Eight bytes, as a number.
    Fixed(u64),
    /// Bytes behind a length.
    Bytes(&'m [u8]),
}

/// A field of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'m> {
    pub(super) number: u32,
    pub(super) payload: Payload<'m>,
}

/// The fields of a message in the order of the wire. Ends after the first that cannot be read.
pub(super) struct Fields<'m> {
    rest: &'m [u8],
}

/// The bytes are no protobuf message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// The fields of `message`.
pub(super) fn fields(message: &[u8]) -> Fields<'_> {
    Fields { rest: message }
}

impl<'m> Iterator for Fields<'m> {
    type Item = Result<Field<'m>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            match self.field() {
                Ok(Some(field)) => return Some(Ok(field)),
                Ok(None) => {}
                Err(malformed) => {
                    self.rest = &[];
                    return Some(Err(malformed));
                }
            }
        }
        None
    }
}

impl<'m> Fields<'m> {
    /// `None`: a field of a kind that none of ours has.
    fn field(&mut self) -> Result<Option<Field<'m>>, Malformed> {
        let rest = &mut self.rest;
        let (number, wire_type) = decode_key(rest).map_err(|_| Malformed)?;
        let payload = match wire_type {
            WireType::Varint => Payload::Varint(decode_varint(rest).map_err(|_| Malformed)?),
            WireType::LengthDelimited => {
                let length = decode_varint(rest).map_err(|_| Malformed)?;
                let length = usize::try_from(length).map_err(|_| Malformed)?;
                let (bytes, behind) = rest.split_at_checked(length).ok_or(Malformed)?;
                *rest = behind;
                Payload::Bytes(bytes)
            }
            WireType::SixtyFourBit => {
                let (bytes, behind) = rest.split_first_chunk().ok_or(Malformed)?;
                *rest = behind;
                Payload::Fixed(u64::from_le_bytes(*bytes))
            }
            WireType::ThirtyTwoBit | WireType::StartGroup | WireType::EndGroup => {
                skip_field(wire_type, number, rest, DecodeContext::default()).map_err(|_| Malformed)?;
                return Ok(None);
            }
        };
        Ok(Some(Field { number, payload }))
    }
}

/// Appends a field with a varint.
pub(super) fn put_varint(out: &mut Vec<u8>, number: u32, value: u64) {
    encode_key(number, WireType::Varint, out);
    encode_varint(value, out);
}

/// Appends a field with bytes: a text, or a message.
pub(super) fn put_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    encode_key(number, WireType::LengthDelimited, out);
    encode_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}
