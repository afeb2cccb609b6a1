//! The two token types of the front end: what logos finds in the text ([`Token`]) and what the grammar reads ([`Tok`]),
//! after the layout pass has decided what each bracket, bar, comma and word means.

use std::fmt;

use logos::Logos;

use crate::lexer::scan;

/// Why a piece of text is no token. The wording is OPA's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LexError {
    /// A character that starts nothing.
    #[default]
    Token,
    /// `!` alone.
    Bang,
    /// `$` before no quote.
    Dollar,
    /// U+0000.
    Null,
    /// U+FEFF after the first character.
    ByteOrderMark,
    /// U+00A0.
    NonBreakingSpace,
    /// A backslash before something that has no meaning there.
    Escape,
    /// A string that does not end (on its line, unless backquoted).
    Unterminated,
    /// `1.` without digits behind it.
    Fraction,
    /// `1e` without digits behind it.
    Exponent,
    /// Letters glued to a number.
    NumberFormat,
}

impl fmt::Display for LexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LexError::Token => "illegal token",
            LexError::Bang => "illegal ! character",
            LexError::Dollar => "illegal $ character",
            LexError::Null => "illegal null character",
            LexError::ByteOrderMark => "illegal byte-order mark",
            LexError::NonBreakingSpace => "illegal non-breaking space character, use a regular space instead",
            LexError::Escape => "illegal escape sequence",
            LexError::Unterminated => "non-terminated string",
            LexError::Fraction => "expected fraction",
            LexError::Exponent => "expected exponent",
            LexError::NumberFormat => "illegal number format",
        })
    }
}

/// What stands at one place of the text, before any context is known. Words are all [`Token::Ident`].
#[derive(Logos, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[logos(error = LexError)]
#[logos(skip r"[ \t\r\n]+")]
pub enum Token {
    /// A word.
    #[regex(r"[a-zA-Z_][a-zA-Z0-9_\p{Nd}]*")]
    Ident,
    /// Starts with a digit.
    #[regex(r"[0-9]+", scan::number)]
    Number,
    /// `"…"`
    #[token("\"", scan::string)]
    Str,
    /// `` `…` ``
    #[token("`", scan::raw_string)]
    RawStr,
    /// `$"…"` or its text up to the first brace.
    #[token("$\"", scan::template)]
    Template(Piece),
    /// `` $`…` `` or its text up to the first brace.
    #[token("$`", scan::raw_template)]
    RawTemplate(Piece),
    /// `[`
    #[token("[")]
    LBrack,
    /// `]`
    #[token("]")]
    RBrack,
    /// `{`
    #[token("{")]
    LBrace,
    /// `}`
    #[token("}")]
    RBrace,
    /// `(`
    #[token("(")]
    LParen,
    /// `)`
    #[token(")")]
    RParen,
    /// `,`
    #[token(",")]
    Comma,
    /// `:`
    #[token(":")]
    Colon,
    /// `;`
    #[token(";")]
    Semicolon,
    /// `.`
    #[token(".")]
    Dot,
    /// `:=`
    #[token(":=")]
    Assign,
    /// `=`
    #[token("=")]
    Unify,
    /// `==`
    #[token("==")]
    Equal,
    /// `!=`
    #[token("!=")]
    NotEqual,
    /// `<`
    #[token("<")]
    Less,
    /// `<=`
    #[token("<=")]
    LessEqual,
    /// `>`
    #[token(">")]
    Greater,
    /// `>=`
    #[token(">=")]
    GreaterEqual,
    /// `+`
    #[token("+")]
    Plus,
    /// `-`
    #[token("-")]
    Minus,
    /// `*`
    #[token("*")]
    Star,
    /// `/`
    #[token("/")]
    Slash,
    /// `%`
    #[token("%")]
    Percent,
    /// `&`
    #[token("&")]
    Amp,
    /// `|`
    #[token("|")]
    Bar,
    /// `#…`
    #[regex(r"#[^\n]*", allow_greedy = true)]
    Comment,
    /// Anything that is no token; made by the lexer, not by logos.
    Illegal(LexError),
    /// Behind the last token; made by the lexer, not by logos.
    End,
}

