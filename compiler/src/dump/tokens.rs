//! Tokens of a text, one line each: place, kind, text.

use std::fmt::Write;

use crate::lexer;
use crate::source::{FileId, SourceMap, position_in};
use crate::token::{Piece, Token};

/// The lexemes of a text with their row and column; comments are left out. Never fails: text that is no token is
/// listed as such.
#[must_use]
pub fn tokens(sources: &SourceMap, file: FileId) -> String {
    let text = &sources.source(file).text;
    let mut dump = String::new();
    for lexeme in &lexer::lex(text).lexemes {
        let place = position_in(text, lexeme.start);
        let slice = text.get(lexeme.start as usize..lexeme.end as usize).unwrap_or("");
        let glued = if lexeme.glued { " glued" } else { "" };
        let kind = kind(lexeme.token);
        // Writing to a string cannot fail.
        let _ = writeln!(dump, "{}:{} {kind} {slice:?}{glued}", place.row, place.col);
    }
    dump
}

fn kind(token: Token) -> &'static str {
    match token {
        Token::Ident => "word",
        Token::Number => "number",
        Token::Str => "string",
        Token::RawStr => "raw-string",
        Token::Template(piece) => match piece {
            Piece::Whole => "template",
            Piece::Start => "template-start",
            Piece::Middle => "template-middle",
            Piece::End => "template-end",
        },
        Token::RawTemplate(piece) => match piece {
            Piece::Whole => "raw-template",
            Piece::Start => "raw-template-start",
            Piece::Middle => "raw-template-middle",
            Piece::End => "raw-template-end",
        },
        Token::Illegal(_) => "illegal",
        Token::End => "end",
        Token::Comment => "comment",
        _ => "punctuation",
    }
}
