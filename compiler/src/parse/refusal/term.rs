//! Terms: operators by how tightly they bind, and what stands between them.

use crate::parse::refusal::{Cursor, Kind, Machine, Opener, Remembered, Value, What};
use crate::parse::text::{check_number, decode_string, decode_template};
use crate::token::{Piece, Token, Word};

/// How tightly an operator binds; `in` is looser than all of them.
const LEVELS: u8 = 5;

fn level(token: Token) -> Option<u8> {
    Some(match token {
        Token::Equal
        | Token::NotEqual
        | Token::Less
        | Token::LessEqual
        | Token::Greater
        | Token::GreaterEqual => 0,
        Token::Bar => 1,
        Token::Amp => 2,
        Token::Plus | Token::Minus => 3,
        Token::Star | Token::Slash | Token::Percent => 4,
        _ => return None,
    })
}

impl Machine<'_, '_> {
    /// A term with operators. `pairs`: `k, v in xs` is possible.
    pub(super) fn expression(&mut self, pairs: bool) -> Option<Value> {
        self.nested(|machine| machine.membership(pairs))
    }

    fn membership(&mut self, pairs: bool) -> Option<Value> {
        let mut left = self.operation(0)?;
        loop {
            if pairs && self.is(Token::Comma) {
                match self.pair(left) {
                    Some(found) if self.is_word(Word::In) => {
                        left = found;
                        continue;
                    }
                    Some(found) => return Some(found),
                    None => {}
                }
            }
            self.name_if_reference();
            if !self.is_word(Word::In) {
                return Some(left);
            }
            self.scan();
            // An error behind the operator leaves what stands in front of it.
            let Some(right) = self.operation(0) else {
                return Some(left);
            };
            left = Value {
                kind: Kind::Member(left.kind == Kind::Var),
                ground: left.ground && right.ground,
            };
            if !self.is_word(Word::In) {
                return Some(left);
            }
        }
    }

    /// `, v in xs` behind `k`.
    fn pair(&mut self, key: Value) -> Option<Value> {
        let before = self.save();
        self.scan();
        if let Some(value) = self.operation(0)
            && self.is_word(Word::In)
        {
            self.scan();
            if let Some(domain) = self.operation(0) {
                return Some(Value {
                    kind: Kind::PairMember(key.kind == Kind::Var, value.kind == Kind::Var),
                    ground: key.ground && value.ground && domain.ground,
                });
            }
        }
        self.restore(before);
        None
    }

    /// Operators that bind at least as tightly as `loosest`. An operator with an error behind it is passed over: OPA goes
    /// on with the looser ones.
    fn operation(&mut self, loosest: u8) -> Option<Value> {
        let mut left = self.term()?;
        let mut bound = LEVELS;
        while let Some(token) = self.token()
            && let Some(at) = level(token).filter(|at| (loosest..bound).contains(at))
        {
            self.scan();
            bound = at;
            if let Some(right) = self.operation(at + 1) {
                bound += 1;
                let opener = left.kind.opener();
                left = Value {
                    kind: if token == Token::Bar {
                        Kind::Union(opener)
                    } else {
                        Kind::Infix(opener)
                    },
                    ground: left.ground && right.ground,
                };
            }
        }
        Some(left)
    }

    /// A term without operators.
    pub(super) fn term(&mut self) -> Option<Value> {
        let at = self.cursor.at;
        let known = self.terms.iter().rev().take_while(|term| term.at >= at);
        if let Some(known) = known.filter(|term| term.at == at).last().copied() {
            self.restore(known.after);
            return known.value;
        }
        let value = self.nested(Machine::fresh_term);
        while self.terms.pop_if(|term| term.at >= at).is_some() {}
        let after = self.save();
        self.terms.push(Remembered { at, value, after });
        value
    }

