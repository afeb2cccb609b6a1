//! Text to lexemes: logos finds the tokens, this file scans what a regular expression cannot (numbers with OPA's error
//! cases, strings, template strings with expressions inside) and notes what the layout pass needs about blanks.
//!
//! Nothing is decoded and no error is raised here: text that is no token becomes [`Token::Illegal`], which the parser
//! reports when it gets there, as OPA does.

use logos::{Lexer, Logos};

use crate::token::{LexError, Piece, Token};

pub(crate) mod scan;

/// A token with its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lexeme {
    /// What it is.
    pub token: Token,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// A line end lies between this token and the one before it.
    pub newline: bool,
    /// Nothing lies between this token and the one before it.
    pub glued: bool,
}

/// The lexemes of a text, closed by one [`Token::End`], and its comments.
#[derive(Clone, Debug, Default)]
pub struct Lexed {
    /// Never empty: the last one is [`Token::End`].
    pub lexemes: Vec<Lexeme>,
    /// `start..end` of each comment, `#` included, a carriage return before the line end not.
    pub comments: Vec<(u32, u32)>,
}

/// Splits a module. `text` is at most [`crate::limits::MODULE_BYTES_MAX`] bytes. O(n).
#[must_use]
pub fn lex(text: &str) -> Lexed {
    let mut lexed = Lexed::default();
    let mut lexer = Token::lexer(text);
    if text.starts_with('\u{feff}') {
        lexer.bump('\u{feff}'.len_utf8());
    }
    let mut templates = Templates::default();
    let mut previous_end = lexer.span().end;
    let mut first = true;
    while let Some(found) = lexer.next() {
        let mut token = match found {
            Ok(token) => token,
            Err(LexError::Token) => Token::Illegal(illegal_character(lexer.slice())),
            Err(error) => Token::Illegal(error),
        };
        if token == Token::Comment {
            let span = lexer.span();
            let text = lexer.slice().trim_end_matches('\r');
            match text.chars().find_map(illegal_in_comment) {
                Some(error) => token = Token::Illegal(error),
                None => {
                    lexed
                        .comments
                        .push((offset(span.start), offset(span.start + text.len())));
                    continue;
                }
            }
        }
        token = templates.follow(token, &mut lexer);
        let span = lexer.span();
        let between = text.get(previous_end..span.start).unwrap_or("");
        let start = match token {
            Token::Illegal(_) => illegal_start(text, span.start),
            _ => span.start,
        };
        lexed.lexemes.push(Lexeme {
            token,
            start: offset(start),
            end: offset(span.end.max(start)),
            newline: between.contains('\n'),
            glued: between.is_empty() && !first,
        });
        previous_end = span.end;
        first = false;
    }
    let end = offset(text.len());
    let newline = text.get(previous_end..).unwrap_or("").contains('\n');
    lexed.lexemes.push(Lexeme {
        token: Token::End,
        start: end,
        end,
        newline,
        glued: false,
    });
    lexed
}

/// Open templates: whether backquoted, and how many braces are open inside the expression.
#[derive(Default)]
struct Templates(Vec<(bool, u32)>);

impl Templates {
    /// Takes in a token. The brace that closes an expression begins the text behind it.
    fn follow(&mut self, token: Token, lexer: &mut Lexer<'_, Token>) -> Token {
        match (token, self.0.last_mut()) {
            (Token::Template(Piece::Start), _) => self.0.push((false, 0)),
            (Token::RawTemplate(Piece::Start), _) => self.0.push((true, 0)),
            (Token::LBrace, Some(open)) => open.1 += 1,
            (Token::RBrace, Some((raw, 0))) => {
                let rest = scan::template_rest(lexer, *raw);
                let goes_on = matches!(
                    rest,
                    Token::Template(Piece::Middle) | Token::RawTemplate(Piece::Middle)
                );
                if !goes_on {
                    self.0.pop();
                }
                return rest;
            }
            (Token::RBrace, Some(open)) => open.1 -= 1,
            _ => {}
        }
        token
    }
}

/// Where an illegal token is reported: behind the brace and the line end that the rest of a template begins with, as in OPA.
fn illegal_start(text: &str, start: usize) -> usize {
    let behind_line = text.get(start..).is_some_and(|rest| rest.starts_with("}\n"));
    if behind_line { start + 2 } else { start }
}

fn illegal_in_comment(found: char) -> Option<LexError> {
    match found {
        '\u{0}' => Some(LexError::Null),
        '\u{feff}' => Some(LexError::ByteOrderMark),
        _ => None,
    }
}

fn illegal_character(text: &str) -> LexError {
    match text {
        "!" => LexError::Bang,
        "$" => LexError::Dollar,
        "\u{0}" => LexError::Null,
        "\u{feff}" => LexError::ByteOrderMark,
        "\u{a0}" => LexError::NonBreakingSpace,
        _ => LexError::Token,
    }
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
