//! The outcome of a request as one flat frame of bytes: what the core hands to the audit thread.
//!
//! A frame holds numbers, texts and the body as it came; names, JSON and the realised PORC are made on the audit thread.
//! Little-endian: a head, a row for each reference, and the body as it came, so that whoever hands a frame over copies it once. A
//! text is a place in the body and a length, 32 bits each; one that does not stand there as it is follows behind the head or
//! the row that it belongs to.

use super::decide::{Decision, Refusal};
use super::phase::{Phase, Reference, Settled};
use super::reason::{Reason, ReasonCode, ReasonText};
use crate::input::text_of;
use crate::json;
use crate::value::Value;

/// What a record is stamped with; the runtime has neither clock nor randomness of its own.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// Wall clock of the request, ns since the epoch.
    pub wall_ns: i64,
    /// Makes the record's id.
    pub random: [u8; 16],
}

/// A decoded frame.
#[derive(Debug)]
pub struct Frame<'f> {
    /// The answer.
    pub granted: bool,
    /// What the operation phase settled.
    pub settled: Settled,
    /// When and under which id.
    pub stamp: Stamp,
    /// Time from entry.
    pub overall_ns: u64,
    /// Time of each phase; `None` when no phase ran.
    pub phases_ns: Option<[u64; 4]>,
    /// `principal.sub`
    pub subject: &'f str,
    /// `principal.mrealm`
    pub realm: &'f str,
    /// Operation.
    pub operation: &'f str,
    /// Resource MRN.
    pub resource: &'f str,
    /// In the order of the record.
    pub references: Vec<FrameReference<'f>>,
    /// The body, when the record shows the document that the image makes of it.
    pub porc: Option<&'f [u8]>,
    /// The document that the record shows, as JSON.
    pub document: Option<&'f [u8]>,
}

/// A reference of a frame.
#[derive(Debug)]
pub struct FrameReference<'f> {
    /// Phase.
    pub phase: Phase,
    /// May be empty.
    pub id: &'f str,
    /// Index of the policy in the image that decided.
    pub policy: Option<u32>,
    /// Vote.
    pub granted: bool,
    /// Code and text.
    pub reason: Option<(ReasonCode, &'f str)>,
    /// Time of the policy.
    pub duration_ns: Option<u64>,
}

const VERSION: u8 = 3;
const GRANTED: u8 = 1;
const HAS_PHASES: u8 = 2;
const HAS_DOCUMENT: u8 = 4;
const HAS_POLICY: u8 = 2;
const HAS_REASON: u8 = 4;
const HAS_DURATION: u8 = 8;
/// In place of the place of a text that does not stand in the body.
const ELSEWHERE: u32 = u32::MAX;

impl Decision<'_> {
    /// Appends the frame of this decision over `body`, which is what was decided over.
    pub fn encode(&self, body: &[u8], stamp: Stamp, out: &mut Vec<u8>) {
        let end = self.encode_front(body, stamp, out);
        out.extend_from_slice(end);
    }

    /// The same but for the part of `body` that the frame ends with, which is given back: it can be taken from where it is.
    pub fn encode_front<'b>(&self, body: &'b [u8], stamp: Stamp, out: &mut Vec<u8>) -> &'b [u8] {
        let body = if self.document.is_none() && self.phases_ns.is_some() {
            body
        } else {
            &[]
        };
        let head = Head {
            flags: if self.granted { GRANTED } else { 0 }
                | if self.phases_ns.is_some() { HAS_PHASES } else { 0 }
                | if self.document.is_some() { HAS_DOCUMENT } else { 0 },
            settled: self.settled,
            stamp,
            overall_ns: self.overall_ns,
            phases_ns: self.phases_ns.unwrap_or_default(),
            texts: [self.subject, self.realm, self.operation, self.resource],
            body_bytes: body.len(),
        };
        let start = out.len();
        let copy = self.copy.get(..body.len()).unwrap_or_default();
        head.write(self.references, copy, out);
        if let Some(document) = self.document {
            append_document(document, start, out);
        }
        body
    }
}

/// Ends a frame, which began at `start`, with a document in place of the body.
#[cold]
fn append_document(document: Value<'_>, start: usize, out: &mut Vec<u8>) {
    let begin = out.len();
    // A document that JSON cannot hold was denied before; a part of one is no JSON, and the record says nothing.
    if json::write(out, document, json::Escape::Record).is_err() {
        out.truncate(begin);
    }
    let len_bytes = number_of(out.len() - begin);
    if let Some(hole) = out.get_mut(start + BODY_LEN_AT..start + BODY_LEN_AT + len_bytes.len()) {
        hole.copy_from_slice(&len_bytes);
    }
}

impl Refusal {
    /// Appends the frame of the DENY record that a refused request leaves.
    pub fn encode(&self, stamp: Stamp, out: &mut Vec<u8>) {
        encode_denial(ReasonCode::InvalidParameter, &self.to_string(), stamp, out);
    }
}

