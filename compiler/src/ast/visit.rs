//! The way through a syntax tree.
//!
//! A pass has a `visit_*` of its own for the kinds of node that it is about, and calls the `walk_*` of the same name, which
//! no pass replaces, where it wants to see what is inside. Nodes come in the order of the source.

use super::{Body, Literal, LiteralKind, Name, Operand, TemplatePart, Term, TermKind, With};

/// Reads a piece of a syntax tree.
pub(crate) trait Visit<'t, 'a: 't> {
    fn visit_body(&mut self, body: &'t Body<'a>) {
        for literal in body.literals {
            self.visit_literal(literal);
        }
    }

    fn visit_literal(&mut self, literal: &'t Literal<'a>) {
        self.walk_literal(literal);
    }

    fn walk_literal(&mut self, literal: &'t Literal<'a>) {
        self.walk_statement(&literal.kind);
        self.walk_modifiers(literal);
    }

    /// A literal without its modifiers.
    fn walk_statement(&mut self, kind: &'t LiteralKind<'a>) {
        match kind {
            LiteralKind::Term(term) => self.visit_term(term),
            LiteralKind::Assign(left, right) | LiteralKind::Unify(left, right) => {
                self.visit_term(left);
                self.visit_term(right);
            }
            LiteralKind::SomeDecl(names) => names.iter().for_each(|name| self.visit_name(name)),
            LiteralKind::SomeIn { key, value, domain } => {
                key.iter().for_each(|key| self.visit_term(key));
                self.visit_term(value);
                self.visit_term(domain);
            }
            LiteralKind::Every {
                key,
                value,
                domain,
                body,
            } => {
                key.iter().for_each(|key| self.visit_name(key));
                self.visit_name(value);
                self.visit_term(domain);
                self.visit_body(body);
            }
            LiteralKind::Not(operand) => self.visit_operand(operand),
            LiteralKind::And(left, right) | LiteralKind::Or(left, right) => {
                self.visit_operand(left);
                self.visit_operand(right);
            }
        }
    }

    fn walk_modifiers(&mut self, literal: &'t Literal<'a>) {
        for with in literal.with {
            self.visit_with(with);
        }
    }

    fn visit_operand(&mut self, operand: &'t Operand<'a>) {
        match operand {
            Operand::Implicit(literal) => self.visit_literal(literal),
            Operand::Braced(body) => self.visit_body(body),
        }
    }

    fn visit_with(&mut self, with: &'t With<'a>) {
        self.visit_term(&with.target);
        self.visit_term(&with.value);
    }

    fn visit_term(&mut self, term: &'t Term<'a>) {
        self.walk_term(term);
    }

    fn walk_term(&mut self, term: &'t Term<'a>) {
        match &term.kind {
            TermKind::Null
            | TermKind::Bool(_)
            | TermKind::Number(_)
            | TermKind::String { .. }
            | TermKind::Var(_) => {}
            TermKind::Ref { head, path } => {
                self.visit_term(head);
                self.walk_terms(path);
            }
            TermKind::Call { name, args } => {
                self.visit_callee(name);
                self.walk_terms(args);
            }
            TermKind::Infix { left, right, .. } => {
                self.visit_term(left);
                self.visit_term(right);
            }
            TermKind::KeyValueIn { key, value, domain } => {
                self.visit_term(key);
                self.visit_term(value);
                self.visit_term(domain);
            }
            TermKind::Negate(negated) => self.visit_term(negated),
            TermKind::Array(items) | TermKind::Set(items) => self.walk_terms(items),
            TermKind::Object(entries) => {
                for (key, value) in *entries {
                    self.visit_term(key);
                    self.visit_term(value);
                }
            }
            TermKind::ArrayComprehension { head, body } | TermKind::SetComprehension { head, body } => {
                self.visit_term(head);
                self.visit_body(body);
            }
            TermKind::ObjectComprehension { key, value, body } => {
                self.visit_term(key);
                self.visit_term(value);
                self.visit_body(body);
            }
            TermKind::Template { parts, .. } => {
                for part in *parts {
                    if let TemplatePart::Expr(literal) = part {
                        self.visit_literal(literal);
                    }
                }
            }
        }
    }

    fn walk_terms(&mut self, terms: &'t [Term<'a>]) {
        for term in terms {
            self.visit_term(term);
        }
    }

    /// What a call names.
    fn visit_callee(&mut self, name: &'t Term<'a>) {
        self.visit_term(name);
    }

    /// A name that `some` or `every` declares.
    fn visit_name(&mut self, _name: &'t Name<'a>) {}
}
