//! Where a request begins and ends: the state of one connection's input, fed with its receive buffer.
//!
//! [`Decoder::advance`] looks at the bytes from the start of the current request. It never reads and never writes; a
//! chunked body is compacted in place. However the bytes are split over calls, the outcome is the same. An error is
//! final: the caller answers once and closes, because nothing behind it can be told apart from an attack.

use crate::http::{chunked::Chunked, head};
use crate::limits;

/// What a client wants done. Only what some route knows is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`: its answer has no body.
    Head,
    /// `POST`
    Post,
    /// `OPTIONS`
    Options,
    /// Any other token.
    Other,
}

impl Method {
    /// Methods are compared with regard to case.
    pub(crate) fn of(token: &str) -> Method {
        match token {
            "POST" => Method::Post,
            "GET" => Method::Get,
            "HEAD" => Method::Head,
            "OPTIONS" => Method::Options,
            _ => Method::Other,
        }
    }
}

/// How the end of a body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// So many bytes follow the head; 0 where the head says nothing.
    Bytes(u64),
    /// Chunks up to an empty one, then trailers.
    Chunked,
}

/// The facts of a head. Places are `(offset, length)` from the start of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Method.
    pub method: Method,
    /// Request target as sent.
    pub target: (u32, u32),
    /// Value of the first `Content-Type`.
    pub content_type: Option<(u32, u32)>,
    /// Value of the first `Content-Encoding`.
    pub content_encoding: Option<(u32, u32)>,
    /// Value of the first `Accept-Encoding`.
    pub accept_encoding: Option<(u32, u32)>,
    /// Value of the last `X-Request-ID`.
    pub request_id: Option<(u32, u32)>,
    /// Framing of the body.
    pub length: BodyLength,
    /// The client waits for `100 Continue` before it sends the body.
    pub expect_continue: bool,
    /// Whether the connection outlives the answer.
    pub persistence: Persistence,
}

/// What an answer says about the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// It stays, as HTTP/1.1 takes for granted: nothing is said.
    Stays,
    /// It stays because an HTTP/1.0 client asked for it: this is said.
    Kept,
    /// It ends with the answer: this is said.
    Ends,
}

/// A complete request. Offsets count from the start of the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its head.
    pub head: Head,
    /// Start of the request, to which the places of `head` are relative.
    pub start: usize,
    /// First byte of the body.
    pub body_start: usize,
    /// One past the last byte of the body.
    pub body_end: usize,
    /// Where the next request begins.
    pub end: usize,
}

/// Why a request is refused before anybody looked at what it wants. The connection is closed after the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Status of the answer.
    pub status: u16,
    /// Text of the answer's `message`.
    pub message: &'static str,
}

impl Refusal {
    pub(crate) const MALFORMED_HEAD: Refusal = Refusal {
        status: 400,
        message: "malformed request head",
    };
    pub(crate) const BARE_LF: Refusal = Refusal {
        status: 400,
        message: "line feed without carriage return",
    };
    pub(crate) const NO_HOST: Refusal = Refusal {
        status: 400,
        message: "missing Host header",
    };
    pub(crate) const BAD_HOST: Refusal = Refusal {
        status: 400,
        message: "malformed or repeated Host header",
    };
    pub(crate) const BAD_LENGTH: Refusal = Refusal {
        status: 400,
        message: "malformed or repeated Content-Length",
    };
    pub(crate) const TWO_FRAMINGS: Refusal = Refusal {
        status: 400,
        message: "more than one of Content-Length and Transfer-Encoding",
    };
    pub(crate) const CHUNKED_IN_HTTP_1_0: Refusal = Refusal {
        status: 400,
        message: "Transfer-Encoding needs HTTP/1.1",
    };
    pub(crate) const TRANSFER_CODING: Refusal = Refusal {
        status: 501,
        message: "the only supported transfer coding is chunked",
    };
    pub(crate) const BAD_CHUNK: Refusal = Refusal {
        status: 400,
        message: "malformed chunk",
    };
    pub(crate) const BAD_TRAILER: Refusal = Refusal {
        status: 400,
        message: "malformed trailer",
    };
    pub(crate) const EXPECTATION: Refusal = Refusal {
        status: 417,
        message: "the only supported expectation is 100-continue",
    };
    pub(crate) const VERSION: Refusal = Refusal {
        status: 505,
        message: "the supported versions are HTTP/1.0 and HTTP/1.1",
    };
    pub(crate) const TARGET_TOO_LONG: Refusal = Refusal {
        status: 414,
        message: "request target too long",
    };
    pub(crate) const HEAD_TOO_LARGE: Refusal = Refusal {
        status: 431,
        message: "request head too large",
    };
    pub(crate) const TOO_MANY_FIELDS: Refusal = Refusal {
        status: 431,
        message: "too many header fields",
    };
    pub(crate) const TRAILER_TOO_LARGE: Refusal = Refusal {
        status: 431,
        message: "trailer too large",
    };
    pub(crate) const BODY_TOO_LARGE: Refusal = Refusal {
        status: 413,
        message: "request body too large",
    };
    pub(crate) const CUT_SHORT: Refusal = Refusal {
        status: 400,
        message: "unexpected end of the request",
    };
}

/// What the bytes so far amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// More bytes are needed.
    More,
    /// The head is complete, its client waits for `100 Continue` and no byte of the body is here. Comes once for a
    /// request; the next call goes on with the body.
    Expect(Head),
    /// A request is complete; the decoder is ready for the next one.
    Request(Message),
    /// The input is not HTTP as we take it.
    Refuse(Refusal),
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// `scanned` bytes hold no end of the head; `lines` says whether a line end was among them.
    Head { scanned: usize, lines: bool },
    /// The head ended at `body`.
    Length {
        head: Head,
        body: usize,
        length: usize,
        expected: bool,
    },
    /// The same, chunked.
    Chunks {
        head: Head,
        chunked: Chunked,
        body: usize,
        expected: bool,
    },
}

