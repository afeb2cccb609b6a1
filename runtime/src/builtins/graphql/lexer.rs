//! Tokens of GraphQL, each with the comments in front of it.

use super::tree::{Checked, WRONG, object};
use crate::arena::Arena;
use crate::builtins::output::Text;
use crate::value::Value;

/// Kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'r> {
    End,
    /// One of `!$&()=@[]{}|:`.
    Mark(char),
    /// `...`
    Spread,
    Name(&'r str),
    Int(&'r str),
    Float(&'r str),
    String(&'r str),
    Block(&'r str),
}

/// Reads tokens one after the other.
pub(super) struct Lexer<'r> {
    arena: &'r Arena,
    rest: &'r str,
}

impl<'r> Lexer<'r> {
    pub(super) fn new(arena: &'r Arena, text: &'r str) -> Lexer<'r> {
        Lexer { arena, rest: text }
    }

    /// The next token, and the group of comments in front of it (unset for none).
    pub(super) fn next(&mut self) -> Checked<(Token<'r>, Value<'r>)> {
        let mut comments = Vec::new();
        loop {
            self.rest = self
                .rest
                .trim_start_matches(['\t', ' ', ',', '\n', '\r', '\u{feff}']);
            if !self.rest.starts_with('#') {
                break;
            }
            let end = |c: char| c < ' ' && c != '\t';
            let comment = self.take(self.rest.find(end).unwrap_or(self.rest.len()));
            comments.push(object(self.arena, &[("Value", Value::string(comment))])?);
        }
        let group = match comments.as_slice() {
            [] => Value::UNSET,
            comments => object(
                self.arena,
                &[("List", Value::array(self.arena.values(comments)?))],
            )?,
        };
        Ok((self.token()?, group))
    }

    /// Takes so many bytes.
    fn take(&mut self, bytes: usize) -> &'r str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn token(&mut self) -> Checked<Token<'r>> {
        let Some(first) = self.rest.chars().next() else {
            return Ok(Token::End);
        };
        match first {
            '!' | '$' | '&' | '(' | ')' | ':' | '=' | '@' | '[' | ']' | '{' | '}' | '|' => {
                self.take(1);
                Ok(Token::Mark(first))
            }
            '.' if self.rest.starts_with("...") => {
                self.take(3);
                Ok(Token::Spread)
            }
            '_' | 'a'..='z' | 'A'..='Z' => {
                let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
                let end = self.rest.find(|c| !fits(c)).unwrap_or(self.rest.len());
                Ok(Token::Name(self.take(end)))
            }
            '-' | '0'..='9' => self.number(),
            '"' if self.rest.starts_with("\"\"\"") => self.block(),
            '"' => self.string(),
            _ => Err(WRONG),
        }
    }

    fn number(&mut self) -> Checked<Token<'r>> {
        let bytes = self.rest.as_bytes();
        let digits = |from: usize| {
            let behind = bytes.get(from..).unwrap_or_default();
            behind.iter().take_while(|byte| byte.is_ascii_digit()).count()
        };
        let at = |at: usize, set: &[u8]| bytes.get(at).is_some_and(|byte| set.contains(byte));
        let mut end = usize::from(at(0, b"-"));
        let whole = digits(end);
        if whole == 0 || (whole > 1 && at(end, b"0")) {
            return Err(WRONG);
        }
        end += whole;
        let mut is_float = false;
        if at(end, b".") {
            is_float = true;
            let fraction = digits(end + 1);
            if fraction == 0 {
                return Err(WRONG);
            }
            end += 1 + fraction;
        }
        if at(end, b"eE") {
            is_float = true;
            let sign = usize::from(at(end + 1, b"+-"));
            let exponent = digits(end + 1 + sign);
            if exponent == 0 {
                return Err(WRONG);
            }
            end += 1 + sign + exponent;
        }
        let text = self.take(end);
        Ok(if is_float {
            Token::Float(text)
        } else {
            Token::Int(text)
        })
    }

    fn string(&mut self) -> Checked<Token<'r>> {
        let inner = self.rest.get(1..).unwrap_or_default();
        let plain = inner.find(['"', '\\', '\n', '\r']).ok_or(WRONG)?;
        if inner.as_bytes().get(plain) == Some(&b'"') {
            let text = inner.get(..plain).unwrap_or_default();
            if text.chars().any(|c| c < ' ' && c != '\t') {
                return Err(WRONG);
            }
            self.take(plain + 2);
            return Ok(Token::String(text));
        }
        let mut out = Text::new(self.arena);
        let mut chars = inner.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.take(at + 2);
                    return Ok(Token::String(out.finish()?));
                }
                '\\' => {
                    let (at, escape) = chars.next().ok_or(WRONG)?;
                    match escape {
                        '"' | '/' | '\\' => out.push(escape)?,
                        'b' => out.push('\u{8}')?,
                        'f' => out.push('\u{c}')?,
                        'n' => out.push('\n')?,
                        'r' => out.push('\r')?,
                        't' => out.push('\t')?,
                        'u' => {
                            let hex = inner.get(at + 1..at + 5).ok_or(WRONG)?;
                            if !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                                return Err(WRONG);
                            }
                            let code = u32::from_str_radix(hex, 16).map_err(|_| WRONG)?;
                            // Half of a pair stands for nothing.
                            out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))?;
                            chars.nth(3);
                        }
                        _ => return Err(WRONG),
                    }
                }
                '\t' => out.push(c)?,
                _ if c < ' ' => return Err(WRONG),
                _ => out.push(c)?,
            }
        }
        Err(WRONG)
    }

    fn block(&mut self) -> Checked<Token<'r>> {
        let inner = self.rest.get(3..).unwrap_or_default();
        let mut raw = String::new();
        let mut at = 0;
        loop {
            let rest = inner.get(at..).unwrap_or_default();
            let c = rest.chars().next().ok_or(WRONG)?;
            let quotes = rest.bytes().take_while(|byte| *byte == b'"').count();
            if quotes >= 3 {
                // Of more than three quotation marks the last three end the text.
                raw.extend(std::iter::repeat_n('"', quotes - 3));
                self.take(3 + at + quotes);
                return Ok(Token::Block(self.arena.text(&dedented(&raw))?));
            }
            if rest.starts_with("\\\"\"\"") {
                raw.push_str("\"\"\"");
                at += 4;
                continue;
            }
            match c {
                '\r' => {
                    raw.push('\n');
                    at += 1 + usize::from(rest.starts_with("\r\n"));
                    continue;
                }
                '\t' | '\n' => {}
                _ if c < ' ' => return Err(WRONG),
                _ => {}
            }
            raw.push(c);
            at += c.len_utf8();
        }
    }
}

/// A block text without the indentation that all lines share, and without blank lines at its ends. The first line counts
/// for the indentation and keeps its own.
fn dedented(raw: &str) -> String {
    let blank = |c: char| matches!(c, ' ' | '\t');
    let indent = |line: &str| line.find(|c| !blank(c));
    let common = raw.split('\n').filter_map(indent).min();
    let lines: Vec<&str> = raw
        .split('\n')
        .enumerate()
        .map(|(at, line)| match common {
            Some(common) if at > 0 => line.get(common..).unwrap_or_default(),
            _ => line,
        })
        .collect();
    let is_text = |line: &&str| indent(line).is_some();
    let first = lines.iter().position(is_text).unwrap_or(lines.len());
    let last = lines.iter().rposition(is_text).map_or(first, |last| last + 1);
    lines.get(first..last).unwrap_or_default().join("\n")
}