/// How much of a template string a token holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Piece {
    /// No expression inside.
    Whole,
    /// Up to the first `{`.
    Start,
    /// From a `}` to the next `{`.
    Middle,
    /// From a `}` to the closing quote.
    End,
}

/// A classified token, as the grammar reads it. Text is a slice of the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tok<'a> {
    /// A name, in term position or behind a dot.
    Ident(&'a str),
    /// A number as written.
    Number(&'a str),
    /// A quoted string with its quotes.
    Str(&'a str),
    /// A backquoted string with its quotes.
    RawStr(&'a str),
    /// A template string, or a piece of one, with its delimiters.
    Template {
        /// Which piece.
        piece: Piece,
        /// Backquoted.
        raw: bool,
        /// With delimiters.
        text: &'a str,
    },
    /// A word that is a keyword where it stands.
    Word(Word),
    /// An operator or other fixed text.
    Op(Op),
    /// Text that is no token. No production takes it.
    Illegal(LexError),
}

/// Keywords.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is the word")]
pub enum Word {
    Package,
    Import,
    As,
    Default,
    Else,
    Not,
    Some,
    With,
    Null,
    True,
    False,
    In,
    If,
    Contains,
    Every,
    And,
    Or,
}

impl Word {
    /// The word as written.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Word::Package => "package",
            Word::Import => "import",
            Word::As => "as",
            Word::Default => "default",
            Word::Else => "else",
            Word::Not => "not",
            Word::Some => "some",
            Word::With => "with",
            Word::Null => "null",
            Word::True => "true",
            Word::False => "false",
            Word::In => "in",
            Word::If => "if",
            Word::Contains => "contains",
            Word::Every => "every",
            Word::And => "and",
            Word::Or => "or",
        }
    }

    /// The keyword that `text` is in some dialect.
    #[must_use]
    pub fn parse(text: &str) -> Option<Word> {
        Some(match text {
            "package" => Word::Package,
            "import" => Word::Import,
            "as" => Word::As,
            "default" => Word::Default,
            "else" => Word::Else,
            "not" => Word::Not,
            "some" => Word::Some,
            "with" => Word::With,
            "null" => Word::Null,
            "true" => Word::True,
            "false" => Word::False,
            "in" => Word::In,
            "if" => Word::If,
            "contains" => Word::Contains,
            "every" => Word::Every,
            "and" => Word::And,
            "or" => Word::Or,
            _ => return None,
        })
    }
}

/// Fixed text, split by meaning where one text has several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// `[` of an array.
    ArrayOpen,
    /// `[` glued to what it indexes.
    IndexOpen,
    /// `]`
    BrackClose,
    /// `{` of a set, object or comprehension.
    BraceOpen,
    /// `}` of a set, object or comprehension.
    BraceClose,
    /// `{` of a body.
    BodyOpen,
    /// `}` of a body.
    BodyClose,
    /// `(` around a term.
    ParenOpen,
    /// `(` that may hold `and`, `or`, `not`, `with`.
    GroupOpen,
    /// `(` glued to what it calls.
    CallOpen,
    /// `)`
    ParenClose,
    /// Between statements of a body: `;` or a line end.
    Sep,
    /// Between list elements.
    Comma,
    /// Between key and value of `k, v in xs`.
    PairComma,
    /// `:`
    Colon,
    /// `.` glued to what it selects from.
    FieldDot,
    /// `.` in front of a fraction.
    PointDot,
    /// `|` between head and body of a comprehension.
    Such,
    /// `:=`
    Assign,
    /// `=`
    Unify,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Star,
    /// `/`
    Slash,
    /// `%`
    Percent,
    /// `&`
    Amp,
    /// `|` of sets.
    Bar,
}
