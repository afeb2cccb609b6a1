//! Rules that stand twice or contradict each other, and `else` branches that are never reached.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::findings::{Findings, finding};
use super::module::ModuleCx;
use super::policy::{always_holds, is_scalar};
use super::rule::Rule;
use super::shape::Shape;
use super::visit;
use crate::ast::{self, Body, HeadKind, Term};
use crate::source::Span;

pub(super) fn check(cx: &ModuleCx<'_, '_>, findings: &mut Findings) {
    let mut seen: HashMap<String, Span> = HashMap::new();
    for rule in cx.module.rules {
        match seen.entry(shape_of_rule(rule)) {
            Entry::Vacant(free) => {
                free.insert(rule.span);
            }
            Entry::Occupied(first) => {
                let help = "remove it; or one of the two was to say something else";
                let found = finding(Rule::DuplicateRule, rule.span, "this rule stands twice", help);
                findings.push(found.label(*first.get(), "the other one"));
            }
        }
        branches(rule, findings);
    }
    conflicts(cx, findings);
}

/// Rules that give different values under one condition: where it holds the evaluation ends with a conflict, which denies.
fn conflicts<'a>(cx: &ModuleCx<'_, 'a>, findings: &mut Findings) {
    let mut seen: HashMap<String, (&'a ast::Rule<'a>, String)> = HashMap::new();
    for rule in cx.module.rules {
        let is_plain = rule.head.kind == HeadKind::Value && !rule.is_default && rule.else_branches.is_empty();
        if !is_plain || !rule.head.value.is_none_or(|value| is_scalar(&value)) {
            continue;
        }
        let (condition, value) = condition_and_value(rule);
        match seen.entry(condition) {
            Entry::Vacant(free) => {
                free.insert((rule, value));
            }
            Entry::Occupied(first) if first.get().1 != value => {
                let message =
                    "two rules give different values under one condition, which is a conflict where it holds";
                let help = "remove one of them; a conflict ends the evaluation, and the policy denies";
                let found = finding(Rule::DuplicateRule, rule.span, message, help);
                findings.push(found.label(first.get().0.span, "the other one"));
            }
            Entry::Occupied(_) => {}
        }
    }
}

/// The shapes of what a rule asks, its parameters and place among the documents included, and of what it gives.
fn condition_and_value<'a>(rule: &'a ast::Rule<'a>) -> (String, String) {
    let (mut condition, mut value) = (Shape::default(), Shape::default());
    let head = &rule.head;
    let terms = head.reference.iter().chain(head.args.unwrap_or_default());
    terms.for_each(|term| visit::term(term, &mut |event| condition.event(event)));
    if let Some(body) = rule.body.as_ref().filter(|body| !always_holds(Some(body))) {
        let literals = body.literals.iter();
        literals.for_each(|literal| visit::literal(literal, &mut |event| condition.event(event)));
    }
    match &head.value {
        Some(term) => visit::term(term, &mut |event| value.event(event)),
        None => return (condition.into_text(), "true,".to_owned()),
    }
    (condition.into_text(), value.into_text())
}

fn shape_of_rule<'a>(rule: &'a ast::Rule<'a>) -> String {
    let mut shape = Shape::default();
    visit::rule(rule, &mut |event| shape.event(event));
    shape.into_text()
}

fn shape_of_body<'a>(body: &'a Body<'a>) -> String {
    let mut shape = Shape::default();
    body.literals
        .iter()
        .for_each(|literal| visit::literal(literal, &mut |event| shape.event(event)));
    shape.into_text()
}

/// Behind a branch that always gives a value, and with the body of an earlier one, an `else` is never reached.
fn branches<'a>(rule: &'a ast::Rule<'a>, findings: &mut Findings) {
    let Some(first_else) = rule.else_branches.first() else {
        return;
    };
    let gives = |body: Option<&Body<'_>>, value: Option<Term<'_>>| {
        always_holds(body) && value.is_none_or(|value| is_scalar(&value))
    };
    // A parameter may be a pattern, which not every call matches; the `else` would not match either.
    if gives(rule.body.as_ref(), rule.head.value) {
        unreachable(first_else.span, rule.head.span, findings);
        return;
    }
    let mut bodies: HashMap<String, Span> = HashMap::new();
    if let Some(body) = &rule.body
        && rule.head.value.is_none_or(|value| is_scalar(&value))
    {
        bodies.insert(shape_of_body(body), body.span);
    }
    let mut branches = rule.else_branches.iter().peekable();
    while let Some(branch) = branches.next() {
        if let Some(body) = &branch.body {
            let shape = shape_of_body(body);
            if let Some(earlier) = bodies.get(&shape) {
                unreachable(branch.span, *earlier, findings);
            } else if branch.value.is_none_or(|value| is_scalar(&value)) {
                bodies.insert(shape, body.span);
            }
        }
        if let Some(next) = branches.peek()
            && gives(branch.body.as_ref(), branch.value)
        {
            unreachable(next.span, branch.span, findings);
            return;
        }
    }
}

fn unreachable(branch: Span, because: Span, findings: &mut Findings) {
    let message = "this `else` is never reached";
    let help = "what stands in front of it holds whenever it could; put the narrower condition first";
    let found = finding(Rule::UnreachableElse, branch, message, help);
    findings.push(found.label(because, "always taken first"));
}
