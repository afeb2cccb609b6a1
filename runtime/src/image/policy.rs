//! A policy of an image, as decisions and records need it.

use super::parts::{Entry, PolicyPart};
use crate::builtins::base64_text;
use crate::json::{self, Escape};

/// A policy of an image.
#[derive(Debug)]
pub struct Policy {
    /// MRN.
    pub mrn: Box<str>,
    /// SHA-256 in base64, as records show it.
    pub fingerprint_base64: Box<str>,
    /// Both as an object of JSON, as records show it: the same for each, so that it is made once.
    pub(crate) record: Box<[u8]>,
    /// What its query asks for.
    pub entry: Entry,
}

impl Policy {
    pub(super) fn new(part: PolicyPart) -> Policy {
        let fingerprint_base64 = base64_text(&part.fingerprint);
        Policy {
            record: record(&fingerprint_base64, &part.mrn).into(),
            mrn: part.mrn.into(),
            fingerprint_base64: fingerprint_base64.into(),
            entry: part.entry,
        }
    }
}

fn record(fingerprint_base64: &str, mrn: &str) -> Vec<u8> {
    let mut out = b"{\"fingerprint\":".to_vec();
    json::write_string(&mut out, fingerprint_base64, Escape::Html);
    out.extend_from_slice(b",\"mrn\":");
    json::write_string(&mut out, mrn, Escape::Html);
    out.push(b'}');
    out
}
