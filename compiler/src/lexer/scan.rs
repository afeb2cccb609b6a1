//! Hand-written scanning of numbers, strings and template strings, called by logos behind their first character.
//!
//! Each function consumes the token, also a broken one as far as OPA's scanner reads it, and says what is wrong.

use std::iter::Peekable;
use std::str::Chars;

use logos::Lexer;

use crate::token::{LexError, Piece, Token};

/// Reads on in the rest of the text and counts the bytes taken.
struct Cursor<'src> {
    chars: Peekable<Chars<'src>>,
    taken: usize,
    error: Option<LexError>,
}

impl<'src> Cursor<'src> {
    fn new(rest: &'src str) -> Cursor<'src> {
        Cursor {
            chars: rest.chars().peekable(),
            taken: 0,
            error: None,
        }
    }

    fn peek(&mut self) -> Option<char> {
        self.chars.peek().copied()
    }

    fn next(&mut self) -> Option<char> {
        let found = self.chars.next()?;
        self.taken += found.len_utf8();
        match found {
            '\u{0}' => self.fail(LexError::Null),
            '\u{feff}' => self.fail(LexError::ByteOrderMark),
            _ => {}
        }
        Some(found)
    }

    fn digits(&mut self) -> bool {
        let before = self.taken;
        while self.peek().is_some_and(|found| found.is_ascii_digit()) {
            self.next();
        }
        self.taken > before
    }

    /// Only the first error of a token is kept.
    fn fail(&mut self, error: LexError) {
        self.error.get_or_insert(error);
    }

    /// Reads what follows a backslash; `brace` is a further escapable character.
    fn escape(&mut self, brace: bool) {
        match self.peek() {
            Some('\\' | '"' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => {
                self.next();
            }
            Some('{') if brace => {
                self.next();
            }
            Some('u') => {
                // OPA's scanner takes the four characters unseen; whether they are digits shows when decoding.
                for _ in 0..5 {
                    self.next();
                }
            }
            _ => self.fail(LexError::Escape),
        }
    }
}

fn finish<T>(lexer: &mut Lexer<'_, Token>, cursor: &Cursor<'_>, found: T) -> Result<T, LexError> {
    let (taken, error) = (cursor.taken, cursor.error);
    lexer.bump(taken);
    match error {
        Some(error) => Err(error),
        None => Ok(found),
    }
}

/// Behind the leading digits of a number.
pub(crate) fn number(lexer: &mut Lexer<'_, Token>) -> Result<(), LexError> {
    let mut cursor = Cursor::new(lexer.remainder());
    if cursor.peek() == Some('.') {
        cursor.next();
        if !cursor.digits() {
            cursor.fail(LexError::Fraction);
        }
    }
    if matches!(cursor.peek(), Some('e' | 'E')) {
        cursor.next();
        if matches!(cursor.peek(), Some('+' | '-')) {
            cursor.next();
        }
        if !cursor.digits() {
            cursor.fail(LexError::Exponent);
        }
    }
    if cursor
        .peek()
        .is_some_and(|found| found.is_ascii_alphabetic() || found == '_')
    {
        cursor.fail(LexError::NumberFormat);
        while cursor
            .peek()
            .is_some_and(|found| found.is_alphanumeric() || found == '_')
        {
            cursor.next();
        }
    }
    finish(lexer, &cursor, ())
}

/// Behind the opening `"`.
pub(crate) fn string(lexer: &mut Lexer<'_, Token>) -> Result<(), LexError> {
    let mut cursor = Cursor::new(lexer.remainder());
    loop {
        match cursor.peek() {
            None | Some('\n') => {
                cursor.fail(LexError::Unterminated);
                break;
            }
            Some('"') => {
                cursor.next();
                break;
            }
            Some('\\') => {
                cursor.next();
                cursor.escape(false);
            }
            Some(_) => {
                cursor.next();
            }
        }
    }
    finish(lexer, &cursor, ())
}

/// Behind the opening backquote.
pub(crate) fn raw_string(lexer: &mut Lexer<'_, Token>) -> Result<(), LexError> {
    let mut cursor = Cursor::new(lexer.remainder());
    loop {
        match cursor.next() {
            None => {
                cursor.fail(LexError::Unterminated);
                break;
            }
            Some('`') => break,
            Some(_) => {}
        }
    }
    finish(lexer, &cursor, ())
}

/// Behind `$"`.
pub(crate) fn template(lexer: &mut Lexer<'_, Token>) -> Result<Piece, LexError> {
    template_text(lexer, false).map(|ends| if ends { Piece::Whole } else { Piece::Start })
}

/// Behind `` $` ``.
pub(crate) fn raw_template(lexer: &mut Lexer<'_, Token>) -> Result<Piece, LexError> {
    template_text(lexer, true).map(|ends| if ends { Piece::Whole } else { Piece::Start })
}

/// Behind the `}` that closes an expression of a template.
pub(crate) fn template_rest(lexer: &mut Lexer<'_, Token>, raw: bool) -> Token {
    match template_text(lexer, raw) {
        Ok(ends) => {
            let piece = if ends { Piece::End } else { Piece::Middle };
            if raw {
                Token::RawTemplate(piece)
            } else {
                Token::Template(piece)
            }
        }
        Err(error) => Token::Illegal(error),
    }
}

/// Reads to the closing quote (true) or an opening brace (false).
fn template_text(lexer: &mut Lexer<'_, Token>, raw: bool) -> Result<bool, LexError> {
    let quote = if raw { '`' } else { '"' };
    let mut cursor = Cursor::new(lexer.remainder());
    let ends = loop {
        match cursor.peek() {
            Some('\n') if !raw => {
                cursor.fail(LexError::Unterminated);
                break true;
            }
            None => {
                cursor.fail(LexError::Unterminated);
                break true;
            }
            Some('{') => {
                cursor.next();
                break false;
            }
            Some('\\') => {
                cursor.next();
                if !raw {
                    cursor.escape(true);
                } else if cursor.peek() == Some('{') {
                    cursor.next();
                }
            }
            Some(found) => {
                cursor.next();
                if found == quote {
                    break true;
                }
            }
        }
    };
    finish(lexer, &cursor, ends)
}
