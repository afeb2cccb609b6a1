//! Routes, their methods, and what a request to each must look like before its body is read.

use crate::authzen::{self, Candidates, Endpoint};
use crate::http::request::{Head, Method};
use crate::http::response::{Body, Reply};
use crate::limits;
use crate::opa;
use crate::viewer;

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// A decision over the PORC in the body; a probe leaves no record.
    Decision {
        /// Whether the record is left out.
        probe: bool,
    },
    /// Decisions over an array of PORCs in the body; a probe leaves no records.
    Batch {
        /// Whether the records are left out.
        probe: bool,
    },
    /// A question of AuthZEN in the body.
    AuthZen(Endpoint),
    /// A question of AuthZEN whose body is announced as something else than JSON.
    NoAuthZen,
    /// What AuthZEN publishes about the service.
    AuthZenMetadata,
    /// A request to OPA's data API.
    Opa(opa::Call),
    /// Whether the process takes requests: 200, or 503 while it drains.
    Ready,
    /// An answer that needs nothing else.
    Reply(Reply),
}

impl Route {
    /// Whether it asks for decisions or for a document of the policies.
    pub(crate) fn is_question(&self) -> bool {
        use Route::{AuthZen, Batch, Decision, Opa};
        matches!(self, Decision { .. } | Batch { .. } | AuthZen(_) | Opa(_))
    }
}

const OK: &[u8] = b"{\"status\":\"ok\"}\n";

/// The answer of `/livez`, `/readyz` and `/health`.
#[must_use]
pub fn healthy() -> Reply {
    Reply {
        status: 200,
        body: Body::Document("application/json", OK),
        allow: None,
        again: false,
    }
}

/// The answer of `/readyz` and `/health` while the process drains.
#[must_use]
pub fn draining() -> Reply {
    Reply::error(503, "draining")
}

/// The answer to a request for whose bytes this core has no memory now.
#[must_use]
pub fn overloaded() -> Reply {
    Reply {
        again: true,
        ..Reply::error(503, "too many large requests at the same time")
    }
}

/// Finds the route of a head. `bytes` begin with the request, so that the places of `head` fit. `opa`: OPA's data API is
/// served.
#[must_use]
pub fn route(head: &Head, bytes: &[u8], opa: bool) -> Route {
    let (path, query) = split_target(part(bytes, head.target));
    match path {
        b"/decision" => decides(head, bytes, query, |probe| Route::Decision { probe }),
        b"/decisions" => decides(head, bytes, query, |probe| Route::Batch { probe }),
        authzen::EVALUATION => authzen(head, bytes, Endpoint::Evaluation),
        authzen::EVALUATIONS => authzen(head, bytes, Endpoint::Evaluations),
        authzen::SEARCH_RESOURCE => authzen(head, bytes, Endpoint::Search(Candidates::Resources)),
        authzen::SEARCH_ACTION => authzen(head, bytes, Endpoint::Search(Candidates::Actions)),
        authzen::CONFIGURATION => read_only(head.method, Route::AuthZenMetadata),
        b"/livez" => read_only(head.method, Route::Reply(healthy())),
        b"/readyz" | b"/health" => read_only(head.method, Route::Ready),
        path if opa && opa::is_ours(path) => {
            let method = part(bytes, (0, head.target.0)).trim_ascii();
            let is_yaml = media_type(head, bytes).windows(4).any(|part| part == b"yaml");
            Route::Opa(opa::call(head.method, method, path, query, is_yaml))
        }
        _ => match viewer::page(path) {
            Some(reply) => read_only(head.method, Route::Reply(reply)),
            None => Route::Reply(Reply::error(404, "Not Found")),
        },
    }
}

fn read_only(method: Method, route: Route) -> Route {
    match method {
        Method::Get | Method::Head => route,
        Method::Options => Route::Reply(options("OPTIONS, GET")),
        Method::Post | Method::Other => Route::Reply(not_allowed("OPTIONS, GET")),
    }
}

fn options(methods: &'static str) -> Reply {
    Reply {
        status: 204,
        body: Body::None,
        allow: Some(methods),
        again: false,
    }
}

pub(crate) fn not_allowed(methods: &'static str) -> Reply {
    Reply {
        allow: Some(methods),
        again: false,
        ..Reply::error(405, "Method Not Allowed")
    }
}

fn decides(head: &Head, bytes: &[u8], query: &[u8], route: impl FnOnce(bool) -> Route) -> Route {
    match head.method {
        Method::Post => probes(head, bytes, query).map_or_else(Route::Reply, route),
        Method::Options => Route::Reply(options("OPTIONS, POST")),
        Method::Get | Method::Head | Method::Other => Route::Reply(not_allowed("OPTIONS, POST")),
    }
}

