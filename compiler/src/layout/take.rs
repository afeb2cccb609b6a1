//! The step of the layout pass: what one lexeme becomes, and what may follow it.

use crate::layout::frame::{Close, Frame, FrameKind, Phase, Pos, Start};
use crate::layout::{Alternative, AlternativeKind, IfBrace, Layout, Stop};
use crate::lexer::Lexeme;
use crate::token::{LexError, Op, Piece, Tok, Token, Word};

impl<'a> Layout<'_, 'a> {
    /// Classifies the lexeme at the current place and steps over it.
    pub(super) fn take(&mut self, lexeme: Lexeme) {
        match lexeme.token {
            Token::Ident => self.take_word(lexeme),
            Token::Number => self.term(Tok::Number(self.slice(lexeme)), lexeme),
            Token::Str => self.term(Tok::Str(self.slice(lexeme)), lexeme),
            Token::RawStr => self.term(Tok::RawStr(self.slice(lexeme)), lexeme),
            Token::Template(piece) => self.take_template(piece, false, lexeme),
            Token::RawTemplate(piece) => self.take_template(piece, true, lexeme),
            Token::LBrack => self.take_bracket(lexeme),
            Token::LParen => self.take_parenthesis(lexeme),
            Token::LBrace => self.take_brace(lexeme),
            Token::RBrack => self.take_close(lexeme, Close::Brack, Op::BrackClose),
            Token::RParen => self.take_close(lexeme, Close::Paren, Op::ParenClose),
            Token::RBrace => self.take_brace_close(lexeme),
            Token::Comma => self.take_comma(lexeme),
            Token::Semicolon => {
                self.push_op(Op::Sep, lexeme);
                self.next_statement();
            }
            Token::Dot => {
                let field = self.is_glued(lexeme);
                self.operand(if field { Op::FieldDot } else { Op::PointDot }, lexeme);
                if field {
                    self.take_field();
                }
            }
            Token::Colon => {
                self.next_expression();
                self.operand(Op::Colon, lexeme);
            }
            Token::Assign => self.take_assign(Op::Assign, lexeme),
            Token::Unify => self.take_assign(Op::Unify, lexeme),
            Token::Bar => self.take_bar(lexeme),
            Token::Equal => self.infix(Op::Equal, lexeme),
            Token::NotEqual => self.infix(Op::NotEqual, lexeme),
            Token::Less => self.infix(Op::Less, lexeme),
            Token::LessEqual => self.infix(Op::LessEqual, lexeme),
            Token::Greater => self.infix(Op::Greater, lexeme),
            Token::GreaterEqual => self.infix(Op::GreaterEqual, lexeme),
            Token::Plus => self.infix(Op::Plus, lexeme),
            Token::Minus => self.infix(Op::Minus, lexeme),
            Token::Star => self.infix(Op::Star, lexeme),
            Token::Slash => self.infix(Op::Slash, lexeme),
            Token::Percent => self.infix(Op::Percent, lexeme),
            Token::Amp => self.infix(Op::Amp, lexeme),
            Token::Illegal(error) => self.illegal(error, lexeme),
            // The lexer keeps comments aside, and the pass stops in front of the end.
            Token::Comment | Token::End => self.at += 1,
        }
    }

    fn term(&mut self, tok: Tok<'a>, lexeme: Lexeme) {
        self.push(tok, lexeme);
        self.end_term();
    }

    fn end_term(&mut self) {
        self.pos = Pos::Term;
        self.start = Start::Inside;
        self.closed_call = false;
    }

    fn operand(&mut self, op: Op, lexeme: Lexeme) {
        self.push_op(op, lexeme);
        self.pos = Pos::Operand;
        self.start = Start::Inside;
    }

    fn infix(&mut self, op: Op, lexeme: Lexeme) {
        self.leave_head();
        self.count_operator();
        self.operand(op, lexeme);
    }

    /// An operator behind a rule's name: the statement is no rule with a body.
    fn leave_head(&mut self) {
        if self.frames.len() == 1 && self.phase == Phase::Head && self.pos == Pos::Term && !self.default {
            self.phase = Phase::Literal;
        }
    }

    fn count_operator(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.depth.operators = frame.depth.operators.saturating_add(1);
        }
    }

    /// A call or look-up of what a bracket closed nests the tree, as an operator does.
    fn count_suffix(&mut self) {
        let last = self.out.tokens.last().map(|token| token.1);
        if matches!(
            last,
            Some(Tok::Op(Op::BrackClose | Op::BraceClose | Op::ParenClose))
        ) {
            self.count_operator();
        }
    }

    fn next_expression(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.depth.next_expression();
        }
    }

    /// The name behind a glued dot: any word, glued too.
    fn take_field(&mut self) {
        let Some(lexeme) = self.lexeme(self.at) else {
            return;
        };
        if !lexeme.glued && lexeme.token != Token::End {
            let dot_end = self.out.tokens.last().map_or(lexeme.start, |token| token.2);
            self.out.stop = Some((dot_end, Stop::FieldGap));
        } else if let Some(name) = self.field_name(lexeme) {
            self.term(Tok::Ident(name), lexeme);
        }
    }

    fn take_word(&mut self, lexeme: Lexeme) {
        let Some(word) = self.word(self.at) else {
            self.term(Tok::Ident(self.slice(lexeme)), lexeme);
            return;
        };
        let start = self.start;
        // In an operand, OPA takes `not` in front of a glued `[` or `.` for neither the keyword nor a name.
        let neither = word == Word::Not
            && matches!(start, Start::Logic | Start::Group)
            && self.brackets.starts_reference(self.at);
        if neither {
            self.illegal(LexError::Token, lexeme);
            return;
        }
        self.push(Tok::Word(word), lexeme);
        match word {
            Word::Null | Word::True | Word::False => {
                self.end_term();
                return;
            }
            Word::Not => {
                self.mark(|frame| frame.statement |= start == Start::Group);
                self.pos = Pos::Operand;
                // OPA reads no second operand position behind `not` inside an old-style operand of `and` and `or`.
                self.start = if start == Start::Inside {
                    Start::Inside
                } else {
                    Start::Not
                };
                return;
            }
            Word::And | Word::Or => {
                self.statement_operator();
                self.count_operator();
                self.pos = Pos::Operand;
                self.start = Start::Logic;
                return;
            }
            Word::If => {
                self.pos = Pos::Operand;
                self.start = Start::If;
                self.phase = match self.phase {
                    Phase::ElseStart | Phase::ElseValue => Phase::ElseLiteral,
                    _ => Phase::IfLiteral,
                };
                self.next_expression();
                return;
            }
            Word::Else => {
                self.branches |= self.frames.len() == 1;
                self.phase = Phase::ElseStart;
                self.next_expression();
            }
            Word::Contains => {
                self.phase = Phase::HeadValue;
                self.next_expression();
            }
            Word::Some => self.mark(|frame| frame.some = true),
            Word::Every => self.mark(|frame| frame.every = true),
            Word::With => {
                self.statement_operator();
                self.mark(|frame| frame.with = true);
            }
            Word::In => {
                self.leave_head();
                self.count_operator();
                self.mark(|frame| frame.pair = false);
            }
            Word::As => self.mark(|frame| frame.with = false),
            Word::Package | Word::Import | Word::Default => {}
        }
        self.pos = Pos::Operand;
        self.start = Start::Inside;
    }

    /// `with`, `and`, `or`: the statement is no rule with a body behind it.
    fn statement_operator(&mut self) {
        if self.frames.len() == 1 && matches!(self.phase, Phase::Head | Phase::HeadValue) {
            self.phase = Phase::Literal;
        }
        self.mark(|frame| {
            frame.some = false;
            frame.statement = true;
        });
    }

    fn mark(&mut self, change: impl FnOnce(&mut Frame)) {
        if let Some(frame) = self.frames.last_mut() {
            change(frame);
        }
    }

    fn take_assign(&mut self, op: Op, lexeme: Lexeme) {
        if self.frames.len() == 1 {
            self.phase = match self.phase {
                Phase::Head => Phase::HeadValue,
                Phase::HeadValue => Phase::Literal,
                Phase::ElseStart => Phase::ElseValue,
                other => other,
            };
        }
        self.next_expression();
        self.operand(op, lexeme);
    }

    fn take_comma(&mut self, lexeme: Lexeme) {
        let list = matches!(self.frame_kind(), FrameKind::List { .. });
        let pair = !list && self.pos == Pos::Term && self.is_pair_comma();
        if list {
            self.next_expression();
        }
        self.mark(|frame| frame.pair = pair);
        self.operand(if pair { Op::PairComma } else { Op::Comma }, lexeme);
    }

    fn take_bar(&mut self, lexeme: Lexeme) {
        let such = self.frame().is_some_and(|frame| frame.bar == Some(self.at));
        if !such {
            self.infix(Op::Bar, lexeme);
            return;
        }
        self.push_op(Op::Such, lexeme);
        self.mark(|frame| {
            frame.kind = FrameKind::Body;
            frame.bar = None;
        });
        self.next_statement();
    }

    fn open(&mut self, kind: FrameKind, close: Close, start: Start) {
        self.frames.push(Frame::new(kind, close));
        self.pos = Pos::Operand;
        self.start = start;
    }

    fn take_template(&mut self, piece: Piece, raw: bool, lexeme: Lexeme) {
        let tok = Tok::Template {
            piece,
            raw,
            text: self.slice(lexeme),
        };
        match piece {
            Piece::Whole => self.term(tok, lexeme),
            Piece::Start => {
                self.push(tok, lexeme);
                self.open(FrameKind::Single, Close::Template, Start::Literal);
            }
            Piece::Middle => {
                self.push(tok, lexeme);
                self.next_statement();
            }
            Piece::End => {
                self.push(tok, lexeme);
                self.pop(Close::Template);
                self.end_term();
            }
        }
    }

    fn take_bracket(&mut self, lexeme: Lexeme) {
        if self.is_glued(lexeme) {
            self.count_suffix();
            self.push_op(Op::IndexOpen, lexeme);
            self.open(FrameKind::Single, Close::Brack, Start::Inside);
            return;
        }
        let at = self.at;
        self.push_op(Op::ArrayOpen, lexeme);
        self.open(FrameKind::List { call: false }, Close::Brack, Start::Inside);
        self.expect_bar(at);
    }

    /// Notes where the comprehension that starts at `open` has its bar.
    fn expect_bar(&mut self, open: usize) {
        let Some((bar, object)) = self.brackets.comprehension_bar(open) else {
            return;
        };
        if self.choices.flipped.contains(&bar) || self.brackets.lists_behind(bar, open, self.text, self.words)
        {
            return;
        }
        if let Some(close) = self.brackets.close(open) {
            let kind = if object {
                AlternativeKind::ObjectBar
            } else {
                AlternativeKind::ListBar
            };
            self.out.alternatives.push(Alternative {
                flip: bar,
                open,
                close,
                kind,
            });
        }
        self.mark(|frame| frame.bar = Some(bar));
    }

    fn take_parenthesis(&mut self, lexeme: Lexeme) {
        if self.is_glued(lexeme) {
            self.count_suffix();
            self.push_op(Op::CallOpen, lexeme);
            self.open(FrameKind::List { call: true }, Close::Paren, Start::Inside);
            return;
        }
        let groups = self.pos == Pos::Operand
            && match self.start {
                Start::Literal | Start::If | Start::Logic => self.words.logic(),
                Start::Not => self.words.dialect.new_not,
                Start::Group => true,
                Start::Inside => false,
            };
        if groups {
            self.push_op(Op::GroupOpen, lexeme);
            self.open(FrameKind::Single, Close::Paren, Start::Group);
            self.mark(|frame| frame.may_group = true);
        } else {
            self.push_op(Op::ParenOpen, lexeme);
            self.open(FrameKind::Single, Close::Paren, Start::Inside);
        }
    }

    fn take_brace(&mut self, lexeme: Lexeme) {
        if self.pos != Pos::Operand {
            let every = self.frame().is_some_and(|frame| frame.every);
            self.mark(|frame| frame.every = false);
            self.open_body(lexeme, !every);
            return;
        }
        let open = self.at;
        match self.start {
            Start::Inside if self.phase == Phase::ElseStart && self.frames.len() == 1 => {
                self.open_body(lexeme, true);
            }
            Start::If if self.phase == Phase::ElseLiteral => self.open_body(lexeme, true),
            Start::If if self.is_logic_operand(open) => self.open_body(lexeme, false),
            Start::If => self.take_if_brace(lexeme, open),
            Start::Literal | Start::Group if self.is_logic_operand(open) => {
                self.open_body(lexeme, false);
            }
            Start::Not if self.words.dialect.new_not => self.open_body(lexeme, false),
            Start::Logic => self.open_body(lexeme, false),
            _ => self.open_braces(lexeme, open),
        }
    }

    fn is_logic_operand(&self, open: usize) -> bool {
        self.words.logic() && self.brackets.before_logic(open, self.text, self.words)
    }

    /// Behind a rule's first `if`.
    fn take_if_brace(&mut self, lexeme: Lexeme, open: usize) {
        let reading = self.choices.if_brace.unwrap_or_else(|| {
            if self.brackets.if_brace_is_term(open, self.text, self.words) {
                IfBrace::Term
            } else {
                IfBrace::Body
            }
        });
        self.out.if_brace = Some(reading);
        self.out.if_open = Some(open);
        match reading {
            IfBrace::Term => self.open_braces(lexeme, open),
            IfBrace::Body => self.open_body(lexeme, true),
        }
    }

    fn open_braces(&mut self, lexeme: Lexeme, open: usize) {
        self.push_op(Op::BraceOpen, lexeme);
        self.open(FrameKind::List { call: false }, Close::Brace, Start::Inside);
        self.expect_bar(open);
    }

    fn open_body(&mut self, lexeme: Lexeme, rule_body: bool) {
        self.push_op(Op::BodyOpen, lexeme);
        self.open(FrameKind::Body, Close::BodyBrace, Start::Literal);
        self.mark(|frame| frame.rule_body = rule_body);
    }

    fn take_brace_close(&mut self, lexeme: Lexeme) {
        let frame = self.frame().copied();
        match frame {
            Some(frame) if frame.close == Close::BodyBrace => {
                self.push_op(Op::BodyClose, lexeme);
                self.pop(Close::BodyBrace);
                self.pos = Pos::Closed;
                self.start = Start::Inside;
                if frame.rule_body && self.frames.len() == 1 {
                    self.phase = Phase::AfterBody;
                }
            }
            _ => self.take_close(lexeme, Close::Brace, Op::BraceClose),
        }
    }

    fn take_close(&mut self, lexeme: Lexeme, close: Close, op: Op) {
        let call = matches!(self.frame_kind(), FrameKind::List { call: true });
        let closed = self.pos == Pos::Closed;
        let groups = self
            .frame()
            .is_some_and(|frame| frame.may_group && (frame.statement || closed));
        self.push_op(op, lexeme);
        if self.pop(close) {
            self.end_term();
            self.closed_call = call;
            if groups {
                self.pos = Pos::Closed;
            }
        }
    }

    /// Leaves the innermost bracket, if this closes it.
    fn pop(&mut self, close: Close) -> bool {
        if self.frame().is_none_or(|frame| frame.close != close) {
            return false;
        }
        if let Some(frame) = self.frames.pop() {
            let mut depth = frame.depth;
            depth.next_expression();
            self.mark(|outer| outer.depth.inner = outer.depth.inner.max(depth.before.saturating_add(1)));
        }
        true
    }
}
