//! The head of one request: complete bytes in, the few facts that framing and routing need out.
//!
//! `httparse` splits the lines; everything that decides where a message ends is checked here.

use std::mem::MaybeUninit;

use crate::http::request::{BodyLength, Head, Method, Persistence, Refusal};
use crate::limits;

/// Reads a head that ends with the empty line; every line already ends with CRLF (see `request.rs`).
///
/// Offsets in the result count from the start of `bytes`.
pub(crate) fn parse(bytes: &[u8]) -> Result<Head, Refusal> {
    let mut fields = [const { MaybeUninit::<httparse::Header<'_>>::uninit() }; limits::HEADERS_MAX];
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(bytes, &mut fields) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Err(Refusal::MALFORMED_HEAD),
        Err(error) => return Err(refusal_of(error)),
    }
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version) else {
        return Err(Refusal::MALFORMED_HEAD);
    };
    if target.len() > limits::TARGET_BYTES_MAX {
        return Err(Refusal::TARGET_TOO_LONG);
    }
    let modern = minor == 1;
    let mut seen = Fields::default();
    for field in request.headers.iter() {
        seen.note(bytes, field)?;
    }
    if modern && !seen.host {
        return Err(Refusal::NO_HOST);
    }
    let length = match (seen.chunked, seen.content_length) {
        (true, Some(_)) => return Err(Refusal::TWO_FRAMINGS),
        (true, None) if !modern => return Err(Refusal::CHUNKED_IN_HTTP_1_0),
        (true, None) => BodyLength::Chunked,
        (false, length) => BodyLength::Bytes(length.unwrap_or(0)),
    };
    Ok(Head {
        method: Method::of(method),
        target: place(bytes, target.as_bytes()),
        content_type: seen.content_type,
        content_encoding: seen.content_encoding,
        accept_encoding: seen.accept_encoding,
        request_id: seen.request_id,
        length,
        expect_continue: seen.expect_continue && modern,
        persistence: match (seen.close, modern) {
            (true, _) => Persistence::Ends,
            (false, true) => Persistence::Stays,
            (false, false) if seen.keep_alive => Persistence::Kept,
            (false, false) => Persistence::Ends,
        },
    })
}

fn refusal_of(error: httparse::Error) -> Refusal {
    match error {
        httparse::Error::TooManyHeaders => Refusal::TOO_MANY_FIELDS,
        httparse::Error::Version => Refusal::VERSION,
        httparse::Error::HeaderName
        | httparse::Error::HeaderValue
        | httparse::Error::NewLine
        | httparse::Error::Status
        | httparse::Error::Token => Refusal::MALFORMED_HEAD,
    }
}

/// Offset and length of `part` inside `whole`, from which it was sliced.
fn place(whole: &[u8], part: &[u8]) -> (u32, u32) {
    let at = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    (
        u32::try_from(at).unwrap_or(u32::MAX),
        u32::try_from(part.len()).unwrap_or(u32::MAX),
    )
}

/// What the header fields said so far.
#[derive(Default)]
struct Fields {
    host: bool,
    chunked: bool,
    content_length: Option<u64>,
    content_type: Option<(u32, u32)>,
    content_encoding: Option<(u32, u32)>,
    accept_encoding: Option<(u32, u32)>,
    request_id: Option<(u32, u32)>,
    expect_continue: bool,
    close: bool,
    keep_alive: bool,
}

impl Fields {
    fn note(&mut self, bytes: &[u8], field: &httparse::Header<'_>) -> Result<(), Refusal> {
        // The length of a name tells most fields apart at once.
        match field.name.len() {
            4 if field.name.eq_ignore_ascii_case("host") => {
                if self.host || !plausible_host(field.value) {
                    return Err(Refusal::BAD_HOST);
                }
                self.host = true;
            }
            6 if field.name.eq_ignore_ascii_case("expect") => {
                if !field.value.eq_ignore_ascii_case(b"100-continue") {
                    return Err(Refusal::EXPECTATION);
                }
                self.expect_continue = true;
            }
            10 if field.name.eq_ignore_ascii_case("connection") => {
                for word in field.value.split(|b| *b == b',').map(<[u8]>::trim_ascii) {
                    self.close |= word.eq_ignore_ascii_case(b"close");
                    self.keep_alive |= word.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            12 if field.name.eq_ignore_ascii_case("x-request-id") => {
                self.request_id = Some(place(bytes, field.value));
            }
            // Of two Content-Type lines the first counts, as in the reference.
            12 if self.content_type.is_none() && field.name.eq_ignore_ascii_case("content-type") => {
                self.content_type = Some(place(bytes, field.value));
            }
            14 if field.name.eq_ignore_ascii_case("content-length") => {
                if self.content_length.is_some() {
                    return Err(Refusal::BAD_LENGTH);
                }
                self.content_length = Some(decimal(field.value).ok_or(Refusal::BAD_LENGTH)?);
            }
            15 if self.accept_encoding.is_none() && field.name.eq_ignore_ascii_case("accept-encoding") => {
                self.accept_encoding = Some(place(bytes, field.value));
            }
            16 if self.content_encoding.is_none() && field.name.eq_ignore_ascii_case("content-encoding") => {
                self.content_encoding = Some(place(bytes, field.value));
            }
            17 if field.name.eq_ignore_ascii_case("transfer-encoding") => {
                if self.chunked {
                    return Err(Refusal::TWO_FRAMINGS);
                }
                if !field.value.eq_ignore_ascii_case(b"chunked") {
                    return Err(Refusal::TRANSFER_CODING);
                }
                self.chunked = true;
            }
            _ => {}
        }
        Ok(())
    }
}

/// A length as RFC 9110 writes it: digits alone, at most 19, so that it fits 64 bits.
fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 19 {
        return None;
    }
    text.iter().try_fold(0u64, |sum, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| sum * 10 + u64::from(digit))
    })
}

/// Whether the bytes could name a host and a port. An empty value is legal where the target has no authority.
fn plausible_host(value: &[u8]) -> bool {
    value
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || is_host_mark(*byte))
}

/// The marks that RFC 3986 allows in an authority without user.
const fn is_host_mark(byte: u8) -> bool {
    matches!(byte, b'-' | b'.' | b'_' | b'~' | b':' | b'[' | b']' | b'%')
        || matches!(
            byte,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b';' | b'='
        )
}
