//! JSON text inside annotations, read as Go's `encoding/json` reads it.

use gavel_runtime::value::Constant;

use super::limits;
use super::number;

/// Why a text has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoValue {
    /// It is not JSON.
    NotJson,
    /// It may be JSON, but is nested deeper than `limits::JSON_DEPTH_MAX`.
    TooDeep,
}

/// The value of a JSON text.
///
/// The last of equal keys wins. Whole numbers stay exact, as everywhere in a request; other numbers are 64-bit floats, and
/// one that is too large for that makes the text no JSON, as in Go.
///
/// # Errors
/// The text is not JSON or nested too deep.
pub(super) fn parse(text: &str) -> Result<Constant, NoValue> {
    let mut reader = Reader {
        text,
        at: 0,
        too_deep: false,
    };
    let value = reader.value(0);
    reader.space();
    match value {
        Some(value) if reader.at == text.len() => Ok(value),
        _ if reader.too_deep => Err(NoValue::TooDeep),
        _ => Err(NoValue::NotJson),
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    too_deep: bool,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, wanted: u8) -> Option<()> {
        (self.peek()? == wanted).then(|| self.at += 1)
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &str, value: Constant) -> Option<Constant> {
        self.text.get(self.at..)?.starts_with(word).then(|| {
            self.at += word.len();
            value
        })
    }

    fn value(&mut self, depth: usize) -> Option<Constant> {
        if depth > limits::JSON_DEPTH_MAX {
            self.too_deep = true;
            return None;
        }
        self.space();
        match self.peek()? {
            b'n' => self.word("null", Constant::Null),
            b't' => self.word("true", Constant::Bool(true)),
            b'f' => self.word("false", Constant::Bool(false)),
            b'"' => self.string().map(Constant::String),
            b'[' => self.array(depth),
            b'{' => self.object(depth),
            _ => self.number(),
        }
    }

    fn array(&mut self, depth: usize) -> Option<Constant> {
        self.eat(b'[')?;
        let mut items = Vec::new();
        self.space();
        if self.eat(b']').is_some() {
            return Some(Constant::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            if self.eat(b',').is_none() {
                self.eat(b']')?;
                return Some(Constant::Array(items));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<Constant> {
        self.eat(b'{')?;
        let mut entries = Vec::new();
        self.space();
        if self.eat(b'}').is_some() {
            return Some(Constant::Object(entries));
        }
        loop {
            self.space();
            let key = Constant::String(self.string()?);
            self.space();
            self.eat(b':')?;
            entries.push((key, self.value(depth + 1)?));
            self.space();
            if self.eat(b',').is_none() {
                self.eat(b'}')?;
                return Some(Constant::object(entries));
            }
        }
    }

    fn number(&mut self) -> Option<Constant> {
        let start = self.at;
        let _ = self.eat(b'-');
        if self.eat(b'0').is_none() {
            self.digits()?;
        }
        if self.eat(b'.').is_some() {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        number::from_json(self.text.get(start..self.at)?)
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn string(&mut self) -> Option<String> {
        self.eat(b'"')?;
        let mut out = String::new();
        loop {
            let rest = self.text.get(self.at..)?;
            let c = rest.chars().next()?;
            self.at += c.len_utf8();
            match c {
                '"' => return Some(out),
                '\\' => out.push(self.escape()?),
                c if u32::from(c) < 0x20 => return None,
                c => out.push(c),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += 1;
        Some(match letter {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => self.unicode()?,
            _ => return None,
        })
    }

    /// A surrogate without its half becomes U+FFFD.
    fn unicode(&mut self) -> Option<char> {
        let unit = self.hex()?;
        if (0xd800..0xdc00).contains(&unit) && self.text.get(self.at..)?.starts_with("\\u") {
            let back = self.at;
            self.at += 2;
            let low = self.hex()?;
            if (0xdc00..0xe000).contains(&low) {
                return char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
            }
            self.at = back;
        }
        Some(char::from_u32(unit).unwrap_or('\u{fffd}'))
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}
