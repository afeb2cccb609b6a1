//! Which words are keywords: the base dialect of a module and what its imports added so far.

use crate::ast::Dialect;
use crate::token::{Token, Word};

/// The dialect that a module is read in before its imports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BaseDialect {
    /// Rego v0: no future keywords, no template strings.
    V0,
    /// Rego v1.
    #[default]
    V1,
    /// Rego v2: v1 with `and`, `or` and bodies behind `not`.
    V2,
}

/// The keywords at one place of a module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    /// What the module started as.
    pub(crate) base: BaseDialect,
    /// What holds here.
    pub(crate) dialect: Dialect,
    /// A lexeme that is a name, though it may look like a keyword that can be imported: OPA reads the path of an import
    /// without those, and with it one token ahead.
    pub(crate) name_at: Option<usize>,
}

impl Words {
    /// The keywords of a module without imports.
    pub(crate) fn new(base: BaseDialect) -> Words {
        let v1 = base != BaseDialect::V0;
        let v2 = base == BaseDialect::V2;
        Words {
            base,
            dialect: Dialect {
                v1,
                kw_in: v1,
                kw_if: v1,
                kw_contains: v1,
                kw_every: v1,
                kw_and: v2,
                kw_or: v2,
                new_not: v2,
            },
            name_at: None,
        }
    }

    /// The keyword that the lexeme `at` with this text is.
    pub(crate) fn keyword(&self, at: usize, text: &str) -> Option<Word> {
        let word = Word::parse(text).filter(|word| self.is_keyword(*word))?;
        let imported = matches!(
            word,
            Word::In | Word::If | Word::Contains | Word::Every | Word::And | Word::Or | Word::Not
        );
        (!imported || self.name_at != Some(at)).then_some(word)
    }

    /// Whether the word is a keyword here.
    pub(crate) fn is_keyword(&self, word: Word) -> bool {
        match word {
            Word::Package
            | Word::Import
            | Word::As
            | Word::Default
            | Word::Else
            | Word::Not
            | Word::Some
            | Word::With
            | Word::Null
            | Word::True
            | Word::False => true,
            Word::In => self.dialect.kw_in,
            Word::If => self.dialect.kw_if,
            Word::Contains => self.dialect.kw_contains,
            Word::Every => self.dialect.kw_every,
            Word::And => self.dialect.kw_and,
            Word::Or => self.dialect.kw_or,
        }
    }

    /// Whether the word is a keyword of the base dialect, whatever was imported.
    pub(crate) fn in_base(&self, word: Word) -> bool {
        Words::new(self.base).is_keyword(word)
    }

    /// Whether OPA takes an operator behind a dot, or at the start of a path, for an empty name: it lets keywords stand there, goes by
    /// the names of tokens, and those of `&` and `|` are `and` and `or`.
    pub(crate) fn is_empty_field(&self, token: Token) -> bool {
        match token {
            Token::Amp => self.dialect.kw_and,
            Token::Bar => self.dialect.kw_or,
            _ => false,
        }
    }

    /// `and` or `or` is a keyword.
    pub(crate) fn logic(&self) -> bool {
        self.dialect.kw_and || self.dialect.kw_or
    }
}
