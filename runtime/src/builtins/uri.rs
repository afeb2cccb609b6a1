//! URIs, split the way Go's `net/url` splits them.

use super::bytes::string_of;
use super::operand::{args, string};
use super::{BuiltinResult, Call, Failure};
use crate::arena::List;
use crate::value::{Entry, Value, object_from};
use std::net::Ipv6Addr;

/// The parts of a URI; OPA does not show all of them.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// In lower case.
    pub(super) scheme: String,
    /// What stands behind the scheme of a URI without a slash there: `a@b` of `mailto:a@b`.
    pub(super) opaque: String,
    /// Decoded name, and password if there is a colon.
    pub(super) user: Option<(Vec<u8>, Option<Vec<u8>>)>,
    /// Name and port, unescaped.
    pub(super) host: Vec<u8>,
    /// There is one slash behind the scheme, so that none is written for a host.
    pub(super) omits_host: bool,
    /// A question mark with nothing behind it.
    pub(super) empty_query: bool,
    /// The fragment as it was written.
    pub(super) raw_fragment: String,
    hostname: Vec<u8>,
    port: String,
    /// Without escapes.
    pub(super) path: Vec<u8>,
    /// The path as it was written, where that differs from how Go would write it.
    pub(super) raw_path: String,
    pub(super) raw_query: String,
    /// Without escapes.
    pub(super) fragment: Vec<u8>,
}

/// Where a text stands in a URI: it decides which characters may stand unescaped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Path,
    Host,
    Zone,
    Other,
}

/// `uri.parse(text)`: the parts that are not empty; userinfo and opaque parts are not among them.
pub(super) fn parse<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    let text = string(text)?;
    call.charge(text.len())?;
    let parts = Parts::of(text).ok_or(Failure::BUILTIN)?;
    let raw_path = match parts.raw_path.as_bytes() {
        [] => &parts.path,
        raw => raw,
    };
    let arena = call.arena;
    let mut entries = List::new(arena);
    for (key, bytes) in [
        ("scheme", parts.scheme.as_bytes()),
        ("hostname", &parts.hostname),
        ("port", parts.port.as_bytes()),
        ("path", &parts.path),
        ("raw_path", raw_path),
        ("raw_query", parts.raw_query.as_bytes()),
        ("fragment", &parts.fragment),
    ] {
        if !bytes.is_empty() {
            let value = string_of(arena, arena.bytes(bytes)?)?;
            entries.push(Entry {
                key: Value::string(key),
                value,
            })?;
        }
    }
    Ok(object_from(arena, entries.finish())?)
}

/// `uri.is_valid(text)`: false for the empty text and for what is no string.
pub(super) fn is_valid<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    let Some(text) = text.as_str() else {
        return Ok(Value::FALSE);
    };
    call.charge(text.len())?;
    Ok(Value::bool(!text.is_empty() && Parts::of(text).is_some()))
}

/// The text of a URL as Go's `net/url` writes it after reading it; nothing if it cannot be read.
#[must_use]
pub fn normal_url(text: &str) -> Option<String> {
    Some(Parts::of(text)?.text())
}

impl Parts {
    /// The parts of a text that is a URI or a reference to one.
    pub(super) fn of(text: &str) -> Option<Parts> {
        let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
        let mut parts = Parts {
            fragment: unescaped(fragment, Place::Other)?,
            raw_fragment: fragment.to_owned(),
            ..Parts::default()
        };
        if text.bytes().any(|b| b < b' ' || b == 0x7f) {
            return None;
        }
        if text == "*" {
            parts.path = b"*".to_vec();
            return Some(parts);
        }
        let (scheme, rest) = split_scheme(text)?;
        parts.scheme = scheme.to_ascii_lowercase();
        let (mut rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        parts.raw_query = query.to_owned();
        parts.empty_query = query.is_empty() && text.ends_with('?');
        if !rest.starts_with('/') {
            if !scheme.is_empty() {
                parts.opaque = rest.to_owned();
                return Some(parts);
            }
            let segment = rest.split('/').next().unwrap_or(rest);
            if segment.contains(':') {
                return None;
            }
        }
        if let Some(behind) = rest.strip_prefix("//")
            && (!scheme.is_empty() || !behind.starts_with('/'))
        {
            let end = behind.find('/').unwrap_or(behind.len());
            let (authority, path) = behind.split_at(end);
            parts.set_authority(authority)?;
            rest = path;
        } else {
            parts.omits_host = !scheme.is_empty();
        }
        parts.path = unescaped(rest, Place::Path)?;
        if escaped_path(&parts.path) != rest {
            parts.raw_path = rest.to_owned();
        }
        Some(parts)
    }

    fn set_authority(&mut self, authority: &str) -> Option<()> {
        let (userinfo, host) = match authority.rsplit_once('@') {
            Some((userinfo, host)) => (Some(userinfo), host),
            None => (None, authority),
        };
        let host = self.host(host)?;
        if let Some(userinfo) = userinfo {
            let fits = |c: char| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c);
            if !userinfo.chars().all(fits) {
                return None;
            }
            let (name, password) = match userinfo.split_once(':') {
                Some((name, password)) => (name, Some(unescaped(password, Place::Other)?)),
                None => (userinfo, None),
            };
            self.user = Some((unescaped(name, Place::Other)?, password));
        }
        let colon = host.iter().rposition(|b| *b == b':');
        let (mut name, mut port) = (host.as_slice(), &[][..]);
        if let Some((before, behind)) = colon.and_then(|colon| host.split_at_checked(colon))
            && is_port(behind)
        {
            (name, port) = (before, behind.get(1..).unwrap_or_default());
        }
        if let Some(inner) = name.strip_prefix(b"[").and_then(|name| name.strip_suffix(b"]")) {
            name = inner;
        }
        self.hostname = name.to_vec();
        self.port = String::from_utf8_lossy(port).into_owned();
        self.host = host;
        Some(())
    }

