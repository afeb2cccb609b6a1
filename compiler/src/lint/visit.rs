//! Walks a module and tells what it meets, in source order but for the head of a rule, which comes with its body: a head
//! sees the body's variables.

use crate::ast::visit::Visit as _;
use crate::ast::{self, Body, Literal, LiteralKind, Module, Operand, Rule, Term};

/// What a walk meets.
#[derive(Clone, Copy)]
pub(crate) enum Event<'a> {
    Enter(Scope<'a>),
    Leave,
    Literal(&'a Literal<'a>),
    Term(&'a Term<'a>),
}

/// What a name is visible in, or a negation.
#[derive(Clone, Copy)]
pub(crate) enum Scope<'a> {
    /// A rule with its `else` branches: holds the parameters.
    Rule(&'a Rule<'a>),
    /// The body of a rule or of an `else`, with the value that belongs to it. `None`: no body was written.
    Branch(Option<&'a Body<'a>>),
    /// A comprehension.
    Comprehension(&'a Body<'a>),
    /// The body of `every`.
    Every(&'a Literal<'a>, &'a Body<'a>),
    /// A body in braces under `not`, `and`, `or`.
    Braces(&'a Body<'a>),
    /// What stands under `not`; no names of its own.
    Not,
}

type Visit<'v, 'a> = &'v mut dyn FnMut(Event<'a>);

/// Walks all rules.
pub(super) fn module<'a>(module: &Module<'a>, visit: Visit<'_, 'a>) {
    module.rules.iter().for_each(|rule| self::rule(rule, visit));
}

/// Walks one rule.
pub(crate) fn rule<'a>(rule: &'a Rule<'a>, visit: Visit<'_, 'a>) {
    let mut events = Events(visit);
    events.within(Scope::Rule(rule), |events| {
        events.walk_terms(rule.head.args.unwrap_or_default());
        events.within(Scope::Branch(rule.body.as_ref()), |events| {
            events.walk_terms(rule.head.reference.get(1..).unwrap_or_default());
            rule.head.key.iter().for_each(|key| events.visit_term(key));
            rule.head.value.iter().for_each(|value| events.visit_term(value));
            rule.body.iter().for_each(|body| events.visit_body(body));
        });
        for branch in rule.else_branches {
            events.within(Scope::Branch(branch.body.as_ref()), |events| {
                branch.value.iter().for_each(|value| events.visit_term(value));
                branch.body.iter().for_each(|body| events.visit_body(body));
            });
        }
    });
}

/// Walks one statement.
pub(super) fn literal<'a>(literal: &'a Literal<'a>, visit: Visit<'_, 'a>) {
    Events(visit).visit_literal(literal);
}

/// Walks one term.
pub(super) fn term<'a>(term: &'a Term<'a>, visit: Visit<'_, 'a>) {
    Events(visit).visit_term(term);
}

struct Events<'v, 'a>(Visit<'v, 'a>);

impl<'a> Events<'_, 'a> {
    fn within(&mut self, scope: Scope<'a>, inside: impl FnOnce(&mut Self)) {
        (self.0)(Event::Enter(scope));
        inside(self);
        (self.0)(Event::Leave);
    }
}

impl<'a> ast::visit::Visit<'a, 'a> for Events<'_, 'a> {
    fn visit_literal(&mut self, literal: &'a Literal<'a>) {
        (self.0)(Event::Literal(literal));
        match &literal.kind {
            LiteralKind::Every { domain, body, .. } => {
                self.visit_term(domain);
                self.within(Scope::Every(literal, body), |events| events.visit_body(body));
            }
            LiteralKind::Not(operand) => self.within(Scope::Not, |events| events.visit_operand(operand)),
            kind => self.walk_statement(kind),
        }
        self.walk_modifiers(literal);
    }

    fn visit_operand(&mut self, operand: &'a Operand<'a>) {
        match operand {
            Operand::Implicit(literal) => self.visit_literal(literal),
            Operand::Braced(body) => self.within(Scope::Braces(body), |events| events.visit_body(body)),
        }
    }

    fn visit_term(&mut self, term: &'a Term<'a>) {
        (self.0)(Event::Term(term));
        match term.comprehension_body() {
            Some(body) => self.within(Scope::Comprehension(body), |events| events.walk_term(term)),
            None => self.walk_term(term),
        }
    }
}
