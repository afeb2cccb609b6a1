//! The two answers that Envoy gets, as protobuf bytes. They say nothing but the decision: what came with the request goes
//! neither to the client nor upstream.

use bytes::Bytes;

use crate::envoy::wire::{put_bytes, put_varint};

/// The header that tells the upstream, or the client, what was decided.
pub(super) const RESULT_HEADER: &str = "x-ext-authz-check-result";
/// Its value for a request that may pass.
pub(super) const ALLOWED: &str = "allowed";
/// Its value for one that may not.
pub(super) const DENIED: &str = "denied";
/// What a client reads whose request is denied.
pub(super) const DENIED_BODY: &str = "permission denied";

/// Both CheckResponses, made once.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    allowed: Bytes,
    denied: Bytes,
}

impl Answers {
    pub(super) fn new() -> Answers {
        Answers {
            allowed: Bytes::from(allowed()),
            denied: Bytes::from(denied()),
        }
    }

    /// The answer for a decision.
    pub(super) fn of(&self, allow: bool) -> Bytes {
        if allow {
            self.allowed.clone()
        } else {
            self.denied.clone()
        }
    }
}

/// `CheckResponse.status`, a `google.rpc.Status`.
const STATUS: u32 = 1;
/// `CheckResponse.denied_response`
const DENIED_RESPONSE: u32 = 2;
/// `CheckResponse.ok_response`
const OK_RESPONSE: u32 = 3;
/// `headers` of both.
const HEADERS: u32 = 2;

fn allowed() -> Vec<u8> {
    let (mut response, mut ok) = (Vec::new(), Vec::new());
    // A status without a code is OK, code 0.
    put_bytes(&mut response, STATUS, &[]);
    put_bytes(&mut ok, HEADERS, &result_header(ALLOWED));
    put_bytes(&mut response, OK_RESPONSE, &ok);
    response
}

fn denied() -> Vec<u8> {
    const PERMISSION_DENIED: u64 = 7;
    const FORBIDDEN: u64 = 403;
    const HTTP_STATUS: u32 = 1;
    const BODY: u32 = 3;
    let (mut response, mut status, mut http_status, mut denied) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    put_varint(&mut status, 1, PERMISSION_DENIED);
    put_bytes(&mut response, STATUS, &status);
    put_varint(&mut http_status, 1, FORBIDDEN);
    put_bytes(&mut denied, HTTP_STATUS, &http_status);
    put_bytes(&mut denied, HEADERS, &result_header(DENIED));
    put_bytes(&mut denied, BODY, DENIED_BODY.as_bytes());
    put_bytes(&mut response, DENIED_RESPONSE, &denied);
    response
}

/// A `HeaderValueOption` that replaces whatever header of that name there is: a client must not be able to forge it.
fn result_header(value: &str) -> Vec<u8> {
    const OVERWRITE_OR_ADD: u64 = 2;
    let (mut header, mut option) = (Vec::new(), Vec::new());
    put_bytes(&mut header, 1, RESULT_HEADER.as_bytes());
    put_bytes(&mut header, 2, value.as_bytes());
    put_bytes(&mut option, 1, &header);
    put_varint(&mut option, 3, OVERWRITE_OR_ADD);
    option
}
