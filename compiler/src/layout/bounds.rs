//! Where things end in the layout pass: which words are keywords in their place, what touches the term before it, and
//! where a statement is over.

use crate::layout::frame::{FrameKind, Phase, Pos, Start};
use crate::layout::{Layout, is_infix};
use crate::lexer::Lexeme;
use crate::token::{Op, Piece, Tok, Token, Word};

impl Layout<'_, '_> {
    /// The keyword that the lexeme at `at` is, here. A keyword in front of a glued `.` or `[` is a name where OPA looks
    /// ahead for that: at the start of a statement and behind a term.
    pub(super) fn word(&self, at: usize) -> Option<Word> {
        let lexeme = self.lexeme(at).filter(|lexeme| lexeme.token == Token::Ident)?;
        let word = self.words.keyword(at, self.slice(lexeme))?;
        let in_head = self.frames.len() == 1 && self.phase == Phase::Head && self.pos == Pos::Term;
        if word == Word::Contains {
            return in_head.then_some(word);
        }
        let looks_ahead = match self.pos {
            Pos::Operand => matches!(self.start, Start::Literal | Start::If),
            Pos::Term | Pos::Closed => match word {
                Word::As => self.phase != Phase::Import && !self.frame().is_some_and(|frame| frame.with),
                Word::If => !in_head,
                Word::In => !self.frame().is_some_and(|frame| frame.pair),
                // OPA looks ahead behind a term and behind a rule's first body, not behind other bodies.
                Word::Else => !(self.branches && self.phase == Phase::AfterBody),
                Word::And | Word::Or => self.pos == Pos::Term,
                _ => true,
            },
        };
        if looks_ahead && self.brackets.starts_reference(at) {
            return None;
        }
        let names_call = matches!(word, Word::And | Word::Or) && self.pos == Pos::Operand;
        if names_call && self.brackets.starts_call(at) {
            return None;
        }
        Some(word)
    }

    /// Whether a top-level statement ends in front of this lexeme. Asked only where a term or body has just ended.
    pub(super) fn ends_statement(&mut self, lexeme: Lexeme) -> bool {
        let paths = matches!(self.phase, Phase::Package | Phase::Import);
        let head = matches!(self.phase, Phase::Head | Phase::HeadValue) && !self.default;
        let statement = matches!(self.phase, Phase::Literal | Phase::IfLiteral | Phase::ElseLiteral);
        match lexeme.token {
            Token::Dot | Token::LBrack | Token::LParen => !self.is_glued(lexeme),
            token if is_infix(token) => {
                let default_name = self.default && self.phase == Phase::Head;
                paths || default_name || self.pos == Pos::Closed
            }
            Token::Assign | Token::Unify => {
                paths || self.pos == Pos::Closed || (self.default && self.phase != Phase::Head)
            }
            Token::Comma => {
                let some = self.frame().is_some_and(|frame| frame.some);
                paths || self.pos == Pos::Closed || !(some || self.is_pair_comma())
            }
            Token::LBrace => {
                let every = self.frame().is_some_and(|frame| frame.every);
                let body = head
                    || matches!(
                        self.phase,
                        Phase::IfLiteral | Phase::ElseLiteral | Phase::ElseValue | Phase::AfterBody
                    );
                !every && !body
            }
            Token::Ident => match self.word(self.at) {
                Some(Word::In) => paths || self.pos == Pos::Closed,
                Some(Word::With | Word::And | Word::Or) => match self.pos {
                    Pos::Closed => !statement,
                    _ => paths || self.default,
                },
                Some(Word::As) => self.phase == Phase::Package,
                Some(Word::Contains) => false,
                Some(Word::If) => !head && self.phase != Phase::ElseValue,
                Some(Word::Else) => !matches!(
                    self.phase,
                    Phase::AfterBody | Phase::IfLiteral | Phase::ElseLiteral
                ),
                _ => true,
            },
            _ => true,
        }
    }

    /// Whether `.`, `[` or `(` belongs to the term before it.
    pub(super) fn is_glued(&mut self, lexeme: Lexeme) -> bool {
        if self.pos != Pos::Term {
            return false;
        }
        let glued = if lexeme.glued {
            true
        } else {
            let words = usize::from(self.default);
            let behind_name = self.frames.len() == 1
                && self.phase == Phase::Head
                && self.out.tokens.len() == words + 1
                && lexeme.token != Token::End;
            self.out.head_gap |= behind_name;
            behind_name && self.choices.spaced_head
        };
        glued && !(lexeme.token == Token::LParen && self.closed_call)
    }

    pub(super) fn is_pair_comma(&self) -> bool {
        self.brackets.pair_comma(self.at, self.text, self.words)
    }

    /// Emits a separator where a line end separates statements.
    pub(super) fn separate(&mut self, lexeme: Lexeme) {
        let applies = match self.frame_kind() {
            FrameKind::Body => lexeme.newline,
            FrameKind::Top => self.phase == Phase::Query,
            FrameKind::List { .. } | FrameKind::Single => false,
        };
        if !applies || self.pos == Pos::Operand || self.continues(lexeme) {
            return;
        }
        self.out
            .tokens
            .push((lexeme.start, Tok::Op(Op::Sep), lexeme.start));
        self.next_statement();
    }

    pub(super) fn next_statement(&mut self) {
        self.pos = Pos::Operand;
        self.start = Start::Literal;
        if let Some(frame) = self.frames.last_mut() {
            frame.every = false;
            frame.some = false;
            frame.with = false;
            frame.pair = false;
            frame.depth.next_expression();
        }
    }

    /// Whether a lexeme on a new line goes on with the statement before it.
    pub(super) fn continues(&mut self, lexeme: Lexeme) -> bool {
        match lexeme.token {
            Token::RBrace | Token::RBrack | Token::RParen | Token::Semicolon => true,
            Token::Ident => match self.word(self.at) {
                Some(Word::With | Word::And | Word::Or) => true,
                Some(Word::In | Word::As) => self.pos == Pos::Term,
                _ => false,
            },
            Token::LBrace => self.frame().is_some_and(|frame| frame.every),
            // Only a query asks this without a line end in between.
            Token::Dot | Token::LBrack | Token::LParen => self.is_glued(lexeme),
            Token::Template(piece) | Token::RawTemplate(piece) => matches!(piece, Piece::Middle | Piece::End),
            Token::Assign | Token::Unify | Token::Comma | Token::Colon => self.pos == Pos::Term,
            token => is_infix(token) && self.pos == Pos::Term,
        }
    }
}
