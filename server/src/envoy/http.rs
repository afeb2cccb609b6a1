//! ext_authz over plain HTTP: Envoy sends the request's method, path and headers as a request of its own; 200 lets it
//! pass, anything else does not.
//!
//! A denial is never a 5xx: to Envoy that is an authorizer that failed, which `failure_mode_allow` lets pass. Overload is
//! a 403 like any other denial.
//!
//! A mapper sees the same members as over gRPC, as far as such a request tells them.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use gavel_runtime::decision::ReasonCode;
use gavel_runtime::json::{Escape, write_string};
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderName, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;

use crate::envoy::answer::{ALLOWED, DENIED, DENIED_BODY, RESULT_HEADER};
use crate::envoy::attributes::put_base64;
use crate::envoy::body::{Metered, Overloaded};
use crate::envoy::seats::Seat;
use crate::envoy::thread::Shared;
use crate::limits;

/// Answers one request.
pub(super) async fn answer(
    request: Request<Incoming>,
    shared: Rc<Shared>,
    seat: &Arc<Seat>,
) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
    let taken = match below(&shared.path_prefix, path) {
        None => {
            let why = format!("the path is not below {}", shared.path_prefix);
            Err((StatusCode::NOT_FOUND, why))
        }
        // A 2xx would open a tunnel to us.
        Some(_) if parts.method == Method::CONNECT => {
            let why = "CONNECT can be decided over gRPC only";
            Err((StatusCode::FORBIDDEN, why.to_owned()))
        }
        Some(path) => read(body, &shared).await.map(|body| (path, body)),
    };
    let _call = seat.call();
    let (path, body) = match taken {
        Ok(taken) => taken,
        Err((status, why)) => {
            shared.judge.denies(ReasonCode::InvalidParameter, &why).await;
            return denial(status);
        }
    };
    let mut lease = shared.meter.lease();
    if !lease.take(body.len()) {
        let why = Overloaded.to_string();
        shared.judge.denies(ReasonCode::InvalidParameter, &why).await;
        return denial(StatusCode::FORBIDDEN);
    }
    let mut json = Vec::with_capacity(body.len() + 1024);
    write_attributes(&parts, path, &body, &mut json);
    if shared.judge.allows(Some(json)).await {
        let mut response = Response::new(Full::default());
        mark(response.headers_mut(), ALLOWED);
        response
    } else {
        denial(StatusCode::FORBIDDEN)
    }
}

/// The whole body, within its bounds of size and time.
async fn read(body: Incoming, shared: &Shared) -> Result<Bytes, (StatusCode, String)> {
    let cannot = |why: &dyn std::fmt::Display| format!("the body cannot be had: {why}");
    if body.size_hint().lower() > shared.body_bytes_max as u64 {
        return Err((StatusCode::PAYLOAD_TOO_LARGE, cannot(&"it is too large")));
    }
    let limited = Limited::new(Metered::new(body, &shared.meter), shared.body_bytes_max);
    let patience = Duration::from_secs(limits::ENVOY_REQUEST_SECONDS);
    match tokio::time::timeout(patience, limited.collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err((StatusCode::PAYLOAD_TOO_LARGE, cannot(&error)))
        }
        Ok(Err(error)) => Err((StatusCode::FORBIDDEN, cannot(&error))),
        Err(_) => Err((StatusCode::REQUEST_TIMEOUT, cannot(&"it took too long"))),
    }
}

/// The path behind a prefix that ends where a step of the path ends. An empty rest is `/`.
fn below<'p>(prefix: &str, path: &'p str) -> Option<&'p str> {
    let rest = path.strip_prefix(prefix)?;
    match rest.as_bytes().first() {
        None if !prefix.is_empty() => Some("/"),
        None | Some(b'/' | b'?') => Some(rest),
        Some(_) if prefix.is_empty() => Some(rest),
        Some(_) => None,
    }
}

/// A denial; never with a 5xx.
fn denial(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(DENIED_BODY));
    *response.status_mut() = status;
    mark(response.headers_mut(), DENIED);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

fn mark(headers: &mut HeaderMap, result: &'static str) {
    headers.insert(
        HeaderName::from_static(RESULT_HEADER),
        HeaderValue::from_static(result),
    );
}

/// What describes the authorization request, not the client's.
const OWN_HEADERS: [HeaderName; 4] = [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING];

fn write_attributes(parts: &Parts, path: &str, body: &[u8], out: &mut Vec<u8>) {
    let mut headers = joined(&parts.headers);
    let host = text_of(parts.headers.get(HOST));
    let scheme = text_of(parts.headers.get("x-forwarded-proto"));
    let scheme = Some(scheme).filter(|scheme| matches!(scheme.as_str(), "http" | "https"));
    let method = parts.method.as_str();
    headers.insert(":method".to_owned(), method.to_owned());
    headers.insert(":path".to_owned(), path.to_owned());
    headers.insert(":authority".to_owned(), host.clone());
    if let Some(scheme) = &scheme {
        headers.insert(":scheme".to_owned(), scheme.clone());
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // Writing into memory cannot fail.
    let _ = write!(
        out,
        "{{\"request\":{{\"time\":{{\"seconds\":{},\"nanos\":{}}},\"http\":{{\"protocol\":\"HTTP/1.1\",\"method\":",
        now.as_secs(),
        now.subsec_nanos()
    );
    write_string(out, method, Escape::Plain);
    let scheme = scheme.unwrap_or_default();
    for (name, value) in [("path", path), ("host", &host), ("scheme", &scheme)] {
        if !value.is_empty() {
            let _ = write!(out, ",\"{name}\":");
            write_string(out, value, Escape::Plain);
        }
    }
    out.extend_from_slice(b",\"headers\":{");
    for (at, (name, value)) in headers.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_string(out, name, Escape::Plain);
        out.push(b':');
        write_string(out, value, Escape::Plain);
    }
    out.push(b'}');
    if !body.is_empty() {
        let _ = write!(out, ",\"size\":{}", body.len());
        match std::str::from_utf8(body) {
            Ok(text) => {
                out.extend_from_slice(b",\"body\":");
                write_string(out, text, Escape::Plain);
            }
            Err(_) => {
                out.extend_from_slice(b",\"raw_body\":");
                put_base64(out, body);
            }
        }
    }
    out.extend_from_slice(b"}}}");
}

/// Headers by name; several of one name in one text, as Envoy joins them.
fn joined(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut out: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        if OWN_HEADERS.contains(name) {
            continue;
        }
        let value = text_of(Some(value));
        let separator = if *name == COOKIE { "; " } else { "," };
        out.entry(name.as_str().to_owned())
            .and_modify(|before| {
                before.push_str(separator);
                before.push_str(&value);
            })
            .or_insert(value);
    }
    out
}

/// A header's text: bytes that are no UTF-8 are replaced, as Envoy replaces them before it asks over gRPC.
fn text_of(value: Option<&HeaderValue>) -> String {
    value.map_or_else(String::new, |value| {
        String::from_utf8_lossy(value.as_bytes()).into_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_end_where_a_step_of_the_path_ends() {
        assert_eq!(below("", "/a?b"), Some("/a?b"));
        assert_eq!(below("", ""), Some(""));
        assert_eq!(below("/check", "/check/a"), Some("/a"));
        assert_eq!(below("/check", "/check?q"), Some("?q"));
        assert_eq!(below("/check", "/check"), Some("/"));
        assert_eq!(below("/check", "/checked/a"), None);
        assert_eq!(below("/check", "/a"), None);
    }
}
