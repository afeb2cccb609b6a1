//! What of an access record a replay needs: little of each one, more of those whose decision changed.

use std::borrow::Cow;
use std::collections::BTreeMap;

use gavel_runtime::decision::Settled;
use serde::Deserialize;
use serde_json::value::RawValue;

/// What is read of every record.
#[derive(Deserialize)]
struct Head<'r> {
    decision: Option<&'r str>,
    #[serde(borrow)]
    porc: Option<&'r RawValue>,
    metadata: Option<Metadata<'r>>,
    gap: Option<serde::de::IgnoredAny>,
    sample: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Metadata<'r> {
    timestamp: Option<&'r str>,
}

/// A recorded decision that can be made again.
pub(super) struct Recorded<'r> {
    pub(super) granted: bool,
    /// The document that the policies saw.
    pub(super) porc: &'r str,
    /// When, in ns since 1970; `None` where the record does not say.
    pub(super) wall_ns: Option<i64>,
}

/// What a line is.
pub(super) enum Line<'r> {
    Decision(Recorded<'r>),
    /// A request that was no PORC, or a mark where records are missing or of which there are some only: there is nothing to
    /// decide.
    Nothing,
}

/// Reads a record.
///
/// # Errors
/// Why it is none.
pub(super) fn read(text: &[u8]) -> Result<Line<'_>, String> {
    // Deriving takes an array for the fields in order.
    if text.trim_ascii_start().starts_with(b"[") {
        return Err("no access record: an array".to_owned());
    }
    let head: Head<'_> = serde_json::from_slice(text).map_err(|error| said(&error))?;
    if (head.gap.is_some() || head.sample.is_some()) && head.decision.is_none() {
        return Ok(Line::Nothing);
    }
    let granted = match head.decision {
        Some("GRANT") => true,
        Some("DENY") => false,
        Some(_) => return Err("`decision` is neither GRANT nor DENY".to_owned()),
        None => return Err("no access record: there is no `decision`".to_owned()),
    };
    let Some(porc) = head.porc else {
        return Ok(Line::Nothing);
    };
    if !porc.get().starts_with('{') {
        return Err("`porc` is no object".to_owned());
    }
    let timestamp = head.metadata.and_then(|metadata| metadata.timestamp);
    Ok(Line::Decision(Recorded {
        granted,
        porc: porc.get(),
        wall_ns: timestamp.map(wall_ns).transpose()?,
    }))
}

fn wall_ns(text: &str) -> Result<i64, String> {
    let timestamp: jiff::Timestamp = text
        .parse()
        .map_err(|_| format!("`metadata.timestamp` is no time: {text:?}"))?;
    i64::try_from(timestamp.as_nanosecond())
        .map_err(|_| format!("`metadata.timestamp` is out of range: {text:?}"))
}