/// AuthZEN wants 400 where a body is announced as something else than JSON.
fn authzen(head: &Head, bytes: &[u8], endpoint: Endpoint) -> Route {
    match head.method {
        Method::Post if is_json(media_type(head, bytes)) => Route::AuthZen(endpoint),
        Method::Post => Route::NoAuthZen,
        Method::Options => Route::Reply(options("OPTIONS, POST")),
        Method::Get | Method::Head | Method::Other => Route::Reply(not_allowed("OPTIONS, POST")),
    }
}

/// The id that a client gave its request, if it is one that can go back and AuthZEN, or OPA's data API, is asked: with
/// whatever answer, it does. `bytes` begin with the request.
pub(crate) fn request_id<'b>(head: &Head, bytes: &'b [u8], opa: bool) -> Option<&'b [u8]> {
    let id = part(bytes, head.request_id?);
    let (path, _) = split_target(part(bytes, head.target));
    let goes_back = authzen::is_ours(path) || (opa && opa::is_ours(path));
    (goes_back && !id.is_empty() && id.len() <= limits::REQUEST_ID_BYTES_MAX).then_some(id)
}

/// Whether a request that may be decided over is a probe. The order of the checks is the reference's: first `probe`, then
/// the media type, then (by the caller) the body.
fn probes(head: &Head, bytes: &[u8], query: &[u8]) -> Result<bool, Reply> {
    // The forms that callers use are told apart without a buffer.
    let probe = match query {
        b"" | b"probe=false" => false,
        b"probe=true" => true,
        other => probe_of(other)?,
    };
    if !is_json(media_type(head, bytes)) {
        return Err(Reply::error(415, "Unsupported Media Type"));
    }
    Ok(probe)
}

fn media_type<'b>(head: &Head, bytes: &'b [u8]) -> &'b [u8] {
    head.content_type
        .map(|place| part(bytes, place))
        .unwrap_or_default()
}

/// A part of a request, which begins with `bytes`.
pub(crate) fn part(bytes: &[u8], (offset, length): (u32, u32)) -> &[u8] {
    let start = offset as usize;
    bytes
        .get(start..start.saturating_add(length as usize))
        .unwrap_or_default()
}

/// Path and query of a target in origin form or in absolute form.
fn split_target(target: &[u8]) -> (&[u8], &[u8]) {
    let local = if target.starts_with(b"/") {
        target
    } else {
        behind_authority(target)
    };
    match memchr::memchr(b'?', local) {
        Some(at) => (
            local.get(..at).unwrap_or_default(),
            local.get(at + 1..).unwrap_or_default(),
        ),
        None => (local, &[]),
    }
}

