//! JSON text, read once from front to back: blanks, texts, numbers, and values that nobody reads.
//!
//! Only what is surely right is read; everything else gives `None`, and then the exact parser decides, which knows what to
//! repair and how to say what is wrong. Bytes are looked at sixteen at a time: the texts of a request are so short that more
//! would not pay.

use super::lanes::{LANES, blank_run, plain_run, short_integer, space_run};
use super::layouts::WINDOW;
use super::trie::Kids;
use crate::arena::{Arena, List};
use crate::json::{Numbers, number_value, string_at};
use crate::value::Value;
use memchr::memchr;

/// Zeros behind the text: none can stand anywhere in JSON, so every loop ends at them, and [`WINDOW`] bytes can be looked at
/// from anywhere in the text on.
pub(super) const PADDING: usize = WINDOW;

/// Nesting of values that are skipped or built; deeper ones go to the exact parser, which needs no stack.
pub(super) const DEPTH_MAX: u32 = 64;

/// Digits that every `i64` has room for.
const DIGITS_MAX: usize = 18;

/// Digits of an integer that surely is in the range of floats.
const IN_RANGE_MAX: usize = 300;

/// A place in a text that [`PADDING`] zeros follow.
#[derive(Clone, Copy)]
pub(super) struct Scanner<'t> {
    text: &'t str,
    pub(super) at: usize,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str, at: usize) -> Scanner<'t> {
        Scanner { text, at }
    }

    /// The present byte; 0 behind the end.
    #[inline(always)]
    pub(super) fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    /// The bytes from here on.
    #[inline(always)]
    pub(super) fn window(&self) -> Option<&'t [u8; WINDOW]> {
        self.text.as_bytes().get(self.at..)?.first_chunk()
    }

    /// The text from a place up to here.
    #[inline(always)]
    pub(super) fn since(&self, from: usize) -> &'t [u8] {
        self.text.as_bytes().get(from..self.at).unwrap_or_default()
    }

    /// A part of the text, by its distance from here.
    #[inline(always)]
    pub(super) fn ahead(&self, from: usize, to: usize) -> Option<&'t str> {
        self.text.get(self.at + from..self.at + to)
    }

    #[inline(always)]
    fn lanes(&self, at: usize) -> Option<[u8; LANES]> {
        self.text.as_bytes().get(at..)?.first_chunk().copied()
    }

    /// Skips blanks; the byte behind them.
    #[inline(always)]
    pub(super) fn blanks(&mut self) -> u8 {
        let byte = self.peek();
        if byte > b' ' { byte } else { self.some_blanks() }
    }

    /// Documents that people wrote have blanks: a space, or the end of a line and an indentation.
    #[inline(always)]
    fn some_blanks(&mut self) -> u8 {
        if self.peek() == b' ' {
            self.at += 1;
            let byte = self.peek();
            if byte > b' ' {
                return byte;
            }
        }
        while let Some(bytes) = self.lanes(self.at) {
            let run = blank_run(bytes);
            self.at += run;
            if run < LANES {
                break;
            }
        }
        self.peek()
    }

    /// Skips a byte and the blanks behind it; the byte behind them.
    #[inline(always)]
    pub(super) fn after(&mut self) -> u8 {
        self.at += 1;
        self.blanks()
    }

    /// Where the run of plain bytes ends that begins at `at`, and the byte there.
    #[inline(always)]
    fn plain(&self, mut at: usize) -> Option<(usize, u8)> {
        let mut rest = self.text.as_bytes().get(at..)?;
        loop {
            let (bytes, behind) = rest.split_first_chunk::<LANES>()?;
            let run = plain_run(*bytes);
            if run < LANES {
                at += run;
                return Some((at, self.text.as_bytes().get(at).copied()?));
            }
            (at, rest) = (at + LANES, behind);
        }
    }

    /// The text at the opening quote. Lies in the document itself unless it has escapes.
    #[inline]
    pub(super) fn string(&mut self, arena: &'t Arena) -> Option<&'t str> {
        let start = self.at + 1;
        match self.plain(start)? {
            (end, b'"') => {
                self.at = end + 1;
                self.text.get(start..end)
            }
            (_, b'\\') => {
                let (text, end) = self.escaped(arena)?;
                self.at = end;
                Some(text)
            }
            _ => None,
        }
    }

    /// The text at the opening quote, which has escapes, and the place behind it.
    #[inline(never)]
    fn escaped(self, arena: &'t Arena) -> Option<(&'t str, usize)> {
        let mut behind = self;
        behind.skip_string()?;
        let mut rest = self.text.as_bytes().get(self.at + 1..behind.at - 1)?;
        let mut text = List::new(arena);
        text.reserve(rest.len()).ok()?;
        while let Some(at) = memchr(b'\\', rest) {
            text.extend(rest.get(..at)?).ok()?;
            let plain = match rest.get(at + 1)? {
                b'b' => 8,
                b'f' => 12,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                // Halves of pairs are for the exact parser.
                b'u' => return string_at(arena, self.text.as_bytes(), self.at).ok(),
                mark => *mark,
            };
            text.push(plain).ok()?;
            rest = rest.get(at + 2..)?;
        }
        text.extend(rest).ok()?;
        let text: &'t [u8] = text.finish();
        Some((std::str::from_utf8(text).ok()?, behind.at))
    }

    /// The node of the member whose key begins with the quote here, which is read; `None` in the inside: nobody reads that
    /// member.
    #[inline(always)]
    pub(super) fn member(&mut self, arena: &'t Arena, kids: &Kids) -> Option<Option<u16>> {
        let start = self.at + 1;
        if let Some((kid, len)) = kids.find_short(self.lanes(start)?) {
            self.at = start + len + 1;
            return Some(Some(kid));
        }
        let key = self.string(arena)?;
        Some(kids.find(key))
    }

    /// Skips the colon behind a key and the blanks around it; the first byte of the value.
    #[inline(always)]
    pub(super) fn value(&mut self) -> Option<u8> {
        // Most documents have one space behind a colon, or none.
        match self.text.as_bytes().get(self.at..)?.first_chunk::<3>() {
            Some(&[b':', first, ..]) if first > b' ' => {
                self.at += 1;
                Some(first)
            }
            Some(&[b':', b' ', first]) if first > b' ' => {
                self.at += 2;
                Some(first)
            }
            _ => (self.blanks() == b':').then(|| self.after()),
        }
    }

    /// Skips the comma behind a member or an element and the blanks around it; the byte behind them. `None`: no comma is here.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Option<u8> {
        // Mostly the next one follows at once, behind a space, or in a line of its own.
        if let Some(bytes @ [b',', second, ..]) = self.lanes(self.at) {
            if second > b' ' {
                self.at += 1;
                return Some(second);
            }
            if second == b' ' || second == b'\n' {
                self.at += space_run(bytes, 2);
                let byte = self.peek();
                if byte > b' ' {
                    return Some(byte);
                }
                return Some(self.blanks());
            }
        }
        (self.blanks() == b',').then(|| self.after())
    }

    /// Skips the byte that comes next, if it is this one.
    #[inline(always)]
    pub(super) fn end(&mut self, byte: u8) -> Option<()> {
        (self.peek() == byte).then(|| self.at += 1)
    }

    /// Skips a text.
    #[inline]
    pub(super) fn skip_string(&mut self) -> Option<()> {
        let mut start = self.at + 1;
        loop {
            match self.plain(start)? {
                (end, b'"') => {
                    self.at = end + 1;
                    return Some(());
                }
                (end, b'\\') => start = self.escape_end(end + 1)?,
                _ => return None,
            }
        }
    }

    /// The place behind an escape, whose letter is at `at`.
    #[cold]
    fn escape_end(&self, at: usize) -> Option<usize> {
        match self.text.as_bytes().get(at)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 1),
            b'u' => {
                let digits = self.text.as_bytes().get(at + 1..at + 5)?;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(at + 5)
            }
            _ => None,
        }
    }

    /// A number.
    #[inline(always)]
    pub(super) fn number(&mut self, arena: &'t Arena) -> Option<Value<'t>> {
        // Most have few digits and no sign.
        let word = self.text.as_bytes().get(self.at..)?.first_chunk()?;
        match short_integer(*word) {
            Some((value, digits)) => {
                self.at += digits;
                Some(Value::int(value))
            }
            None => self.any_number(arena),
        }
    }

    #[inline(never)]
    fn any_number(&mut self, arena: &'t Arena) -> Option<Value<'t>> {
        let start = self.at;
        let negative = self.peek() == b'-';
        self.at += usize::from(negative);
        let (value, digits) = self.integer()?;
        let is_minus_zero = negative && value == 0;
        if digits > DIGITS_MAX || is_minus_zero || matches!(self.peek(), b'.' | b'e' | b'E') {
            self.at = start;
            return self.other_number(arena);
        }
        Some(Value::int(if negative { -value } else { value }))
    }

    /// The value of a run of digits that JSON allows, and their number. The value counts up to [`DIGITS_MAX`] digits.
    #[inline(always)]
    fn integer(&mut self) -> Option<(i64, usize)> {
        let first = self.peek();
        let (mut value, mut digits) = (0_i64, 0);
        for byte in self.text.as_bytes().get(self.at..)? {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            value = value.wrapping_mul(10).wrapping_add(i64::from(digit));
            digits += 1;
        }
        self.at += digits;
        (digits == 1 || digits > 1 && first != b'0').then_some((value, digits))
    }

    #[cold]
    fn other_number(&mut self, arena: &'t Arena) -> Option<Value<'t>> {
        let start = self.at;
        self.skip_number_text()?;
        number_value(arena, self.text.get(start..self.at)?, Numbers::ByValue).ok()
    }

    /// Skips what the grammar takes for a number; whether it surely is in the range of floats.
    fn skip_number_text(&mut self) -> Option<bool> {
        self.at += usize::from(self.peek() == b'-');
        let (_, digits) = self.integer()?;
        if self.peek() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        let has_exponent = matches!(self.peek(), b'e' | b'E');
        if has_exponent {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), b'+' | b'-'));
            self.digits()?;
        }
        Some(!has_exponent && digits <= IN_RANGE_MAX)
    }

    /// Skips at least one digit.
    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn skip_number(&mut self) -> Option<()> {
        let start = self.at;
        if !self.skip_number_text()? {
            let float: f64 = self.text.get(start..self.at)?.parse().ok()?;
            float.is_finite().then_some(())?;
        }
        Some(())
    }

    /// Skips a word.
    #[inline(always)]
    pub(super) fn literal(&mut self, word: &str) -> Option<()> {
        let end = self.at + word.len();
        let is_it = self.text.as_bytes().get(self.at..end)? == word.as_bytes();
        is_it.then(|| self.at = end)
    }

    /// Skips a value, of which everything is looked at: a document is right as a whole or not at all.
    pub(super) fn skip(&mut self) -> Option<()> {
        // The open containers, innermost last: a bit each, set for objects.
        let (mut kinds, mut depth) = (0_u64, 0);
        loop {
            match self.blanks() {
                b'"' => self.skip_string()?,
                opening @ (b'{' | b'[') => {
                    let is_object = opening == b'{';
                    let next = self.after();
                    if next != opening + 2 {
                        if depth == DEPTH_MAX {
                            return None;
                        }
                        depth += 1;
                        kinds = kinds << 1 | u64::from(is_object);
                        if is_object {
                            self.skip_key(next)?;
                        }
                        continue;
                    }
                    self.at += 1;
                }
                b'-' | b'0'..=b'9' => self.skip_number()?,
                b't' => self.literal("true")?,
                b'f' => self.literal("false")?,
                b'n' => self.literal("null")?,
                _ => return None,
            }
            loop {
                if depth == 0 {
                    return Some(());
                }
                match (self.blanks(), kinds & 1) {
                    (b',', 1) => {
                        let next = self.after();
                        self.skip_key(next)?;
                        break;
                    }
                    (b',', _) => {
                        self.at += 1;
                        break;
                    }
                    (b'}', 1) | (b']', 0) => {
                        self.at += 1;
                        kinds >>= 1;
                        depth -= 1;
                    }
                    _ => return None,
                }
            }
        }
    }

    /// Skips a key, whose first byte is `next`, and its colon.
    #[inline]
    fn skip_key(&mut self, next: u8) -> Option<()> {
        if next != b'"' {
            return None;
        }
        self.skip_string()?;
        self.value().map(|_| ())
    }
}
