//! Bodies that cannot hold: `false` as a statement, members of what is empty, conditions on one value that exclude each other.

use std::collections::HashMap;

use super::findings::{Findings, finding};
use super::module::ModuleCx;
use super::names;
use super::policy::is_scalar;
use super::rule::Rule;
use super::visit::{self, Event, Scope};
use crate::ast::{Body, InfixOp, Literal, LiteralKind, Operand, Term, TermKind};
use crate::source::Span;

pub(super) fn check(cx: &ModuleCx<'_, '_>, findings: &mut Findings) {
    visit::module(cx.module, &mut |event| {
        let Event::Enter(scope) = event else { return };
        match scope {
            Scope::Branch(Some(body))
            | Scope::Comprehension(body)
            | Scope::Every(_, body)
            | Scope::Braces(body) => self::body(cx, body, findings),
            Scope::Branch(None) | Scope::Rule(_) | Scope::Not => {}
        }
    });
}

fn body<'a>(cx: &ModuleCx<'_, 'a>, body: &Body<'a>, findings: &mut Findings) {
    let mut facts: HashMap<Vec<&str>, Facts<'a>> = HashMap::new();
    for literal in body.literals {
        if let Some(why) = never_holds(literal) {
            let help = "the rule, or this body of it, is dead; remove it or write what was meant";
            findings.add(Rule::NeverTrue, literal.span, why, help);
        }
        if !literal.with.is_empty() {
            continue;
        }
        let Some((value, claim)) = claim(cx, literal) else {
            continue;
        };
        let known = facts.entry(value.clone()).or_default();
        if let Some(other) = known.add(claim, literal.span) {
            let message = format!("`{}` cannot meet both conditions", shown(&value));
            let help = "statements of one body must all hold; alternatives are rules of their own, or members of a set behind `in`";
            let found = finding(Rule::NeverTrue, literal.span, message, help);
            findings.push(found.label(other, "the other condition"));
        }
    }
}

fn shown(path: &[&str]) -> String {
    path.join(".")
}

/// Why a statement fails whatever the request is.
fn never_holds(literal: &Literal<'_>) -> Option<String> {
    let is_empty = |term: &Term<'_>| {
        matches!(
            term.kind,
            TermKind::Array([]) | TermKind::Set([]) | TermKind::Object([])
        )
    };
    match &literal.kind {
        LiteralKind::Term(term) => match &term.kind {
            TermKind::Bool(false) => Some("`false` never holds".to_owned()),
            TermKind::Infix {
                op: InfixOp::In,
                right,
                ..
            } if is_empty(right) => Some("nothing is in an empty collection".to_owned()),
            TermKind::Infix {
                op: InfixOp::Equal,
                left,
                right,
                ..
            } if differ(left, right) => Some("these are never equal".to_owned()),
            _ => None,
        },
        LiteralKind::Unify(left, right) if differ(left, right) => Some("these are never equal".to_owned()),
        LiteralKind::SomeIn { domain, .. } if is_empty(domain) => {
            Some("nothing is in an empty collection".to_owned())
        }
        LiteralKind::Not(Operand::Implicit(Literal {
            kind:
                LiteralKind::Term(Term {
                    kind: TermKind::Bool(true),
                    ..
                }),
            ..
        })) => Some("`not true` never holds".to_owned()),
        _ => None,
    }
}

/// Whether two literals of one type are different values.
fn differ(left: &Term<'_>, right: &Term<'_>) -> bool {
    let same_type = std::mem::discriminant(&left.kind) == std::mem::discriminant(&right.kind);
    same_type && is_scalar(left) && is_scalar(right) && !same(left, right)
}

/// Whether two literals are one value. Numbers that cannot be told apart by their nearest float count as one.
fn same(left: &Term<'_>, right: &Term<'_>) -> bool {
    match (left.kind, right.kind) {
        (TermKind::Null, TermKind::Null) => true,
        (TermKind::Bool(left), TermKind::Bool(right)) => left == right,
        (TermKind::Number(left), TermKind::Number(right)) => {
            left == right
                || number(left)
                    .zip(number(right))
                    .is_none_or(|(left, right)| left == right)
        }
        (TermKind::String { text: left, .. }, TermKind::String { text: right, .. }) => left == right,
        _ => false,
    }
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// What a statement says of one value.
enum Claim<'a> {
    Is(Term<'a>),
    IsNot(Term<'a>),
    IsOneOf(&'a [Term<'a>]),
    Above(f64),
    AtLeast(f64),
    Below(f64),
    AtMost(f64),
    Holds,
    Fails,
}

/// A value that is the same in all of a body, and what a statement says of it.
fn claim<'a>(cx: &ModuleCx<'_, 'a>, literal: &Literal<'a>) -> Option<(Vec<&'a str>, Claim<'a>)> {
    match &literal.kind {
        LiteralKind::Term(term) => match &term.kind {
            TermKind::Infix { op, left, right, .. } => infix(cx, *op, left, right),
            _ => Some((value(cx, term)?, Claim::Holds)),
        },
        LiteralKind::Unify(left, right) => infix(cx, InfixOp::Equal, left, right),
        LiteralKind::Not(Operand::Implicit(Literal {
            kind: LiteralKind::Term(term),
            with: [],
            ..
        })) => Some((value(cx, term)?, Claim::Fails)),
        _ => None,
    }
}

