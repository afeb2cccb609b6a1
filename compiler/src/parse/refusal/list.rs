//! What stands in brackets, and what is glued to the term before it: references, calls, arrays, sets, objects and
//! comprehensions.

use crate::parse::refusal::{Cursor, Kind, Machine, Value, What};
use crate::token::Token;

/// A reference or call, with what a rule's head wants to know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reference {
    pub(super) value: Value,
    /// Elements, the first name too, without those behind a call.
    pub(super) len: usize,
    /// All elements but the first name are ground.
    pub(super) ground: bool,
    /// The second element is a reference.
    pub(super) second_is_ref: bool,
}

impl Machine<'_, '_> {
    /// `.name`, `[key]` and `(args)` behind a term; the current token is the first of them.
    pub(super) fn reference(&mut self, head: Value, at: Cursor) -> Option<Reference> {
        self.check_head(head.kind, at);
        let mut reference = Reference {
            value: Value {
                kind: Kind::Ref,
                ground: true,
            },
            len: 1,
            ground: true,
            second_is_ref: false,
        };
        loop {
            match self.token() {
                Some(Token::Dot) => {
                    self.scan_blank();
                    if !self.is_field() {
                        self.unexpected("expected identifier");
                        return None;
                    }
                    reference.len += 1;
                    self.scan_blank();
                }
                Some(Token::LBrack) => {
                    self.scan();
                    let key = self.expression(true)?;
                    if !self.is(Token::RBrack) {
                        self.unexpected("expected [");
                        return None;
                    }
                    reference.second_is_ref |= reference.len == 1 && key.kind == Kind::Ref;
                    reference.ground &= key.ground;
                    reference.value.ground &= key.ground;
                    reference.len += 1;
                    self.scan_blank();
                }
                Some(Token::LParen) => {
                    reference.value = self.called(head, at, reference)?;
                    return Some(reference);
                }
                _ => {
                    if self.cursor.blank {
                        self.scan();
                    }
                    return Some(reference);
                }
            }
        }
    }

    /// What a dot may be followed by.
    pub(super) fn is_field(&self) -> bool {
        self.token()
            .is_some_and(|token| token == Token::Ident || self.words.is_empty_field(token))
    }

    fn check_head(&mut self, kind: Kind, at: Cursor) {
        let refused = matches!(
            kind,
            Kind::Null | Kind::Boolean | Kind::Number | Kind::Text | Kind::Template | Kind::Ref
        );
        if refused {
            let mut at = at;
            while self.brackets.token(at.at) == Token::LParen {
                at.at += 1;
            }
            self.fail(at, What::Reference(kind.name()));
        }
    }

    /// A call, and what is glued to it; the current token is the parenthesis.
    fn called(&mut self, head: Value, at: Cursor, name: Reference) -> Option<Value> {
        let plain = name.len == 1 && head.kind == Kind::Var;
        self.scan();
        let mut value = Value {
            kind: Kind::Call {
                args: true,
                print: plain && self.slice(at) == "print",
                on_call: head.kind.is_call(),
            },
            ground: name.ground,
        };
        if self.is(Token::RParen) {
            value.kind = match value.kind {
                _ if plain && self.slice(at) == "set" => Kind::Set,
                Kind::Call { print, on_call, .. } => Kind::Call {
                    args: false,
                    print,
                    on_call,
                },
                other => other,
            };
        } else {
            value.ground &= self.elements(Token::RParen)?;
        }
        self.scan_blank();
        match self.token() {
            None => self.scan(),
            Some(Token::Dot | Token::LBrack) => return self.reference(value, at).map(|found| found.value),
            Some(_) => {}
        }
        Some(value)
    }

    /// Elements up to a closing bracket, which stays the current token; whether all are ground.
    fn elements(&mut self, end: Token) -> Option<bool> {
        let mut ground = true;
        while !self.is(end) {
            ground &= self.expression(false)?.ground;
            self.separator(end)?;
        }
        Some(ground)
    }

    /// A comma, or the end of a list.
    fn separator(&mut self, end: Token) -> Option<()> {
        if self.is(Token::Comma) {
            self.scan();
        } else if !self.is(end) {
            self.unexpected(match end {
                Token::RParen => "expected \",\" or \")\"",
                Token::RBrack => "expected \",\" or \"]\"",
                _ => "expected \",\" or \"}\"",
            });
            return None;
        }
        Some(())
    }

