//! The parser's place among the tokens.

use super::lexer::{Lexer, Token};
use super::tree::{Checked, WRONG};
use crate::arena::Arena;
use crate::builtins::call::charge;
use crate::error::EvalErrorKind;
use crate::limits::BUILTIN_DEPTH_MAX;
use crate::value::Value;

/// Fuel for a token: it is read and becomes a part of a tree.
const TOKEN_FUEL: usize = 8;

/// One token is looked at ahead.
pub(super) struct Cursor<'c, 'r> {
    pub(super) arena: &'r Arena,
    fuel: &'c mut u64,
    lexer: Lexer<'r>,
    token: Token<'r>,
    comment: Value<'r>,
    depth: usize,
}

impl<'c, 'r> Cursor<'c, 'r> {
    pub(super) fn new(arena: &'r Arena, fuel: &'c mut u64, text: &'r str) -> Checked<Cursor<'c, 'r>> {
        charge(fuel, text.len() / 4)?;
        let mut lexer = Lexer::new(arena, text);
        let (token, comment) = lexer.next()?;
        Ok(Cursor {
            arena,
            fuel,
            lexer,
            token,
            comment,
            depth: 0,
        })
    }

    /// The next token.
    pub(super) fn peek(&self) -> Token<'r> {
        self.token
    }

    /// The comments in front of the next token; unset for none.
    pub(super) fn comment(&self) -> Value<'r> {
        self.comment
    }

    /// Takes the next token.
    pub(super) fn next(&mut self) -> Checked<Token<'r>> {
        charge(self.fuel, TOKEN_FUEL)?;
        let token = self.token;
        (self.token, self.comment) = self.lexer.next()?;
        Ok(token)
    }

    /// Takes the next token if it is this mark.
    pub(super) fn skip(&mut self, mark: char) -> Checked<bool> {
        let found = self.token == Token::Mark(mark);
        if found {
            self.next()?;
        }
        Ok(found)
    }

    pub(super) fn expect(&mut self, mark: char) -> Checked {
        match self.skip(mark)? {
            true => Ok(()),
            false => Err(WRONG),
        }
    }

    pub(super) fn name(&mut self) -> Checked<&'r str> {
        match self.next()? {
            Token::Name(name) => Ok(name),
            _ => Err(WRONG),
        }
    }

    /// Whether the next token is this name.
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.token == Token::Name(word)
    }

    /// Whether the next token has this text, be it a name or a string: gqlparser looks no closer at some places.
    pub(super) fn has_text(&self, text: &str) -> bool {
        matches!(self.token, Token::Name(own) | Token::String(own) | Token::Block(own) if own == text)
    }

    /// Takes a word; gives the comments in front of it.
    pub(super) fn word(&mut self, word: &str) -> Checked<Value<'r>> {
        let comment = self.comment;
        if !self.is_word(word) {
            return Err(WRONG);
        }
        self.next()?;
        Ok(comment)
    }

    /// At least one thing between two marks, if the first one is there; also gives the comments in front of the last one.
    pub(super) fn some(
        &mut self,
        (open, close): (char, char),
        mut each: impl FnMut(&mut Self) -> Checked<Value<'r>>,
    ) -> Checked<(Vec<Value<'r>>, Value<'r>)> {
        let mut things = Vec::new();
        if !self.skip(open)? {
            return Ok((things, Value::UNSET));
        }
        while self.token != Token::Mark(close) {
            things.push(each(self)?);
        }
        if things.is_empty() {
            return Err(WRONG);
        }
        let comment = self.comment;
        self.next()?;
        Ok((things, comment))
    }

    /// One level deeper.
    pub(super) fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Checked<T>) -> Checked<T> {
        if self.depth >= BUILTIN_DEPTH_MAX {
            return Err(EvalErrorKind::DepthExceeded.into());
        }
        self.depth += 1;
        let result = inner(self)?;
        self.depth -= 1;
        Ok(result)
    }
}
