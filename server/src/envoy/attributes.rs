//! The attributes of a CheckRequest: protobuf bytes → the JSON text that a mapper has as `input`.
//!
//! Strict where protobuf is strict: a text that is no UTF-8 makes the whole request unreadable, and an unreadable request
//! is denied. Fields that nobody knows are passed over.

use std::borrow::Cow;
use std::fmt;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gavel_runtime::json::{Escape, write_string};

use crate::envoy::shape::{ATTRIBUTES, Choice, Kind, Member, Message};
use crate::envoy::wire::{Field, Malformed, Payload, fields};
use crate::limits::{MESSAGE_DEPTH_MAX, MESSAGE_FIELDS_MAX};

/// Why a CheckRequest cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// No protobuf message.
    Malformed,
    /// A text of this member is no UTF-8.
    NotText(&'static str),
    /// Metadata nested deeper than [`MESSAGE_DEPTH_MAX`].
    TooDeep,
    /// A message of more than [`MESSAGE_FIELDS_MAX`] fields.
    TooMany,
    /// Messages in pieces, within messages in pieces: joining them would take many times the bytes of the request.
    InPieces,
    /// A number in metadata that JSON does not have, or a value without a kind.
    NoJson,
}

impl From<Malformed> for Unreadable {
    fn from(_: Malformed) -> Unreadable {
        Unreadable::Malformed
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::Malformed => f.write_str("the CheckRequest is no protobuf message"),
            Unreadable::NotText(member) => write!(f, "the CheckRequest's `{member}` is no UTF-8"),
            Unreadable::TooDeep => f.write_str("the CheckRequest's metadata is nested too deeply"),
            Unreadable::TooMany => f.write_str("the CheckRequest has a message of too many fields"),
            Unreadable::InPieces => {
                f.write_str("the CheckRequest has messages in pieces within messages in pieces")
            }
            Unreadable::NoJson => f.write_str("the CheckRequest's metadata has a value that JSON lacks"),
        }
    }
}

/// Appends the attributes of a CheckRequest as JSON. False, and nothing is written, if it has none.
///
/// # Errors
/// The request cannot be read; `out` holds a part of it.
pub(super) fn to_json(request: &[u8], out: &mut Vec<u8>) -> Result<bool, Unreadable> {
    const ATTRIBUTES_FIELD: u32 = 1;
    let mut parts = Parts::default();
    for field in fields(request) {
        let field = field?;
        if let (ATTRIBUTES_FIELD, Payload::Bytes(bytes)) = (field.number, field.payload) {
            parts.add(bytes);
        }
    }
    let mut writer = Writer {
        out,
        depth: 0,
        joinable_bytes: &mut request.len().saturating_add(JOINABLE_BYTES_MIN),
    };
    let Some(attributes) = writer.whole(parts)? else {
        return Ok(false);
    };
    writer.message(&ATTRIBUTES, &attributes)?;
    Ok(true)
}

/// Small messages may be in as many pieces as they like.
const JOINABLE_BYTES_MIN: usize = 64 * 1024;

/// A message of which the wire may have several pieces: they count as one.
#[derive(Default)]
struct Parts<'m>(Option<Cow<'m, [u8]>>);

impl<'m> Parts<'m> {
    fn add(&mut self, bytes: &'m [u8]) {
        match &mut self.0 {
            None => self.0 = Some(Cow::Borrowed(bytes)),
            Some(whole) => whole.to_mut().extend_from_slice(bytes),
        }
    }
}

struct Writer<'o> {
    out: &'o mut Vec<u8>,
    depth: usize,
    /// Bytes that may still be copied to join pieces of messages: those of the request, about once. Nobody who writes messages
    /// writes them in pieces, and the copies of all levels are there at the same time.
    joinable_bytes: &'o mut usize,
}

