//! Walks a module and tells what it meets, in source order but for the head of a rule, which comes with its body: a head
//! sees the body's variables.

use crate::ast::{Body, Literal, LiteralKind, Module, Operand, Rule, TemplatePart, Term, TermKind};

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
    within(Scope::Rule(rule), visit, |visit| {
        terms(rule.head.args.unwrap_or_default(), visit);
        within(Scope::Branch(rule.body.as_ref()), visit, |visit| {
            let behind_name = rule.head.reference.get(1..).unwrap_or_default();
            terms(behind_name, visit);
            rule.head.key.iter().for_each(|key| term(key, visit));
            rule.head.value.iter().for_each(|value| term(value, visit));
            rule.body.iter().for_each(|body| literals(body, visit));
        });
        for branch in rule.else_branches {
            within(Scope::Branch(branch.body.as_ref()), visit, |visit| {
                branch.value.iter().for_each(|value| term(value, visit));
                branch.body.iter().for_each(|body| literals(body, visit));
            });
        }
    });
}

fn within<'a>(scope: Scope<'a>, visit: Visit<'_, 'a>, inside: impl FnOnce(Visit<'_, 'a>)) {
    visit(Event::Enter(scope));
    inside(visit);
    visit(Event::Leave);
}

fn literals<'a>(body: &'a Body<'a>, visit: Visit<'_, 'a>) {
    body.literals
        .iter()
        .for_each(|literal| self::literal(literal, visit));
}

/// Walks one statement.
pub(super) fn literal<'a>(literal: &'a Literal<'a>, visit: Visit<'_, 'a>) {
    visit(Event::Literal(literal));
    match &literal.kind {
        LiteralKind::Term(inner) => term(inner, visit),
        LiteralKind::Assign(left, right) | LiteralKind::Unify(left, right) => {
            term(left, visit);
            term(right, visit);
        }
        LiteralKind::SomeDecl(_) => {}
        LiteralKind::SomeIn { key, value, domain } => {
            key.iter().for_each(|key| term(key, visit));
            term(value, visit);
            term(domain, visit);
        }
        LiteralKind::Every { domain, body, .. } => {
            term(domain, visit);
            within(Scope::Every(literal, body), visit, |visit| literals(body, visit));
        }
        LiteralKind::Not(inner) => {
            within(Scope::Not, visit, |visit| operand(inner, visit));
        }
        LiteralKind::And(left, right) | LiteralKind::Or(left, right) => {
            operand(left, visit);
            operand(right, visit);
        }
    }
    for with in literal.with {
        term(&with.target, visit);
        term(&with.value, visit);
    }
}

fn operand<'a>(operand: &'a Operand<'a>, visit: Visit<'_, 'a>) {
    match operand {
        Operand::Implicit(inner) => literal(inner, visit),
        Operand::Braced(body) => within(Scope::Braces(body), visit, |visit| literals(body, visit)),
    }
}

fn terms<'a>(list: &'a [Term<'a>], visit: Visit<'_, 'a>) {
    list.iter().for_each(|item| term(item, visit));
}

/// Walks one term.
pub(super) fn term<'a>(term: &'a Term<'a>, visit: Visit<'_, 'a>) {
    visit(Event::Term(term));
    let inner = |item: &'a Term<'a>, visit: Visit<'_, 'a>| self::term(item, visit);
    match &term.kind {
        TermKind::Null
        | TermKind::Bool(_)
        | TermKind::Number(_)
        | TermKind::String { .. }
        | TermKind::Var(_) => {}
        TermKind::Ref { head, path } => {
            inner(head, visit);
            terms(path, visit);
        }
        TermKind::Call { name, args } => {
            inner(name, visit);
            terms(args, visit);
        }
        TermKind::Infix { left, right, .. } => {
            inner(left, visit);
            inner(right, visit);
        }
        TermKind::KeyValueIn { key, value, domain } => {
            inner(key, visit);
            inner(value, visit);
            inner(domain, visit);
        }
        TermKind::Negate(negated) => inner(negated, visit),
        TermKind::Array(items) | TermKind::Set(items) => terms(items, visit),
        TermKind::Object(entries) => entries.iter().for_each(|(key, value)| {
            inner(key, visit);
            inner(value, visit);
        }),
        TermKind::ArrayComprehension { head, body } | TermKind::SetComprehension { head, body } => {
            within(Scope::Comprehension(body), visit, |visit| {
                inner(head, visit);
                literals(body, visit);
            });
        }
        TermKind::ObjectComprehension { key, value, body } => {
            within(Scope::Comprehension(body), visit, |visit| {
                inner(key, visit);
                inner(value, visit);
                literals(body, visit);
            });
        }
        TermKind::Template { parts, .. } => {
            for part in *parts {
                if let TemplatePart::Expr(expr) = part {
                    literal(expr, visit);
                }
            }
        }
    }
}
