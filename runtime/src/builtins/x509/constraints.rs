//! Name constraints: which names a certificate authority may speak for.

use super::certificate::Certificate;
use super::der::{Read, Reader, context};
use super::names::{Mailbox, is_domain};
use super::oid::NAME_CONSTRAINTS;
use super::oid::SUBJECT_ALT_NAME;
use super::strings::ascii;
use crate::builtins::uri::Parts;
use crate::builtins::{Call, Failure};
use std::net::IpAddr;

/// Parts of the spaces of names.
#[derive(Debug, Default)]
pub(super) struct Subtrees<'r> {
    pub(super) domains: Vec<&'r str>,
    /// Addresses and masks.
    pub(super) networks: Vec<(&'r [u8], &'r [u8])>,
    pub(super) emails: Vec<&'r str>,
    pub(super) uri_domains: Vec<&'r str>,
}

impl<'r> Subtrees<'r> {
    /// The subtrees of a list, and whether all are of known kinds.
    pub(super) fn read(mut list: Reader<'r>) -> Read<(Subtrees<'r>, bool)> {
        let (mut subtrees, mut all_known) = (Subtrees::default(), true);
        while !list.is_empty() {
            let base = list.sequence()?.any()?;
            match base.tag {
                tag if tag == context(1) => subtrees.emails.push(email_constraint(base.content)?),
                tag if tag == context(2) => subtrees.domains.push(domain_constraint(base.content)?),
                tag if tag == context(6) => {
                    let domain = domain_constraint(base.content)?;
                    if domain.parse::<IpAddr>().is_ok() {
                        return Err(Failure::BUILTIN);
                    }
                    subtrees.uri_domains.push(domain);
                }
                tag if tag == context(7) => subtrees.networks.push(network(base.content)?),
                _ => all_known = false,
            }
        }
        Ok((subtrees, all_known))
    }
}

fn domain_constraint(content: &[u8]) -> Read<&str> {
    let domain = ascii(content)?;
    if is_domain(content, true) {
        Ok(domain)
    } else {
        Err(Failure::BUILTIN)
    }
}

/// A whole address or a domain.
fn email_constraint(content: &[u8]) -> Read<&str> {
    let email = ascii(content)?;
    if !email.contains('@') {
        return domain_constraint(content);
    }
    Mailbox::read(email).map(|_| email).ok_or(Failure::BUILTIN)
}

fn network(content: &[u8]) -> Read<(&[u8], &[u8])> {
    if !matches!(content.len(), 8 | 32) {
        return Err(Failure::BUILTIN);
    }
    let (address, mask) = content.split_at(content.len() / 2);
    let ones = mask.iter().map(|byte| byte.leading_ones()).sum::<u32>();
    let set = mask.iter().map(|byte| byte.count_ones()).sum::<u32>();
    // All bits that are set come first.
    let first = mask.iter().take_while(|byte| **byte == 0xff).count();
    let only_zeros_behind = mask.iter().skip(first + 1).all(|byte| *byte == 0);
    if ones == set && only_zeros_behind {
        Ok((address, mask))
    } else {
        Err(Failure::BUILTIN)
    }
}

