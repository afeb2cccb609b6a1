//! Framing of HTTP/1.1 answers: bytes in, one whole answer or what is missing. Only lengths that are said are read: no
//! chunks, because no server that is measured sends them for answers of one line.

use std::ops::Range;

/// Fields of one head; more is not an answer of a server under test.
const HEADERS_MAX: usize = 64;

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Where its body lies.
    pub body: Range<usize>,
    /// The server will close the connection.
    pub closes: bool,
}

/// What a buffer begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Less than one answer.
    Partial,
    /// One answer; it ends where its body ends.
    Whole(Answer),
    /// No answer that can be read, and why.
    Broken(&'static str),
}

/// The first answer in the buffer. Interim answers (1xx) are passed over.
#[must_use]
pub fn read_answer(bytes: &[u8]) -> Step {
    let mut from = 0;
    loop {
        let rest = bytes.get(from..).unwrap_or_default();
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut head = httparse::Response::new(&mut headers);
        let head_bytes = match head.parse(rest) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Step::Partial,
            Err(_) => return Step::Broken("no HTTP/1.1 answer"),
        };
        let status = head.code.unwrap_or_default();
        from += head_bytes;
        if (100..200).contains(&status) {
            continue;
        }
        let (length, closes) = match said(&head, status) {
            Ok(said) => said,
            Err(problem) => return Step::Broken(problem),
        };
        let body = from..from + length;
        return match bytes.len() >= body.end {
            true => Step::Whole(Answer { status, body, closes }),
            false => Step::Partial,
        };
    }
}

/// Length of the body, and whether the connection ends with it.
fn said(head: &httparse::Response<'_, '_>, status: u16) -> Result<(usize, bool), &'static str> {
    let mut length = None;
    let mut closes = head.version == Some(0);
    for field in head.headers.iter() {
        let value = std::str::from_utf8(field.value).map_err(|_| "a field that is no text")?;
        if field.name.eq_ignore_ascii_case("content-length") {
            length = Some(value.trim().parse().map_err(|_| "a length that is no number")?);
        } else if field.name.eq_ignore_ascii_case("transfer-encoding") {
            return Err("an answer in chunks");
        } else if field.name.eq_ignore_ascii_case("connection") {
            closes = match value {
                value if value.eq_ignore_ascii_case("close") => true,
                value if value.eq_ignore_ascii_case("keep-alive") => false,
                _ => closes,
            };
        }
    }
    match length {
        Some(length) => Ok((length, closes)),
        None if matches!(status, 204 | 304) => Ok((0, closes)),
        None => Err("an answer without a length"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: Step) {
        assert_eq!(read_answer(text.as_bytes()), want);
        // However it is cut, less than all of it is no answer.
        if let Step::Whole(answer) = want {
            for cut in 0..answer.body.end {
                let part = text.as_bytes().get(..cut).unwrap_or_default();
                assert_eq!(read_answer(part), Step::Partial, "cut at {cut}");
            }
        }
    }

    fn whole(status: u16, body: Range<usize>, closes: bool) -> Step {
        Step::Whole(Answer { status, body, closes })
    }

    #[test]
    fn answers_are_framed_by_their_length() {
        check(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP",
            whole(200, 38..40, false),
        );
        check("HTTP/1.1 204 No Content\r\n\r\n", whole(204, 27..27, false));
        check(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 413 No\r\ncontent-length:0\r\nConnection: Close\r\n\r\n",
            whole(413, 81..81, true),
        );
        check(
            "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
            whole(200, 38..38, true),
        );
    }

    #[test]
    fn what_is_no_answer_is_said() {
        check(
            "HTTP/1.1 200 OK\r\n\r\n",
            Step::Broken("an answer without a length"),
        );
        check(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            Step::Broken("an answer in chunks"),
        );
        check("SSH-2.0-x\r\n", Step::Broken("no HTTP/1.1 answer"));
    }
}
