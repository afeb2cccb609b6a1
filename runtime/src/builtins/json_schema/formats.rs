//! `format`: what gojsonschema checks. Names it does not know mean nothing.

use super::mail;
use crate::builtins::time::is_moment;
use crate::builtins::uri::Parts;
use crate::builtins::{Call, Failure};
use std::net::IpAddr;

/// A format that is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Date,
    Time,
    DateTime,
    Hostname,
    Email,
    Ipv4,
    Ipv6,
    Uri,
    UriReference,
    UriTemplate,
    Uuid,
    Regex,
    JsonPointer,
    RelativeJsonPointer,
}

const DATE: &str = "2006-01-02";
const CLOCK: &str = "15:04:05";
const CLOCK_WITH_ZONE: &str = "15:04:05Z07:00";
const RFC3339: &str = "2006-01-02T15:04:05Z07:00";

/// Longest host name.
const HOSTNAME_BYTES_MAX: usize = 255;
/// Longest part of one between points.
const LABEL_BYTES_MAX: usize = 63;

impl Format {
    pub(super) fn find(name: &str) -> Option<Format> {
        Some(match name {
            "date" => Format::Date,
            "time" => Format::Time,
            "date-time" => Format::DateTime,
            "hostname" => Format::Hostname,
            "email" | "idn-email" => Format::Email,
            "ipv4" => Format::Ipv4,
            "ipv6" => Format::Ipv6,
            "uri" | "iri" => Format::Uri,
            "uri-reference" | "iri-reference" => Format::UriReference,
            "uri-template" => Format::UriTemplate,
            "uuid" => Format::Uuid,
            "regex" => Format::Regex,
            "json-pointer" => Format::JsonPointer,
            "relative-json-pointer" => Format::RelativeJsonPointer,
            _ => return None,
        })
    }

    /// Whether a text has the format.
    pub(super) fn fits(self, call: &mut Call<'_, '_>, text: &str) -> Result<bool, Failure> {
        call.charge(1 + text.len())?;
        Ok(match self {
            Format::Date => is_moment(DATE, text),
            Format::Time => [CLOCK_WITH_ZONE, CLOCK]
                .iter()
                .any(|layout| is_moment(layout, text)),
            Format::DateTime => [CLOCK, CLOCK_WITH_ZONE, DATE, RFC3339]
                .iter()
                .any(|layout| is_moment(layout, text)),
            Format::Hostname => is_hostname(text),
            Format::Email => mail::is_address(text),
            Format::Ipv4 => text.contains('.') && text.parse::<IpAddr>().is_ok(),
            Format::Ipv6 => text.contains(':') && text.parse::<IpAddr>().is_ok(),
            Format::Uri => {
                !text.contains('\\') && Parts::of(text).is_some_and(|parts| !parts.scheme.is_empty())
            }
            Format::UriReference => !text.contains('\\') && Parts::of(text).is_some(),
            Format::UriTemplate => {
                !text.contains('\\') && Parts::of(text).is_some_and(|parts| is_template(&parts.path))
            }
            Format::Uuid => is_uuid(text),
            Format::Regex => return is_regex(call, text),
            Format::JsonPointer => is_pointer(text),
            Format::RelativeJsonPointer => is_relative_pointer(text),
        })
    }
}

fn is_hostname(text: &str) -> bool {
    let is_label = |label: &str| {
        let ends_fit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = label.as_bytes();
        bytes.len() <= LABEL_BYTES_MAX
            && ends_fit(bytes.first())
            && ends_fit(bytes.last())
            && bytes
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    };
    text.len() <= HOSTNAME_BYTES_MAX && text.split('.').all(is_label)
}

/// Every brace that is opened is closed.
fn is_template(path: &[u8]) -> bool {
    let mut rest = path;
    while let Some(open) = memchr::memchr(b'{', rest) {
        let within = rest.get(open..).unwrap_or_default();
        let Some(close) = memchr::memchr(b'}', within) else {
            return false;
        };
        rest = within.get(close + 1..).unwrap_or_default();
    }
    true
}

fn is_uuid(text: &str) -> bool {
    let sizes = [8, 4, 4, 4, 12];
    let mut parts = text.split('-');
    let fits = |size: usize| {
        let part = parts.next();
        part.is_some_and(|part| part.len() == size && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    sizes.into_iter().all(fits) && parts.next().is_none()
}

/// Goes through the cache of patterns, which has a price for patterns that are new.
fn is_regex(call: &mut Call<'_, '_>, text: &str) -> Result<bool, Failure> {
    if text.is_empty() {
        return Ok(true);
    }
    match call.caches.regex(text, call.fuel) {
        Ok(_) => Ok(true),
        Err(Failure::Error(_)) => Ok(false),
        Err(abort) => Err(abort),
    }
}

fn is_pointer(text: &str) -> bool {
    if text.is_empty() {
        return true;
    }
    let mut rest = text.bytes();
    let mut escaped = false;
    text.starts_with('/')
        && rest.all(|byte| {
            let fits = !escaped || matches!(byte, b'0' | b'1');
            escaped = byte == b'~';
            fits
        })
        && !escaped
}

fn is_relative_pointer(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    let is_number = number == "0" || (!number.is_empty() && !number.starts_with('0'));
    is_number && (rest == "#" || is_pointer(rest))
}
