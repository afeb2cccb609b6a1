//! Template text → tokens. Comments and trimmed blanks are gone afterwards.

use crate::builtins::Failure;
use regex_syntax::hir::{Class, HirKind};

/// A lexeme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// Outside of actions.
    Text(&'t str),
    /// `{{`
    Left,
    /// `}}`
    Right,
    Space,
    /// `=`
    Assign,
    /// `:=`
    Declare,
    Pipe,
    Comma,
    Open,
    Close,
    Dot,
    /// Without its dot.
    Field(&'t str),
    /// With its `$`.
    Variable(&'t str),
    /// A name or keyword.
    Word(&'t str),
    Number(&'t str),
    /// With quotes.
    Character(&'t str),
    Quoted(&'t str),
    Raw(&'t str),
    /// Any other printable ASCII character.
    Other,
}

const LEFT: &str = "{{";
const RIGHT: &str = "}}";

/// All tokens.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, Failure> {
    let mut lexer = Lexer {
        rest: text,
        tokens: Vec::new(),
        letters: None,
    };
    lexer.text()?;
    Ok(lexer.tokens)
}

struct Lexer<'t> {
    rest: &'t str,
    tokens: Vec<Token<'t>>,
    /// Letters and digits beyond ASCII, once they are asked for.
    letters: Option<Class>,
}

impl<'t> Lexer<'t> {
    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    /// Takes so many bytes.
    fn take(&mut self, bytes: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn text(&mut self) -> Result<(), Failure> {
        loop {
            let Some(at) = self.rest.find(LEFT) else {
                self.push_text(self.rest);
                return Ok(());
            };
            let text = self.take(at);
            self.skip(LEFT.len());
            let trims = has_marker_behind(self.rest);
            self.push_text(if trims {
                text.trim_end_matches(is_space)
            } else {
                text
            });
            if trims {
                self.skip(2);
            }
            if self.rest.starts_with("/*") {
                self.comment()?;
            } else {
                self.tokens.push(Token::Left);
                self.action()?;
            }
        }
    }

    fn push_text(&mut self, text: &'t str) {
        if !text.is_empty() {
            self.tokens.push(Token::Text(text));
        }
    }

    fn comment(&mut self) -> Result<(), Failure> {
        self.skip(2);
        let end = self.rest.find("*/").ok_or(Failure::BUILTIN)?;
        self.skip(end + 2);
        if self.right() {
            Ok(())
        } else {
            Err(Failure::BUILTIN)
        }
    }

    /// The end of an action, with the blanks behind it where they are trimmed.
    fn right(&mut self) -> bool {
        let marked =
            has_marker_before(self.rest) && self.rest.get(2..).is_some_and(|rest| rest.starts_with(RIGHT));
        if marked {
            self.skip(2 + RIGHT.len());
            self.rest = self.rest.trim_start_matches(is_space);
            return true;
        }
        let found = self.rest.starts_with(RIGHT);
        if found {
            self.skip(RIGHT.len());
        }
        found
    }

    fn action(&mut self) -> Result<(), Failure> {
        let mut parens = 0_usize;
        loop {
            if self.right() {
                self.tokens.push(Token::Right);
                return if parens == 0 {
                    Ok(())
                } else {
                    Err(Failure::BUILTIN)
                };
            }
            let first = self.rest.chars().next().ok_or(Failure::BUILTIN)?;
            let token = match first {
                c if is_space(c) => {
                    self.spaces();
                    Token::Space
                }
                '=' => self.single(Token::Assign),
                ':' if self.rest.starts_with(":=") => {
                    self.skip(2);
                    Token::Declare
                }
                ':' => return Err(Failure::BUILTIN),
                '|' => self.single(Token::Pipe),
                ',' => self.single(Token::Comma),
                '(' => {
                    parens += 1;
                    self.single(Token::Open)
                }
                ')' => {
                    parens = parens.checked_sub(1).ok_or(Failure::BUILTIN)?;
                    self.single(Token::Close)
                }
                '"' => Token::Quoted(self.quoted('"')?),
                '\'' => Token::Character(self.quoted('\'')?),
                '`' => {
                    let end = self
                        .rest
                        .get(1..)
                        .and_then(|rest| rest.find('`'))
                        .ok_or(Failure::BUILTIN)?;
                    Token::Raw(self.take(end + 2))
                }
                '$' => self.variable()?,
                '.' if !self
                    .rest
                    .get(1..)
                    .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) =>
                {
                    self.field()?
                }
                '.' | '+' | '-' | '0'..='9' => Token::Number(self.number()?),
                c if self.is_alphanumeric(c) => {
                    let end = self.word_end(0);
                    let word = self.take(end);
                    self.terminated()?;
                    Token::Word(word)
                }
                ' '..='~' => self.single(Token::Other),
                _ => return Err(Failure::BUILTIN),
            };
            self.tokens.push(token);
        }
    }

    fn single(&mut self, token: Token<'t>) -> Token<'t> {
        self.skip(1);
        token
    }

    /// Blanks; the last one stays where it belongs to a marked end.
    fn spaces(&mut self) {
        let end = self.rest.find(|c| !is_space(c)).unwrap_or(self.rest.len());
        let marked = self.rest.get(end..).is_some_and(|rest| rest.starts_with("-}}"));
        self.skip(if marked && end > 1 { end - 1 } else { end });
    }

    /// A text up to its closing quote, on one line.
    fn quoted(&mut self, quote: char) -> Result<&'t str, Failure> {
        let mut escaped = false;
        for (at, c) in self.rest.char_indices().skip(1) {
            match c {
                '\n' => break,
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                c if c == quote => return Ok(self.take(at + 1)),
                _ => {}
            }
        }
        Err(Failure::BUILTIN)
    }

    fn field(&mut self) -> Result<Token<'t>, Failure> {
        self.skip(1);
        if self.at_terminator() {
            return Ok(Token::Dot);
        }
        let end = self.word_end(0);
        let name = self.take(end);
        self.terminated()?;
        Ok(Token::Field(name))
    }

    fn variable(&mut self) -> Result<Token<'t>, Failure> {
        let end = self.word_end(1);
        let name = self.take(end);
        self.terminated()?;
        Ok(Token::Variable(name))
    }

    /// Where the word ends that begins behind so many bytes.
    fn word_end(&mut self, from: usize) -> usize {
        let word = self.rest.get(from..).unwrap_or_default();
        let end = word.char_indices().find(|(_, c)| !self.is_alphanumeric(*c));
        from + end.map_or(word.len(), |(at, _)| at)
    }

    fn terminated(&self) -> Result<(), Failure> {
        if self.at_terminator() {
            Ok(())
        } else {
            Err(Failure::BUILTIN)
        }
    }

    fn at_terminator(&self) -> bool {
        let ends = |c: char| is_space(c) || matches!(c, '.' | ',' | '|' | ':' | ')' | '(');
        self.rest.chars().next().is_none_or(ends) || self.rest.starts_with(RIGHT)
    }

    /// What looks like a number; whether it is one shows later.
    fn number(&mut self) -> Result<&'t str, Failure> {
        let mut end = self.number_end(0);
        if self
            .rest
            .get(end..)
            .is_some_and(|rest| rest.starts_with(['+', '-']))
        {
            end = self.number_end(end);
            if !self.rest.get(..end).is_some_and(|number| number.ends_with('i')) {
                return Err(Failure::BUILTIN);
            }
        }
        let next = self.rest.get(end..).and_then(|rest| rest.chars().next());
        if next.is_some_and(|c| self.is_alphanumeric(c)) {
            return Err(Failure::BUILTIN);
        }
        Ok(self.take(end))
    }

    fn number_end(&self, from: usize) -> usize {
        let bytes = self.rest.as_bytes();
        let at = |at: usize| bytes.get(at).copied().unwrap_or(0);
        let run = |from: usize, digits: &dyn Fn(u8) -> bool| {
            let rest = bytes.get(from..).unwrap_or_default();
            from + rest.iter().take_while(|byte| digits(**byte)).count()
        };
        let decimal = |byte: u8| byte.is_ascii_digit() || byte == b'_';
        let mut end = from + usize::from(matches!(at(from), b'+' | b'-'));
        let base = match (at(end), at(end + 1)) {
            (b'0', b'x' | b'X') => 16,
            (b'0', b'o' | b'O') => 8,
            (b'0', b'b' | b'B') => 2,
            _ => 10,
        };
        end += if base == 10 { 0 } else { 2 };
        let digits = |byte: u8| byte == b'_' || char::from(byte).is_digit(base);
        end = run(end, &digits);
        if at(end) == b'.' {
            end = run(end + 1, &digits);
        }
        let has_exponent = match base {
            10 => matches!(at(end), b'e' | b'E'),
            16 => matches!(at(end), b'p' | b'P'),
            _ => false,
        };
        if has_exponent {
            end += 1 + usize::from(matches!(at(end + 1), b'+' | b'-'));
            end = run(end, &decimal);
        }
        end + usize::from(at(end) == b'i')
    }

    /// Letters, digits and the underscore.
    fn is_alphanumeric(&mut self, c: char) -> bool {
        if c.is_ascii() {
            return c.is_ascii_alphanumeric() || c == '_';
        }
        let letters = self.letters.get_or_insert_with(|| {
            let class = regex_syntax::parse(r"[\p{L}\p{Nd}]").map(regex_syntax::hir::Hir::into_kind);
            match class {
                Ok(HirKind::Class(class)) => class,
                _ => Class::Unicode(regex_syntax::hir::ClassUnicode::empty()),
            }
        });
        match letters {
            Class::Unicode(class) => class
                .ranges()
                .iter()
                .any(|range| (range.start()..=range.end()).contains(&c)),
            Class::Bytes(_) => false,
        }
    }
}

pub(super) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// `- ` behind an opening.
fn has_marker_behind(text: &str) -> bool {
    text.strip_prefix('-')
        .is_some_and(|rest| rest.starts_with(is_space))
}

/// ` -` in front of a closing.
fn has_marker_before(text: &str) -> bool {
    text.strip_prefix(is_space)
        .is_some_and(|rest| rest.starts_with('-'))
}
