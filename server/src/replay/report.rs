//! What a replay found, as text or as lines of JSON.

use std::io::{Result, Write};

use clap::ValueEnum;
use serde_json::{Map, Value, json};

use super::compare::Cause;
use super::record::Details;
use super::run::Totals;

/// How findings are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line: each change, each record that is refused or malformed, the summary.
    Json,
}

/// Where in the input a record stands.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    pub(super) file: &'p str,
    pub(super) line: u64,
}

/// A decision that changed.
pub(super) struct Change<'c> {
    pub(super) granted_before: bool,
    pub(super) details: &'c Details<'c>,
    /// Nothing, with `refusal`.
    pub(super) causes: &'c [Cause],
    /// The request is not decided at all now, which denies.
    pub(super) refusal: Option<String>,
}

impl Change<'_> {
    fn words(&self) -> (&'static str, &'static str) {
        if self.granted_before {
            ("GRANT", "DENY")
        } else {
            ("DENY", "GRANT")
        }
    }
}

impl Format {
    pub(super) fn change(self, place: Place<'_>, change: &Change<'_>, out: &mut dyn Write) -> Result<()> {
        match self {
            Format::Text => change_text(place, change, out),
            Format::Json => line(out, &change_json(place, change)),
        }
    }

    pub(super) fn malformed(self, place: Place<'_>, why: &str, out: &mut dyn Write) -> Result<()> {
        let Place { file, line: number } = place;
        match self {
            Format::Text => writeln!(out, "{file}:{number}: malformed: {}", plain(why)),
            Format::Json => line(out, &json!({"file": file, "line": number, "malformed": why})),
        }
    }

    /// A recorded DENY whose request is not decided at all now.
    pub(super) fn refused(self, place: Place<'_>, why: &str, out: &mut dyn Write) -> Result<()> {
        let Place { file, line: number } = place;
        match self {
            Format::Text => writeln!(out, "{file}:{number}: refused now: {}", plain(why)),
            Format::Json => line(out, &json!({"file": file, "line": number, "refused": why})),
        }
    }

    pub(crate) fn summary(self, totals: &Totals, out: &mut dyn Write) -> Result<()> {
        let Totals {
            same,
            changed,
            refused,
            malformed,
            skipped,
        } = totals;
        match self {
            Format::Text => writeln!(
                out,
                "{} records: {same} decided as before, {changed} changed, {refused} refused now, {malformed} malformed, {skipped} without a PORC",
                totals.records(),
            ),
            Format::Json => line(
                out,
                &json!({"summary": {
                    "records": totals.records(), "same": same, "changed": changed, "refused": refused,
                    "malformed": malformed, "skipped": skipped,
                }}),
            ),
        }
    }
}

fn line(out: &mut dyn Write, value: &Value) -> Result<()> {
    writeln!(out, "{value}")
}

/// Texts of a record in a line for people: whatever could end the line or colour the terminal is escaped.
fn plain(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let control = c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
            let escaped = control.then(|| c.escape_default());
            escaped.into_iter().flatten().chain((!control).then_some(c))
        })
        .collect()
}

fn change_text(place: Place<'_>, change: &Change<'_>, out: &mut dyn Write) -> Result<()> {
    let (before, after) = change.words();
    let details = change.details;
    write!(out, "{}:{}: {before} -> {after}:", place.file, place.line)?;
    for (name, text) in [
        ("subject", &details.principal.subject),
        ("operation", &details.operation),
        ("resource", &details.resource),
        ("record", &details.metadata.id),
    ] {
        if !text.is_empty() {
            write!(out, " {name} {}", plain(text))?;
        }
    }
    writeln!(out)?;
    for cause in change.causes {
        write!(out, "    {}", cause.phase)?;
        if !cause.id.is_empty() {
            write!(out, " {}", plain(&cause.id))?;
        }
        if !cause.policy.is_empty() {
            write!(out, ", policy {}", plain(&cause.policy))?;
        }
        write!(out, ": {} -> {}", cause.before, cause.after)?;
        if cause.edited {
            write!(out, " (the policy was edited)")?;
        }
        if let Some((code, text)) = &cause.reason {
            write!(out, " ({}: {})", code.word(), plain(text))?;
        }
        writeln!(out)?;
    }
    match &change.refusal {
        Some(why) => writeln!(out, "    the request is refused: {}", plain(why)),
        None if change.causes.is_empty() => {
            writeln!(
                out,
                "    the record names no policy whose vote is another one now"
            )
        }
        None => Ok(()),
    }
}

fn change_json(place: Place<'_>, change: &Change<'_>) -> Value {
    let (before, after) = change.words();
    let details = change.details;
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("file", place.file.into());
    put("line", place.line.into());
    put("before", before.into());
    put("after", after.into());
    for (name, text) in [
        ("id", &details.metadata.id),
        ("timestamp", &details.metadata.timestamp),
        ("subject", &details.principal.subject),
        ("operation", &details.operation),
        ("resource", &details.resource),
    ] {
        if !text.is_empty() {
            put(name, Value::from(&**text));
        }
    }
    put("causes", change.causes.iter().map(cause_json).collect());
    if let Some(why) = &change.refusal {
        put("refusal", Value::from(why.as_str()));
    }
    Value::Object(object)
}

fn cause_json(cause: &Cause) -> Value {
    let mut value = json!({
        "phase": cause.phase, "id": cause.id, "policy": cause.policy,
        "before": cause.before, "after": cause.after, "edited": cause.edited,
    });
    if let (Some((code, text)), Some(object)) = (&cause.reason, value.as_object_mut()) {
        object.insert("reasonCode".to_owned(), code.word().into());
        object.insert("reason".to_owned(), text.as_str().into());
    }
    value
}