    fn fresh_term(&mut self) -> Option<Value> {
        let head = self.cursor;
        if self.is_logic() && self.brackets.starts_call(head.at) {
            self.cursor.name = true;
        }
        let constant = |kind| Some(Value { kind, ground: true });
        let variable = Some(Value {
            kind: Kind::Var,
            ground: false,
        });
        let mut minus = false;
        let value = match (self.word(), self.token()) {
            (Some(Word::Null), _) => constant(Kind::Null),
            (Some(Word::True | Word::False), _) => constant(Kind::Boolean),
            (None | Some(Word::Contains), Some(Token::Ident)) => variable,
            (_, Some(Token::Amp | Token::Bar)) if head.name => variable,
            (_, Some(Token::Minus)) => {
                let before = self.save();
                self.scan();
                minus = self.is_name() || self.is_word(Word::Contains);
                if minus {
                    variable
                } else {
                    self.restore(before);
                    self.number()
                }
            }
            (_, Some(Token::Dot | Token::Number)) => self.number(),
            (_, Some(Token::Str)) => self.text(),
            (_, Some(Token::RawStr)) => constant(Kind::Text),
            (_, Some(Token::Template(Piece::Whole | Piece::Start))) => self.template(false),
            (_, Some(Token::RawTemplate(Piece::Whole | Piece::Start))) => self.template(true),
            (_, Some(Token::LBrack)) => self.array(),
            (_, Some(Token::LBrace)) => self.braces(),
            (_, Some(Token::LParen)) => self.parenthesis(),
            _ => {
                self.unexpected("");
                None
            }
        };
        let head = if minus { self.cursor } else { head };
        let value = self.suffixes(value?, head)?;
        Some(if minus {
            Value {
                kind: Kind::Infix(Opener::Other),
                ground: value.ground,
            }
        } else {
            value
        })
    }

    fn parenthesis(&mut self) -> Option<Value> {
        self.scan();
        let value = self.expression(true)?;
        if !self.is(Token::RParen) {
            self.fail_here("non-terminated expression");
            return None;
        }
        Some(value)
    }

    fn number(&mut self) -> Option<Value> {
        if self.is(Token::Minus) {
            self.scan();
            if !matches!(self.token(), Some(Token::Number | Token::Dot)) {
                self.unexpected("expected number");
                return None;
            }
        }
        let point = self.is(Token::Dot);
        if point {
            self.scan();
            if !self.is(Token::Number) {
                self.unexpected("expected number");
                return None;
            }
        }
        if let Err(message) = check_number(self.slice(self.cursor), point) {
            self.fail_here(message);
            return None;
        }
        Some(Value {
            kind: Kind::Number,
            ground: true,
        })
    }

    fn text(&mut self) -> Option<Value> {
        if decode_string(self.cx.bump, self.slice(self.cursor)).is_none() {
            self.fail(self.cursor, What::Text("illegal string literal"));
            return None;
        }
        Some(Value {
            kind: Kind::Text,
            ground: true,
        })
    }

    fn template(&mut self, raw: bool) -> Option<Value> {
        if !self.cx.templates {
            self.fail_here("template strings are not supported by current capabilities");
            return None;
        }
        loop {
            let text = self.slice(self.cursor);
            let inner = text.strip_prefix('$').unwrap_or(text);
            if decode_template(self.cx.bump, inner, raw).is_none() {
                self.fail(self.cursor, What::Text("illegal template-string part"));
                return None;
            }
            let ends = matches!(
                self.token(),
                Some(
                    Token::Template(Piece::Whole | Piece::End)
                        | Token::RawTemplate(Piece::Whole | Piece::End)
                )
            );
            if ends {
                return Some(Value {
                    kind: Kind::Template,
                    ground: false,
                });
            }
            self.scan();
            self.template_expression()?;
        }
    }

    fn template_expression(&mut self) -> Option<()> {
        let start = self.cursor;
        let Some(literal) = self.literal() else {
            self.fail_here("invalid template-string expression");
            return None;
        };
        if let Some(message) = literal.refused_in_template() {
            self.fail(start, What::Message(message));
            return None;
        }
        let closes = matches!(
            self.token(),
            Some(
                Token::Template(Piece::Middle | Piece::End) | Token::RawTemplate(Piece::Middle | Piece::End)
            )
        );
        if !closes {
            self.fail_here("expected } to end template string expression");
            return None;
        }
        Some(())
    }

    /// What follows the current token, the last one of a term.
    fn suffixes(&mut self, value: Value, head: Cursor) -> Option<Value> {
        self.scan_blank();
        if matches!(self.token(), Some(Token::LParen | Token::Dot | Token::LBrack)) {
            return self.reference(value, head).map(|reference| reference.value);
        }
        if self.cursor.blank {
            self.scan();
        }
        Some(self.document(value, head))
    }

    /// `input` and `data` are references where a term is read.
    pub(super) fn document(&self, value: Value, head: Cursor) -> Value {
        if value.kind == Kind::Var && matches!(self.slice(head), "input" | "data") {
            return Value {
                kind: Kind::Ref,
                ground: true,
            };
        }
        value
    }
}
