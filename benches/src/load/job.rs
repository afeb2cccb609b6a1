//! What a load generator is told: where, which requests, how fast, how long.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use super::secure::Trust;

/// Where requests go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Address of the server.
    pub address: SocketAddr,
    /// What the `Host` field says.
    pub host: String,
    /// Path and query.
    pub path: String,
    /// TLS is spoken there.
    pub is_secure: bool,
}

impl Target {
    /// From `http://HOST[:PORT][/PATH]`, or `https://…`.
    ///
    /// # Errors
    /// Another scheme, or a host without an address.
    pub fn parse(url: &str) -> Result<Target, String> {
        let (rest, port, is_secure) = match (url.strip_prefix("http://"), url.strip_prefix("https://")) {
            (Some(rest), _) => (rest, 80, false),
            (_, Some(rest)) => (rest, 443, true),
            _ => return Err(format!("{url}: only http:// and https:// are spoken")),
        };
        let (host, path) = match rest.find(['/', '?']) {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let has_port = host
            .rsplit_once(':')
            .is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
        let with_port = match has_port {
            true => host.to_owned(),
            false => format!("{host}:{port}"),
        };
        let address = with_port
            .to_socket_addrs()
            .map_err(|error| format!("{host}: {error}"))?
            .next()
            .ok_or(format!("{host}: no address"))?;
        let slash = if path.starts_with('/') { "" } else { "/" };
        Ok(Target {
            address,
            host: host.to_owned(),
            path: format!("{slash}{path}"),
            is_secure,
        })
    }

    /// A path on a port of this machine.
    #[must_use]
    pub fn local(port: u16, path: &str) -> Target {
        Target {
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            host: format!("127.0.0.1:{port}"),
            path: path.to_owned(),
            is_secure: false,
        }
    }

    /// The host without its port, as a certificate has it.
    #[must_use]
    pub fn host_name(&self) -> &str {
        let host = match self.host.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => &self.host,
        };
        let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        address.unwrap_or(host)
    }
}

/// What an answer must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Status code.
    pub status: u16,
    /// Its body.
    pub body: Content,
}

/// What a body must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Any.
    Any,
    /// This, white space at its end aside.
    Is(Vec<u8>),
    /// Something with this text in it.
    Has(String),
}

impl Expected {
    /// Whether an answer is this one.
    #[must_use]
    pub fn is_met(&self, status: u16, body: &[u8]) -> bool {
        self.status == status
            && match &self.body {
                Content::Any => true,
                Content::Is(want) => want.trim_ascii_end() == body.trim_ascii_end(),
                Content::Has(want) => String::from_utf8_lossy(body).contains(want),
            }
    }
}

/// One request, ready to be sent.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Head and body.
    pub message: Vec<u8>,
    /// What must come back.
    pub expected: Expected,
}

impl Ask {
    /// A request with a JSON body (`POST`), or without one (`GET`).
    #[must_use]
    pub fn new(target: &Target, headers: &[String], body: Option<&[u8]>, expected: Expected) -> Ask {
        let method = if body.is_some() { "POST" } else { "GET" };
        let mut head = format!("{method} {} HTTP/1.1\r\nHost: {}\r\n", target.path, target.host);
        for header in headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        if let Some(body) = body {
            head.push_str("Content-Type: application/json\r\nContent-Length: ");
            head.push_str(&body.len().to_string());
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        let mut message = head.into_bytes();
        message.extend_from_slice(body.unwrap_or_default());
        Ask { message, expected }
    }
}

/// When requests are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// So many a second, whatever comes back.
    Open {
        /// Requests per second.
        rate: f64,
    },
    /// One whenever a connection has room.
    Closed,
}

/// A load.
#[derive(Clone, Debug)]
pub struct Job {
    /// Where to.
    pub target: Target,
    /// Whom a load over TLS trusts; none: without TLS.
    pub trust: Option<Trust>,
    /// What is asked, in turn.
    pub asks: Vec<Ask>,
    /// When.
    pub pace: Pace,
    /// How long requests are sent.
    pub time: Duration,
    /// The time before that, in which requests are sent and checked and their latencies left out.
    pub warmup: Duration,
    /// Connections that are kept open, of all threads together.
    pub connections: usize,
    /// Requests that may be unanswered on one connection; 1 is no pipelining.
    pub depth: usize,
    /// Threads that send; each has its share of schedule and connections.
    pub threads: usize,
    /// The processor that the first thread runs on, the next one for the second, and so on.
    pub core: Option<usize>,
    /// An answer that takes longer is a failure, and its connection is opened anew. So long after the end of its time the
    /// load ends, whatever is unsent or unanswered.
    pub timeout: Duration,
    /// How long before a request is due the thread stops sleeping.
    pub spin: Duration,
    /// Latencies above this are kept one by one.
    pub slow: Duration,
}

impl Job {
    /// One request over a few connections in a closed loop for a second; callers change what they need.
    #[must_use]
    pub fn new(target: Target, asks: Vec<Ask>) -> Job {
        Job {
            target,
            trust: None,
            asks,
            pace: Pace::Closed,
            time: Duration::from_secs(1),
            warmup: Duration::ZERO,
            connections: 16,
            depth: 1,
            threads: 1,
            core: None,
            timeout: Duration::from_secs(5),
            spin: Duration::from_micros(100),
            slow: Duration::from_millis(5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, want: &str) {
        let got = match Target::parse(url) {
            Ok(target) => format!("{} {} {}", target.address, target.host, target.path),
            Err(problem) => problem,
        };
        assert_eq!(got, want);
    }

    #[test]
    fn urls_are_taken_apart() {
        check("http://127.0.0.1:80", "127.0.0.1:80 127.0.0.1:80 /");
        check("http://127.0.0.1/a?b", "127.0.0.1:80 127.0.0.1 /a?b");
        check("http://[::1]:9/decision", "[::1]:9 [::1]:9 /decision");
        check("http://127.0.0.1:7?x=1", "127.0.0.1:7 127.0.0.1:7 /?x=1");
        check("https://127.0.0.1/a", "127.0.0.1:443 127.0.0.1 /a");
        check(
            "ftp://localhost/",
            "ftp://localhost/: only http:// and https:// are spoken",
        );
    }

    #[test]
    fn a_certificate_names_the_host_alone() {
        let name = |url: &str| Target::parse(url).map(|target| target.host_name().to_owned());
        assert_eq!(name("https://127.0.0.1:9/x"), Ok("127.0.0.1".to_owned()));
        assert_eq!(name("https://[::1]:9"), Ok("::1".to_owned()));
        assert_eq!(name("https://[::1]"), Ok("::1".to_owned()));
        assert_eq!(name("https://localhost"), Ok("localhost".to_owned()));
    }

    #[test]
    fn white_space_at_the_end_is_no_difference() {
        let expected = Expected {
            status: 200,
            body: Content::Is(b"{}\n".to_vec()),
        };
        assert!(expected.is_met(200, b"{}"));
        assert!(!expected.is_met(200, b"{} x"));
        assert!(!expected.is_met(403, b"{}"));
    }
}
