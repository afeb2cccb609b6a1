//! `and`, `or`, the bodies of `not`, and parentheses around them.

use crate::parse::refusal::statement::{Body, Form, Literal};
use crate::parse::refusal::{Cursor, Machine, Saved, What};
use crate::token::{Token, Word};

/// An operand of `and`, `or` or `not`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operand {
    body: Body,
    /// Written in braces.
    braced: bool,
}

impl From<Body> for Operand {
    fn from(body: Body) -> Operand {
        Operand { body, braced: false }
    }
}

impl Machine<'_, '_> {
    /// Braces in front of `and` or `or` are a body. `None`: they are something else.
    pub(super) fn leading_braces(&mut self) -> Option<Option<Literal>> {
        let at = self.cursor;
        let before = self.save();
        let terms = self.terms.clone();
        if let Some(body) = self.braced_body()
            && self.is_logic()
        {
            if self.is_ambiguous(&body, at) {
                return Some(None);
            }
            let operand = Operand { body, braced: true };
            return Some(self.logic_tail(operand, at));
        }
        self.restore(before);
        self.terms = terms;
        None
    }

    /// `and`, `or` and modifiers behind an operand that starts the statement at `at`.
    pub(super) fn logic_tail(&mut self, operand: Operand, at: Cursor) -> Option<Literal> {
        let literal = if self.is_logic() {
            self.chain(operand, at)?
        } else {
            operand.body.first
        };
        self.modifiers()?;
        Some(literal)
    }

    /// `or` between operands, of which each may be joined by `and`.
    fn chain(&mut self, first: Operand, at: Cursor) -> Option<Literal> {
        let logic = Literal {
            form: Form::Logic,
            negated: false,
            at,
        };
        let mut left = self.conjunction(first, at)?;
        while self.is_word(Word::Or) {
            self.scan();
            let operand = self.operand(Some("or"))?;
            let right = self.conjunction(operand, at)?;
            self.check_void(&left);
            self.check_void(&right);
            left = Body::of(logic).into();
        }
        Some(left.body.first)
    }

    fn conjunction(&mut self, first: Operand, at: Cursor) -> Option<Operand> {
        let logic = Literal {
            form: Form::Logic,
            negated: false,
            at,
        };
        let mut left = first;
        while self.is_word(Word::And) {
            self.scan();
            let right = self.operand(Some("and"))?;
            self.check_void(&left);
            self.check_void(&right);
            left = Body::of(logic).into();
        }
        Some(left)
    }

    fn check_void(&mut self, operand: &Operand) {
        if operand.body.void {
            self.fail(
                operand.body.first.at,
                What::Message("operand of `and` or `or` cannot consist only of calls to `print`"),
            );
        }
    }

    /// One operand. `op`: the operator that it belongs to, if that is settled.
    fn operand(&mut self, op: Option<&'static str>) -> Option<Operand> {
        self.nested(|machine| machine.any_operand(op))
    }

    fn any_operand(&mut self, op: Option<&'static str>) -> Option<Operand> {
        let at = self.cursor;
        if self.is(Token::LBrace) {
            return self.braced_operand(op);
        }
        let negated = self.is_word(Word::Not) && !self.brackets.starts_reference(at.at);
        if negated {
            self.scan();
        }
        let wraps = negated && self.cx.new_not;
        if wraps && self.is(Token::LBrace) {
            return self.negated_body(at);
        }
        if self.is(Token::LParen)
            && self.words.logic()
            && (!negated || wraps)
            && let Some(group) = self.group(true)
        {
            let operand = group?;
            let literal = Literal {
                form: Form::Not,
                negated: false,
                at,
            };
            return Some(if negated {
                Body::of(literal).into()
            } else {
                operand
            });
        }
        let form = self.assignment()?;
        let literal = Literal {
            form: if wraps { Form::Not } else { form },
            negated: negated && !wraps,
            at,
        };
        Some(Body::of(literal).into())
    }

