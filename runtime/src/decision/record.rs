//! The access record: a frame becomes one line of JSON, as the reference writes it.
//!
//! Runs on the audit thread and may allocate. Keys are sorted, default values left out, 64-bit numbers are strings.
//! Members of a set override reason are written even where they are zero; a reference has exactly one policy, `{}` where
//! none was found, and a reason only where there was an error.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;

use super::decide::Decider;
use super::evidence::{Frame, FrameReference};
use super::phase::{Phase, Settled};
use super::stamp::{write_id, write_timestamp};
use crate::image::Image;
use crate::json;
use crate::value::with_int_text;
use crate::vm::RequestEnv;

/// How records are written.
#[derive(Clone, Debug, Default)]
pub struct RecordOptions {
    /// `metadata.env`, sorted by name.
    pub env: Vec<(String, String)>,
    /// Indented instead of one line.
    pub pretty: bool,
    /// What of a request is not shown; everything is if absent.
    pub redact: Option<Arc<dyn Redact>>,
    /// Of so many grants one is recorded: said in the metadata of each; all are if absent.
    pub grants_sample: Option<NonZeroU64>,
}

/// Says what of a request a record may show.
pub trait Redact: fmt::Debug + Send + Sync {
    /// Appends a document, which is JSON without blanks, as it may be shown. False: none of it may be.
    fn document(&self, json: &[u8], out: &mut Vec<u8>) -> bool;

    /// What is shown in place of a text that stands in the document at this JSON Pointer, where a number stands for any
    /// element; `None`: itself.
    fn text(&self, pointer: &str, text: &str) -> Option<String>;

    /// What is shown in place of the reason of an error; `None`: itself.
    fn reason(&self, text: &str) -> Option<String>;

    /// The same for whoever may choose the request: nothing that is shown in place of a value tells values apart.
    fn opaque(&self) -> Arc<dyn Redact>;
}

impl RecordOptions {
    /// The same for whoever may choose the request; see [`Redact::opaque`].
    #[must_use]
    pub fn opaque(&self) -> RecordOptions {
        RecordOptions {
            redact: self.redact.as_ref().map(|redact| redact.opaque()),
            ..self.clone()
        }
    }

    /// The operation as it may be shown.
    #[must_use]
    pub fn operation<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.shown(&["/operation"], text)
    }

    /// The MRN of the resource as it may be shown.
    #[must_use]
    pub fn resource<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.shown(RESOURCE, text)
    }

    /// What a phase asked about, as it may be shown.
    #[must_use]
    pub fn reference<'t>(&self, phase: Phase, id: &'t str) -> Cow<'t, str> {
        self.shown(places(phase), id)
    }

    /// The reason of an error as it may be shown.
    #[must_use]
    pub fn reason<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let redacted = self.redact.as_ref().and_then(|redact| redact.reason(text));
        redacted.map_or(Cow::Borrowed(text), Cow::Owned)
    }

    /// A document, which is JSON without blanks, as it may be shown; nothing if it may not be.
    #[must_use]
    pub fn document<'t>(&self, json: &'t [u8]) -> Option<Cow<'t, [u8]>> {
        let Some(redact) = &self.redact else {
            return Some(Cow::Borrowed(json));
        };
        let mut shown = Vec::new();
        redact.document(json, &mut shown).then_some(Cow::Owned(shown))
    }

    /// A text that stands in the document at one of these places, as it may be shown.
    fn shown<'t>(&self, pointers: &[&str], text: &'t str) -> Cow<'t, str> {
        let redacted = |redact: &Arc<dyn Redact>| {
            let mut all = pointers.iter().map(|pointer| redact.text(pointer, text));
            all.find_map(|shown| shown).map(Cow::Owned)
        };
        let redact = self.redact.as_ref().filter(|_| !text.is_empty());
        redact.and_then(redacted).unwrap_or(Cow::Borrowed(text))
    }
}

