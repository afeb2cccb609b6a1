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
use crate::image::Image;
use crate::json;
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

    /// What is shown in place of a text that stands in the document at this JSON Pointer; `None`: itself.
    fn text(&self, pointer: &str, text: &str) -> Option<String>;

    /// What is shown in place of the reason of an error; `None`: itself.
    fn reason(&self, text: &str) -> Option<String>;
}

impl RecordOptions {
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
    record.text_unless_empty("operation", &options.shown(&["/operation"], frame.operation));
    if let Some(document) = frame.porc.and_then(|body| document(image, body, &frame, decider)) {
        write_porc(&document, options, &mut record);
    }
    if let Some(document) = frame.document.filter(|document| *document != b"{}") {
        write_porc(document, options, &mut record);
    }
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
    record.text_unless_empty("resource", &options.shown(RESOURCE, frame.resource));
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
    duration.text("overall", &frame.overall_ns.to_string());
    if let Some(phases_ns) = frame.phases_ns {
        duration.member("phases", |out| {
            let mut phases = Object::open(out);
            for (name, time_ns) in ["1", "2", "3", "4"].into_iter().zip(phases_ns) {
                phases.text(name, &time_ns.to_string());
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
                env.text(name, value);
            }
            env.close();
        });
    }
    metadata.text("id", &uuid_v4(frame.stamp.random));
    if let Some(among) = options.grants_sample.filter(|_| frame.granted) {
        metadata.text("sample", &among.to_string());
    }
    metadata.text("timestamp", &timestamp(frame.stamp.wall_ns));
    metadata.close();
}

/// Where the MRN of a resource stands: alone, or in an object.
const RESOURCE: &[&str] = &["/resource", "/resource/id"];

fn write_porc(document: &[u8], options: &RecordOptions, record: &mut Object<'_>) {
    let Some(redact) = &options.redact else {
        return record.member("porc", |out| out.extend_from_slice(document));
    };
    let mut shown = Vec::new();
    if redact.document(document, &mut shown) {
        record.member("porc", |out| out.extend_from_slice(&shown));
    }
}

/// The document that the image makes of a body, as JSON, if it is more than an empty object.
fn document(image: &Image, body: &[u8], frame: &Frame<'_>, decider: &mut Decider) -> Option<Vec<u8>> {
    fn no_clock() -> u64 {
        0
    }
    let env = RequestEnv {
        wall_ns: frame.stamp.wall_ns,
        seed: 0,
        monotonic_ns: no_clock,
        deadline_ns: None,
    };
    let document = decider.realised(image, body, &env).ok()?;
    let mut text = Vec::new();
    let printable = json::write(&mut text, document, json::Escape::Html).is_ok();
    (printable && !matches!(document.kind(), crate::value::Kind::Object([]))).then_some(text)
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
            object.text("duration", &duration_ns.to_string());
        }
        object.text_unless_empty("id", &options.shown(places(reference.phase), reference.id));
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
            let redacted = options.redact.as_ref().and_then(|redact| redact.reason(text));
            object.text_unless_empty("reason", redacted.as_deref().unwrap_or(text));
            object.text("reasonCode", code.word());
        }
        object.close();
    }
    out.push(b']');
}

/// RFC 3339 in UTC with 0, 3, 6 or 9 decimals.
fn timestamp(wall_ns: i64) -> String {
    let second = jiff::Timestamp::from_second(wall_ns.div_euclid(1_000_000_000))
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let whole = second.strftime("%Y-%m-%dT%H:%M:%S");
    let fraction_ns = wall_ns.rem_euclid(1_000_000_000);
    if fraction_ns == 0 {
        format!("{whole}Z")
    } else if fraction_ns % 1_000_000 == 0 {
        format!("{whole}.{:03}Z", fraction_ns / 1_000_000)
    } else if fraction_ns % 1_000 == 0 {
        format!("{whole}.{:06}Z", fraction_ns / 1_000)
    } else {
        format!("{whole}.{fraction_ns:09}Z")
    }
}

fn uuid_v4(random: [u8; 16]) -> String {
    let number = u128::from_be_bytes(random) & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{number:032x}");
    let (a, rest) = hex.split_at(8);
    let (b, rest) = rest.split_at(4);
    let (c, rest) = rest.split_at(4);
    let (d, e) = rest.split_at(4);
    format!("{a}-{b}-{c}-{d}-{e}")
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

    fn member(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
        if !std::mem::take(&mut self.empty) {
            self.out.push(b',');
        }
        json::write_string(self.out, name, json::Escape::Html);
        self.out.push(b':');
        write(self.out);
    }

    fn text(&mut self, name: &str, text: &str) {
        self.member(name, |out| json::write_string(out, text, json::Escape::Html));
    }

    fn text_unless_empty(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.text(name, text);
        }
    }

    fn close(self) {
        self.out.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use super::{timestamp, uuid_v4};

    #[test]
    fn timestamps_have_as_many_decimals_as_they_need() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00Z");
        assert_eq!(timestamp(1_700_000_000_120_000_000), "2023-11-14T22:13:20.120Z");
        assert_eq!(
            timestamp(1_700_000_000_000_120_000),
            "2023-11-14T22:13:20.000120Z"
        );
        assert_eq!(
            timestamp(1_700_000_000_000_000_001),
            "2023-11-14T22:13:20.000000001Z"
        );
    }

    #[test]
    fn uuids_say_version_and_variant() {
        assert_eq!(uuid_v4([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid_v4([0; 16]), "00000000-0000-4000-8000-000000000000");
    }
}
