//! Asks: one connection pool, the system's roots, bounded answers, no redirect that leaves the allowed hosts.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use http::header::{AUTHORIZATION, COOKIE, HOST, HeaderName, HeaderValue, LOCATION, USER_AGENT};
use http::{HeaderMap, Method, Request, Uri};
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};

use crate::fetch::allow::AllowList;
use crate::fetch::answer::Answer;
use crate::fetch::roots::Roots;
use crate::fetch::wanted::{Trouble, Wanted};
use crate::limits;

/// What asks. Shared by all threads.
pub(super) struct Client {
    allowed: AllowList,
    agent: OnceLock<Agent>,
}

impl Client {
    pub(super) fn new(allowed: AllowList) -> Client {
        Client {
            allowed,
            agent: OnceLock::new(),
        }
    }

    /// The answer to a request, with these headers more, before `end`.
    pub(super) fn ask(&self, wanted: &Wanted, more: &HeaderMap, end: Instant) -> Result<Answer, Trouble> {
        let end = Instant::now()
            .checked_add(wanted.timeout)
            .map_or(end, |timeout| timeout.min(end));
        let mut attempt = 0;
        loop {
            let outcome = self.follow(wanted, more, end);
            let pause = pause(attempt);
            let may_retry = attempt < wanted.max_retry_attempts && Instant::now() + pause < end;
            match outcome {
                Err(Trouble::Network(_)) if may_retry => std::thread::sleep(pause),
                outcome => return outcome,
            }
            attempt += 1;
        }
    }

    /// One attempt, and where its answer leads.
    fn follow(&self, wanted: &Wanted, more: &HeaderMap, end: Instant) -> Result<Answer, Trouble> {
        let mut url = url(&wanted.url)?;
        let mut method = Method::from_bytes(wanted.method.as_bytes())
            .map_err(|_| Trouble::Internal(format!("invalid method \"{}\"", wanted.method)))?;
        let mut headers = headers(wanted)?;
        headers.extend(more.clone());
        let mut body = wanted.body.as_slice();
        for _ in 0..=limits::FETCH_REDIRECTS_MAX {
            let answer = self.once(&method, &url, &headers, body, end)?;
            let target = answer.header(LOCATION.as_str());
            let Some(target) =
                target.filter(|_| wanted.enable_redirect && (300..400).contains(&answer.status))
            else {
                return Ok(answer);
            };
            let next = resolve(&url, target)?;
            if next.authority() != url.authority() {
                for secret in [AUTHORIZATION, COOKIE, HOST] {
                    headers.remove(secret);
                }
            }
            match answer.status {
                307 | 308 => {}
                301..=303 => {
                    body = &[];
                    if method != Method::HEAD {
                        method = Method::GET;
                    }
                }
                _ => return Ok(answer),
            }
            url = next;
        }
        let most = limits::FETCH_REDIRECTS_MAX;
        Err(Trouble::Network(format!("stopped after {most} redirects")))
    }

    fn once(
        &self,
        method: &Method,
        url: &Uri,
        headers: &HeaderMap,
        body: &[u8],
        end: Instant,
    ) -> Result<Answer, Trouble> {
        self.allowed
            .check(url)
            .map_err(|disallowed| Trouble::Internal(disallowed.to_string()))?;
        let failed = |error: ureq::Error| network(method, url, &error);
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(failed(ureq::Error::Timeout(ureq::Timeout::Global)));
        }
        let mut request = Request::builder().method(method).uri(url);
        if let Some(all) = request.headers_mut() {
            *all = headers.clone();
        }
        let wrong = |error: http::Error| Trouble::Internal(error.to_string());
        let agent = self.agent.get_or_init(|| agent(Roots::of_the_system()));
        let response = if body.is_empty() {
            let request = request.body(()).map_err(wrong)?;
            let request = agent
                .configure_request(request)
                .timeout_global(Some(left))
                .build();
            agent.run(request)
        } else {
            let request = request.body(body).map_err(wrong)?;
            let request = agent
                .configure_request(request)
                .timeout_global(Some(left))
                .build();
            agent.run(request)
        };
        let (parts, body) = response.map_err(failed)?.into_parts();
        let body = body
            .into_with_config()
            .limit(limits::FETCH_ANSWER_BYTES_MAX)
            .read_to_vec()
            .map_err(failed)?;
        let reason = parts.status.canonical_reason().unwrap_or_default();
        let pair = |(name, value): (&HeaderName, &HeaderValue)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        };
        Ok(Answer {
            status: parts.status.as_u16(),
            status_text: format!("{} {reason}", parts.status.as_u16())
                .trim_end()
                .to_owned(),
            headers: parts.headers.iter().map(pair).collect(),
            body,
        })
    }
}

