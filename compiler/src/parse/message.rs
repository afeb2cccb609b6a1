//! Wording of syntax errors: OPA's.

use crate::layout::Brackets;
use crate::parse::tree::{Cx, Reject};
use crate::source::Span;
use crate::token::{Piece, Token, Word};

/// `if := 1`.
pub(crate) fn keyword_as_name(span: Span, word: Word) -> Reject {
    Reject::new(
        span,
        format!("{} keyword cannot be used for rule name", word.text()),
    )
}

/// Whether a keyword in place of a rule's name is refused as such, rather than as a token that does not fit.
pub(crate) fn may_name(word: Word) -> bool {
    !matches!(
        word,
        Word::Default | Word::Else | Word::With | Word::Null | Word::True | Word::False
    )
}

/// How the error at a token is worded.
#[derive(Clone, Debug)]
pub(crate) enum Refusal {
    /// The token is not expected, with what would have been; nothing when empty.
    Unexpected(&'static str),
    /// The whole message.
    Whole(String),
    /// The token is the `with` on an operand of this operator.
    WithOnOperand(&'static str),
    /// A message that ends with the token's text.
    Text(&'static str),
}

/// The lexeme at `at`, or the blank in front of it, is refused.
pub(crate) fn refusal(
    cx: &Cx<'_>,
    brackets: &Brackets<'_>,
    keyword: Option<Word>,
    (at, blank): (usize, bool),
    refusal: Refusal,
) -> Reject {
    let Some(lexeme) = brackets.lexemes.get(at) else {
        return Reject::new(cx.span(0, 0), "unexpected eof token");
    };
    let text = cx
        .text
        .get(lexeme.start as usize..lexeme.end as usize)
        .unwrap_or("");
    let span = if blank {
        gap(cx, brackets, at)
    } else {
        cx.span(lexeme.start, lexeme.end)
    };
    let expected = match refusal {
        Refusal::Unexpected(expected) => expected,
        Refusal::Whole(message) => return Reject::new(span, message),
        Refusal::Text(prefix) => return Reject::new(span, format!("{prefix}: {text}")),
        Refusal::WithOnOperand(op) => return cx.with_on_operand(lexeme.start, op),
    };
    let name = match keyword {
        _ if blank => "whitespace token",
        Some(word) => &format!("{} keyword", word.text()),
        None => &format!("{} token", token_name(lexeme.token)),
    };
    let colon = if expected.is_empty() { "" } else { ": " };
    let mut reject = Reject::new(span, format!("unexpected {name}{colon}{expected}"));
    if keyword.is_none() && !blank {
        reject.help = keyword_hint(text);
    }
    reject
}

/// The first blank in front of a lexeme, a comment aside. OPA counts a line end to the row behind it, as column 0: the
/// place is empty.
fn gap(cx: &Cx<'_>, brackets: &Brackets<'_>, at: usize) -> Span {
    let before = at.checked_sub(1).and_then(|at| brackets.lexemes.get(at));
    let start = before.map_or(0, |lexeme| lexeme.end);
    let behind = cx.text.get(start as usize..).unwrap_or("");
    let comment = if behind.starts_with('#') {
        behind.find('\n').unwrap_or(0)
    } else {
        0
    };
    let at = start.saturating_add(u32::try_from(comment).unwrap_or(u32::MAX));
    if behind.as_bytes().get(comment) == Some(&b'\n') {
        cx.span(at + 1, at + 1)
    } else {
        cx.span(at, at + 1)
    }
}

/// How to turn on the keyword that `text` would be.
pub(crate) fn keyword_hint(text: &str) -> Option<String> {
    let example = match text {
        "in" => "x in xs",
        "and" => "x and y",
        "or" => "x or y",
        "if" => "p if { ... }",
        "contains" => "p contains x",
        "every" => "every x in xs { ... }",
        _ => return None,
    };
    Some(format!("`import future.keywords.{text}` for `{example}`"))
}

/// OPA's name of a token.
fn token_name(token: Token) -> &'static str {
    match token {
        Token::Ident => "identifier",
        Token::Number => "number",
        Token::Str | Token::RawStr => "string",
        Token::Template(Piece::Middle | Piece::End) | Token::RawTemplate(Piece::Middle | Piece::End) => "}",
        Token::Template(Piece::Whole) => "template-string-end",
        Token::Template(Piece::Start) => "template-string-part",
        Token::RawTemplate(Piece::Whole) => "raw-template-string-end",
        Token::RawTemplate(Piece::Start) => "raw-template-string-part",
        Token::LBrack => "[",
        Token::RBrack => "]",
        Token::LBrace => "{",
        Token::RBrace => "}",
        Token::LParen => "(",
        Token::RParen => ")",
        Token::Comma => ",",
        Token::Colon => ":",
        Token::Semicolon => ";",
        Token::Dot => ".",
        Token::Assign => "assign",
        Token::Unify => "eq",
        Token::Equal => "equal",
        Token::NotEqual => "neq",
        Token::Less => "lt",
        Token::LessEqual => "lte",
        Token::Greater => "gt",
        Token::GreaterEqual => "gte",
        Token::Plus => "plus",
        Token::Minus => "minus",
        Token::Star => "mul",
        Token::Slash => "div",
        Token::Percent => "rem",
        Token::Amp => "and",
        Token::Bar => "or",
        Token::Comment => "comment",
        Token::Illegal(_) => "illegal",
        Token::End => "eof",
    }
}
