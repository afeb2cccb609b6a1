//! Wording of syntax errors: OPA's.

use crate::layout::{Brackets, Words};
use crate::parse::attempt::opens_body;
use crate::parse::tree::{Cx, Reject};
use crate::source::Span;
use crate::token::{Op, Piece, Tok, Token, Word};

/// `if := 1`.
pub(crate) fn keyword_as_name(span: Span, word: Word) -> Reject {
    Reject::new(
        span,
        format!("{} keyword cannot be used for rule name", word.text()),
    )
}

/// The lexeme at `at` does not fit behind `read`.
pub(crate) fn unexpected(
    cx: &Cx<'_>,
    brackets: &Brackets<'_>,
    words: &Words,
    read: &[(u32, Tok<'_>, u32)],
    at: usize,
) -> Reject {
    let Some(lexeme) = brackets.lexemes.get(at) else {
        return Reject::new(cx.span(0, 0), "unexpected eof token");
    };
    let span = cx.span(lexeme.start, lexeme.end);
    let last = read.last().map(|token| token.1);
    let closes = matches!(lexeme.token, Token::RBrace | Token::RBrack);
    if closes && last.is_some_and(opens_body) {
        return Reject::new(span, "found empty body");
    }
    if let Token::Illegal(error) = lexeme.token {
        return Reject::new(span, error.to_string());
    }
    let keyword = brackets.keyword(at, cx.text, words);
    let name = keyword.map_or_else(|| token_name(lexeme.token), Word::text);
    let what = if keyword.is_some() { "keyword" } else { "token" };
    let mut reject = match context(read) {
        Context::Template => Reject::new(span, "expected } to end template string expression"),
        Context::Parenthesis => Reject::new(span, "non-terminated expression"),
        Context::Expected(note) => Reject::new(span, format!("unexpected {name} {what}: {note}")),
        Context::Unknown => Reject::new(span, format!("unexpected {name} {what}")),
    };
    let text = cx
        .text
        .get(lexeme.start as usize..lexeme.end as usize)
        .unwrap_or("");
    if keyword.is_none() {
        reject.help = keyword_hint(text);
    }
    reject
}

/// OPA reports `1[…]` and `"a".b` when it sees the bracket or dot, before anything that is wrong behind it.
pub(crate) fn reference_into_literal(cx: &Cx<'_>, read: &[(u32, Tok<'_>, u32)]) -> Option<Reject> {
    read.windows(2).find_map(|pair| {
        let [
            (start, head, end),
            (_, Tok::Op(Op::FieldDot | Op::IndexOpen | Op::CallOpen), _),
        ] = pair
        else {
            return None;
        };
        let what = match head {
            Tok::Number(_) => "number",
            Tok::Str(_) | Tok::RawStr(_) => "string",
            Tok::Word(Word::Null) => "null",
            Tok::Word(Word::True | Word::False) => "boolean",
            Tok::Template { .. } => "templatestring",
            _ => return None,
        };
        Some(Reject::new(
            cx.span(*start, *end),
            format!("illegal ref (head cannot be {what})"),
        ))
    })
}

