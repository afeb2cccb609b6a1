//! Answers as bytes. The two common ones are prepared; the rest are built, because nobody asks for them in a hurry.

use std::io::Write as _;

use crate::http::request::{Persistence, Refusal};
use crate::limits;

/// The answer to a decision: status line and type, what is said about the connection, length and body.
macro_rules! decision {
    ($connection:literal, $length:literal, $body:literal) => {
        concat!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n",
            $connection,
            "Content-Length: ",
            $length,
            "\r\n\r\n",
            $body,
            "\n"
        )
        .as_bytes()
    };
}

const GRANT: &[u8] = decision!("", 15, "{\"allow\":true}");
const DENY: &[u8] = decision!("", 16, "{\"allow\":false}");
const GRANT_KEPT: &[u8] = decision!("Connection: keep-alive\r\n", 15, "{\"allow\":true}");
const DENY_KEPT: &[u8] = decision!("Connection: keep-alive\r\n", 16, "{\"allow\":false}");
const GRANT_LAST: &[u8] = decision!("Connection: close\r\n", 15, "{\"allow\":true}");
const DENY_LAST: &[u8] = decision!("Connection: close\r\n", 16, "{\"allow\":false}");

/// The interim answer that a client with `Expect: 100-continue` waits for.
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// An answer other than a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Status code.
    pub status: u16,
    /// What the body holds.
    pub body: Body,
    /// Methods for the `Allow` field.
    pub allow: Option<&'static str>,
    /// The client may come again in a moment: the `Retry-After` field.
    pub again: bool,
}

/// Content of a [`Reply`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// No body and no length (204).
    None,
    /// `{"message":"…"}`.
    Message(String),
    /// A document with its media type.
    Document(&'static str, &'static [u8]),
    /// A part of a page for browsers, with its media type: it may load and ask nothing but this service.
    Page(&'static str, &'static [u8]),
    /// The document is at this place.
    Moved(&'static str),
}

/// What a page of ours may load and ask for: nothing but what its own port serves, and nobody may show it inside of another.
pub(crate) const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

impl Reply {
    /// An error with a message.
    #[must_use]
    pub fn error(status: u16, message: impl Into<String>) -> Reply {
        Reply {
            status,
            body: Body::Message(message.into()),
            allow: None,
            again: false,
        }
    }

    /// The answer where too much is asked at the same time. Nothing was decided.
    #[must_use]
    pub fn shed() -> Reply {
        Reply {
            again: true,
            ..Reply::error(503, "too many requests at the same time")
        }
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Reply {
        Reply::error(refusal.status, refusal.message)
    }
}

/// What an answer says besides what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending<'i> {
    /// What is said about the connection.
    pub persistence: Persistence,
    /// Leave the body out, for `HEAD`.
    pub head_only: bool,
    /// The id that the client gave its request, where it goes back.
    pub request_id: Option<&'i [u8]>,
}

/// Appends the answer to a decision.
pub fn decision(out: &mut Vec<u8>, allow: bool, persistence: Persistence) {
    out.extend_from_slice(answer(allow, persistence));
}

fn answer(allow: bool, persistence: Persistence) -> &'static [u8] {
    match (allow, persistence) {
        (true, Persistence::Stays) => GRANT,
        (false, Persistence::Stays) => DENY,
        (true, Persistence::Kept) => GRANT_KEPT,
        (false, Persistence::Kept) => DENY_KEPT,
        (true, Persistence::Ends) => GRANT_LAST,
        (false, Persistence::Ends) => DENY_LAST,
    }
}

/// The bytes of a grant, and those of the denial that may take its place.
pub fn grant_and_denial(persistence: Persistence) -> (&'static [u8], &'static [u8]) {
    (answer(true, persistence), answer(false, persistence))
}

/// Appends the answer to a batch.
pub fn batch(out: &mut Vec<u8>, body: &[u8], persistence: Persistence) {
    // Writing to a `Vec` cannot fail.
    let _ = write!(
        out,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
        body.len()
    );
    out.extend_from_slice(connection(persistence));
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
}

/// Appends a JSON answer, with its body in any case. `lines`: header lines besides.
pub fn json(out: &mut Vec<u8>, status: u16, (lines, body): (&[u8], &[u8]), ending: Ending<'_>) {
    // Writing to a `Vec` cannot fail.
    let _ = write!(
        out,
        "HTTP/1.1 {status} {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
        reason(status),
        body.len()
    );
    out.extend_from_slice(lines);
    put_id(out, ending.request_id);
    out.extend_from_slice(connection(ending.persistence));
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
}