/// Waits grow from a tenth of a second.
fn pause(attempt: u64) -> Duration {
    let doublings = u32::try_from(attempt.min(10)).unwrap_or(10);
    Duration::from_millis(100).saturating_mul(1 << doublings)
}

/// In Go's words: method and URL first.
fn network(method: &Method, url: &Uri, error: &ureq::Error) -> Trouble {
    let word: String = method
        .as_str()
        .char_indices()
        .map(|(at, c)| if at == 0 { c } else { c.to_ascii_lowercase() })
        .collect();
    Trouble::Network(match error {
        ureq::Error::Timeout(_) => format!("{word} \"{url}\": request timed out"),
        other => format!("{word} \"{url}\": {other}"),
    })
}

/// A URL of HTTP without a user in it.
fn url(text: &str) -> Result<Uri, Trouble> {
    let wrong = |why: &str| Trouble::Internal(format!("parse \"{text}\": {why}"));
    let without_fragment = text.split('#').next().unwrap_or_default();
    let url: Uri = without_fragment
        .parse()
        .map_err(|error: http::uri::InvalidUri| wrong(&error.to_string()))?;
    match url.scheme_str() {
        Some("http" | "https") => {}
        Some(other) => return Err(wrong(&format!("unsupported protocol scheme \"{other}\""))),
        None => return Err(wrong("unsupported protocol scheme \"\"")),
    }
    let authority = url.authority().ok_or_else(|| wrong("no host in request URL"))?;
    if authority.as_str().contains('@') {
        return Err(wrong(
            "a user in the URL is not supported: use the header authorization",
        ));
    }
    Ok(url)
}

/// Where a `Location` leads: a URL, or a path of the same host.
fn resolve(base: &Uri, target: &str) -> Result<Uri, Trouble> {
    if target.contains("://") {
        return url(target);
    }
    let scheme = base.scheme_str().unwrap_or("http");
    if let Some(rest) = target.strip_prefix("//") {
        return url(&format!("{scheme}://{rest}"));
    }
    let authority = base.authority().map_or("", |authority| authority.as_str());
    if target.starts_with('/') {
        return url(&format!("{scheme}://{authority}{target}"));
    }
    let path = base.path();
    let folder = path.rfind('/').and_then(|at| path.get(..=at)).unwrap_or("/");
    url(&format!("{scheme}://{authority}{folder}{target}"))
}

fn headers(wanted: &Wanted) -> Result<HeaderMap, Trouble> {
    let mut headers = HeaderMap::new();
    for (name, value) in &wanted.headers {
        let wrong = || Trouble::Internal(format!("invalid header \"{name}\""));
        let name: HeaderName = name.parse().map_err(|_| wrong())?;
        let value = HeaderValue::from_str(value).map_err(|_| wrong())?;
        headers.append(name, value);
    }
    if !headers.contains_key(USER_AGENT) {
        headers.insert(USER_AGENT, HeaderValue::from_static(OUR_NAME));
    }
    Ok(headers)
}

const OUR_NAME: &str = concat!("gavel/", env!("CARGO_PKG_VERSION"));

/// A client that trusts these roots, follows no redirect and no proxy of the environment.
pub(crate) fn agent(roots: Roots) -> Agent {
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::Specific(Arc::new(roots.certificates)))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    Agent::config_builder()
        .http_status_as_error(false)
        // What the operator allowed must be what is connected to, not a proxy of the environment.
        .proxy(None)
        // Each step is checked, see `Client::follow`.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .allow_non_standard_methods(true)
        .tls_config(tls)
        .build()
        .new_agent()
}
