//! Whether a certificate stands for a host.

use super::certificate::Certificate;
use std::net::IpAddr;

/// Whether a certificate is valid for a host: an address, or a name that may be one of a wildcard's.
pub(super) fn is_valid_for(certificate: &Certificate<'_>, host: &str) -> bool {
    let names = &certificate.extensions.names;
    let address = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(inner) if !inner.is_empty() => inner,
        _ => host,
    };
    if let Ok(address) = address.parse::<IpAddr>() {
        return names
            .addresses
            .iter()
            .any(|one| address_of(one).is_some_and(|one| one.to_canonical() == address.to_canonical()));
    }
    let host = host.to_ascii_lowercase();
    let is_name = is_host_name(host.strip_suffix('.').unwrap_or(&host), false);
    names.domains.iter().any(|name| {
        if is_name && is_host_name(name, true) {
            matches_pattern(name, &host)
        } else {
            let is_whole = |name: &str| !name.is_empty() && name != ".";
            is_whole(name) && is_whole(&host) && name.eq_ignore_ascii_case(&host)
        }
    })
}

fn address_of(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::from(bytes));
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}

/// Whether a name may be a host's. The first label of a pattern may be `*`.
fn is_host_name(name: &str, is_pattern: bool) -> bool {
    if name.is_empty() || name == "*" {
        return false;
    }
    name.split('.').enumerate().all(|(at, label)| {
        let fits =
            |(at, byte): (usize, u8)| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' && at > 0;
        is_pattern && at == 0 && label == "*" || !label.is_empty() && label.bytes().enumerate().all(fits)
    })
}

fn matches_pattern(pattern: &str, host: &str) -> bool {
    let host: Vec<&str> = host.strip_suffix('.').unwrap_or(host).split('.').collect();
    let pattern: Vec<&str> = pattern.split('.').collect();
    pattern.len() == host.len()
        && pattern
            .iter()
            .zip(host)
            .enumerate()
            .all(|(at, (label, wanted))| at == 0 && *label == "*" || label.eq_ignore_ascii_case(wanted))
}
