//! Looks ahead in the lexemes: matching brackets, the extent of a term, and what a comma, bar or brace must be.

use crate::layout::Words;
use crate::lexer::Lexeme;
use crate::token::{Piece, Token, Word};

/// Lexemes with the partner of each opening bracket.
#[derive(Debug)]
pub(crate) struct Brackets<'l> {
    /// All of the module.
    pub(crate) lexemes: &'l [Lexeme],
    /// Index of the closing partner; 0 where there is none.
    partner: Vec<u32>,
}

impl<'l> Brackets<'l> {
    /// Pairs the brackets of a module. O(n).
    pub(crate) fn new(lexemes: &'l [Lexeme]) -> Brackets<'l> {
        let mut partner = vec![0; lexemes.len()];
        let mut open: Vec<usize> = Vec::new();
        for (at, lexeme) in lexemes.iter().enumerate() {
            // A closing bracket without its partner closes nothing: the parser stops there.
            let fits = is_close(lexeme.token)
                && open
                    .last()
                    .and_then(|at| lexemes.get(*at))
                    .is_some_and(|opener| pairs(opener.token, lexeme.token));
            if fits
                && let Some(opener) = open.pop()
                && let Some(slot) = partner.get_mut(opener)
            {
                *slot = u32::try_from(at).unwrap_or(0);
            }
            if is_open(lexeme.token) {
                open.push(at);
            }
        }
        Brackets { lexemes, partner }
    }

    pub(crate) fn token(&self, at: usize) -> Token {
        self.lexemes.get(at).map_or(Token::End, |lexeme| lexeme.token)
    }

    fn glued(&self, at: usize) -> bool {
        self.lexemes.get(at).is_some_and(|lexeme| lexeme.glued)
    }

    /// The closing partner of the bracket at `at`.
    pub(crate) fn close(&self, at: usize) -> Option<usize> {
        self.partner
            .get(at)
            .copied()
            .filter(|close| *close != 0)
            .map(|close| close as usize)
    }

    /// `name.` or `name[` without blanks.
    pub(crate) fn starts_reference(&self, at: usize) -> bool {
        self.glued(at + 1) && matches!(self.token(at + 1), Token::Dot | Token::LBrack)
    }

    /// `name(` without blanks.
    pub(crate) fn starts_call(&self, at: usize) -> bool {
        self.glued(at + 1) && self.token(at + 1) == Token::LParen
    }

    /// The word at `at`, if it is a keyword.
    pub(crate) fn keyword(&self, at: usize, text: &str, words: &Words) -> Option<Word> {
        let lexeme = self
            .lexemes
            .get(at)
            .filter(|lexeme| lexeme.token == Token::Ident)?;
        let slice = text.get(lexeme.start as usize..lexeme.end as usize)?;
        words.keyword(at, slice)
    }

    /// Behind one term (without infix operators) that starts at `at`.
    fn skip_term(&self, at: usize) -> Option<usize> {
        let mut at = at;
        if self.token(at) == Token::Minus {
            at += 1;
        }
        if self.token(at) == Token::Dot {
            at += 1;
        }
        at = match self.token(at) {
            Token::Ident
            | Token::Number
            | Token::Str
            | Token::RawStr
            | Token::Template(Piece::Whole)
            | Token::RawTemplate(Piece::Whole) => at + 1,
            token if is_open(token) => self.skip_bracket(at)?,
            _ => return None,
        };
        while self.glued(at) {
            at = match self.token(at) {
                Token::Dot => at + 2,
                Token::LBrack | Token::LParen => self.close(at)? + 1,
                _ => return Some(at),
            };
        }
        Some(at)
    }

    /// Behind the bracket at `at`; a template has a partner for each of its pieces.
    fn skip_bracket(&self, at: usize) -> Option<usize> {
        let mut at = at;
        loop {
            at = self.close(at)?;
            match self.token(at) {
                Token::Template(Piece::Middle) | Token::RawTemplate(Piece::Middle) => {}
                _ => return Some(at + 1),
            }
        }
    }

    /// The bar that makes the array, set or object at `open` a comprehension, and whether it is that of an object.
    pub(crate) fn comprehension_bar(&self, open: usize) -> Option<(usize, bool)> {
        let head = self.skip_term(open + 1)?;
        if self.token(head) == Token::Bar {
            return Some((head, false));
        }
        if self.token(open) != Token::LBrace {
            return None;
        }
        let colon = self.key_colon(open)?;
        let value = self.skip_term(colon + 1)?;
        (self.token(value) == Token::Bar).then_some((value, true))
    }

    /// Whether a comma behind the bar shows that it is a union in a list: a body has commas only between the names of
    /// `some` and `every` and in `k, v in xs`. A colon in front of it belongs to neither.
    pub(crate) fn lists_behind(&self, bar: usize, open: usize, text: &str, words: &Words) -> bool {
        let close = self.close(open).unwrap_or(0);
        let mut at = bar + 1;
        while at < close {
            at = match self.token(at) {
                Token::Comma => return !self.pair_comma(at, text, words),
                Token::Colon => return false,
                Token::Ident => match self.keyword(at, text, words) {
                    Some(Word::Some | Word::Every) => return false,
                    _ => at + 1,
                },
                token if is_open(token) => match self.skip_bracket(at) {
                    Some(next) => next,
                    None => return false,
                },
                _ => at + 1,
            };
        }
        false
    }

    /// The colon behind the first element of the braces at `open`.
    pub(crate) fn key_colon(&self, open: usize) -> Option<usize> {
        let close = self.close(open)?;
        let mut at = open + 1;
        while at < close {
            at = match self.token(at) {
                Token::Colon => return Some(at),
                Token::Comma if at > open + 1 => return None,
                Token::Semicolon => return None,
                token if is_open(token) => self.skip_bracket(at)?,
                _ => at + 1,
            };
        }
        None
    }

    /// Whether the comma at `at` stands between key and value of `k, v in xs`: one relation and `in` follow.
    pub(crate) fn pair_comma(&self, at: usize, text: &str, words: &Words) -> bool {
        let mut at = at + 1;
        let mut operand = true;
        loop {
            let token = self.token(at);
            let next = match token {
                Token::Minus if operand => Some(at + 1),
                Token::Dot if operand => Some(at + 1),
                _ if operand => match self.keyword(at, text, words) {
                    Some(Word::Null | Word::True | Word::False | Word::Contains) | None => self.skip_term(at),
                    Some(Word::And | Word::Or) if self.starts_call(at) => self.skip_term(at),
                    Some(_) => None,
                },
                Token::Ident => return self.keyword(at, text, words) == Some(Word::In),
                _ if is_infix(token) => {
                    operand = true;
                    at += 1;
                    continue;
                }
                _ => None,
            };
            match next {
                Some(next) => at = next,
                None => return false,
            }
            operand = matches!(token, Token::Minus | Token::Dot);
        }
    }

    /// Whether the `{` behind a rule's `if` looks like a term: `{}`, an object, a comprehension, or an operand.
    pub(crate) fn if_brace_is_term(&self, open: usize, text: &str, words: &Words) -> bool {
        let Some(close) = self.close(open) else {
            return false;
        };
        if self.is_no_set(open) {
            return true;
        }
        let next = close + 1;
        match self.token(next) {
            Token::Dot | Token::LBrack | Token::LParen => self.glued(next),
            Token::Assign | Token::Unify => true,
            Token::Ident => self.keyword(next, text, words) == Some(Word::In) && !self.starts_reference(next),
            Token::Comma => self.pair_comma(next, text, words),
            token => is_infix(token),
        }
    }

    /// Whether the braces, read as a term, are an object or a comprehension.
    pub(crate) fn is_no_set(&self, open: usize) -> bool {
        self.close(open) == Some(open + 1)
            || self.comprehension_bar(open).is_some()
            || self.key_colon(open).is_some()
    }

    /// Whether `and` or `or` follows the bracket at `open`.
    pub(crate) fn before_logic(&self, open: usize, text: &str, words: &Words) -> bool {
        let Some(close) = self.close(open) else {
            return false;
        };
        matches!(self.keyword(close + 1, text, words), Some(Word::And | Word::Or))
    }
}

pub(crate) fn is_infix(token: Token) -> bool {
    matches!(
        token,
        Token::Plus
            | Token::Minus
            | Token::Star
            | Token::Slash
            | Token::Percent
            | Token::Amp
            | Token::Bar
            | Token::Equal
            | Token::NotEqual
            | Token::Less
            | Token::LessEqual
            | Token::Greater
            | Token::GreaterEqual
    )
}

fn is_open(token: Token) -> bool {
    matches!(
        token,
        Token::LBrack
            | Token::LBrace
            | Token::LParen
            | Token::Template(Piece::Start | Piece::Middle)
            | Token::RawTemplate(Piece::Start | Piece::Middle)
    )
}

fn is_close(token: Token) -> bool {
    matches!(
        token,
        Token::RBrack
            | Token::RBrace
            | Token::RParen
            | Token::Template(Piece::Middle | Piece::End)
            | Token::RawTemplate(Piece::Middle | Piece::End)
    )
}

fn pairs(open: Token, close: Token) -> bool {
    matches!(
        (open, close),
        (Token::LBrack, Token::RBrack)
            | (Token::LBrace, Token::RBrace)
            | (Token::LParen, Token::RParen)
            | (
                Token::Template(Piece::Start | Piece::Middle),
                Token::Template(Piece::Middle | Piece::End)
            )
            | (
                Token::RawTemplate(Piece::Start | Piece::Middle),
                Token::RawTemplate(Piece::Middle | Piece::End)
            )
    )
}
