//! Statements of bodies: expressions with their modifiers, `some`, `every`, and bodies.

use crate::parse::refusal::{Cursor, Kind, Machine, What};
use crate::token::{Token, Word};

/// What a statement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// An expression that is one term.
    Term(Kind),
    Assign,
    Unify,
    Some,
    Every,
    /// `not` of the new kind.
    Not,
    /// `and` or `or`.
    Logic,
}

/// A statement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Literal {
    pub(super) form: Form,
    /// `not` of the old kind stands in front.
    pub(super) negated: bool,
    /// Where it starts.
    pub(super) at: Cursor,
}

/// Statements.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body {
    pub(super) first: Literal,
    /// There is no other.
    pub(super) single: bool,
    /// All are calls of `print`.
    pub(super) void: bool,
}

impl Literal {
    /// Why a template string cannot hold it.
    pub(super) fn refused_in_template(&self) -> Option<&'static str> {
        Some(match self.form {
            _ if self.negated => "unexpected negation ('not') in template-string expression",
            Form::Unify => "unexpected unification ('=') in template-string expression",
            Form::Assign => "unexpected assignment (':=') in template-string expression",
            Form::Every => "unexpected 'every' in template-string expression",
            Form::Some => "unexpected 'some' in template-string expression",
            Form::Term(_) | Form::Not | Form::Logic => return None,
        })
    }

    fn is_print(&self) -> bool {
        !self.negated && matches!(self.form, Form::Term(Kind::Call { print: true, .. }))
    }

    pub(super) fn is_set(&self) -> bool {
        self.form == Form::Term(Kind::Set)
    }

    /// Whether the statement is a union of sets without parentheses.
    pub(super) fn is_bare_union(&self, first: Token) -> bool {
        matches!(self.form, Form::Term(Kind::Union(_))) && first != Token::LParen
    }
}

impl Body {
    pub(super) fn of(literal: Literal) -> Body {
        Body {
            first: literal,
            single: true,
            void: literal.is_print(),
        }
    }
}

impl Machine<'_, '_> {
    /// Statements up to `end`, which stays the current token. `top`: a statement outside of all braces, which others
    /// follow only behind `;`.
    pub(super) fn body(&mut self, top: bool, end: Token) -> Option<Body> {
        if self.is(end) {
            self.fail_here("found empty body");
            return None;
        }
        let mut body: Option<Body> = None;
        loop {
            let literal = self.literal()?;
            let read = body.map_or_else(
                || Body::of(literal),
                |before| Body {
                    single: false,
                    void: before.void && literal.is_print(),
                    ..before
                },
            );
            body = Some(read);
            if self.is(Token::Semicolon) {
                self.scan();
                continue;
            }
            if top || self.is(end) {
                return body;
            }
            let lexeme = self.brackets.lexemes.get(self.cursor.at);
            if !lexeme.is_some_and(|lexeme| lexeme.newline) {
                self.unexpected(match end {
                    Token::RBrack => "expected \\n or ; or ]",
                    _ => "expected \\n or ; or }",
                });
                return None;
            }
        }
    }

    /// One statement.
    pub(super) fn literal(&mut self) -> Option<Literal> {
        self.nested(Machine::any_literal)
    }

    fn any_literal(&mut self) -> Option<Literal> {
        let at = self.cursor;
        if self.words.logic() {
            if self.is(Token::LBrace)
                && let Some(read) = self.leading_braces()
            {
                return read;
            }
            if self.is(Token::LParen)
                && let Some(group) = self.group(false)
            {
                let operand = group?;
                return self.logic_tail(operand, at);
            }
        }
        if self.name_if_reference() {
            return self.plain(false, at);
        }
        let negated = self.is_word(Word::Not);
        if negated {
            self.scan();
        }
        if negated && self.cx.new_not && self.is(Token::LBrace) {
            let operand = self.negated_body(at)?;
            return self.logic_tail(operand, at);
        }
        match self.word() {
            Some(Word::Some) if negated => {
                self.unexpected("illegal negation of 'some'");
                None
            }
            Some(Word::Every) if negated => {
                self.unexpected("illegal negation of 'every'");
                None
            }
            Some(Word::Some) => self.some(),
            Some(Word::Every) => self.every(),
            _ => self.plain(negated, at),
        }
    }