impl Writer<'_> {
    fn descend(&mut self) -> Result<Writer<'_>, Unreadable> {
        if self.depth >= MESSAGE_DEPTH_MAX {
            return Err(Unreadable::TooDeep);
        }
        Ok(Writer {
            out: self.out,
            depth: self.depth + 1,
            joinable_bytes: self.joinable_bytes,
        })
    }

    /// The pieces of a message as one, if there are any.
    fn whole<'m>(&mut self, parts: Parts<'m>) -> Result<Option<Cow<'m, [u8]>>, Unreadable> {
        if let Some(Cow::Owned(joined)) = &parts.0 {
            let left = self.joinable_bytes.checked_sub(joined.len());
            *self.joinable_bytes = left.ok_or(Unreadable::InPieces)?;
        }
        Ok(parts.0)
    }

    /// A message as an object: members that are empty, zero or absent are left out.
    fn message(&mut self, message: &Message, bytes: &[u8]) -> Result<(), Unreadable> {
        let mut inner = self.descend()?;
        let found = listed(bytes)?;
        inner.out.push(b'{');
        for member in message.members {
            inner.member(member, &found)?;
        }
        if let Some(choice) = &message.choice {
            inner.choice(choice, &found)?;
        }
        inner.close(b'}');
        Ok(())
    }

    fn member(&mut self, member: &Member, found: &[Field<'_>]) -> Result<(), Unreadable> {
        let occurrences = || {
            found
                .iter()
                .filter(|field| field.number == member.number && fits(member.kind, field.payload))
        };
        let Some(last) = occurrences().next_back() else {
            return Ok(());
        };
        match member.kind {
            Kind::Many(message) => {
                self.key(member.name);
                self.out.push(b'[');
                for field in occurrences() {
                    self.message(message, bytes_of(field))?;
                    self.out.push(b',');
                }
                self.close(b']');
            }
            Kind::Map(values) => {
                self.key(member.name);
                self.out.push(b'{');
                for field in occurrences() {
                    self.entry(member.name, *values, bytes_of(field))?;
                }
                self.close(b'}');
            }
            Kind::One(_) | Kind::Object => {
                let mut parts = Parts::default();
                occurrences().for_each(|field| parts.add(bytes_of(field)));
                self.key(member.name);
                let whole = self.whole(parts)?.unwrap_or_default();
                self.value(member.name, member.kind, Payload::Bytes(&whole))?;
            }
            Kind::Text | Kind::Bytes | Kind::Flag | Kind::Unsigned | Kind::Signed => {
                if matches!(last.payload, Payload::Varint(0) | Payload::Bytes([])) {
                    return Ok(());
                }
                self.key(member.name);
                self.value(member.name, member.kind, last.payload)?;
            }
        }
        self.out.push(b',');
        Ok(())
    }

    /// The group: the member that was set last, even to nothing; `null` without one.
    fn choice(&mut self, choice: &Choice, found: &[Field<'_>]) -> Result<(), Unreadable> {
        self.key(choice.name);
        let mut set: Option<(&Member, Parts<'_>, Payload<'_>)> = None;
        for field in found {
            let by_field =
                |member: &&Member| member.number == field.number && fits(member.kind, field.payload);
            let Some(member) = choice.members.iter().find(by_field) else {
                continue;
            };
            // Pieces of one message count as one, unless another member was set between them.
            let mut parts = match set.take() {
                Some((before, parts, _)) if before.number == member.number => parts,
                _ => Parts::default(),
            };
            if let Payload::Bytes(bytes) = field.payload {
                parts.add(bytes);
            }
            set = Some((member, parts, field.payload));
        }
        let Some((member, parts, last)) = set else {
            self.out.extend_from_slice(b"null,");
            return Ok(());
        };
        let whole = self.whole(parts)?.unwrap_or_default();
        let payload = match member.kind {
            Kind::One(_) => Payload::Bytes(&whole),
            _ => last,
        };
        self.out.push(b'{');
        self.key(member.name);
        self.value(member.name, member.kind, payload)?;
        self.out.extend_from_slice(b"},");
        Ok(())
    }

    /// One pair of a map. Of pairs with the same key the last counts, for JSON's readers too.
    fn entry(&mut self, map: &'static str, values: Kind, bytes: &[u8]) -> Result<(), Unreadable> {
        const KEY: u32 = 1;
        const VALUE: u32 = 2;
        let (mut key, mut value): (&[u8], _) = (&[], Parts::default());
        let mut text: &[u8] = &[];
        for field in fields(bytes) {
            let field = field?;
            match (field.number, field.payload) {
                (KEY, Payload::Bytes(bytes)) => key = bytes,
                (VALUE, Payload::Bytes(bytes)) => {
                    text = bytes;
                    value.add(bytes);
                }
                _ => {}
            }
        }
        self.text(map, key)?;
        self.out.push(b':');
        match values {
            Kind::Text => self.text(map, text)?,
            _ => {
                let whole = self.whole(value)?.unwrap_or_default();
                self.value(map, values, Payload::Bytes(&whole))?;
            }
        }
        self.out.push(b',');
        Ok(())
    }

    /// One value that fits its kind.
    fn value(&mut self, name: &'static str, kind: Kind, payload: Payload<'_>) -> Result<(), Unreadable> {
        match (kind, payload) {
            (Kind::Text, Payload::Bytes(bytes)) => self.text(name, bytes)?,
            (Kind::Bytes, Payload::Bytes(bytes)) => self.base64(bytes),
            (Kind::Flag, Payload::Varint(number)) => self.print(format_args!("{}", number != 0)),
            // Numbers of 32 bits are what the low half of the varint says.
            (Kind::Unsigned, Payload::Varint(number)) => self.print(format_args!("{}", number as u32)),
            (Kind::Signed, Payload::Varint(number)) => self.print(format_args!("{}", number as i64)),
            (Kind::One(message), Payload::Bytes(bytes)) => self.message(message, bytes)?,
            (Kind::Object, Payload::Bytes(bytes)) => self.object(bytes)?,
            (kind, payload) => debug_assert!(false, "{kind:?} of {payload:?}"),
        }
        Ok(())
    }

    /// `google.protobuf.Struct`
    fn object(&mut self, bytes: &[u8]) -> Result<(), Unreadable> {
        const FIELDS: u32 = 1;
        const KEY: u32 = 1;
        const VALUE: u32 = 2;
        let mut inner = self.descend()?;
        inner.out.push(b'{');
        for pair in pieces(bytes, FIELDS) {
            let (mut key, mut value): (&[u8], _) = (&[], Parts::default());
            for field in fields(pair?) {
                let field = field?;
                match (field.number, field.payload) {
                    (KEY, Payload::Bytes(bytes)) => key = bytes,
                    (VALUE, Payload::Bytes(bytes)) => value.add(bytes),
                    _ => {}
                }
            }
            inner.text("metadata", key)?;
            inner.out.push(b':');
            let whole = inner.whole(value)?.unwrap_or_default();
            inner.free_value(&whole)?;
            inner.out.push(b',');
        }
        inner.close(b'}');
        Ok(())
    }

    /// `google.protobuf.Value`: what was set last.
    fn free_value(&mut self, bytes: &[u8]) -> Result<(), Unreadable> {
        const LIST_VALUES: u32 = 1;
        let mut inner = self.descend()?;
        let (mut last, mut parts) = (None, Parts::default());
        for field in fields(bytes) {
            let field = field?;
            if !(1..=6).contains(&field.number) {
                continue;
            }
            if last.is_none_or(|before: Field<'_>| before.number != field.number) {
                parts = Parts::default();
            }
            if let Payload::Bytes(bytes) = field.payload {
                parts.add(bytes);
            }
            last = Some(field);
        }
        let whole = inner.whole(parts)?.unwrap_or_default();
        match last.map(|field| (field.number, field.payload)) {
            Some((1, Payload::Varint(_))) => inner.out.extend_from_slice(b"null"),
            Some((2, Payload::Fixed(bits))) if f64::from_bits(bits).is_finite() => {
                inner.print(format_args!("{:e}", f64::from_bits(bits)));
            }
            Some((3, Payload::Bytes(text))) => inner.text("metadata", text)?,
            Some((4, Payload::Varint(flag))) => inner.print(format_args!("{}", flag != 0)),
            Some((5, Payload::Bytes(_))) => inner.object(&whole)?,
            Some((6, Payload::Bytes(_))) => {
                inner.out.push(b'[');
                for value in pieces(&whole, LIST_VALUES) {
                    inner.free_value(value?)?;
                    inner.out.push(b',');
                }
                inner.close(b']');
            }
            _ => return Err(Unreadable::NoJson),
        }
        Ok(())
    }

    fn key(&mut self, name: &str) {
        write_string(self.out, name, Escape::Plain);
        self.out.push(b':');
    }

    fn text(&mut self, member: &'static str, bytes: &[u8]) -> Result<(), Unreadable> {
        let text = std::str::from_utf8(bytes).map_err(|_| Unreadable::NotText(member))?;
        write_string(self.out, text, Escape::Plain);
        Ok(())
    }

    fn base64(&mut self, bytes: &[u8]) {
        put_base64(self.out, bytes);
    }

    fn print(&mut self, text: fmt::Arguments<'_>) {
        // Writing into memory cannot fail.
        let _ = self.out.write_fmt(text);
    }

    /// Ends a container: what stands behind its last part is a comma.
    fn close(&mut self, bracket: u8) {
        if self.out.last() == Some(&b',') {
            self.out.pop();
        }
        self.out.push(bracket);
    }
}

/// Appends bytes as a JSON text in base64.
pub(super) fn put_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
    out.push(b'"');
}