/// Appends the frame of a DENY record for a request over which no phase was asked: one that is no PORC, or of which none
/// could be made.
pub fn encode_denial(code: ReasonCode, text: &str, stamp: Stamp, out: &mut Vec<u8>) {
    let reference = Reference {
        phase: Phase::Resource,
        id: "",
        policy: None,
        granted: false,
        reason: Some(Reason {
            code,
            text: ReasonText::Given(text),
        }),
        duration_ns: None,
    };
    let head = Head {
        flags: 0,
        settled: Settled::Open,
        stamp,
        overall_ns: 0,
        phases_ns: [0; 4],
        texts: [""; 4],
        body_bytes: 0,
    };
    head.write(&[reference], &[], out);
}

/// The length of a list or text, as it stands in front of it. A frame holds one request, whose size is bounded far below 4 GiB.
fn number_of(count: usize) -> [u8; 4] {
    u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes()
}

/// Bytes of known number, filled from the front.
struct Fixed<'b>(&'b mut [u8]);

impl Fixed<'_> {
    #[inline(always)]
    fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        if let Some((place, rest)) = std::mem::take(&mut self.0).split_first_chunk_mut() {
            *place = bytes;
            self.0 = rest;
        }
    }
}

/// Bytes of the place of a text, of a head, and of a row.
const TEXT_BYTES: usize = 4 + 4;
const HEAD_BYTES: usize = BODY_LEN_AT + 4 + 4 + 8 + 8 + 16 + 8 + 4 * 8 + 4 * TEXT_BYTES;
const ROW_BYTES: usize = 2 + 4 + 8 + TEXT_BYTES;
/// Where in a head the length of the body stands.
const BODY_LEN_AT: usize = 3;

/// What stands once in a frame.
struct Head<'h> {
    flags: u8,
    settled: Settled,
    stamp: Stamp,
    overall_ns: u64,
    phases_ns: [u64; 4],
    texts: [&'h str; 4],
    body_bytes: usize,
}

impl Head<'_> {
    /// Appends all of a frame but the body, of which `copy` is the copy that texts of the request point into, as far as the
    /// frame will have the body.
    #[inline(always)]
    fn write(&self, references: &[Reference<'_>], copy: &[u8], out: &mut Vec<u8>) {
        let (tag, number) = match self.settled {
            Settled::Open => (0, 0),
            Settled::Grant(n) => (1, n),
            Settled::Deny(n) => (2, n),
        };
        let places = self.texts.map(|text| place_in(copy, text));
        let mut head = [0; HEAD_BYTES];
        let mut fixed = Fixed(&mut head);
        fixed.put([VERSION, self.flags, tag]);
        fixed.put(number_of(self.body_bytes));
        fixed.put(number_of(references.len()));
        fixed.put(number.to_le_bytes());
        fixed.put(self.stamp.wall_ns.to_le_bytes());
        fixed.put(self.stamp.random);
        fixed.put(self.overall_ns.to_le_bytes());
        for phase_ns in self.phases_ns {
            fixed.put(phase_ns.to_le_bytes());
        }
        for (place, text) in places.into_iter().zip(self.texts) {
            fixed.put(place.to_le_bytes());
            fixed.put(number_of(text.len()));
        }
        out.extend_from_slice(&head);
        if places.contains(&ELSEWHERE) {
            for (place, text) in places.into_iter().zip(self.texts) {
                append_elsewhere(place, text, out);
            }
        }
        for reference in references {
            reference.append(copy, out);
        }
    }
}

impl Reference<'_> {
    #[inline(always)]
    fn append(&self, copy: &[u8], out: &mut Vec<u8>) {
        let flags = (u8::from(self.granted) * GRANTED)
            | (u8::from(self.policy.is_some()) * HAS_POLICY)
            | (u8::from(self.reason.is_some()) * HAS_REASON)
            | (u8::from(self.duration_ns.is_some()) * HAS_DURATION);
        let place = place_in(copy, self.id);
        let mut row = [0; ROW_BYTES];
        let mut fixed = Fixed(&mut row);
        fixed.put([self.phase as u8, flags]);
        fixed.put(self.policy.unwrap_or(0).to_le_bytes());
        fixed.put(self.duration_ns.unwrap_or(0).to_le_bytes());
        fixed.put(place.to_le_bytes());
        fixed.put(number_of(self.id.len()));
        out.extend_from_slice(&row);
        append_elsewhere(place, self.id, out);
        if let Some(reason) = &self.reason {
            append_reason(reason, out);
        }
    }
}

#[inline(always)]
fn append_elsewhere(place: u32, text: &str, out: &mut Vec<u8>) {
    if place == ELSEWHERE {
        out.extend_from_slice(text.as_bytes());
    }
}

#[cold]
fn append_reason(reason: &Reason<'_>, out: &mut Vec<u8>) {
    out.push(reason.code as u8);
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    reason.text.write(out);
    let len_bytes = number_of(out.len() - at - 4);
    if let Some(hole) = out.get_mut(at..at + 4) {
        hole.copy_from_slice(&len_bytes);
    }
}

