//! The keys below `audit` that say what access records show, and of what there are any.

use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gavel_runtime::decision::Redact;
use serde_json::Value;

use super::file::{Setting, Settings};
use super::keys::{HASH, HASH_KEY_FILE, REDACT, SAMPLE_GRANTS};
use super::values::names;
use crate::audit::{HashKey, Redactions};
use crate::error::{Failure, reason};
use crate::{files, limits};

/// A key that is shorter could be found by trying.
const KEY_BYTES_MIN: usize = 16;

/// What access records show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRules {
    /// JSON Pointers of what is removed.
    pub remove: Vec<String>,
    /// JSON Pointers of what is hashed.
    pub hash: Vec<String>,
    /// Where the key of the hashes is.
    pub hash_key_file: Option<PathBuf>,
    /// Of so many grants one is recorded.
    pub grants_sample: NonZeroU64,
}

impl Default for RecordRules {
    fn default() -> RecordRules {
        RecordRules {
            remove: Vec::new(),
            hash: Vec::new(),
            hash_key_file: None,
            grants_sample: NonZeroU64::MIN,
        }
    }
}

impl RecordRules {
    /// Takes the keys out of `settings`.
    pub(super) fn take(settings: &mut Settings) -> Result<RecordRules, String> {
        let mut rules = RecordRules::default();
        for (key, pointers) in [(REDACT, &mut rules.remove), (HASH, &mut rules.hash)] {
            if let Some(said) = settings.remove(key) {
                *pointers = pointers_of(&said, key)?;
            }
        }
        if let Some(said) = settings.remove(HASH_KEY_FILE) {
            match &said.value {
                Value::String(path) if !path.is_empty() => rules.hash_key_file = Some(path.into()),
                value => return Err(said.wrong(format!("{HASH_KEY_FILE}: {value} is no path"))),
            }
        }
        if !rules.hash.is_empty() && rules.hash_key_file.is_none() {
            return Err(format!(
                "{HASH} needs {HASH_KEY_FILE}, the file with the key of the hashes"
            ));
        }
        if let Some(said) = settings.remove(SAMPLE_GRANTS) {
            let text = match &said.value {
                Value::String(text) => text.trim().to_owned(),
                other => other.to_string(),
            };
            rules.grants_sample = text.parse().map_err(|_| {
                let text = "is no number from 1 on: one of so many grants is recorded";
                said.wrong(format!("{SAMPLE_GRANTS}: {} {text}", said.value))
            })?;
        }
        Ok(rules)
    }

    /// What is not shown, if anything.
    ///
    /// # Errors
    /// The key cannot be read, or is too short.
    pub fn redactions(&self) -> Result<Option<Arc<dyn Redact>>, Failure> {
        if self.remove.is_empty() && self.hash.is_empty() {
            return Ok(None);
        }
        let key = match &self.hash_key_file {
            Some(path) if !self.hash.is_empty() => Some(key(path)?),
            _ => None,
        };
        let made = Redactions::new(&self.remove, &self.hash, key);
        let redactions = made.map_err(|why| Failure::Operator(format!("error reading config: {why}")))?;
        Ok(Some(Arc::new(redactions)))
    }
}

fn pointers_of(said: &Setting, key: &str) -> Result<Vec<String>, String> {
    let pointers = names(&said.value).ok_or_else(|| {
        let text = "is neither a list of JSON Pointers nor a text with commas";
        said.wrong(format!("{key}: {} {text}", said.value))
    })?;
    Redactions::new(&pointers, &[], None).map_err(|why| said.wrong(format!("{key}: {why}")))?;
    Ok(pointers)
}

/// The key in a file, without the line end that editors add.
fn key(path: &Path) -> Result<HashKey, Failure> {
    let bytes = files::bytes(path, limits::TEXT_BYTES_MAX).map_err(|error| {
        let (name, why) = (path.display(), reason(&error));
        Failure::Operator(format!("{HASH_KEY_FILE}: {name}: {why}"))
    })?;
    let key = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let key = key.strip_suffix(b"\r").unwrap_or(key);
    let long_enough = (key.len() >= KEY_BYTES_MIN).then_some(key);
    long_enough.and_then(HashKey::new).ok_or_else(|| {
        let name = path.display();
        Failure::Operator(format!(
            "{HASH_KEY_FILE}: {name}: a key has at least {KEY_BYTES_MIN} bytes"
        ))
    })
}