/// Where OPA reports an error in the domain of `some x in …`: it then reads `some x` and stops at the `in`. `read`: the
/// tokens up to the error. `None`: the error is not in the first term of such a domain.
pub(crate) fn unread_some(read: &[(u32, Tok<'_>, u32)]) -> Option<u32> {
    let mut depth = 0_u32;
    // Whether the error stands where a term is expected, or in a bracket of the domain.
    let mut in_term = read.last().is_some_and(|token| !ends_term(token.1));
    for (at, (start, tok, _)) in read.iter().enumerate().rev() {
        match tok {
            Tok::Op(Op::BrackClose | Op::BraceClose | Op::BodyClose | Op::ParenClose) => depth += 1,
            Tok::Op(
                Op::ArrayOpen
                | Op::IndexOpen
                | Op::BraceOpen
                | Op::BodyOpen
                | Op::ParenOpen
                | Op::GroupOpen
                | Op::CallOpen,
            ) if depth == 0 => in_term = true,
            Tok::Op(
                Op::ArrayOpen
                | Op::IndexOpen
                | Op::BraceOpen
                | Op::BodyOpen
                | Op::ParenOpen
                | Op::GroupOpen
                | Op::CallOpen,
            ) => depth -= 1,
            Tok::Word(Word::In) if depth == 0 && !in_term => return None,
            Tok::Word(Word::In) if depth == 0 => {
                let names = read.get(..at)?;
                let some = names.iter().rposition(|token| token.1 == Tok::Word(Word::Some))?;
                let plain = |token: &(u32, Tok<'_>, u32)| {
                    matches!(token.1, Tok::Ident(_) | Tok::Op(Op::Comma | Op::PairComma))
                };
                return names.get(some + 1..)?.iter().all(plain).then_some(*start);
            }
            Tok::Op(op) if depth == 0 && !matches!(op, Op::FieldDot) => return None,
            Tok::Word(_) if depth == 0 => return None,
            _ => {}
        }
    }
    None
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

enum Context {
    Template,
    Parenthesis,
    Expected(&'static str),
    Unknown,
}

/// What OPA says it expected, from the innermost open bracket and the token before.
fn context(read: &[(u32, Tok<'_>, u32)]) -> Context {
    let mut open = Vec::new();
    for (_, tok, _) in read {
        match tok {
            Tok::Op(
                op @ (Op::ArrayOpen
                | Op::IndexOpen
                | Op::BraceOpen
                | Op::BodyOpen
                | Op::ParenOpen
                | Op::GroupOpen
                | Op::CallOpen),
            ) => open.push(*op),
            Tok::Template {
                piece: Piece::Start, ..
            } => open.push(Op::Sep),
            Tok::Op(Op::Such) => {
                if let Some(Op::ArrayOpen) = open.pop() {
                    open.push(Op::BrackClose);
                } else {
                    open.push(Op::BodyOpen);
                }
            }
            Tok::Op(Op::Colon) => {
                if let Some(last @ Op::BraceOpen) = open.last_mut() {
                    *last = Op::Colon;
                }
            }
            Tok::Op(Op::BrackClose | Op::BraceClose | Op::BodyClose | Op::ParenClose)
            | Tok::Template {
                piece: Piece::End, ..
            } => {
                open.pop();
            }
            _ => {}
        }
    }
    match read.last().map(|token| token.1) {
        Some(Tok::Op(Op::FieldDot)) => return Context::Expected("expected identifier"),
        Some(Tok::Op(Op::BodyClose)) | None => {}
        Some(tok) if !ends_term(tok) => return Context::Unknown,
        Some(_) => {}
    }
    match open.last() {
        Some(Op::Sep) => Context::Template,
        Some(Op::ParenOpen | Op::GroupOpen) => Context::Parenthesis,
        Some(Op::BodyOpen) => Context::Expected("expected \\n or ; or }"),
        Some(Op::BrackClose) => Context::Expected("expected \\n or ; or ]"),
        Some(Op::ArrayOpen) => Context::Expected("expected \",\" or \"]\""),
        Some(Op::CallOpen) => Context::Expected("expected \",\" or \")\""),
        Some(Op::IndexOpen) => Context::Expected("expected ]"),
        Some(Op::BraceOpen) => Context::Expected("non-terminated set"),
        Some(Op::Colon) => Context::Expected("non-terminated object"),
        _ => Context::Unknown,
    }
}

fn ends_term(tok: Tok<'_>) -> bool {
    match tok {
        Tok::Ident(_) | Tok::Number(_) | Tok::Str(_) | Tok::RawStr(_) => true,
        Tok::Template { piece, .. } => matches!(piece, Piece::Whole | Piece::End),
        Tok::Word(word) => matches!(word, Word::Null | Word::True | Word::False),
        Tok::Op(op) => matches!(op, Op::BrackClose | Op::BraceClose | Op::ParenClose),
        Tok::Illegal(_) => false,
    }
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
