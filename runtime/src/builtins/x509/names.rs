//! Alternative names of a subject, and what makes a domain or a mailbox.

use super::der::{Read, Reader, context};
use super::strings::ascii;
use crate::arena::Arena;
use crate::builtins::Failure;
use crate::builtins::uri::Parts;

/// The names for which a certificate stands.
#[derive(Debug, Default)]
pub(super) struct AlternativeNames<'r> {
    pub(super) domains: Vec<&'r str>,
    pub(super) emails: Vec<&'r str>,
    /// Addresses of four or sixteen bytes.
    pub(super) addresses: Vec<&'r [u8]>,
    pub(super) uris: Vec<Parts>,
}

impl<'r> AlternativeNames<'r> {
    /// The names that an extension lists; kinds that nobody uses are left out.
    pub(super) fn read(arena: &'r Arena, mut value: Reader<'r>) -> Read<AlternativeNames<'r>> {
        let mut list = value.sequence()?;
        let mut names = AlternativeNames::default();
        while !list.is_empty() {
            let name = list.any()?;
            match name.tag {
                tag if tag == context(1) => names.emails.push(ascii(name.content)?),
                tag if tag == context(2) => names.domains.push(ascii(name.content)?),
                tag if tag == context(6) => names.uris.push(uri(arena, name.content)?),
                tag if tag == context(7) && matches!(name.content.len(), 4 | 16) => {
                    names.addresses.push(name.content);
                }
                tag if tag == context(7) => return Err(Failure::BUILTIN),
                _ => {}
            }
        }
        Ok(names)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.domains.is_empty() && self.emails.is_empty() && self.addresses.is_empty() && self.uris.is_empty()
    }
}

fn uri(arena: &Arena, content: &[u8]) -> Read<Parts> {
    let uri = Parts::of(arena.text(ascii(content)?)?).ok_or(Failure::BUILTIN)?;
    if is_domain(&uri.host, false) {
        Ok(uri)
    } else {
        Err(Failure::BUILTIN)
    }
}

/// Whether a text may be a domain: visible characters in labels that are not empty. A constraint may begin with a point.
/// The empty text is one.
pub(super) fn is_domain(name: &[u8], is_constraint: bool) -> bool {
    let name = match name {
        [] => return true,
        [.., b'.'] => return false,
        [b'.', name @ ..] if is_constraint => name,
        name => name,
    };
    name.split(|byte| *byte == b'.')
        .all(|label| !label.is_empty() && label.iter().all(u8::is_ascii_graphic))
}

/// A mail address.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mailbox {
    /// Before the `@`, without quotes.
    local: Vec<u8>,
    /// Behind it, in lower case.
    pub(super) domain: String,
}

impl Mailbox {
    /// An address as RFC 2821 has it, with the blanks and escapes that are in use.
    pub(super) fn read(address: &str) -> Option<Mailbox> {
        let bytes = address.as_bytes();
        let (local, rest) = match bytes.strip_prefix(b"\"") {
            Some(quoted) => quoted_local(quoted)?,
            None => plain_local(bytes)?,
        };
        let domain = std::str::from_utf8(rest.strip_prefix(b"@")?).ok()?;
        let is_domain = domain.is_empty()
            || domain
                .split('.')
                .all(|label| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_graphic()));
        is_domain.then(|| Mailbox {
            local,
            domain: domain.to_ascii_lowercase(),
        })
    }
}

/// The text up to the closing quote, and what follows.
fn quoted_local(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let is_text = |byte: u8| matches!(byte, 1..=9 | 11 | 12 | 14..=127);
    let mut local = Vec::new();
    loop {
        match rest {
            [b'"', behind @ ..] => return Some((local, behind)),
            [b'\\', escaped, behind @ ..] if is_text(*escaped) => {
                local.push(*escaped);
                rest = behind;
            }
            [b'\\', ..] => return None,
            [byte @ (1..=8 | 11 | 12 | 14..=33 | 35..=127), behind @ ..] => {
                local.push(*byte);
                rest = behind;
            }
            _ => return None,
        }
    }
}

/// Words with points between them, and what follows.
fn plain_local(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut local = Vec::new();
    loop {
        match rest {
            [b'\\', escaped, behind @ ..] => {
                local.push(*escaped);
                rest = behind;
            }
            [b'\\'] => return None,
            [byte, behind @ ..] if byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(byte) => {
                local.push(*byte);
                rest = behind;
            }
            _ => break,
        }
    }
    let has_empty_word = local.split(|byte| *byte == b'.').any(<[u8]>::is_empty);
    (!has_empty_word).then_some((local, rest))
}
