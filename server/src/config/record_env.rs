//! `audit.env`: names and values that every access record has, from the environment, the pod or the file itself.

use std::collections::BTreeMap;

use serde_json::Value;

use super::file::Environment;
use super::podinfo::PodInfo;
use crate::log::{self, Level};
use crate::words::nearest;

/// What an entry has.
const ENTRY_KEYS: [&str; 3] = ["name", "type", "value"];

/// Whether an entry has its value from the pod.
pub(super) fn asks_the_pod(value: &Value) -> bool {
    let entries = value.as_array().map_or(&[][..], Vec::as_slice);
    entries.iter().filter_map(Value::as_object).any(|entry| {
        entry
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("type"))
            .any(|(_, kind)| matches!(kind.as_str(), Some("k8s-label" | "k8s-annot")))
    })
}

/// What `audit.env` adds to records.
///
/// # Errors
/// It is no list of entries, or an entry lacks something or has something else.
pub(super) fn resolved(
    value: &Value,
    podinfo: &PodInfo,
    environment: &Environment<'_>,
) -> Result<BTreeMap<String, String>, String> {
    let mut out = BTreeMap::new();
    let Value::Array(entries) = value else {
        return Err("audit.env must be a list of {name, type, value}".to_owned());
    };
    for entry in entries {
        if let Some(other) = entry.as_object().and_then(|members| {
            members
                .keys()
                .find(|key| !ENTRY_KEYS.iter().any(|known| key.eq_ignore_ascii_case(known)))
        }) {
            let advice = nearest(other, &ENTRY_KEYS).unwrap_or_default();
            return Err(format!(
                "audit.env: unknown key `{other}` in an entry, the nearest known one is `{advice}`"
            ));
        }
        let member = |name: &str| {
            let members = entry.as_object()?;
            members
                .iter()
                .find(|(key, value)| key.eq_ignore_ascii_case(name) && !value.is_null())
                .and_then(|(_, value)| scalar(value))
        };
        let (Some(name), Some(kind)) = (member("name"), member("type")) else {
            return Err(format!("audit.env: {entry} lacks a name or a type"));
        };
        let source = member("value").unwrap_or_default();
        let resolved = match kind.as_str() {
            // Text that is not UTF-8 would cost the whole record; the readable part is worth more.
            "env" => environment(&source)
                .map(|value| value.to_string_lossy().into_owned())
                .unwrap_or_default(),
            "string" => source,
            "k8s-label" => podinfo.label(&source),
            "k8s-annot" => podinfo.annotation(&source),
            other => {
                let text = format_args!("audit.env: unknown type {other:?} for entry {name:?}, skipping");
                log::line(Level::Warn, text);
                continue;
            }
        };
        out.insert(name, resolved);
    }
    Ok(out)
}

/// A scalar as text, with the reference's spellings.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(if *value { "1" } else { "0" }.to_owned()),
        Value::Number(number) if number.is_f64() => number.as_f64().map(|n| n.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
