//! Statements.

use super::module::{Writer, object, typed};
use crate::ast::{Body, Literal, LiteralKind, Name, Operand, Term, With};
use gavel_runtime::value::Constant;

impl Writer<'_> {
    /// The body of a rule; where none was written, one that was made.
    pub(super) fn rule_body(&mut self, body: Option<&Body<'_>>) -> Constant {
        match body {
            Some(body) => self.body(body),
            None => Constant::Array(vec![object(vec![
                ("generated", Constant::Bool(true)),
                ("index", Constant::Int(0)),
                ("terms", typed("boolean", Constant::Bool(true))),
            ])]),
        }
    }

    pub(super) fn body(&mut self, body: &Body<'_>) -> Constant {
        let literals = body.literals.iter().enumerate();
        let literals = literals.map(|(at, literal)| self.literal(literal, at));
        Constant::Array(literals.collect())
    }

    pub(super) fn literal(&mut self, literal: &Literal<'_>, at: usize) -> Constant {
        let mut literal = *literal;
        let mut members = Vec::new();
        if let LiteralKind::Not(Operand::Implicit(inner)) = literal.kind
            && !self.new_not
        {
            members.push(("negated", Constant::Bool(true)));
            literal = Literal {
                with: if literal.with.is_empty() {
                    inner.with
                } else {
                    literal.with
                },
                ..*inner
            };
        }
        members.push(("index", Constant::Int(i64::try_from(at).unwrap_or(i64::MAX))));
        members.push(("terms", self.terms(&literal.kind)));
        if !literal.with.is_empty() {
            let with = literal.with.iter().map(|with| self.with(with));
            members.push(("with", Constant::Array(with.collect())));
        }
        object(members)
    }

    fn with(&mut self, with: &With<'_>) -> Constant {
        object(vec![
            ("target", self.term(&with.target)),
            ("value", self.term(&with.value)),
        ])
    }

    /// What a statement says.
    fn terms(&mut self, kind: &LiteralKind<'_>) -> Constant {
        match kind {
            LiteralKind::Term(term) => match self.call(term) {
                Some(call) => Constant::Array(call),
                None => self.term(term),
            },
            LiteralKind::Assign(left, right) => Constant::Array(self.operator("assign", &[left, right])),
            LiteralKind::Unify(left, right) => Constant::Array(self.operator("eq", &[left, right])),
            LiteralKind::SomeDecl(names) => {
                let symbols = names.iter().map(|name| self.declared(name));
                object(vec![("symbols", Constant::Array(symbols.collect()))])
            }
            LiteralKind::SomeIn { key, value, domain } => {
                let call = match key {
                    Some(key) => self.operator("internal.member_3", &[key, value, domain]),
                    None => self.operator("internal.member_2", &[value, domain]),
                };
                let symbol = typed("call", Constant::Array(call));
                object(vec![("symbols", Constant::Array(vec![symbol]))])
            }
            LiteralKind::Every {
                key,
                value,
                domain,
                body,
            } => self.every(key.as_ref(), value, domain, body),
            LiteralKind::Not(operand) => {
                let (body, explicit) = self.operand(operand);
                object(vec![
                    ("type", super::module::text("not")),
                    ("body", body),
                    ("explicit_body", Constant::Bool(explicit)),
                ])
            }
            LiteralKind::And(left, right) => self.logical("and", left, right),
            LiteralKind::Or(left, right) => self.logical("or", left, right),
        }
    }

    fn every(
        &mut self,
        key: Option<&Name<'_>>,
        value: &Name<'_>,
        domain: &Term<'_>,
        body: &Body<'_>,
    ) -> Constant {
        object(vec![
            ("key", key.map_or(Constant::Null, |key| self.declared(key))),
            ("value", self.declared(value)),
            ("domain", self.term(domain)),
            ("body", self.body(body)),
        ])
    }

    fn declared(&mut self, name: &Name<'_>) -> Constant {
        match name.text {
            "_" => self.wildcard(),
            name => super::module::variable(name),
        }
    }

    /// The body of an operand, and whether it was written with braces.
    fn operand(&mut self, operand: &Operand<'_>) -> (Constant, bool) {
        match operand {
            Operand::Implicit(literal) => (Constant::Array(vec![self.literal(literal, 0)]), false),
            Operand::Braced(body) => (self.body(body), true),
        }
    }

    fn logical(&mut self, name: &str, left: &Operand<'_>, right: &Operand<'_>) -> Constant {
        let (left, left_braced) = self.operand(left);
        let (right, right_braced) = self.operand(right);
        let mut members = vec![("type", super::module::text(name)), ("lhs", left), ("rhs", right)];
        if left_braced {
            members.push(("explicit_lhs", Constant::Bool(true)));
        }
        if right_braced {
            members.push(("explicit_rhs", Constant::Bool(true)));
        }
        object(members)
    }
}