/// Appends the record of a frame and a line end. `image` is the one that decided; `decider` is scratch of the same image.
/// `false`: the bytes are no frame, nothing was written.
pub fn write_json(
    image: &Image,
    frame: &[u8],
    options: &RecordOptions,
    decider: &mut Decider,
    out: &mut Vec<u8>,
) -> bool {
    let Some(frame) = Frame::decode(frame) else {
        return false;
    };
    let start = out.len();
    let mut record = Object::open(out);
    record.text("decision", if frame.granted { "GRANT" } else { "DENY" });
    if let Settled::Deny(n) = frame.settled {
        record.text("denyReason", deny_reason(n));
    }
    record.member("duration", |out| write_duration(&frame, out));
    if let Settled::Grant(n) = frame.settled {
        record.text("grantReason", grant_reason(n));
    }
    record.member("metadata", |out| write_metadata(&frame, options, out));
    record.text_unless_empty("operation", &options.operation(frame.operation));
    record.optional("porc", |out| write_porc(image, &frame, options, decider, out));
    record.member("principal", |out| {
        let mut principal = Object::open(out);
        principal.text_unless_empty("realm", &options.shown(&["/principal/mrealm"], frame.realm));
        principal.text_unless_empty("subject", &options.shown(&["/principal/sub"], frame.subject));
        principal.close();
    });
    if !frame.references.is_empty() {
        record.member("references", |out| {
            write_references(image, &frame.references, options, out)
        });
    }
    record.text_unless_empty("resource", &options.resource(frame.resource));
    if frame.settled != Settled::Open {
        record.member("systemOverride", |out| out.extend_from_slice(b"true"));
    }
    record.close();
    if options.pretty {
        let compact = out.split_off(start);
        json::indent(out, &compact);
    }
    out.push(b'\n');
    true
}

fn grant_reason(n: i64) -> &'static str {
    match n {
        1 => "PUBLIC",
        2 => "VISITOR",
        3 => "ANTI_LOCKOUT",
        _ => "NOT_GRANTED",
    }
}

fn deny_reason(n: i64) -> &'static str {
    match n {
        -1 => "JWT_REQUIRED",
        -2 => "OPERATOR_REQUIRED",
        _ => "NOT_DENIED",
    }
}

fn write_duration(frame: &Frame<'_>, out: &mut Vec<u8>) {
    let mut duration = Object::open(out);
    duration.number("overall", frame.overall_ns);
    if let Some(phases_ns) = frame.phases_ns {
        duration.member("phases", |out| {
            let mut phases = Object::open(out);
            for (name, time_ns) in ["1", "2", "3", "4"].into_iter().zip(phases_ns) {
                phases.number(name, time_ns);
            }
            phases.close();
        });
    }
    duration.close();
}

fn write_metadata(frame: &Frame<'_>, options: &RecordOptions, out: &mut Vec<u8>) {
    let mut metadata = Object::open(out);
    if !options.env.is_empty() {
        metadata.member("env", |out| {
            let mut env = Object::open(out);
            for (name, value) in &options.env {
                env.named_text(name, value);
            }
            env.close();
        });
    }
    metadata.member("id", |out| write_id(frame.stamp.random, out));
    if let Some(among) = options.grants_sample.filter(|_| frame.granted) {
        metadata.text("sample", &among.to_string());
    }
    metadata.member("timestamp", |out| write_timestamp(frame.stamp.wall_ns, out));
    metadata.close();
}

/// Where the MRN of a resource stands: alone, or in an object.
const RESOURCE: &[&str] = &["/resource", "/resource/id"];

/// Appends the document that policies saw, as it may be shown. False: nothing is shown.
fn write_porc(
    image: &Image,
    frame: &Frame<'_>,
    options: &RecordOptions,
    decider: &mut Decider,
    out: &mut Vec<u8>,
) -> bool {
    let start = out.len();
    let written = match (frame.porc, frame.document) {
        (Some(body), _) => write_realised(image, body, frame, decider, out).is_some(),
        (None, Some(document)) => {
            out.extend_from_slice(document);
            document != b"{}"
        }
        (None, None) => false,
    };
    match &options.redact {
        Some(redact) if written => {
            let document = out.split_off(start);
            redact.document(&document, out)
        }
        _ => written,
    }
}