    /// The URI as Go writes it.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        if !self.scheme.is_empty() {
            out.push_str(&self.scheme);
            out.push(':');
        }
        if self.opaque.is_empty() {
            self.write_authority(&mut out);
            let path = self.path_text();
            if !path.is_empty() && !path.starts_with('/') && !self.host.is_empty() {
                out.push('/');
            }
            if out.is_empty()
                && path
                    .split('/')
                    .next()
                    .is_some_and(|segment| segment.contains(':'))
            {
                out.push_str("./");
            }
            out.push_str(&path);
        } else {
            out.push_str(&self.opaque);
        }
        if self.empty_query || !self.raw_query.is_empty() {
            out.push('?');
            out.push_str(&self.raw_query);
        }
        if !self.raw_fragment.is_empty() {
            out.push('#');
            if is_encoded(self.raw_fragment.as_bytes(), IN_FRAGMENT) {
                out.push_str(&self.raw_fragment);
            } else {
                out.push_str(&escaped(&self.fragment, IN_FRAGMENT));
            }
        }
        out
    }

    /// The path with its escapes.
    pub(super) fn path_text(&self) -> String {
        match self.raw_path.as_bytes() {
            _ if self.path == b"*" => "*".to_owned(),
            [] => escaped_path(&self.path),
            raw if is_encoded(raw, IN_PATH) => self.raw_path.clone(),
            _ => escaped_path(&self.path),
        }
    }

    fn write_authority(&self, out: &mut String) {
        let has_host = !self.host.is_empty() || self.user.is_some();
        if !has_host && (self.scheme.is_empty() || self.omits_host || self.path.is_empty()) {
            return;
        }
        out.push_str("//");
        if let Some((name, password)) = &self.user {
            out.push_str(&escaped(name, b"$&+,-.;=_~"));
            if let Some(password) = password {
                out.push(':');
                out.push_str(&escaped(password, b"$&+,-.;=_~"));
            }
            out.push('@');
        }
        out.push_str(&escaped(&self.host, IN_HOST));
    }

    /// Host and port, unescaped.
    fn host(&self, host: &str) -> Option<Vec<u8>> {
        match host.rfind('[') {
            Some(0) => return literal_host(host),
            Some(_) => return None,
            None => {}
        }
        if let (Some(first), Some(last)) = (host.find(':'), host.rfind(':')) {
            // Several colons are an error for the schemes of the web, and a list of hosts elsewhere.
            let is_web = matches!(self.scheme.as_str(), "http" | "https");
            let from = if is_web { first } else { last };
            if !is_port(host.as_bytes().get(from..)?) {
                return None;
            }
        }
        unescaped(host, Place::Host)
    }
}

/// `[address]:port`
fn literal_host(host: &str) -> Option<Vec<u8>> {
    let close = host.rfind(']')?;
    let (name, port) = (host.get(1..close)?, host.get(close + 1..)?);
    if !is_port(port.as_bytes()) {
        return None;
    }
    let (address, zone) = name.split_at(name.find("%25").unwrap_or(name.len()));
    let address = unescaped(address, Place::Host)?;
    let zone = unescaped(zone, Place::Zone)?;
    std::str::from_utf8(&address).ok()?.parse::<Ipv6Addr>().ok()?;
    // A zone is a percent sign and at least one character.
    if zone == b"%" {
        return None;
    }
    Some([b"[", address.as_slice(), &zone, b"]", port.as_bytes()].concat())
}

/// Nothing, or a colon and digits.
fn is_port(text: &[u8]) -> bool {
    match text.split_first() {
        None => true,
        Some((first, digits)) => *first == b':' && digits.iter().all(u8::is_ascii_digit),
    }
}

/// The scheme (empty for none) and what follows it; `None` for a colon without a scheme.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    for (at, c) in text.char_indices() {
        match c {
            'a'..='z' | 'A'..='Z' => {}
            '0'..='9' | '+' | '-' | '.' if at > 0 => {}
            ':' if at == 0 => return None,
            ':' => return Some((text.get(..at)?, text.get(at + 1..)?)),
            _ => break,
        }
    }
    Some(("", text))
}

