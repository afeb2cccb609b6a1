//! Who is let in.
//!
//! Probes are: they tell nothing, and a kubelet has no token. For everything else there is a token, which only a port that
//! this machine alone can reach may do without. Such a port is reached by pages in this machine's browsers, too: those are
//! kept out by the names that they must use.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::{HeaderMap, Method};
use sha2::{Digest, Sha256};

use crate::error::Failure;
use crate::files;
use crate::limits;
use crate::log::{self, Level};

/// What a request must show.
pub(super) struct Gate {
    token_file: Option<PathBuf>,
    /// Why the file was of no use when somebody asked last.
    problem: Mutex<Option<String>>,
}

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Barred {
    /// No token, or another one.
    Token,
    /// A page of somebody else sent it.
    Foreign,
}

impl Gate {
    /// # Errors
    /// A token that cannot be read or is too short.
    pub(super) fn new(token_file: Option<PathBuf>) -> Result<Gate, Failure> {
        if let Some(path) = &token_file {
            token(path)
                .map_err(|why| Failure::Operator(format!("--admin-token-file {}: {why}", path.display())))?;
        }
        let problem = Mutex::default();
        Ok(Gate { token_file, problem })
    }

    /// Whether a token is asked for.
    pub(super) fn has_token(&self) -> bool {
        self.token_file.is_some()
    }

    /// # Errors
    /// Why the request must not be answered.
    pub(super) fn check(&self, method: &Method, headers: &HeaderMap) -> Result<(), Barred> {
        match &self.token_file {
            // Read each time: a mounted secret may be exchanged while we run. One that cannot be read lets nobody in.
            Some(path) => {
                let wanted = token(path);
                self.tell(path, wanted.as_ref().err());
                match (wanted, bearer(headers)) {
                    (Ok(wanted), Some(given)) if same(&wanted, given) => {}
                    _ => return Err(Barred::Token),
                }
            }
            None if !is_local_name(headers) => return Err(Barred::Foreign),
            None => {}
        }
        if *method != Method::GET && *method != Method::HEAD && is_foreign_page(headers) {
            return Err(Barred::Foreign);
        }
        Ok(())
    }

    /// Says that the file is of no use, or is again: once, and not to each that asks.
    fn tell(&self, path: &Path, problem: Option<&String>) {
        let mut last = self.problem.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref() == problem {
            return;
        }
        *last = problem.cloned();
        let path = path.display();
        match problem {
            Some(why) => log::line(
                Level::Error,
                format_args!("--admin-token-file {path}: {why}: nobody is let in"),
            ),
            None => log::line(
                Level::Info,
                format_args!("--admin-token-file {path}: whoever shows the token is let in again"),
            ),
        }
    }
}

fn token(path: &Path) -> Result<String, String> {
    let text = files::text(path, limits::TOKEN_BYTES_MAX).map_err(|error| crate::error::reason(&error))?;
    let token = text.trim();
    if token.len() < limits::TOKEN_BYTES_MIN {
        return Err(format!(
            "a token has at least {} characters",
            limits::TOKEN_BYTES_MIN
        ));
    }
    Ok(token.to_owned())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Digests are compared, so that the time says nothing of where two tokens differ.
fn same(one: &str, other: &str) -> bool {
    Sha256::digest(one) == Sha256::digest(other)
}

/// A name that somebody else's page made this machine's browser resolve to us is none of these.
fn is_local_name(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else {
        return true;
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || address.parse::<std::net::IpAddr>().is_ok()
}

fn is_foreign_page(headers: &HeaderMap) -> bool {
    let text = |name| {
        headers
            .get(name)
            .map(|value: &http::HeaderValue| value.as_bytes())
    };
    let ours = text(HOST).unwrap_or_default();
    let foreign_origin = text(ORIGIN).is_some_and(|origin| {
        let authority = origin
            .strip_prefix(b"http://")
            .or(origin.strip_prefix(b"https://"));
        authority != Some(ours)
    });
    let site = headers.get("sec-fetch-site").map(|value| value.as_bytes());
    foreign_origin || site.is_some_and(|site| site != b"same-origin" && site != b"none")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(gate: &Gate, method: &Method, headers: &[(&'static str, &str)], want: Result<(), Barred>) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        assert_eq!(gate.check(method, &map), want, "{headers:?}");
    }

    #[test]
    fn pages_of_others_are_kept_out() {
        let gate = Gate::new(None).unwrap();
        for host in [
            "localhost",
            "localhost:9001",
            "127.0.0.1:9001",
            "[::1]:9001",
            "10.1.2.3",
        ] {
            check(&gate, &Method::GET, &[("host", host)], Ok(()));
            let origin = format!("http://{host}");
            check(
                &gate,
                &Method::POST,
                &[("host", host), ("origin", &origin)],
                Ok(()),
            );
        }
        check(
            &gate,
            &Method::GET,
            &[("host", "evil.example:9001")],
            Err(Barred::Foreign),
        );
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
        ] {
            let headers = [("host", "localhost:9001"), (name, value)];
            check(&gate, &Method::POST, &headers, Err(Barred::Foreign));
            check(&gate, &Method::GET, &headers, Ok(()));
        }
    }

    #[test]
    fn tokens() {
        let path = std::env::temp_dir().join(format!("gavel-token-{}", std::process::id()));
        std::fs::write(&path, "short\n").unwrap();
        assert!(Gate::new(Some(path.clone())).is_err());
        std::fs::write(&path, "0123456789abcdef\n").unwrap();
        let gate = Gate::new(Some(path.clone())).unwrap();
        let ask = |value: &str, want| check(&gate, &Method::GET, &[("authorization", value)], want);
        ask("Bearer 0123456789abcdef", Ok(()));
        ask("bearer  0123456789abcdef", Ok(()));
        for other in [
            "Bearer 0123456789abcdeg",
            "Bearer",
            "Basic 0123456789abcdef",
            "0123456789abcdef",
        ] {
            ask(other, Err(Barred::Token));
        }
        check(&gate, &Method::GET, &[], Err(Barred::Token));
        std::fs::remove_file(&path).unwrap();
        ask("Bearer 0123456789abcdef", Err(Barred::Token));
    }
}