    /// An expression with its modifiers, and what `and` and `or` add to it. `at`: where the statement starts.
    fn plain(&mut self, negated: bool, at: Cursor) -> Option<Literal> {
        let start = self.cursor;
        let wraps = negated && self.cx.new_not;
        if wraps
            && self.is(Token::LParen)
            && let Some(group) = self.group(true)
        {
            group?;
            let literal = Literal {
                form: Form::Not,
                negated: false,
                at,
            };
            return self.logic_tail(Body::of(literal).into(), at);
        }
        let form = self.assignment()?;
        let with = self.cursor;
        let modified = self.is_word(Word::With);
        if modified {
            self.modifiers()?;
        }
        let literal = Literal {
            form: if wraps { Form::Not } else { form },
            negated: negated && !wraps,
            at,
        };
        let Some(op @ (Word::And | Word::Or)) = self.word() else {
            return Some(literal);
        };
        if modified {
            self.fail(with, What::WithOnOperand(op.text()));
            return None;
        }
        if !negated && self.brackets.token(start.at) == Token::LBrace {
            self.fail(
                start,
                What::Message(if form == Form::Term(Kind::EmptyObject) {
                    "found empty body"
                } else {
                    "operand of `and` or `or` cannot begin with `{` unless the braces hold a body"
                }),
            );
            return None;
        }
        self.logic_tail(Body::of(literal).into(), at)
    }

    /// A term, `:=` or `=`.
    pub(super) fn assignment(&mut self) -> Option<Form> {
        let value = self.expression(true)?;
        let form = match self.token() {
            Some(Token::Assign) => Form::Assign,
            Some(Token::Unify) => Form::Unify,
            _ => return Some(Form::Term(value.kind)),
        };
        self.scan();
        self.expression(true)?;
        Some(form)
    }

    /// `with target as value`, once or more.
    pub(super) fn modifiers(&mut self) -> Option<()> {
        while self.is_word(Word::With) {
            self.scan();
            if !self.is_name() {
                self.unexpected("expected ident");
                return None;
            }
            let target = self.term()?;
            if !matches!(target.kind, Kind::Ref | Kind::Var) {
                self.unexpected("expected with target path");
            }
            if !self.is_word(Word::As) {
                self.unexpected("expected as keyword");
                return None;
            }
            self.scan();
            self.expression(true)?;
        }
        Some(())
    }

    /// `some x in xs`; where that is none, names, behind which the statement is over.
    fn some(&mut self) -> Option<Literal> {
        let at = self.cursor;
        let literal = Literal {
            form: Form::Some,
            negated: false,
            at,
        };
        let before = self.save();
        self.scan();
        match self.expression(true).map(|value| value.kind) {
            Some(Kind::Member(_) | Kind::PairMember(..)) => {
                self.modifiers()?;
                return Some(literal);
            }
            Some(kind) if kind.is_call() => {
                self.unexpected("expected `x in xs` or `x, y in xs` expression");
                return None;
            }
            _ => self.restore(before),
        }
        loop {
            self.scan();
            if !self.is_name() {
                self.unexpected("expected var");
                return None;
            }
            self.scan();
            if !self.is(Token::Comma) {
                return Some(literal);
            }
        }
    }

    fn every(&mut self) -> Option<Literal> {
        let literal = Literal {
            form: Form::Every,
            negated: false,
            at: self.cursor,
        };
        self.scan();
        let refused = match self.expression(true)?.kind {
            Kind::PairMember(false, _) => Some("expected key to be a variable"),
            Kind::Member(false) | Kind::PairMember(true, false) => Some("expected value to be a variable"),
            Kind::Member(true) | Kind::PairMember(true, true) => None,
            _ => Some("expected `x[, y] in xs { ... }` expression"),
        };
        if let Some(expected) = refused {
            self.unexpected(expected);
            return None;
        }
        if !self.is(Token::LBrace) {
            self.unexpected("missing body");
            return None;
        }
        self.braced_body()?;
        self.modifiers()?;
        Some(literal)
    }

    /// A body in braces; the current token is the opening one, and then the token behind the closing one.
    pub(super) fn braced_body(&mut self) -> Option<Body> {
        self.scan();
        let body = self.body(false, Token::RBrace)?;
        self.scan();
        Some(body)
    }
}