/// The bytes of a part; `None` for wrong escapes, and for characters that may not stand in its place.
fn unescaped(text: &str, place: Place) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        if *first != b'%' {
            let in_host = matches!(place, Place::Host | Place::Zone);
            if in_host && first.is_ascii() && !fits_host(*first) {
                return None;
            }
            out.push(*first);
            rest = behind;
            continue;
        }
        let digit = |at: usize| char::from(*behind.get(at)?).to_digit(16);
        let byte = u8::try_from(digit(0)? << 4 | digit(1)?).ok()?;
        let allowed = match place {
            Place::Path | Place::Other => true,
            Place::Host => byte >= 0x80 || byte == b'%',
            Place::Zone => byte == b'%' || byte == b' ' || fits_host(byte),
        };
        if !allowed {
            return None;
        }
        out.push(byte);
        rest = behind.get(2..)?;
    }
    Some(out)
}

fn fits_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!\"$&'()*+,-.:;<=>[]_~".contains(&byte)
}

/// What Go leaves as it is in a host.
pub(super) const IN_HOST: &[u8] = b"!\"$&'()*+,-.:;<=>[]_~";

/// What Go leaves as it is in a path.
pub(super) const IN_PATH: &[u8] = b"$&+,-./:;=@_~";

/// What Go leaves as it is in a fragment.
pub(super) const IN_FRAGMENT: &[u8] = b"!$&()*+,-./:;=?@_~";

/// A path with the escapes that Go writes.
pub(super) fn escaped_path(path: &[u8]) -> String {
    escaped(path, IN_PATH)
}

/// Letters, digits and `plain` as they are, all else escaped.
pub(super) fn escaped(bytes: &[u8], plain: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || plain.contains(byte) {
            out.push(char::from(*byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Whether a written part needs no other escapes, if they are not those that Go would choose.
pub(super) fn is_encoded(written: &[u8], plain: &[u8]) -> bool {
    written.iter().all(|byte| {
        byte.is_ascii_alphanumeric() || plain.contains(byte) || b"!$&'()*+,;=:@[]%".contains(byte)
    })
}

/// Go's error for a text that is no URI.
pub(super) fn why_invalid(text: &str) -> String {
    let (before, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (shown, why) = match wrong_before_fragment(before) {
        Some(why) => (before, why),
        None => (text, wrong_escape(fragment).unwrap_or_default()),
    };
    let mut quoted = Vec::new();
    crate::json::write_string(&mut quoted, shown, crate::json::Escape::Plain);
    format!("parse {}: {why}", String::from_utf8_lossy(&quoted))
}

fn wrong_before_fragment(text: &str) -> Option<String> {
    if text.bytes().any(|b| b < b' ' || b == 0x7f) {
        return Some("net/url: invalid control character in URL".to_owned());
    }
    let Some((scheme, rest)) = split_scheme(text) else {
        return Some("missing protocol scheme".to_owned());
    };
    let rest = rest.split('?').next().unwrap_or_default();
    if !rest.starts_with('/') {
        if !scheme.is_empty() {
            return None;
        }
        if rest
            .split('/')
            .next()
            .is_some_and(|segment| segment.contains(':'))
        {
            return Some("first path segment in URL cannot contain colon".to_owned());
        }
    }
    match rest.strip_prefix("//") {
        Some(behind) if !scheme.is_empty() || !behind.starts_with('/') => {
            let (authority, path) = behind.split_at(behind.find('/').unwrap_or(behind.len()));
            wrong_authority(authority).or_else(|| wrong_escape(path))
        }
        _ => wrong_escape(rest),
    }
}

fn wrong_authority(authority: &str) -> Option<String> {
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    match host.rfind('[') {
        Some(0) if !host.contains(']') => return Some("missing ']' in host".to_owned()),
        Some(_) => return Some("invalid IP-literal".to_owned()),
        None => {}
    }
    if let Some(port) = host.find(':').and_then(|at| host.get(at..))
        && !is_port(port.as_bytes())
    {
        return Some(format!("invalid port \"{port}\" after host"));
    }
    if let Some(why) = wrong_escape(host) {
        return Some(why);
    }
    if let Some(byte) = host
        .bytes()
        .find(|b| b.is_ascii() && *b != b'%' && !fits_host(*b))
    {
        return Some(format!(
            "invalid character {:?} in host name",
            char::from(byte).to_string()
        ));
    }
    match user {
        Some(user) => wrong_escape(user).or_else(|| Some("net/url: invalid userinfo".to_owned())),
        None => None,
    }
}

fn wrong_escape(text: &str) -> Option<String> {
    let wrong = text.match_indices('%').find(|(at, _)| {
        let digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_hexdigit);
        !(digit(at + 1) && digit(at + 2))
    });
    let shown: String = text.get(wrong?.0..)?.chars().take(3).collect();
    Some(format!("invalid URL escape {shown:?}"))
}
