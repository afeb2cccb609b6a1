//! A policy of an image, as decisions and records need it.

use super::parts::{Entry, PolicyPart};
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
        let fingerprint_base64 = base64(&part.fingerprint);
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

/// Standard base64 with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let letter = ALPHABET.get((bits >> (18 - 6 * place)) as usize & 63);
            let letter = letter.copied().unwrap_or(b'=');
            text.push(if place <= chunk.len() { letter as char } else { '=' });
        }
    }
    text
}