    /// Steps over the comma that may stand in front of the first element.
    fn leading_comma(&mut self) -> bool {
        let found = self.is(Token::Comma);
        if found {
            self.scan();
        }
        found
    }

    pub(super) fn array(&mut self) -> Option<Value> {
        let array = |ground| {
            Some(Value {
                kind: Kind::Array,
                ground,
            })
        };
        self.scan();
        if self.is(Token::RBrack) {
            return array(true);
        }
        let comma = self.leading_comma();
        let before = self.save();
        let head = self.term()?;
        match self.token() {
            Some(Token::RBrack) => return array(head.ground),
            Some(Token::Comma) => {
                self.scan();
                let rest = self.elements(Token::RBrack)?;
                return array(head.ground && rest);
            }
            Some(Token::Bar) if !comma && self.comprehension(Token::RBrack)? => {
                return Some(Value {
                    kind: Kind::ArrayComprehension,
                    ground: false,
                });
            }
            _ => {}
        }
        self.restore(before);
        let ground = self.elements(Token::RBrack)?;
        array(ground)
    }

    /// The body of an array or set comprehension, the bar being the current token. `Some(false)`: it fails at a comma,
    /// so that OPA reads a list.
    fn comprehension(&mut self, end: Token) -> Option<bool> {
        self.scan();
        if self.body(false, end).is_some() {
            return Some(true);
        }
        self.is(Token::Comma).then_some(false)
    }

    /// A set, an object, or a comprehension of one.
    pub(super) fn braces(&mut self) -> Option<Value> {
        self.scan();
        if self.is(Token::RBrace) {
            return Some(Value {
                kind: Kind::EmptyObject,
                ground: true,
            });
        }
        let comma = self.leading_comma();
        let before = self.save();
        let head = self.term()?;
        match self.token() {
            Some(Token::Bar) if !comma => {
                if self.comprehension(Token::RBrace)? {
                    return Some(Value {
                        kind: Kind::SetComprehension,
                        ground: false,
                    });
                }
                self.restore(before);
                let ground = self.elements(Token::RBrace)?;
                return Some(Value {
                    kind: Kind::Set,
                    ground,
                });
            }
            Some(Token::RBrace | Token::Comma) => return self.set(head),
            Some(Token::Colon) => return self.object(head, !comma),
            _ => {}
        }
        self.restore(before);
        let head = self.expression(false)?;
        match self.token() {
            Some(Token::RBrace | Token::Comma) => self.set(head),
            Some(Token::Colon) => self.object(head, !comma),
            _ => {
                self.unexpected("non-terminated set");
                None
            }
        }
    }

    /// A set behind its first element.
    fn set(&mut self, head: Value) -> Option<Value> {
        let mut ground = head.ground;
        if self.is(Token::Comma) {
            self.scan();
            ground &= self.elements(Token::RBrace)?;
        }
        Some(Value {
            kind: Kind::Set,
            ground,
        })
    }

    /// An object behind its first key; the current token is the colon.
    fn object(&mut self, key: Value, may_comprehend: bool) -> Option<Value> {
        self.scan();
        let before = self.save();
        let value = self.term()?;
        match self.token() {
            Some(Token::RBrace | Token::Comma) if may_comprehend => {
                return self.pairs(key.ground && value.ground);
            }
            Some(Token::Bar) if may_comprehend => {
                self.scan();
                if self.body(false, Token::RBrace).is_some() {
                    return Some(Value {
                        kind: Kind::ObjectComprehension,
                        ground: false,
                    });
                }
            }
            _ => {}
        }
        self.restore(before);
        let value = self.expression(false)?;
        match self.token() {
            Some(Token::RBrace | Token::Comma) => self.pairs(key.ground && value.ground),
            _ => {
                self.unexpected("non-terminated object");
                None
            }
        }
    }

    /// The pairs behind the first.
    fn pairs(&mut self, first_is_ground: bool) -> Option<Value> {
        let mut ground = first_is_ground;
        if self.is(Token::Comma) {
            self.scan();
            while !self.is(Token::RBrace) {
                ground &= self.expression(false)?.ground;
                if !self.is(Token::Colon) {
                    self.unexpected("expected \":\"");
                    return None;
                }
                self.scan();
                ground &= self.expression(false)?.ground;
                self.separator(Token::RBrace)?;
            }
        }
        Some(Value {
            kind: Kind::Object,
            ground,
        })
    }
}