/// Framing state of one connection.
#[derive(Debug)]
pub struct Decoder {
    state: State,
    body_bytes_max: usize,
}

impl Decoder {
    /// A decoder at the start of a connection. Bodies above `body_bytes_max` are refused.
    #[must_use]
    pub fn new(body_bytes_max: usize) -> Decoder {
        Decoder {
            state: State::Head {
                scanned: 0,
                lines: false,
            },
            body_bytes_max,
        }
    }

    /// Whether the current request's head is complete and its body is not.
    #[must_use]
    pub fn in_body(&self) -> bool {
        !matches!(self.state, State::Head { .. })
    }

    /// The head of the current request, once it is complete and as long as its body is not, or if that is refused.
    #[must_use]
    pub fn head(&self) -> Option<&Head> {
        match &self.state {
            State::Head { .. } => None,
            State::Length { head, .. } | State::Chunks { head, .. } => Some(head),
        }
    }

    /// Looks at the request that begins at `start`. After [`Step::Request`] the caller goes on with the message's `end`.
    ///
    /// With [`Step::More`] the bytes before `start` may be dropped. A chunked body is moved together inside `buffer`.
    pub fn advance(&mut self, buffer: &mut Vec<u8>, start: usize) -> Step {
        loop {
            let outcome = match &mut self.state {
                State::Head { scanned, lines } => {
                    let bytes = buffer.get(start..).unwrap_or_default();
                    match head_end(bytes, scanned, lines) {
                        Ok(None) => return Step::More,
                        Ok(Some(end)) => self.enter_body(bytes.get(..end).unwrap_or_default()),
                        Err(refusal) => Err(refusal),
                    }
                }
                State::Length {
                    head,
                    body,
                    length,
                    expected,
                } => {
                    let (body_start, body_end) = (start + *body, start + *body + *length);
                    if buffer.len() >= body_end {
                        let message = Message {
                            head: *head,
                            start,
                            body_start,
                            body_end,
                            end: body_end,
                        };
                        self.reset();
                        return Step::Request(message);
                    }
                    let waits = std::mem::take(expected) && buffer.len() == body_start;
                    return if waits { Step::Expect(*head) } else { Step::More };
                }
                State::Chunks {
                    head,
                    chunked,
                    body,
                    expected,
                } => {
                    let body_start = start + *body;
                    if std::mem::take(expected) && buffer.len() == body_start {
                        return Step::Expect(*head);
                    }
                    match chunked.advance(buffer, body_start, self.body_bytes_max) {
                        Ok(None) => return Step::More,
                        Ok(Some((body_end, end))) => {
                            let message = Message {
                                head: *head,
                                start,
                                body_start,
                                body_end,
                                end,
                            };
                            self.reset();
                            return Step::Request(message);
                        }
                        Err(refusal) => Err(refusal),
                    }
                }
            };
            if let Err(refusal) = outcome {
                return Step::Refuse(refusal);
            }
        }
    }

    /// What the end of the input means: a refusal if it cuts a request, nothing between two requests.
    #[must_use]
    pub fn finish(&self, buffered: usize) -> Option<Refusal> {
        (buffered > 0 || self.in_body()).then_some(Refusal::CUT_SHORT)
    }

    fn reset(&mut self) {
        self.state = State::Head {
            scanned: 0,
            lines: false,
        };
    }

    fn enter_body(&mut self, head_bytes: &[u8]) -> Result<(), Refusal> {
        let head = head::parse(head_bytes)?;
        let (body, expected) = (head_bytes.len(), head.expect_continue);
        let mut is_too_large = false;
        self.state = match head.length {
            BodyLength::Chunked => State::Chunks {
                head,
                chunked: Chunked::default(),
                body,
                expected,
            },
            BodyLength::Bytes(length) => {
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                is_too_large = length > self.body_bytes_max;
                State::Length {
                    head,
                    body,
                    length,
                    expected,
                }
            }
        };
        if is_too_large {
            Err(Refusal::BODY_TOO_LARGE)
        } else {
            Ok(())
        }
    }
}

/// Length of the head with its empty line, if it is complete. Every line must end with CRLF; a head begins with its
/// request line, but for one empty line that old clients send after a body (RFC 9112, 2.2).
fn head_end(bytes: &[u8], scanned: &mut usize, lines: &mut bool) -> Result<Option<usize>, Refusal> {
    let window = bytes
        .get(..bytes.len().min(limits::HEAD_BYTES_MAX))
        .unwrap_or_default();
    while let Some(found) = window
        .get(*scanned..)
        .and_then(|rest| memchr::memchr(b'\n', rest))
    {
        let at = *scanned + found;
        let before = window.get(..at).unwrap_or_default();
        if !before.ends_with(b"\r") {
            return Err(Refusal::BARE_LF);
        }
        *scanned = at + 1;
        if before.ends_with(b"\r\n\r") {
            return if *lines {
                Ok(Some(at + 1))
            } else {
                Err(Refusal::MALFORMED_HEAD)
            };
        }
        *lines |= at > 1;
    }
    if bytes.len() >= limits::HEAD_BYTES_MAX {
        return Err(if *lines {
            Refusal::HEAD_TOO_LARGE
        } else {
            Refusal::TARGET_TOO_LONG
        });
    }
    *scanned = window.len();
    Ok(None)
}