fn behind_authority(target: &[u8]) -> &[u8] {
    let scheme = [&b"http://"[..], b"https://"].into_iter().find(|scheme| {
        target
            .get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    let rest = scheme
        .and_then(|scheme| target.get(scheme.len()..))
        .unwrap_or_default();
    memchr::memchr(b'/', rest)
        .and_then(|at| rest.get(at..))
        .unwrap_or_default()
}

/// `application/json` with any parameters. Media types have no case.
fn is_json(value: &[u8]) -> bool {
    let media_type = value.split(|b| *b == b';').next().unwrap_or_default();
    media_type.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

/// The one `probe` parameter of a query, as Go reads queries: segments with `;` or a bad escape do not count.
fn probe_of(query: &[u8]) -> Result<bool, Reply> {
    const PARAMETER: &str = "Invalid format for parameter probe";
    let mut value: Option<Vec<u8>> = None;
    for segment in query.split(|b| *b == b'&') {
        let mut halves = segment.splitn(2, |b| *b == b'=');
        let name = halves.next().and_then(unescape);
        let text = unescape(halves.next().unwrap_or_default());
        let (Some(name), Some(text), false) = (name, text, segment.contains(&b';')) else {
            continue;
        };
        if name != b"probe" {
            continue;
        }
        if value.replace(text).is_some() {
            return Err(Reply::error(
                400,
                format!("{PARAMETER}: multiple values for single value parameter 'probe'"),
            ));
        }
    }
    let Some(value) = value else { return Ok(false) };
    crate::words::go_bool(&value).ok_or_else(|| {
        let shown = String::from_utf8_lossy(&value);
        Reply::error(
            400,
            format!("{PARAMETER}: {shown:?} is not one of 1 t T TRUE true True 0 f F FALSE false False"),
        )
    })
}

/// Undoes percent escapes and `+`; nothing for a bad escape.
pub(crate) fn unescape(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [*bytes.next()?, *bytes.next()?];
                let digits = std::str::from_utf8(&digits)
                    .ok()
                    .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
                u8::from_str_radix(digits, 16).ok()?
            }
            other => *other,
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::request::{Decoder, Step};

    #[track_caller]
    fn check(request: &str, want: Route) {
        let mut bytes = request.as_bytes().to_vec();
        let Step::Request(message) = Decoder::new(1000).advance(&mut bytes, 0) else {
            panic!("not a request")
        };
        assert_eq!(route(&message.head, &bytes, false), want, "{request}");
    }

    #[track_caller]
    fn check_probe(target: &str, want: Result<bool, u16>) {
        let text = format!("POST {target} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\r\n");
        let mut bytes = text.into_bytes();
        let Step::Request(message) = Decoder::new(1000).advance(&mut bytes, 0) else {
            panic!("not a request")
        };
        let got = match route(&message.head, &bytes, false) {
            Route::Decision { probe } => Ok(probe),
            Route::Reply(reply) => Err(reply.status),
            Route::Batch { .. }
            | Route::Ready
            | Route::AuthZen(_)
            | Route::NoAuthZen
            | Route::AuthZenMetadata
            | Route::Opa(_) => panic!("another route"),
        };
        assert_eq!(got, want, "{target}");
    }

    #[test]
    fn probe_is_a_go_bool_given_once() {
        check_probe("/decision", Ok(false));
        check_probe("/decision?", Ok(false));
        check_probe("/decision?x=1", Ok(false));
        for yes in ["1", "t", "T", "TRUE", "true", "True", "%74rue"] {
            check_probe(&format!("/decision?probe={yes}"), Ok(true));
        }
        for no in ["0", "f", "F", "FALSE", "false", "False"] {
            check_probe(&format!("/decision?a=b&probe={no}"), Ok(false));
        }
        for bad in ["", "yes", "tRUE", "2", "true%20"] {
            check_probe(&format!("/decision?probe={bad}"), Err(400));
        }
        check_probe("/decision?probe", Err(400));
        check_probe("/decision?probe=1&probe=1", Err(400));
        check_probe("/decision?PROBE=x", Ok(false));
        check_probe("/decision?probe=x;y", Ok(false));
        check_probe("/decision?probe=%zz", Ok(false));
        check_probe("http://host/decision?probe=1", Ok(true));
    }

    #[test]
    fn only_json_is_taken() {
        let post = |media_type: &str| format!("POST /decision HTTP/1.1\r\nHost: a\r\n{media_type}\r\n");
        check(
            &post("Content-Type: application/json\r\n"),
            Route::Decision { probe: false },
        );
        check(
            &post("Content-Type: Application/JSON ; charset=x\r\n"),
            Route::Decision { probe: false },
        );
        check(
            &post("Content-Type: application/json\r\nContent-Type: text/plain\r\n"),
            Route::Decision { probe: false },
        );
        let refused = Route::Reply(Reply::error(415, "Unsupported Media Type"));
        check(&post(""), refused.clone());
        for other in [
            "",
            "text/plain",
            "application/jsonx",
            "application/problem+json",
            "multipart/form-data",
            "application/x-www-form-urlencoded",
            "application/xml",
        ] {
            check(&post(&format!("Content-Type: {other}\r\n")), refused.clone());
        }
    }

    #[test]
    fn paths_and_methods() {
        let ask = |method: &str, path: &str| format!("{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        let missing = Route::Reply(Reply::error(404, "Not Found"));
        for path in [
            "/",
            "/decision/",
            "//decision",
            "/Decision",
            "/decisi%6Fn",
            "*",
            "/decision#x",
            "http://decision",
            "/v1/data/authz/allow",
            "/v0/data",
            "/v1/policies",
        ] {
            check(&ask("POST", path), missing.clone());
        }
        check(&ask("OPTIONS", "/x"), missing);
        for method in ["GET", "HEAD", "PATCH", "post"] {
            check(
                &ask(method, "/decision"),
                Route::Reply(not_allowed("OPTIONS, POST")),
            );
        }
        check(
            &ask("OPTIONS", "/decision"),
            Route::Reply(options("OPTIONS, POST")),
        );
        check(
            &ask("GET", "/decisions"),
            Route::Reply(not_allowed("OPTIONS, POST")),
        );
        let post = "POST /decisions?probe=t HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\r\n";
        check(post, Route::Batch { probe: true });
        check(&ask("POST", "/livez"), Route::Reply(not_allowed("OPTIONS, GET")));
        check(&ask("GET", "/readyz"), Route::Ready);
        check(&ask("HEAD", "/health?x"), Route::Ready);
    }
}