/// All fields of a message.
fn listed(message: &[u8]) -> Result<Vec<Field<'_>>, Unreadable> {
    let mut rest = fields(message);
    let found: Vec<_> = rest.by_ref().take(MESSAGE_FIELDS_MAX).collect::<Result<_, _>>()?;
    match rest.next() {
        None => Ok(found),
        Some(_) => Err(Unreadable::TooMany),
    }
}

/// The bytes of each field with this number.
fn pieces(message: &[u8], number: u32) -> impl Iterator<Item = Result<&[u8], Malformed>> {
    fields(message).filter_map(move |field| match field {
        Ok(Field {
            number: found,
            payload: Payload::Bytes(bytes),
        }) => (found == number).then_some(Ok(bytes)),
        Ok(_) => None,
        Err(malformed) => Some(Err(malformed)),
    })
}

/// Whether a field is on the wire as its kind is; one that is not counts as unknown, as in every reader of protobuf.
fn fits(kind: Kind, payload: Payload<'_>) -> bool {
    match kind {
        Kind::Flag | Kind::Unsigned | Kind::Signed => matches!(payload, Payload::Varint(_)),
        Kind::Text | Kind::Bytes | Kind::One(_) | Kind::Many(_) | Kind::Map(_) | Kind::Object => {
            matches!(payload, Payload::Bytes(_))
        }
    }
}

fn bytes_of<'m>(field: &Field<'m>) -> &'m [u8] {
    match field.payload {
        Payload::Bytes(bytes) => bytes,
        Payload::Varint(_) | Payload::Fixed(_) => &[],
    }
}
