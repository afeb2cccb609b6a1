//! JSON text → value in the arena. Exact: numbers keep their text, or become what a request makes of them; the last of
//! equal keys wins; bad UTF-8 in strings is replaced as Go's decoder replaces it. Needs no stack that grows with nesting.

use super::number::{self, Numbers};
use super::{JsonError, JsonErrorKind};
use crate::arena::{Arena, List};
use crate::error::EvalErrorKind;
use crate::limits::JSON_DEPTH_MAX;
use crate::value::{Entry, Value, object_from};

const VALUE: &str = "looking for beginning of value";
const KEY: &str = "looking for beginning of object key string";
const AFTER_KEY: &str = "after object key";
const AFTER_PAIR: &str = "after object key:value pair";
const AFTER_ELEMENT: &str = "after array element";
const IN_STRING: &str = "in string literal";
const IN_ESCAPE: &str = "in string escape code";
const IN_HEX: &str = "in \\u hexadecimal character escape";
const IN_NUMBER: &str = "in numeric literal";
const IN_FRACTION: &str = "after decimal point in numeric literal";
const IN_EXPONENT: &str = "in exponent of numeric literal";
const AFTER_DOCUMENT: &str = "after top-level value";

/// Parses a whole text: one value and blanks.
pub fn parse<'r>(arena: &'r Arena, text: &'r [u8], numbers: Numbers) -> Result<Value<'r>, JsonError> {
    let (value, end) = parse_prefix(arena, text, numbers)?;
    let mut reader = Reader { text, at: end };
    match reader.skip_blanks() {
        None => Ok(value),
        Some(byte) => Err(reader.unexpected(byte, AFTER_DOCUMENT)),
    }
}

/// Parses one value at the start of a text; also gives the offset behind it. Strings without escapes borrow from `text`.
pub fn parse_prefix<'r>(
    arena: &'r Arena,
    text: &'r [u8],
    numbers: Numbers,
) -> Result<(Value<'r>, usize), JsonError> {
    let mut parser = Parser::new(arena, Reader { text, at: 0 }, numbers);
    let value = parser.document()?;
    Ok((value, parser.reader.at))
}

/// The string whose opening quote is at `at`; also gives the offset behind it.
pub(crate) fn string_at<'r>(
    arena: &'r Arena,
    text: &'r [u8],
    at: usize,
) -> Result<(&'r str, usize), JsonError> {
    let mut parser = Parser::new(arena, Reader { text, at }, Numbers::ByValue);
    let string = parser.string()?;
    Ok((string, parser.reader.at))
}

/// A container that is not closed yet.
#[derive(Clone, Copy)]
struct Open {
    /// Number of values before its first part.
    start: usize,
    is_object: bool,
}

struct Parser<'r> {
    arena: &'r Arena,
    reader: Reader<'r>,
    numbers: Numbers,
    open: List<'r, Open>,
    /// Parts of all open containers, keys and values of objects in turn.
    values: List<'r, Value<'r>>,
}