/// Where a text stands in these bytes, if it is a part of them and not only equal to one; nothing stands anywhere.
#[inline(always)]
fn place_in(bytes: &[u8], text: &str) -> u32 {
    if text.is_empty() {
        return 0;
    }
    // In front of them it is larger than all of them are.
    let place = text.as_ptr().addr().wrapping_sub(bytes.as_ptr().addr());
    if place < bytes.len() && text.len() <= bytes.len() - place {
        u32::try_from(place).unwrap_or(ELSEWHERE)
    } else {
        ELSEWHERE
    }
}

impl<'f> Frame<'f> {
    /// Reads a frame; `None` when the bytes are none.
    #[must_use]
    pub fn decode(bytes: &'f [u8]) -> Option<Frame<'f>> {
        let mut reader = Reader {
            rest: bytes,
            body: &[],
            body_text: None,
        };
        if reader.byte()? != VERSION {
            return None;
        }
        let flags = reader.byte()?;
        let tag = reader.byte()?;
        reader.end_with_body()?;
        let count = reader.number()?;
        let number = i64::from_le_bytes(reader.take()?);
        let settled = match tag {
            0 => Settled::Open,
            1 => Settled::Grant(number),
            2 => Settled::Deny(number),
            _ => return None,
        };
        let wall_ns = i64::from_le_bytes(reader.take()?);
        let random = reader.take()?;
        let overall_ns = u64::from_le_bytes(reader.take()?);
        let mut phases_ns = [0; 4];
        for phase_ns in &mut phases_ns {
            *phase_ns = u64::from_le_bytes(reader.take()?);
        }
        let mut places = [(0, 0); 4];
        for place in &mut places {
            *place = reader.place()?;
        }
        let mut texts = [""; 4];
        for (text, place) in texts.iter_mut().zip(places) {
            *text = reader.text(place)?;
        }
        let [subject, realm, operation, resource] = texts;
        let references = reader.references(count)?;
        let body = reader.body;
        let has_phases = flags & HAS_PHASES != 0;
        let has_document = flags & HAS_DOCUMENT != 0;
        Some(Frame {
            granted: flags & GRANTED != 0,
            settled,
            stamp: Stamp { wall_ns, random },
            overall_ns,
            phases_ns: has_phases.then_some(phases_ns),
            subject,
            realm,
            operation,
            resource,
            references,
            porc: (has_phases && !has_document).then_some(body),
            document: (has_document && !body.is_empty()).then_some(body),
        })
    }
}

struct Reader<'f> {
    rest: &'f [u8],
    body: &'f [u8],
    /// The body, where it is a text as a whole, so that its parts need not be looked at one by one.
    body_text: Option<&'f str>,
}

impl<'f> Reader<'f> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*head)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn number(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn following(&mut self, len_bytes: usize) -> Option<&'f [u8]> {
        let (head, rest) = self.rest.split_at_checked(len_bytes)?;
        self.rest = rest;
        Some(head)
    }

    /// Takes the body, whose length comes now, from the end.
    fn end_with_body(&mut self) -> Option<()> {
        let body_bytes = self.number()? as usize;
        let start = self.rest.len().checked_sub(body_bytes)?;
        (self.rest, self.body) = self.rest.split_at_checked(start)?;
        self.body_text = text_of(self.body);
        Some(())
    }

    /// Of a text: where, and its length.
    fn place(&mut self) -> Option<(u32, usize)> {
        Some((self.number()?, self.number()? as usize))
    }

    fn text(&mut self, (place, len_bytes): (u32, usize)) -> Option<&'f str> {
        let bytes = match (place, self.body_text) {
            (ELSEWHERE, _) => self.following(len_bytes)?,
            (_, Some(body)) => return body.get(place as usize..)?.get(..len_bytes),
            (_, None) => self.body.get(place as usize..)?.get(..len_bytes)?,
        };
        std::str::from_utf8(bytes).ok()
    }

    fn reason(&mut self) -> Option<(ReasonCode, &'f str)> {
        let code = ReasonCode::from_byte(self.byte()?)?;
        let len_bytes = self.number()? as usize;
        Some((code, std::str::from_utf8(self.following(len_bytes)?).ok()?))
    }

    fn references(&mut self, count: u32) -> Option<Vec<FrameReference<'f>>> {
        let rows_max = self.rest.len() / ROW_BYTES;
        let mut references = Vec::with_capacity(rows_max.min(count as usize));
        for _ in 0..count {
            let phase = Phase::from_byte(self.byte()?)?;
            let flags = self.byte()?;
            let policy = self.number()?;
            let duration_ns = u64::from_le_bytes(self.take()?);
            let place = self.place()?;
            let id = self.text(place)?;
            let reason = match flags & HAS_REASON != 0 {
                true => Some(self.reason()?),
                false => None,
            };
            references.push(FrameReference {
                phase,
                id,
                policy: (flags & HAS_POLICY != 0).then_some(policy),
                granted: flags & GRANTED != 0,
                reason,
                duration_ns: (flags & HAS_DURATION != 0).then_some(duration_ns),
            });
        }
        Some(references)
    }
}