    fn braced_operand(&mut self, op: Option<&'static str>) -> Option<Operand> {
        let at = self.cursor;
        let before = self.save();
        let Some(body) = self.braced_body() else {
            if op.is_some() && self.brackets.close(at.at) != Some(at.at + 1) {
                self.reread(before, |_| {
                    What::Message(
                        "operand of `and` or `or` cannot begin with `{` unless the braces hold a body",
                    )
                });
            }
            return None;
        };
        self.is_ambiguous(&body, at);
        Some(Operand { body, braced: true })
    }

    /// The braces hold no body; if they hold a value, that is the error.
    fn reread(&mut self, before: Saved, what: impl FnOnce(&'static str) -> What) {
        let failed = self.save();
        self.restore(before);
        match self.expression(true) {
            Some(value) => {
                let after = self.cursor;
                self.restore(before);
                self.fail(before.cursor, what(value.kind.opening_name()));
                self.cursor = after;
            }
            None => self.restore(failed),
        }
    }

    /// The body behind a `not` of the new kind at `at`.
    pub(super) fn negated_body(&mut self, at: Cursor) -> Option<Operand> {
        let open = self.cursor;
        let before = self.save();
        let Some(body) = self.braced_body() else {
            if self.brackets.close(open.at) != Some(open.at + 1) {
                self.reread(before, What::OperandValue);
            }
            return None;
        };
        if self.is_ambiguous(&body, open) {
            return None;
        }
        let literal = Literal {
            form: Form::Not,
            negated: false,
            at,
        };
        Some(Body::of(literal).into())
    }

    /// Refuses `{a | b}`, which reads like a comprehension.
    fn is_ambiguous(&mut self, body: &Body, at: Cursor) -> bool {
        let first = self.brackets.token(body.first.at.at);
        let is = body.first.is_bare_union(first);
        if is {
            self.fail(
                at,
                What::Message(
                    "ambiguous `{ ... | ... }` operand: read as a body holding a set-union expression, not as a comprehension",
                ),
            );
        }
        is
    }

    /// A parenthesis around `and`, `or`, `not` or `with`. `None`: it is a term. `operand`: one is expected here.
    pub(super) fn group(&mut self, operand: bool) -> Option<Option<Operand>> {
        let found = self.nested(|machine| Some(machine.any_group(operand)));
        found.unwrap_or(Some(None))
    }

    fn any_group(&mut self, operand: bool) -> Option<Option<Operand>> {
        let open = self.cursor;
        let before = self.save();
        self.scan();
        if self.is(Token::RParen) {
            if operand {
                self.fail(open, What::Message("empty parenthesized group"));
                return Some(None);
            }
            self.restore(before);
            return None;
        }
        let Some(first) = self.operand(None) else {
            self.restore(before);
            return None;
        };
        if self.is_logic() {
            return Some(self.logic_in_group(first, open));
        }
        if self.is_word(Word::With) && !first.braced && first.body.single {
            return match self.modified_in_group() {
                None => Some(None),
                Some(()) if operand || self.is_logic() => Some(Some(first)),
                Some(()) => {
                    self.restore(before);
                    None
                }
            };
        }
        let statement = first.body.single
            && (first.body.first.negated || matches!(first.body.first.form, Form::Not | Form::Logic));
        if statement && !first.braced {
            return Some(self.close_group().map(|()| first));
        }
        self.restore(before);
        if first.braced {
            self.scan();
            let term = self.term();
            self.restore(before);
            if term.is_none() {
                self.fail(
                    open,
                    What::Message("`(...)` in an operand position cannot contain a body"),
                );
                return Some(None);
            }
        }
        None
    }

    fn logic_in_group(&mut self, first: Operand, at: Cursor) -> Option<Operand> {
        let literal = self.chain(first, at)?;
        self.modifiers()?;
        self.close_group()?;
        Some(Body::of(literal).into())
    }

    /// `with` behind the only operand of a group.
    fn modified_in_group(&mut self) -> Option<()> {
        let with = self.cursor;
        self.modifiers()?;
        if let Some(op @ (Word::And | Word::Or)) = self.word() {
            self.fail(with, What::WithOnOperand(op.text()));
            return None;
        }
        self.close_group()
    }

    fn close_group(&mut self) -> Option<()> {
        if !self.is(Token::RParen) {
            self.fail_here("expected ) to close parenthesized group");
            return None;
        }
        self.scan();
        Some(())
    }
}