impl<'r> Parser<'r> {
    fn new(arena: &'r Arena, reader: Reader<'r>, numbers: Numbers) -> Parser<'r> {
        Parser {
            arena,
            reader,
            numbers,
            open: List::new(arena),
            values: List::new(arena),
        }
    }

    fn document(&mut self) -> Result<Value<'r>, JsonError> {
        loop {
            let Some(mut value) = self.value_or_open()? else {
                continue;
            };
            loop {
                let Some(&container) = self.open.items().last() else {
                    return Ok(value);
                };
                self.push(value)?;
                let context = if container.is_object {
                    AFTER_PAIR
                } else {
                    AFTER_ELEMENT
                };
                match (self.reader.skip_blanks_or_end()?, container.is_object) {
                    (b',', true) => {
                        self.reader.at += 1;
                        self.key()?;
                        break;
                    }
                    (b',', false) => {
                        self.reader.at += 1;
                        break;
                    }
                    (b'}', true) | (b']', false) => value = self.close(container)?,
                    (byte, _) => return Err(self.reader.unexpected(byte, context)),
                }
            }
        }
    }

    /// A scalar or an empty container; `None`: a container was opened and its first value comes next.
    fn value_or_open(&mut self) -> Result<Option<Value<'r>>, JsonError> {
        let byte = self.reader.skip_blanks_or_end()?;
        match byte {
            b'{' | b'[' => {
                let container = self.open_container(byte == b'{')?;
                match (self.reader.skip_blanks_or_end()?, container.is_object) {
                    (b'}', true) | (b']', false) => self.close(container).map(Some),
                    (_, true) => self.key().map(|()| None),
                    (_, false) => Ok(None),
                }
            }
            b'"' => self.string().map(|text| Some(Value::string(text))),
            b'-' | b'0'..=b'9' => self.number().map(Some),
            b't' => self.reader.word("true").map(|()| Some(Value::TRUE)),
            b'f' => self.reader.word("false").map(|()| Some(Value::FALSE)),
            b'n' => self.reader.word("null").map(|()| Some(Value::NULL)),
            _ => Err(self.reader.unexpected(byte, VALUE)),
        }
    }

    fn open_container(&mut self, is_object: bool) -> Result<Open, JsonError> {
        if self.open.items().len() >= JSON_DEPTH_MAX {
            return Err(self.reader.error(JsonErrorKind::TooDeep));
        }
        self.reader.at += 1;
        let container = Open {
            start: self.values.items().len(),
            is_object,
        };
        let pushed = self.open.push(container);
        self.memory(pushed)?;
        Ok(container)
    }

    /// A key and its colon.
    fn key(&mut self) -> Result<(), JsonError> {
        let byte = self.reader.skip_blanks_or_end()?;
        if byte != b'"' {
            return Err(self.reader.unexpected(byte, KEY));
        }
        let key = self.string()?;
        self.push(Value::string(key))?;
        match self.reader.skip_blanks_or_end()? {
            b':' => {
                self.reader.at += 1;
                Ok(())
            }
            byte => Err(self.reader.unexpected(byte, AFTER_KEY)),
        }
    }

    fn close(&mut self, container: Open) -> Result<Value<'r>, JsonError> {
        self.reader.at += 1;
        self.open.pop();
        let parts = self.values.items().get(container.start..).unwrap_or_default();
        let built = if container.is_object {
            object_of(self.arena, parts)
        } else {
            self.arena.values(parts).map(Value::array)
        };
        self.values.truncate(container.start);
        self.memory(built)
    }

    fn number(&mut self) -> Result<Value<'r>, JsonError> {
        let start = self.reader.at;
        let text = self.reader.number_text()?;
        number::value(self.arena, text, self.numbers).map_err(|kind| JsonError {
            kind,
            at: offset(start),
        })
    }

    /// The string at the opening quote.
    fn string(&mut self) -> Result<&'r str, JsonError> {
        self.reader.at += 1;
        let rest = self.reader.rest();
        let plain = rest
            .iter()
            .position(|&byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))
            .unwrap_or(rest.len());
        if rest.get(plain) == Some(&b'"')
            && let Ok(text) = std::str::from_utf8(rest.get(..plain).unwrap_or_default())
        {
            self.reader.at += plain + 1;
            return Ok(text);
        }
        let mut text = List::new(self.arena);
        loop {
            let rest = self.reader.rest();
            let plain = rest
                .iter()
                .position(|&byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))
                .unwrap_or(rest.len());
            let copied = copy_repaired(&mut text, rest.get(..plain).unwrap_or_default());
            self.memory(copied)?;
            self.reader.at += plain;
            match self.reader.peek_or_end()? {
                b'"' => break,
                b'\\' => {
                    let decoded = self.reader.escape()?;
                    let pushed = push_char(&mut text, decoded);
                    self.memory(pushed)?;
                }
                byte => return Err(self.reader.unexpected(byte, IN_STRING)),
            }
        }
        self.reader.at += 1;
        // Only whole characters were pushed, so this does not fail.
        std::str::from_utf8(text.finish()).map_err(|_| self.reader.error(JsonErrorKind::Memory))
    }

    fn push(&mut self, value: Value<'r>) -> Result<(), JsonError> {
        let pushed = self.values.push(value);
        self.memory(pushed)
    }

    fn memory<T>(&self, result: Result<T, EvalErrorKind>) -> Result<T, JsonError> {
        result.map_err(|_| self.reader.error(JsonErrorKind::Memory))
    }
}