fn infix<'a>(
    cx: &ModuleCx<'_, 'a>,
    op: InfixOp,
    left: &Term<'a>,
    right: &Term<'a>,
) -> Option<(Vec<&'a str>, Claim<'a>)> {
    if let (InfixOp::In, TermKind::Set(items) | TermKind::Array(items)) = (op, right.kind) {
        return (items.len() <= ITEMS_MAX && items.iter().all(is_scalar))
            .then(|| Some((value(cx, left)?, Claim::IsOneOf(items))))
            .flatten();
    }
    let (subject, literal, op) = if is_scalar(right) {
        (left, right, op)
    } else if is_scalar(left) {
        (right, left, mirrored(op))
    } else {
        return None;
    };
    let bound = || match literal.kind {
        TermKind::Number(text) => number(text),
        _ => None,
    };
    let claim = match op {
        InfixOp::Equal => Claim::Is(*literal),
        InfixOp::NotEqual => Claim::IsNot(*literal),
        InfixOp::Less => Claim::Below(bound()?),
        InfixOp::LessEqual => Claim::AtMost(bound()?),
        InfixOp::Greater => Claim::Above(bound()?),
        InfixOp::GreaterEqual => Claim::AtLeast(bound()?),
        _ => return None,
    };
    Some((value(cx, subject)?, claim))
}

fn mirrored(op: InfixOp) -> InfixOp {
    match op {
        InfixOp::Less => InfixOp::Greater,
        InfixOp::LessEqual => InfixOp::GreaterEqual,
        InfixOp::Greater => InfixOp::Less,
        InfixOp::GreaterEqual => InfixOp::LessEqual,
        same => same,
    }
}

/// A part of the request, or a variable: rules may have several values, and `_` is another one each time.
fn value<'a>(cx: &ModuleCx<'_, 'a>, term: &Term<'a>) -> Option<Vec<&'a str>> {
    if let TermKind::Var(name) = term.kind {
        let is_local = name != "_" && cx.import(name).is_none() && cx.rule_span(name).is_none();
        let is_local = is_local && !matches!(name, "input" | "data");
        return is_local.then(|| vec![name]);
    }
    let path = cx.path(term).filter(|path| path.first() == Some(&"input"));
    path.or_else(|| {
        let parts = names::parts(term)?;
        let first = parts.first()?;
        cx.is_declared(first).then_some(parts)
    })
}

/// What is known of a value, each with the place that says so.
#[derive(Default)]
struct Facts<'a> {
    is: Option<(Term<'a>, Span)>,
    is_one_of: Option<(&'a [Term<'a>], Span)>,
    is_not: Vec<(Term<'a>, Span)>,
    lower: Option<(f64, bool, Span)>,
    upper: Option<(f64, bool, Span)>,
    holds: Option<Span>,
    fails: Option<Span>,
}

/// Items of a literal that are compared with each other condition on the value.
const ITEMS_MAX: usize = 64;

/// Excluded values that are looked at again for each statement; bodies have a few.
const EXCLUDED_MAX: usize = 16;

impl<'a> Facts<'a> {
    /// Takes a claim in; the place of one that excludes it, if there is one.
    fn add(&mut self, claim: Claim<'a>, span: Span) -> Option<Span> {
        match claim {
            Claim::Is(term) => {
                let clash = self.clash_with(&term);
                self.is = self.is.or(Some((term, span)));
                clash
            }
            Claim::IsNot(term) => {
                if self.is_not.len() < EXCLUDED_MAX {
                    self.is_not.push((term, span));
                }
                self.is
                    .filter(|(known, _)| same(known, &term))
                    .map(|(_, place)| place)
            }
            Claim::IsOneOf(items) => {
                self.is_one_of = self.is_one_of.or(Some((items, span)));
                let (known, place) = self.is?;
                (!items.iter().any(|item| same(item, &known))).then_some(place)
            }
            Claim::Above(bound) => self.raise(bound, true, span),
            Claim::AtLeast(bound) => self.raise(bound, false, span),
            Claim::Below(bound) => self.cut(bound, true, span),
            Claim::AtMost(bound) => self.cut(bound, false, span),
            Claim::Holds => {
                self.holds = Some(span);
                self.fails
            }
            Claim::Fails => {
                self.fails = Some(span);
                self.holds
            }
        }
    }

    fn clash_with(&self, term: &Term<'a>) -> Option<Span> {
        let other = self
            .is
            .filter(|(known, _)| !same(known, term))
            .map(|found| found.1);
        let missing = self
            .is_one_of
            .filter(|(items, _)| !items.iter().any(|item| same(item, term)));
        let excluded = self.is_not.iter().find(|(known, _)| same(known, term));
        let outside = match term.kind {
            TermKind::Number(text) => number(text).and_then(|number| self.outside(number)),
            _ => None,
        };
        other
            .or(missing.map(|found| found.1))
            .or(excluded.map(|found| found.1))
            .or(outside)
    }

    /// The bound that a number is beyond.
    fn outside(&self, number: f64) -> Option<Span> {
        let below = self
            .lower
            .filter(|(bound, open, _)| number < *bound || (*open && number == *bound));
        let above = self
            .upper
            .filter(|(bound, open, _)| number > *bound || (*open && number == *bound));
        below.or(above).map(|(.., place)| place)
    }

    fn raise(&mut self, bound: f64, open: bool, span: Span) -> Option<Span> {
        self.lower = self.lower.or(Some((bound, open, span)));
        let (upper, upper_open, place) = self.upper.or(self.exact())?;
        (bound > upper || (bound == upper && (open || upper_open))).then_some(place)
    }

    fn cut(&mut self, bound: f64, open: bool, span: Span) -> Option<Span> {
        self.upper = self.upper.or(Some((bound, open, span)));
        let (lower, lower_open, place) = self.lower.or(self.exact())?;
        (bound < lower || (bound == lower && (open || lower_open))).then_some(place)
    }

    /// A number that the value is.
    fn exact(&self) -> Option<(f64, bool, Span)> {
        let (term, place) = self.is?;
        match term.kind {
            TermKind::Number(text) => Some((number(text)?, false, place)),
            _ => None,
        }
    }
}