fn put_id(out: &mut Vec<u8>, request_id: Option<&[u8]>) {
    if let Some(id) = request_id {
        out.extend_from_slice(b"X-Request-ID: ");
        out.extend_from_slice(id);
        out.extend_from_slice(b"\r\n");
    }
}

/// What is said about the connection.
const fn connection(persistence: Persistence) -> &'static [u8] {
    match persistence {
        Persistence::Stays => b"",
        Persistence::Kept => b"Connection: keep-alive\r\n",
        Persistence::Ends => b"Connection: close\r\n",
    }
}

/// Appends any other answer, but for a document that is too long to be copied: that is what is still to be sent.
#[must_use]
pub fn reply_but_document(out: &mut Vec<u8>, answer: &Reply, ending: Ending<'_>) -> &'static [u8] {
    match &answer.body {
        Body::Document(_, bytes) | Body::Page(_, bytes)
            if bytes.len() > limits::DOCUMENT_BYTES_COPIED && !ending.head_only =>
        {
            head(out, answer, bytes.len(), ending);
            bytes
        }
        Body::None | Body::Message(_) | Body::Document(..) | Body::Page(..) | Body::Moved(_) => {
            reply(out, answer, ending);
            &[]
        }
    }
}

/// Appends any other answer.
pub fn reply(out: &mut Vec<u8>, reply: &Reply, ending: Ending<'_>) {
    let message;
    let body = match &reply.body {
        Body::None | Body::Moved(_) => &[][..],
        Body::Message(text) => {
            message = json_message(text);
            message.as_bytes()
        }
        Body::Document(_, bytes) | Body::Page(_, bytes) => *bytes,
    };
    head(out, reply, body.len(), ending);
    if !ending.head_only {
        out.extend_from_slice(body);
    }
}

/// Appends the head of such an answer.
fn head(out: &mut Vec<u8>, reply: &Reply, body_bytes: usize, ending: Ending<'_>) {
    let media_type = match &reply.body {
        Body::None => "",
        Body::Message(_) => "application/json",
        Body::Document(media_type, _) | Body::Page(media_type, _) => media_type,
        Body::Moved(_) => "text/plain",
    };
    // Writing to a `Vec` cannot fail.
    let _ = write!(out, "HTTP/1.1 {} {}\r\n", reply.status, reason(reply.status));
    if let Some(methods) = reply.allow {
        let _ = write!(out, "Allow: {methods}\r\n");
    }
    if reply.again {
        let _ = write!(out, "Retry-After: {}\r\n", limits::RETRY_AFTER_SECONDS);
    }
    match &reply.body {
        Body::Moved(place) => {
            let _ = write!(out, "Location: {place}\r\n");
        }
        Body::Page(..) => {
            let _ = write!(
                out,
                "Content-Security-Policy: {PAGE_POLICY}\r\nX-Content-Type-Options: nosniff\r\n\
                 Referrer-Policy: no-referrer\r\nCache-Control: no-cache\r\n"
            );
        }
        Body::None | Body::Message(_) | Body::Document(..) => {}
    }
    if !media_type.is_empty() {
        let _ = write!(
            out,
            "Content-Type: {media_type}\r\nContent-Length: {body_bytes}\r\n"
        );
    }
    put_id(out, ending.request_id);
    out.extend_from_slice(connection(ending.persistence));
    out.extend_from_slice(b"\r\n");
}

fn json_message(text: &str) -> String {
    let mut line = serde_json::json!({ "message": text }).to_string();
    line.push('\n');
    line
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        207 => "Multi-Status",
        301 => "Moved Permanently",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "Error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prepared_lengths_are_right() {
        for text in [GRANT, DENY, GRANT_KEPT, DENY_KEPT, GRANT_LAST, DENY_LAST] {
            let text = std::str::from_utf8(text).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(
                head.contains(&format!("Content-Length: {}", body.len())),
                "{text}"
            );
        }
    }

    #[test]
    fn a_message_is_escaped() {
        let mut out = Vec::new();
        reply(
            &mut out,
            &Reply::error(400, "say \"no\""),
            Ending {
                persistence: Persistence::Ends,
                head_only: false,
                request_id: None,
            },
        );
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 25\r\n\
             Connection: close\r\n\r\n{\"message\":\"say \\\"no\\\"\"}\n"
        );
    }
}