/// An object of keys and values in turn.
fn object_of<'r>(arena: &'r Arena, parts: &[Value<'r>]) -> Result<Value<'r>, EvalErrorKind> {
    let unset = Entry {
        key: Value::UNSET,
        value: Value::UNSET,
    };
    let entries = arena.filled(parts.len() / 2, unset)?;
    for (entry, pair) in entries.iter_mut().zip(parts.chunks_exact(2)) {
        if let [key, value] = *pair {
            *entry = Entry { key, value };
        }
    }
    object_from(arena, entries)
}

/// Appends bytes of a string; each byte that is not part of a character becomes U+FFFD.
fn copy_repaired(text: &mut List<'_, u8>, mut bytes: &[u8]) -> Result<(), EvalErrorKind> {
    while let Err(error) = std::str::from_utf8(bytes) {
        let (good, bad) = bytes.split_at(error.valid_up_to());
        text.extend(good)?;
        push_char(text, char::REPLACEMENT_CHARACTER)?;
        bytes = bad.get(1..).unwrap_or_default();
    }
    text.extend(bytes)
}

fn push_char(text: &mut List<'_, u8>, c: char) -> Result<(), EvalErrorKind> {
    text.extend(c.encode_utf8(&mut [0; 4]).as_bytes())
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Position in the text, and the parts of the grammar that make no values.
struct Reader<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn peek_or_end(&self) -> Result<u8, JsonError> {
        self.peek()
            .ok_or_else(|| self.error(JsonErrorKind::UnexpectedEnd))
    }

    fn skip_blanks(&mut self) -> Option<u8> {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        self.peek()
    }

    fn skip_blanks_or_end(&mut self) -> Result<u8, JsonError> {
        self.skip_blanks();
        self.peek_or_end()
    }

    fn error(&self, kind: JsonErrorKind) -> JsonError {
        JsonError {
            kind,
            at: offset(self.at),
        }
    }

    fn unexpected(&self, byte: u8, context: &'static str) -> JsonError {
        self.error(JsonErrorKind::UnexpectedByte(byte, context))
    }

    fn word(&mut self, word: &'static str) -> Result<(), JsonError> {
        for &wanted in word.as_bytes() {
            let byte = self.peek_or_end()?;
            if byte != wanted {
                let context = match word {
                    "true" => "in literal true",
                    "false" => "in literal false",
                    _ => "in literal null",
                };
                return Err(self.unexpected(byte, context));
            }
            self.at += 1;
        }
        Ok(())
    }

    fn number_text(&mut self) -> Result<&'t str, JsonError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek_or_end()? == b'0' {
            self.at += 1;
        } else {
            self.digits(IN_NUMBER)?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits(IN_FRACTION)?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits(IN_EXPONENT)?;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        Ok(std::str::from_utf8(text).unwrap_or_default())
    }

    /// At least one digit.
    fn digits(&mut self, context: &'static str) -> Result<(), JsonError> {
        let byte = self.peek_or_end()?;
        if !byte.is_ascii_digit() {
            return Err(self.unexpected(byte, context));
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    /// The character of an escape, from the backslash on. A surrogate without its partner is U+FFFD.
    fn escape(&mut self) -> Result<char, JsonError> {
        self.at += 1;
        let byte = self.peek_or_end()?;
        let plain = match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.at += 1;
                return self.unicode_escape();
            }
            _ => return Err(self.unexpected(byte, IN_ESCAPE)),
        };
        self.at += 1;
        Ok(plain)
    }

    fn unicode_escape(&mut self) -> Result<char, JsonError> {
        let first = self.hex4()?;
        if let Some(c) = char::from_u32(first) {
            return Ok(c);
        }
        if (0xd800..0xdc00).contains(&first) && self.rest().starts_with(b"\\u") {
            let before = self.at;
            self.at += 2;
            let second = self.hex4()?;
            if (0xdc00..0xe000).contains(&second) {
                let scalar = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let mut value = 0;
        for _ in 0..4 {
            let byte = self.peek_or_end()?;
            let Some(digit) = char::from(byte).to_digit(16) else {
                return Err(self.unexpected(byte, IN_HEX));
            };
            value = value * 16 + digit;
            self.at += 1;
        }
        Ok(value)
    }
}
