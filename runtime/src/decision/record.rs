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
use super::stamp::{id, write_timestamp};
use crate::image::Image;
use crate::json::{self, Escape, Page};

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
    let mut page = Page::new(out);
    write_line(&mut page, image, &frame, options, decider);
    drop(page);
    if options.pretty {
        let compact = out.split_off(start);
        json::indent(out, &compact);
    }
    out.push(b'\n');
    true
}

fn write_line(
    page: &mut Page<'_>,
    image: &Image,
    frame: &Frame<'_>,
    options: &RecordOptions,
    decider: &mut Decider,
) {
    write_decision(page, frame.granted);
    if let Settled::Deny(n) = frame.settled {
        page.put(b",\"denyReason\":");
        page.text(deny_reason(n), Escape::Html);
    }
    page.put(b",\"duration\":");
    write_duration(page, frame);
    if let Settled::Grant(n) = frame.settled {
        page.put(b",\"grantReason\":");
        page.text(grant_reason(n), Escape::Html);
    }
    page.put(b",\"metadata\":{");
    write_metadata(page, frame, options);
    write_shown(page, b",\"operation\":", &options.operation(frame.operation));
    let before = page.len();
    page.put(b",\"porc\":");
    if !write_porc(page, image, frame, options, decider) {
        page.truncate(before);
    }
    page.put(b",\"principal\":{");
    write_principal(page, frame, options);
    if !frame.references.is_empty() {
        page.put(b",\"references\":[");
        for reference in &frame.references {
            write_reference(page, image, reference, options);
        }
        page.end_with(b']');
    }
    write_shown(page, b",\"resource\":", &options.resource(frame.resource));
    if frame.settled != Settled::Open {
        page.put(b",\"systemOverride\":true");
    }
    page.put(b"}");
}

/// Appends a member, unless there is nothing to show.
fn write_shown<const N: usize>(page: &mut Page<'_>, name: &[u8; N], shown: &str) {
    if !shown.is_empty() {
        page.put(name);
        page.text(shown, Escape::Html);
    }
}

/// Begins an object that says first what was decided.
fn write_decision(page: &mut Page<'_>, granted: bool) {
    if granted {
        page.put(b"{\"decision\":\"GRANT\"");
    } else {
        page.put(b"{\"decision\":\"DENY\"");
    }
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

fn write_duration(page: &mut Page<'_>, frame: &Frame<'_>) {
    page.put(b"{\"overall\":");
    write_number(page, frame.overall_ns);
    if let Some([operation_ns, identity_ns, resource_ns, scope_ns]) = frame.phases_ns {
        page.put(b",\"phases\":{\"1\":");
        write_number(page, operation_ns);
        page.put(b",\"2\":");
        write_number(page, identity_ns);
        page.put(b",\"3\":");
        write_number(page, resource_ns);
        page.put(b",\"4\":");
        write_number(page, scope_ns);
        page.put(b"}");
    }
    page.put(b"}");
}

/// Appends a number, as a string.
fn write_number(page: &mut Page<'_>, number: u64) {
    match i64::try_from(number) {
        Ok(number) => page.quoted(number),
        Err(_) => page.text(&number.to_string(), Escape::Html),
    }
}

/// Appends the members and the end of the metadata.
fn write_metadata(page: &mut Page<'_>, frame: &Frame<'_>, options: &RecordOptions) {
    if !options.env.is_empty() {
        page.put(b"\"env\":{");
        for (name, value) in &options.env {
            page.text_and(name, Escape::Html, b':');
            page.text_and(value, Escape::Html, b',');
        }
        page.end_with(b'}');
        page.put(b",");
    }
    page.put(b"\"id\":");
    page.put(&id(frame.stamp.random));
    if let Some(among) = options.grants_sample.filter(|_| frame.granted) {
        page.put(b",\"sample\":");
        write_number(page, among.get());
    }
    page.put(b",\"timestamp\":");
    write_timestamp(page, frame.stamp.wall_ns);
    page.put(b"}");
}

/// Appends the members and the end of the principal.
fn write_principal(page: &mut Page<'_>, frame: &Frame<'_>, options: &RecordOptions) {
    let realm = options.shown(&["/principal/mrealm"], frame.realm);
    let subject = options.shown(&["/principal/sub"], frame.subject);
    write_shown(page, b"\"realm\":", &realm);
    if !realm.is_empty() && !subject.is_empty() {
        page.put(b",");
    }
    write_shown(page, b"\"subject\":", &subject);
    page.put(b"}");
}

/// Where the MRN of a resource stands: alone, or in an object.
const RESOURCE: &[&str] = &["/resource", "/resource/id"];

/// Appends the document that policies saw, as it may be shown. False: nothing is shown, whatever was appended.
fn write_porc(
    page: &mut Page<'_>,
    image: &Image,
    frame: &Frame<'_>,
    options: &RecordOptions,
    decider: &mut Decider,
) -> bool {
    let start = page.len();
    let written = match (frame.porc, frame.document) {
        (Some(body), _) => decider.write_seen_on(image, body, Escape::Record, page).is_some(),
        (None, Some(document)) => {
            page.put_all(document);
            document != b"{}"
        }
        (None, None) => false,
    };
    match &options.redact {
        Some(redact) if written => page.append(|out| {
            let document = out.split_off(start);
            redact.document(&document, out)
        }),
        _ => written,
    }
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

/// Appends a reference and a comma.
fn write_reference(
    page: &mut Page<'_>,
    image: &Image,
    reference: &FrameReference<'_>,
    options: &RecordOptions,
) {
    write_decision(page, reference.granted);
    if let Some(duration_ns) = reference.duration_ns.filter(|ns| *ns > 0) {
        page.put(b",\"duration\":");
        write_number(page, duration_ns);
    }
    let id = options.reference(reference.phase, reference.id);
    write_shown(page, b",\"id\":", &id);
    page.put(b",\"phase\":\"");
    page.put_all(reference.phase.word().as_bytes());
    page.put(b"\",\"policies\":[");
    match reference.policy.and_then(|index| image.policy(index)) {
        Some(known) => page.put_all(&known.record),
        None => page.put(b"{}"),
    }
    page.put(b"]");
    if let Some((code, text)) = reference.reason {
        write_shown(page, b",\"reason\":", &options.reason(text));
        page.put(b",\"reasonCode\":");
        page.text(code.word(), Escape::Html);
    }
    page.put(b"},");
}
