//! The outcome of a request as one flat frame of bytes: what the core hands to the audit thread.
//!
//! A frame holds numbers, texts and the body as it came; names, JSON and the realised PORC are made on the audit thread.
//! Little-endian; the body and its 32-bit length come last. A text is a place in the body and a length, 32 bits each; one that
//! does not stand there as it is follows right behind them.

use super::decide::{Decision, Refusal};
use super::phase::{Phase, Reference, Settled};
use super::reason::{Reason, ReasonCode, ReasonText};
use crate::json;

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

const VERSION: u8 = 2;
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
        let body = if self.document.is_none() && self.phases_ns.is_some() {
            body
        } else {
            &[]
        };
        let mut writer = Writer {
            out,
            copy: self.copy.get(..body.len()).unwrap_or_default(),
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
        };
        writer.front(&head, self.references);
        match self.document {
            // A document that JSON cannot hold was denied before; a part of one is no JSON, and the record says nothing.
            Some(document) => writer.close(|out| {
                let start = out.len();
                if json::write(out, document, json::Escape::Html).is_err() {
                    out.truncate(start);
                }
            }),
            None => writer.close(|out| out.extend_from_slice(body)),
        }
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
    };
    let mut writer = Writer { out, copy: &[] };
    writer.front(&head, &[reference]);
    writer.close(|_| {});
}

/// The length of a list or text, as it stands in front of it. A frame holds one request, whose size is bounded far below 4 GiB.
fn number_of(count: usize) -> [u8; 4] {
    u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes()
}

/// Bytes of known number, put together before they are appended at once.
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

/// Bytes in front of the texts of a frame; of a reference in front of its id's; of a text that stands in the body.
const HEAD_BYTES: usize = 3 + 4 + 8 + 8 + 16 + 8 + 4 * 8;
const REFERENCE_BYTES: usize = 2 + 4 + 8;
const TEXT_BYTES: usize = 4 + 4;

/// What stands once in a frame.
struct Head<'h> {
    flags: u8,
    settled: Settled,
    stamp: Stamp,
    overall_ns: u64,
    phases_ns: [u64; 4],
    texts: [&'h str; 4],
}

struct Writer<'o> {
    out: &'o mut Vec<u8>,
    /// The copy of the body that texts of the request point into, as far as the frame will have the body.
    copy: &'o [u8],
}

impl Writer<'_> {
    /// All but the body.
    fn front(&mut self, head: &Head<'_>, references: &[Reference<'_>]) {
        let (tag, number) = match head.settled {
            Settled::Open => (0, 0),
            Settled::Grant(n) => (1, n),
            Settled::Deny(n) => (2, n),
        };
        let mut bytes = [0; HEAD_BYTES];
        let mut fixed = Fixed(&mut bytes);
        fixed.put([VERSION, head.flags, tag]);
        fixed.put(number_of(references.len()));
        fixed.put(number.to_le_bytes());
        fixed.put(head.stamp.wall_ns.to_le_bytes());
        fixed.put(head.stamp.random);
        fixed.put(head.overall_ns.to_le_bytes());
        for phase_ns in head.phases_ns {
            fixed.put(phase_ns.to_le_bytes());
        }
        self.out.extend_from_slice(&bytes);
        for text in head.texts {
            self.text([], text);
        }
        for reference in references {
            self.reference(reference);
        }
    }

    #[inline]
    fn reference(&mut self, reference: &Reference<'_>) {
        let flags = if reference.granted { GRANTED } else { 0 }
            | if reference.policy.is_some() { HAS_POLICY } else { 0 }
            | if reference.reason.is_some() { HAS_REASON } else { 0 }
            | if reference.duration_ns.is_some() {
                HAS_DURATION
            } else {
                0
            };
        let mut front = [0; REFERENCE_BYTES];
        let mut fixed = Fixed(&mut front);
        fixed.put([reference.phase as u8, flags]);
        fixed.put(reference.policy.unwrap_or(0).to_le_bytes());
        fixed.put(reference.duration_ns.unwrap_or(0).to_le_bytes());
        self.text(front, reference.id);
        if let Some(reason) = &reference.reason {
            self.out.push(reason.code as u8);
            let at = self.out.len();
            self.out.extend_from_slice(&[0; 4]);
            reason.text.write(self.out);
            let len_bytes = number_of(self.out.len() - at - 4);
            if let Some(hole) = self.out.get_mut(at..at + 4) {
                hole.copy_from_slice(&len_bytes);
            }
        }
    }

    /// A text behind some bytes.
    #[inline(always)]
    fn text<const N: usize>(&mut self, front: [u8; N], text: &str) {
        let place = place_in(self.copy, text);
        let mut bytes = [0; REFERENCE_BYTES + TEXT_BYTES];
        let mut fixed = Fixed(&mut bytes);
        fixed.put(front);
        fixed.put(place.unwrap_or(ELSEWHERE).to_le_bytes());
        fixed.put(number_of(text.len()));
        self.out
            .extend_from_slice(bytes.get(..N + TEXT_BYTES).unwrap_or_default());
        if place.is_none() {
            self.out.extend_from_slice(text.as_bytes());
        }
    }

    /// The body, which `write` appends, and the end.
    fn close(self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.out.len();
        write(self.out);
        let len_bytes = number_of(self.out.len() - start);
        self.out.extend_from_slice(&len_bytes);
    }
}

/// Where a text stands in these bytes, if it is a part of them and not only equal to one.
#[inline(always)]
fn place_in(bytes: &[u8], text: &str) -> Option<u32> {
    let place = text.as_ptr().addr().checked_sub(bytes.as_ptr().addr())?;
    let last = bytes.len().checked_sub(text.len())?;
    let place = u32::try_from(place).ok().filter(|_| place <= last)?;
    (place != ELSEWHERE).then_some(place)
}

impl<'f> Frame<'f> {
    /// Reads a frame; `None` when the bytes are none.
    #[must_use]
    pub fn decode(bytes: &'f [u8]) -> Option<Frame<'f>> {
        let (bytes, len_bytes) = bytes.split_last_chunk()?;
        let start = bytes.len().checked_sub(u32::from_le_bytes(*len_bytes) as usize)?;
        let (front, body) = bytes.split_at_checked(start)?;
        let mut reader = Reader { rest: front, body };
        if reader.byte()? != VERSION {
            return None;
        }
        let flags = reader.byte()?;
        let tag = reader.byte()?;
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
        let [subject, realm, operation, resource] =
            [reader.text()?, reader.text()?, reader.text()?, reader.text()?];
        let references = reader.references(count)?;
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

    fn text(&mut self) -> Option<&'f str> {
        let (place, len_bytes) = (self.number()?, self.number()? as usize);
        let bytes = match place {
            ELSEWHERE => self.following(len_bytes)?,
            _ => self.body.get(place as usize..)?.get(..len_bytes)?,
        };
        std::str::from_utf8(bytes).ok()
    }

    fn reason(&mut self) -> Option<(ReasonCode, &'f str)> {
        let code = ReasonCode::from_byte(self.byte()?)?;
        let len_bytes = self.number()? as usize;
        Some((code, std::str::from_utf8(self.following(len_bytes)?).ok()?))
    }

    fn references(&mut self, count: u32) -> Option<Vec<FrameReference<'f>>> {
        let mut references = Vec::new();
        for _ in 0..count {
            let phase = Phase::from_byte(self.byte()?)?;
            let flags = self.byte()?;
            let policy = self.number()?;
            let duration_ns = u64::from_le_bytes(self.take()?);
            let id = self.text()?;
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