/// Appends the document that the image makes of a body, if it is more than an empty object.
fn write_realised(
    image: &Image,
    body: &[u8],
    frame: &Frame<'_>,
    decider: &mut Decider,
    out: &mut Vec<u8>,
) -> Option<()> {
    let env = RequestEnv::timeless(frame.stamp.wall_ns, 0);
    let document = decider.realised(image, body, &env).ok()?;
    json::write(out, document, json::Escape::Html).ok()?;
    (!document.is_empty()).then_some(())
}

/// Where in the document the id of a reference may stand.
fn places(phase: Phase) -> &'static [&'static str] {
    match phase {
        Phase::Operation => &["/operation"],
        Phase::Identity => &["/principal/mroles/0", "/principal/mgroups/0"],
        Phase::Resource => &["/resource", "/resource/id", "/resource/group"],
        Phase::Scope => &["/principal/scopes/0"],
    }
}

fn write_references(
    image: &Image,
    references: &[FrameReference<'_>],
    options: &RecordOptions,
    out: &mut Vec<u8>,
) {
    out.push(b'[');
    for (at, reference) in references.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let mut object = Object::open(out);
        object.text("decision", if reference.granted { "GRANT" } else { "DENY" });
        if let Some(duration_ns) = reference.duration_ns.filter(|ns| *ns > 0) {
            object.number("duration", duration_ns);
        }
        object.text_unless_empty("id", &options.reference(reference.phase, reference.id));
        object.text("phase", reference.phase.word());
        object.member("policies", |out| {
            out.push(b'[');
            let mut policy = Object::open(out);
            if let Some(known) = reference.policy.and_then(|index| image.policy(index)) {
                policy.text("fingerprint", &known.fingerprint_base64);
                policy.text("mrn", &known.mrn);
            }
            policy.close();
            out.push(b']');
        });
        if let Some((code, text)) = reference.reason {
            object.text_unless_empty("reason", &options.reason(text));
            object.text("reasonCode", code.word());
        }
        object.close();
    }
    out.push(b']');
}

/// Writes the members of one JSON object.
struct Object<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

impl<'o> Object<'o> {
    fn open(out: &'o mut Vec<u8>) -> Object<'o> {
        out.push(b'{');
        Object { out, empty: true }
    }

    fn separate(&mut self) {
        if !std::mem::take(&mut self.empty) {
            self.out.push(b',');
        }
    }

    /// A member whose name is ours: it is written as it is.
    fn member(&mut self, name: &'static str, write: impl FnOnce(&mut Vec<u8>)) {
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        write(self.out);
    }

    /// A member whose name is somebody else's.
    fn named_text(&mut self, name: &str, text: &str) {
        self.separate();
        json::write_string(self.out, name, json::Escape::Html);
        self.out.push(b':');
        json::write_string(self.out, text, json::Escape::Html);
    }

    fn text(&mut self, name: &'static str, text: &str) {
        self.member(name, |out| json::write_string(out, text, json::Escape::Html));
    }

    /// A member that is left out if `write` says false.
    fn optional(&mut self, name: &'static str, write: impl FnOnce(&mut Vec<u8>) -> bool) {
        let (start, was_empty) = (self.out.len(), self.empty);
        let mut written = false;
        self.member(name, |out| written = write(out));
        if !written {
            self.out.truncate(start);
            self.empty = was_empty;
        }
    }

    /// A number, as a string.
    fn number(&mut self, name: &'static str, number: u64) {
        // Durations are far below 2^63.
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        with_int_text(number, |text| self.text(name, text));
    }

    fn text_unless_empty(&mut self, name: &'static str, text: &str) {
        if !text.is_empty() {
            self.text(name, text);
        }
    }

    fn close(self) {
        self.out.push(b'}');
    }
}
