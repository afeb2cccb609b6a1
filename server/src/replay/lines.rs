//! A stream of access records, one at a time, in bounded memory.

use std::io::{BufRead, Error, ErrorKind, Result};

use crate::limits::{REPLAY_RECORD_BYTES_MAX, REPLAY_SKIP_BYTES_MAX};

/// What stands next in a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The text of [`Lines::text`].
    Record,
    /// A record longer than [`REPLAY_RECORD_BYTES_MAX`], which was passed over.
    TooLong,
    /// Nothing.
    End,
}

/// Cuts a stream at its lines. A line that is just `{` begins an indented record (`--pretty-log`), which ends with a line
/// that is just `}`.
pub(super) struct Lines<R> {
    stream: R,
    text: Vec<u8>,
    /// Number of the line that was read last.
    read: u64,
    /// Number of the line on which the record begins.
    first: u64,
    /// Bytes of the record that were read, kept or not.
    passed: usize,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(stream: R) -> Lines<R> {
        Lines {
            stream,
            text: Vec::new(),
            read: 0,
            first: 0,
            passed: 0,
        }
    }

    /// The record, without its line end.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// The line on which it begins, from 1.
    pub(super) fn number(&self) -> u64 {
        self.first
    }

    /// Goes on to the next record; blank lines are none.
    ///
    /// # Errors
    /// Of the stream, and a record of which more than [`REPLAY_SKIP_BYTES_MAX`] was read without an end.
    pub(super) fn advance(&mut self) -> Result<Next> {
        loop {
            self.text.clear();
            self.passed = 0;
            self.first = self.read + 1;
            match self.line()? {
                Next::Record if self.text.trim_ascii().is_empty() => {}
                Next::Record if self.text.trim_ascii_end() == b"{" => return self.indented(),
                next => return Ok(next),
            }
        }
    }

    /// Goes on to the closing line; one that is too long, too, ends there.
    fn indented(&mut self) -> Result<Next> {
        let mut fits = true;
        loop {
            if !fits {
                self.text.clear();
            }
            let start = self.text.len();
            let next = self.line()?;
            let line = self.text.get(start..).unwrap_or_default();
            let closes = next == Next::Record && line.trim_ascii_end() == b"}";
            fits = fits && next != Next::TooLong && self.text.len() < REPLAY_RECORD_BYTES_MAX;
            // What the stream ends in the middle of is no JSON, which its reader says.
            if closes || next == Next::End {
                return Ok(if fits { Next::Record } else { Next::TooLong });
            }
        }
    }

    /// Appends the next line to the text, or the beginning of one that is too long.
    fn line(&mut self) -> Result<Next> {
        let start = self.text.len();
        let (mut some, mut fits) = (false, true);
        loop {
            let buffer = match self.stream.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if buffer.is_empty() {
                break;
            }
            if !some {
                self.read += 1;
                some = true;
            }
            let end = memchr::memchr(b'\n', buffer);
            let part = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
            fits = fits && self.text.len() - start + part.len() < REPLAY_RECORD_BYTES_MAX;
            if fits {
                self.text.extend_from_slice(part);
                self.text.extend(end.map(|_| b'\n'));
            }
            let used = part.len() + usize::from(end.is_some());
            self.stream.consume(used);
            self.passed += used;
            if self.passed > REPLAY_SKIP_BYTES_MAX {
                let mib = REPLAY_SKIP_BYTES_MAX >> 20;
                let text = format!(
                    "line {}: more than {mib} MiB without the end of a record",
                    self.first
                );
                return Err(Error::new(ErrorKind::InvalidData, text));
            }
            if end.is_some() {
                break;
            }
        }
        Ok(match (some, fits) {
            (false, _) => Next::End,
            (true, true) => Next::Record,
            (true, false) => Next::TooLong,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    #[track_caller]
    fn check(text: &str, want: &[(u64, &str)]) {
        // A small buffer, so that lines lie across its ends.
        let mut lines = Lines::new(BufReader::with_capacity(3, text.as_bytes()));
        let mut got = Vec::new();
        while lines.advance().unwrap() == Next::Record {
            let text = String::from_utf8(lines.text().to_vec()).unwrap();
            got.push((lines.number(), text.trim_end().to_owned()));
        }
        let want: Vec<_> = want.iter().map(|(n, text)| (*n, (*text).to_owned())).collect();
        assert_eq!(got, want);
    }

    #[test]
    fn records_have_the_numbers_of_their_lines() {
        check("", &[]);
        check("\n \n", &[]);
        check("{\"a\":1}\n\n{\"b\":2}", &[(1, "{\"a\":1}"), (3, "{\"b\":2}")]);
        check("{}\r\n[]\r\n", &[(1, "{}"), (2, "[]")]);
    }

    #[test]
    fn indented_records_are_one_record() {
        check(
            "{\n  \"a\": {\n  }\n}\n{\"b\":1}\n",
            &[(1, "{\n  \"a\": {\n  }\n}"), (5, "{\"b\":1}")],
        );
        check("{\n  \"a\"", &[(1, "{\n  \"a\"")]);
    }

    #[test]
    fn a_record_that_is_too_long_is_passed_over() {
        let text = format!("{}\n{{}}\n", "x".repeat(REPLAY_RECORD_BYTES_MAX));
        let mut lines = Lines::new(text.as_bytes());
        assert_eq!(lines.advance().unwrap(), Next::TooLong);
        assert_eq!(lines.advance().unwrap(), Next::Record);
        assert_eq!((lines.number(), lines.text()), (2, &b"{}\n"[..]));
        assert_eq!(lines.advance().unwrap(), Next::End);
    }

    #[test]
    fn an_indented_record_that_is_too_long_is_passed_over_whole() {
        let long = "x".repeat(REPLAY_RECORD_BYTES_MAX);
        let half = "x".repeat(REPLAY_RECORD_BYTES_MAX / 2);
        for middle in [&long, &format!("{half}\n{half}")] {
            let lines = middle.lines().count() as u64;
            let text = format!("{{\n{middle}\n  \"a\": {{\n  }}\n}}\n{{}}\n");
            let mut stream = Lines::new(text.as_bytes());
            assert_eq!(stream.advance().unwrap(), Next::TooLong);
            assert_eq!(stream.number(), 1);
            assert_eq!(stream.advance().unwrap(), Next::Record);
            assert_eq!((stream.number(), stream.text()), (lines + 5, &b"{}\n"[..]));
            assert_eq!(stream.advance().unwrap(), Next::End);
        }
        let text = format!("{{\n{long}\n");
        let mut stream = Lines::new(text.as_bytes());
        assert_eq!(stream.advance().unwrap(), Next::TooLong);
        assert_eq!(stream.advance().unwrap(), Next::End);
    }

    #[test]
    fn what_never_ends_is_given_up() {
        let mut lines = Lines::new(BufReader::with_capacity(1 << 20, std::io::repeat(b'x')));
        let error = lines.advance().unwrap_err().to_string();
        assert_eq!(error, "line 1: more than 256 MiB without the end of a record");
    }
}
