//! The chunked coding, undone in place: the data of all chunks is moved together at the start of the body.
//!
//! Own code, because `httparse::parse_chunk_size` takes a line feed inside an extension and a blank after the size, the
//! shapes that request smuggling is made of.

use crate::http::request::Refusal;
use crate::limits;

#[derive(Clone, Copy, Debug, Default)]
enum Part {
    #[default]
    Size,
    Data(usize),
    DataEnd,
    Trailer,
}

/// Progress through one chunked body. Offsets count from the start of the body.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Chunked {
    part: Part,
    /// Bytes of data that stand together at the start.
    decoded: usize,
    /// Next byte to look at.
    raw: usize,
    /// Bytes of extensions so far.
    extensions: usize,
    /// Bytes of trailers so far.
    trailers: usize,
}

impl Chunked {
    /// Goes on as far as the bytes reach. Done: the end of the data and the start of the next request, both counted
    /// from the start of `buffer`. Otherwise the gap between data and unread bytes is closed.
    pub(crate) fn advance(
        &mut self,
        buffer: &mut Vec<u8>,
        body: usize,
        bytes_max: usize,
    ) -> Result<Option<(usize, usize)>, Refusal> {
        let Some(bytes) = buffer.get_mut(body..) else {
            return Ok(None);
        };
        if self.run(bytes, bytes_max)? {
            return Ok(Some((body + self.decoded, body + self.raw)));
        }
        let unread = bytes.len() - self.raw;
        if self.raw > self.decoded {
            bytes.copy_within(self.raw.., self.decoded);
            self.raw = self.decoded;
            buffer.truncate(body + self.decoded + unread);
        }
        Ok(None)
    }

    /// True once the last line of the trailer was read.
    fn run(&mut self, bytes: &mut [u8], bytes_max: usize) -> Result<bool, Refusal> {
        loop {
            let rest = bytes.get(self.raw..).unwrap_or_default();
            match self.part {
                Part::Size => {
                    let limit = limits::CHUNK_LINE_BYTES_MAX;
                    let Some(line) = line(rest, limit, Refusal::BAD_CHUNK, Refusal::BAD_CHUNK)? else {
                        return Ok(false);
                    };
                    let (size, extension) = chunk_size(line).ok_or(Refusal::BAD_CHUNK)?;
                    self.extensions += extension;
                    if self.extensions > limits::CHUNK_EXTENSION_BYTES_MAX {
                        return Err(Refusal::BAD_CHUNK);
                    }
                    self.raw += line.len() + 2;
                    let room = bytes_max.saturating_sub(self.decoded);
                    let size = usize::try_from(size)
                        .ok()
                        .filter(|s| *s <= room)
                        .ok_or(Refusal::BODY_TOO_LARGE)?;
                    self.part = if size == 0 {
                        Part::Trailer
                    } else {
                        Part::Data(size)
                    };
                }
                Part::Data(left) => {
                    let ready = left.min(rest.len());
                    if ready == 0 {
                        return Ok(false);
                    }
                    if self.raw != self.decoded {
                        bytes.copy_within(self.raw..self.raw + ready, self.decoded);
                    }
                    self.raw += ready;
                    self.decoded += ready;
                    self.part = if left == ready {
                        Part::DataEnd
                    } else {
                        Part::Data(left - ready)
                    };
                }
                Part::DataEnd => match rest {
                    [b'\r', b'\n', ..] => {
                        self.raw += 2;
                        self.part = Part::Size;
                    }
                    [] | [b'\r'] => return Ok(false),
                    _ => return Err(Refusal::BAD_CHUNK),
                },
                Part::Trailer => {
                    let limit = limits::TRAILER_BYTES_MAX.saturating_sub(self.trailers);
                    let Some(line) = line(rest, limit, Refusal::BAD_TRAILER, Refusal::TRAILER_TOO_LARGE)?
                    else {
                        return Ok(false);
                    };
                    self.raw += line.len() + 2;
                    self.trailers += line.len() + 2;
                    if line.is_empty() {
                        return Ok(true);
                    }
                    if !is_field(line) {
                        return Err(Refusal::BAD_TRAILER);
                    }
                }
            }
        }
    }
}

/// The next line without its CRLF. `bad` for a line feed alone, `long` for a line of more than `limit` bytes.
fn line(bytes: &[u8], limit: usize, bad: Refusal, long: Refusal) -> Result<Option<&[u8]>, Refusal> {
    let window = bytes.get(..bytes.len().min(limit)).unwrap_or_default();
    match memchr::memchr(b'\n', window) {
        Some(at) => match window.get(..at).and_then(|line| line.strip_suffix(b"\r")) {
            Some(line) => Ok(Some(line)),
            None => Err(bad),
        },
        None if bytes.len() >= limit => Err(long),
        None => Ok(None),
    }
}

/// Size and the number of bytes behind it. At most 16 hexadecimal digits, then nothing or an extension without control
/// characters.
fn chunk_size(line: &[u8]) -> Option<(u64, usize)> {
    let digits = line.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    if digits == 0 || digits > 16 {
        return None;
    }
    let (number, extension) = line.split_at_checked(digits)?;
    let sane = extension.first().is_none_or(|b| *b == b';') && !extension.iter().any(is_control);
    let size = u64::from_str_radix(std::str::from_utf8(number).ok()?, 16).ok()?;
    sane.then_some((size, extension.len()))
}

/// A trailer field is dropped, but it must look like one.
fn is_field(line: &[u8]) -> bool {
    let name = line.split(|b| *b == b':').next().unwrap_or_default();
    name.len() < line.len()
        && !name.is_empty()
        && name.iter().all(|b| b.is_ascii_graphic())
        && !line.iter().any(is_control)
}

fn is_control(byte: &u8) -> bool {
    byte.is_ascii_control() && *byte != b'\t'
}