/// Whether every name of a chain is within the constraints of all certificates above its own.
pub(super) fn chain_is_within(call: &mut Call<'_, '_>, chain: &[&Certificate<'_>]) -> Read<bool> {
    for (at, certificate) in chain.iter().enumerate() {
        if certificate.extension(SUBJECT_ALT_NAME).is_none() {
            continue;
        }
        let above: Vec<&&Certificate<'_>> = chain
            .iter()
            .skip(at + 1)
            .filter(|one| one.extension(NAME_CONSTRAINTS).is_some())
            .collect();
        if above.is_empty() {
            continue;
        }
        let Some(names) = Names::of(certificate) else {
            return Ok(false);
        };
        for authority in above {
            let (permitted, excluded) = (&authority.extensions.permitted, &authority.extensions.excluded);
            // Every name is compared with every constraint, at most byte by byte.
            call.charge(names.len() * (1 + authority.raw.len() / 8))?;
            if !names.are_within(permitted, excluded) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// The names of one certificate, ready to be compared.
struct Names<'a> {
    domains: &'a [&'a str],
    addresses: &'a [&'a [u8]],
    uri_hosts: Vec<String>,
    mailboxes: Vec<Mailbox>,
}

impl<'a> Names<'a> {
    /// `None` if there is one that cannot be compared.
    fn of(certificate: &'a Certificate<'_>) -> Option<Names<'a>> {
        let names = &certificate.extensions.names;
        Some(Names {
            domains: &names.domains,
            addresses: &names.addresses,
            uri_hosts: names.uris.iter().map(uri_host).collect::<Option<_>>()?,
            mailboxes: names
                .emails
                .iter()
                .map(|email| Mailbox::read(email))
                .collect::<Option<_>>()?,
        })
    }

    fn len(&self) -> usize {
        self.domains.len() + self.addresses.len() + self.uri_hosts.len() + self.mailboxes.len()
    }

    fn are_within(&self, permitted: &Subtrees<'_>, excluded: &Subtrees<'_>) -> bool {
        let domain = |name: &str, permitted: &[&str], excluded: &[&str]| {
            is_domain(name.as_bytes(), false)
                && (permitted.is_empty() || is_in_domains(name, permitted, true))
                && !is_in_domains(name, excluded, false)
        };
        self.addresses.iter().all(|address| {
            let is_in = |networks: &[(&[u8], &[u8])]| {
                networks.iter().any(|network| contains_address(*network, address))
            };
            (permitted.networks.is_empty() || is_in(&permitted.networks)) && !is_in(&excluded.networks)
        }) && self
            .domains
            .iter()
            .all(|name| domain(name, &permitted.domains, &excluded.domains))
            && self
                .uri_hosts
                .iter()
                .all(|host| domain(host, &permitted.uri_domains, &excluded.uri_domains))
            && self.mailboxes.iter().all(|mailbox| {
                is_domain(mailbox.domain.as_bytes(), false)
                    && (permitted.emails.is_empty() || is_in_mailboxes(mailbox, &permitted.emails, true))
                    && !is_in_mailboxes(mailbox, &excluded.emails, false)
            })
    }
}

/// The host of a URI without its port; `None` if it has none or is an address, which no constraint speaks of.
fn uri_host(uri: &Parts) -> Option<String> {
    let host = std::str::from_utf8(&uri.host).ok()?;
    let mut name = host;
    if host.contains(':') && !host.ends_with(']') {
        name = host.rsplit_once(':')?.0;
        if name.contains(':') || name.starts_with('[') {
            return None;
        }
    }
    let address = name.split('%').next().unwrap_or(name);
    let is_name = !host.is_empty() && address.parse::<IpAddr>().is_err() && !name.starts_with('[');
    is_name.then(|| name.to_ascii_lowercase())
}

fn contains_address((network, mask): (&[u8], &[u8]), address: &[u8]) -> bool {
    network.len() == address.len()
        && network
            .iter()
            .zip(mask)
            .zip(address)
            .all(|((network, mask), byte)| network & mask == byte & mask)
}

fn is_in_mailboxes(mailbox: &Mailbox, constraints: &[&str], are_permitted: bool) -> bool {
    let (whole, domains): (Vec<&str>, Vec<&str>) = constraints
        .iter()
        .copied()
        .partition(|constraint| constraint.contains('@'));
    whole
        .iter()
        .any(|constraint| Mailbox::read(constraint).as_ref() == Some(mailbox))
        || is_in_domains(&mailbox.domain, &domains, are_permitted)
}

/// Whether a name is one of the domains or below it. A wildcard is excluded with each name that it stands for.
fn is_in_domains(name: &str, domains: &[&str], are_permitted: bool) -> bool {
    let behind_label = |name: &str| {
        name.find('.')
            .map(|at| name.get(at..).unwrap_or_default().to_owned())
    };
    let wildcard = match name.starts_with('*') && !are_permitted {
        true => behind_label(name),
        false => None,
    };
    domains.iter().any(|domain| {
        is_suffix(domain, name)
            || wildcard.as_ref().is_some_and(|parent| {
                behind_label(domain).is_some_and(|behind| behind.eq_ignore_ascii_case(parent))
            })
    })
}

/// Whether a name ends with the labels of a domain. One that begins with a point has names below it only.
fn is_suffix(domain: &str, name: &str) -> bool {
    if domain.is_empty() {
        return true;
    }
    let Some(before) = name.len().checked_sub(domain.len()) else {
        return false;
    };
    let same_end = name
        .as_bytes()
        .get(before..)
        .is_some_and(|end| end.eq_ignore_ascii_case(domain.as_bytes()));
    let at_label = before == 0 || domain.starts_with('.') || name.as_bytes().get(before - 1) == Some(&b'.');
    same_end && at_label
}