/// What is wrong, without the place within the record: that of the record in its file is told.
fn said(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

/// What is read of a record whose decision changed.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Details<'r> {
    #[serde(borrow)]
    pub(super) metadata: Identity<'r>,
    pub(super) principal: Principal<'r>,
    pub(super) operation: Cow<'r, str>,
    pub(super) resource: Cow<'r, str>,
    pub(super) references: Vec<Reference<'r>>,
    pub(super) system_override: bool,
    grant_reason: Option<serde::de::IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Identity<'r> {
    #[serde(borrow)]
    pub(super) id: Cow<'r, str>,
    pub(super) timestamp: Cow<'r, str>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Principal<'r> {
    #[serde(borrow)]
    pub(super) subject: Cow<'r, str>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Reference<'r> {
    #[serde(borrow)]
    pub(super) phase: Cow<'r, str>,
    pub(super) id: Cow<'r, str>,
    pub(super) decision: Cow<'r, str>,
    pub(super) policies: Vec<Policy<'r>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Policy<'r> {
    #[serde(borrow)]
    pub(super) mrn: Cow<'r, str>,
    pub(super) fingerprint: Cow<'r, str>,
}

impl Details<'_> {
    /// What the operation policy settled, without its number.
    pub(super) fn settled(&self) -> Settled {
        match (self.system_override, self.grant_reason.is_some()) {
            (false, _) => Settled::Open,
            (true, true) => Settled::Grant(1),
            (true, false) => Settled::Deny(-1),
        }
    }
}

/// Reads the rest of a record.
///
/// # Errors
/// A field of a wrong type.
pub(super) fn details(text: &[u8]) -> Result<Details<'_>, String> {
    serde_json::from_slice(text).map_err(|error| said(&error))
}

type Members<'r> = BTreeMap<Cow<'r, str>, &'r RawValue>;

/// The request as it may have been: the resource by its MRN where only a look-up can have made it an object, the
/// principal without its merged annotations.
pub(super) fn unresolved(porc: &str) -> Option<Vec<u8>> {
    let mut porc: Members<'_> = serde_json::from_str(porc).ok()?;
    let resource: Option<Members<'_>> = porc
        .get("resource")
        .and_then(|resource| serde_json::from_str(resource.get()).ok());
    // No selector gives an owner or a classification: the request had them, and then it had an object.
    let mrn = resource
        .as_ref()
        .filter(|resource| !resource.contains_key("owner") && !resource.contains_key("classification"))
        .and_then(|resource| resource.get("id"));
    if let Some(mrn) = mrn {
        porc.insert(Cow::Borrowed("resource"), mrn);
    }
    let mut principal: Option<Members<'_>> = porc
        .get("principal")
        .and_then(|principal| serde_json::from_str(principal.get()).ok());
    let principal = principal.as_mut().map(|principal| {
        principal.remove("mannotations");
        serde_json::value::to_raw_value(principal)
    });
    let principal = principal.transpose().ok()?;
    if let Some(principal) = &principal {
        porc.insert(Cow::Borrowed("principal"), principal);
    }
    serde_json::to_vec(&porc).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_record_is_said() {
        for (text, said) in [
            ("", "EOF"),
            ("[]", "an array"),
            ("7", "invalid type"),
            ("{}", "no `decision`"),
            (r#"{"decision":"MAYBE","porc":{}}"#, "neither"),
            (r#"{"decision":"GRANT","porc":"x"}"#, "no object"),
            (
                r#"{"decision":"GRANT","porc":{},"metadata":{"timestamp":"noon"}}"#,
                "no time",
            ),
            (r#"{"decision":"GRANT","porc":{}} x"#, "trailing"),
        ] {
            let error = read(text.as_bytes()).err().unwrap();
            assert!(error.contains(said), "{text}: {error}");
            assert!(!error.contains("column"), "{error}");
        }
    }

    #[test]
    fn nothing_to_decide_is_no_mistake() {
        for text in [r#"{"gap":{"lost":3}}"#, r#"{"decision":"DENY","references":[]}"#] {
            assert!(matches!(read(text.as_bytes()), Ok(Line::Nothing)), "{text}");
        }
    }

    #[test]
    fn times_are_those_of_the_record() {
        let text =
            r#"{"decision":"DENY","porc":{},"metadata":{"timestamp":"2026-03-02T08:15:30.123456789Z"}}"#;
        let Ok(Line::Decision(recorded)) = read(text.as_bytes()) else {
            panic!("no decision")
        };
        assert_eq!(recorded.wall_ns, Some(1_772_439_330_123_456_789));
    }

    #[test]
    fn what_a_look_up_made_is_taken_back() {
        let check = |porc: &str, want: &str| {
            assert_eq!(String::from_utf8(unresolved(porc).unwrap()).unwrap(), want);
        };
        check(
            r#"{"principal":{"mannotations":{"a":1},"sub":"x"},"resource":{"group":"g","id":"mrn:a"},"n":1.50}"#,
            r#"{"n":1.50,"principal":{"sub":"x"},"resource":"mrn:a"}"#,
        );
        check(
            r#"{"resource":{"id":"mrn:a","owner":"o"}}"#,
            r#"{"resource":{"id":"mrn:a","owner":"o"}}"#,
        );
        check(
            r#"{"principal":"x","resource":{}}"#,
            r#"{"principal":"x","resource":{}}"#,
        );
    }
}
