//! Which hosts a mapper may ask.

use std::fmt;
use std::str::FromStr;

use http::Uri;

/// One `HOST[:PORT]`; without a port, any port of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    host: String,
    port: Option<u16>,
}

impl FromStr for Allowed {
    type Err = String;

    fn from_str(text: &str) -> Result<Allowed, String> {
        if text.contains("://") || text.contains('*') {
            return Err("it must be HOST or HOST:PORT, without scheme, path and wildcards".to_owned());
        }
        let authority = http::uri::Authority::from_str(text).map_err(|error| error.to_string())?;
        let port = match authority.port() {
            Some(port) => Some(
                port.as_str()
                    .parse()
                    .map_err(|_| "its port is no port".to_owned())?,
            ),
            None if authority.as_str() != authority.host() => {
                return Err("it must be HOST or HOST:PORT, with a number for the port".to_owned());
            }
            None => None,
        };
        let host = normal(authority.host());
        if host.is_empty() || text.contains('@') {
            return Err("it must be HOST or HOST:PORT, and nothing else".to_owned());
        }
        Ok(Allowed { host, port })
    }
}

/// The hosts that a mapper may ask.
#[derive(Clone, Debug, Default)]
pub struct AllowList(pub Vec<Allowed>);

/// A host that is not allowed, in OPA's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Disallowed(String);

impl fmt::Display for Disallowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "disallowed host: {}", self.0)
    }
}

impl AllowList {
    /// Whether a URL may be asked. Its host is what will be connected to; what it resolves to is not looked at.
    pub(super) fn check(&self, url: &Uri) -> Result<(), Disallowed> {
        let host = normal(url.host().unwrap_or_default());
        let default_port = if url.scheme_str() == Some("https") {
            443
        } else {
            80
        };
        let port = url.port_u16().unwrap_or(default_port);
        let fits =
            |allowed: &Allowed| allowed.host == host && allowed.port.is_none_or(|wanted| wanted == port);
        if self.0.iter().any(fits) {
            Ok(())
        } else {
            Err(Disallowed(format!("{host}:{port}")))
        }
    }
}

/// Names mean the same in both cases, and with a dot at the end.
fn normal(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    #[track_caller]
    fn check(allowed: &str, yes: &[&str], no: &[&str]) {
        let list = AllowList(vec![allowed.parse().unwrap()]);
        for url in yes {
            assert!(
                list.check(&url.parse().unwrap()).is_ok(),
                "{allowed} allows {url}"
            );
        }
        for url in no {
            assert!(
                list.check(&url.parse().unwrap()).is_err(),
                "{allowed} forbids {url}"
            );
        }
    }

    #[test]
    fn hosts_and_ports() {
        check(
            "a.example",
            &[
                "http://a.example/",
                "https://A.example.:8443/x",
                "http://a.example:80",
            ],
            &[
                "http://b.a.example/",
                "http://a.example.org/",
                "http://127.0.0.1/",
            ],
        );
        check(
            "a.example:443",
            &["https://a.example/", "http://a.example:443/"],
            &["http://a.example/", "https://a.example:444/"],
        );
        check(
            "[::1]:80",
            &["http://[::1]/"],
            &["http://[::2]/", "http://[::1]:81/"],
        );
        for broken in ["", "http://a", "a/b", "a:", "a:b", "a:70000", "*.a", "u@a", "a b"] {
            assert!(broken.parse::<Allowed>().is_err(), "{broken}");
        }
    }
}
