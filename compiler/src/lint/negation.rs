//! Negations that do not mean what they read like: "some element differs" where "no element equals" was meant, and `not`
//! around what may be undefined, which fails in the language before `future.keywords.not`.

use std::collections::{HashMap, HashSet};

use super::findings::{Findings, finding};
use super::module::ModuleCx;
use super::names;
use super::policy::is_scalar;
use super::rule::Rule;
use super::shape::Shape;
use super::visit::{self, Event, Scope};
use crate::ast::{self, Body, InfixOp, Literal, LiteralKind, Operand, Term, TermKind};
use crate::source::Span;

pub(super) fn check(cx: &ModuleCx<'_, '_>, findings: &mut Findings) {
    if cx.is_package("authz") {
        alternatives(cx, findings);
    }
    for (at, rule) in cx.module.rules.iter().enumerate() {
        let name = names::of_head(&rule.head);
        if cx.is_negated(name) {
            if !rule.new_not {
                bodies(rule).for_each(|body| lifted(cx, name, body, findings));
            }
        } else {
            differing_elements(rule, findings);
            if name == "allow" && cx.is_package("authz") {
                bodies(rule).for_each(|body| differing_variables(cx, at, body, findings));
            }
        }
    }
}

fn bodies<'a>(rule: &'a ast::Rule<'a>) -> impl Iterator<Item = &'a Body<'a>> {
    let others = rule
        .else_branches
        .iter()
        .filter_map(|branch| branch.body.as_ref());
    rule.body.iter().chain(others)
}

/// `xs[_] != y` holds as soon as one element differs. A comprehension that filters with it means just that.
fn differing_elements<'a>(rule: &'a ast::Rule<'a>, findings: &mut Findings) {
    let mut open = Vec::new();
    let mut apart = 0usize;
    visit::rule(rule, &mut |event| match event {
        Event::Enter(scope) => {
            let is_apart = matches!(scope, Scope::Comprehension(_) | Scope::Not);
            apart += usize::from(is_apart);
            open.push(is_apart);
        }
        Event::Leave => apart -= usize::from(open.pop() == Some(true)),
        Event::Literal(literal) if apart == 0 => {
            if let LiteralKind::Term(Term {
                kind:
                    TermKind::Infix {
                        op: InfixOp::NotEqual,
                        left,
                        right,
                        ..
                    },
                ..
            }) = literal.kind
                && (iterates(left) || iterates(right))
            {
                let message = "`!=` over `[_]` holds as soon as one element differs";
                let help =
                    "for \"no element equals\" write a rule with `==` and negate that rule, or use `every`";
                findings.add(Rule::NegationTrap, literal.span, message, help);
            }
        }
        Event::Literal(_) | Event::Term(_) => {}
    });
}

/// Whether a reference runs over `_`.
fn iterates(term: &Term<'_>) -> bool {
    let TermKind::Ref { path, .. } = term.kind else {
        return false;
    };
    path.iter()
        .any(|element| matches!(element.kind, TermKind::Var("_")))
}

/// The same with a variable for the element, in rules that grant: every condition on it is a negative one.
fn differing_variables(cx: &ModuleCx<'_, '_>, rule: usize, body: &Body<'_>, findings: &mut Findings) {
    let mut elements = HashSet::new();
    let mut in_negative: HashMap<&str, usize> = HashMap::new();
    for literal in body.literals {
        match literal.kind {
            LiteralKind::SomeIn { value, .. } => elements.insert(value.span),
            LiteralKind::Assign(left, right) if iterates(&right) => elements.insert(left.span),
            _ => false,
        };
        if is_negative(literal) {
            visit::literal(literal, &mut |event| {
                if let Event::Term(term) = event
                    && let TermKind::Var(name) = term.kind
                {
                    *in_negative.entry(name).or_default() += 1;
                }
            });
        }
    }
    for variable in cx.variables_of(rule) {
        let name = variable.name;
        let only_negative = in_negative.get(name) == Some(&variable.uses);
        if only_negative && elements.contains(&variable.span) {
            let message = format!("this grants as soon as one `{name}` is not what the conditions exclude");
            let help =
                "for \"none of them is\" write a rule that finds one and negate that rule, or use `every`";
            findings.add(Rule::NegationTrap, variable.span, message, help);
        }
    }
}

/// Exclusions in one rule that are looked at; each costs the length of its body.
const EXCLUSIONS_MAX: usize = 8;

/// Rules that grant, which differ only in the value that one part of the request must not have: one of the two always holds.
fn alternatives<'a>(cx: &ModuleCx<'_, 'a>, findings: &mut Findings) {
    let mut seen: HashMap<(Vec<&str>, String), (String, Span)> = HashMap::new();
    for rule in names::rules_named(cx.module, "allow") {
        let Some(body) = rule.body.as_ref().filter(|_| !rule.is_default) else {
            continue;
        };
        let excluding = body
            .literals
            .iter()
            .filter_map(|literal| Some((literal, excluded(cx, literal)?)));
        for (literal, (path, value)) in excluding.take(EXCLUSIONS_MAX) {
            let others = body
                .literals
                .iter()
                .filter(|other| !std::ptr::eq(*other, literal));
            let mut rest = Shape::default();
            others.for_each(|other| visit::literal(other, &mut |event| rest.event(event)));
            let (other, place) = seen
                .entry((path.clone(), rest.into_text()))
                .or_insert_with(|| (value.clone(), literal.span));
            if *other != value {
                let path = path.join(".");
                let message = format!(
                    "`{path}` always differs from {other} or from {value}, so that one of the two rules grants"
                );
                let help = "put both conditions into one body, which asks for both to hold";
                let found = finding(Rule::NegationTrap, literal.span, message, help);
                findings.push(found.label(*place, "the other rule"));
            }
        }
    }
}

/// The part of the request and the literal that it must not be.
fn excluded<'a>(cx: &ModuleCx<'_, 'a>, literal: &Literal<'a>) -> Option<(Vec<&'a str>, String)> {
    let LiteralKind::Term(Term {
        kind:
            TermKind::Infix {
                op: InfixOp::NotEqual,
                left,
                right,
                ..
            },
        ..
    }) = literal.kind
    else {
        return None;
    };
    let (subject, value) = if is_scalar(right) {
        (left, right)
    } else {
        (right, left)
    };
    let path = cx.path(subject).filter(|path| path.first() == Some(&"input"))?;
    let value = match value.kind {
        TermKind::String { text, .. } => format!("{text:?}"),
        TermKind::Number(text) => text.to_owned(),
        _ => return None,
    };
    literal.with.is_empty().then_some((path, value))
}

fn is_negative(literal: &Literal<'_>) -> bool {
    matches!(
        literal.kind,
        LiteralKind::Not(_)
            | LiteralKind::Term(Term {
                kind: TermKind::Infix {
                    op: InfixOp::NotEqual,
                    ..
                },
                ..
            })
    )
}

/// `not f(input.x)` in a rule that others negate: where `input.x` is missing the rule fails, so its negation holds.
fn lifted(cx: &ModuleCx<'_, '_>, name: &str, body: &Body<'_>, findings: &mut Findings) {
    let mut required: Option<HashSet<Vec<&str>>> = None;
    for literal in body.literals {
        let LiteralKind::Not(Operand::Implicit(Literal {
            kind: LiteralKind::Term(term),
            ..
        })) = &literal.kind
        else {
            continue;
        };
        let mut paths = lifted_paths(term);
        paths.retain(|path| may_be_missing(cx, path));
        if paths.is_empty() {
            continue;
        }
        let required = required.get_or_insert_with(|| required_paths(body));
        let Some(missing) = paths.iter().find(|path| !required.contains(*path)) else {
            continue;
        };
        let missing = missing.join(".");
        let message = format!("where `{missing}` is missing `not` fails, and so `not {name}` holds");
        let help = format!(
            "`import future.keywords.not` makes it hold instead; or give `{missing}` a default with `object.get`"
        );
        findings.add(Rule::NegationTrap, literal.span, message, help);
    }
}

/// The references that are evaluated before the negation of a term. Equality keeps its operands.
fn lifted_paths<'a>(term: &Term<'a>) -> Vec<Vec<&'a str>> {
    let mut paths = Vec::new();
    match &term.kind {
        TermKind::Infix {
            op: InfixOp::Equal,
            left,
            right,
            ..
        } => [left, right]
            .into_iter()
            .for_each(|side| arguments(side, &mut paths)),
        TermKind::Infix { .. } | TermKind::KeyValueIn { .. } => operand(term, &mut paths),
        _ => arguments(term, &mut paths),
    }
    paths
}

/// Whether something that may be undefined is evaluated before the negation of a term.
pub(super) fn lifts(term: &Term<'_>) -> bool {
    let calls = |term: &Term<'_>| matches!(term.kind, TermKind::Call { .. });
    let has_call = match &term.kind {
        TermKind::Call { args, .. } => args.iter().any(calls),
        TermKind::Infix { left, right, .. } => calls(left) || calls(right),
        _ => false,
    };
    has_call || !lifted_paths(term).is_empty()
}

/// The references in arguments of calls.
fn arguments<'a>(term: &Term<'a>, paths: &mut Vec<Vec<&'a str>>) {
    match &term.kind {
        TermKind::Call { args, .. } => args.iter().for_each(|arg| operand(arg, paths)),
        TermKind::Infix { .. } => operand(term, paths),
        _ => {}
    }
}

/// The references in an operand that is worked out before the negation.
fn operand<'a>(term: &Term<'a>, paths: &mut Vec<Vec<&'a str>>) {
    match &term.kind {
        TermKind::Ref { .. } => paths.extend(names::parts(term)),
        TermKind::Call { args, .. } => args.iter().for_each(|arg| operand(arg, paths)),
        TermKind::Infix { left, right, .. } => {
            operand(left, paths);
            operand(right, paths);
        }
        TermKind::KeyValueIn { key, value, domain } => {
            [key, value, domain]
                .into_iter()
                .for_each(|part| operand(part, paths));
        }
        TermKind::Array(items) | TermKind::Set(items) => items.iter().for_each(|item| operand(item, paths)),
        _ => {}
    }
}

/// Whether a path leads into what the caller sends. The operation is always there.
fn may_be_missing(cx: &ModuleCx<'_, '_>, path: &[&str]) -> bool {
    match path {
        ["input", "operation"] | ["input"] => false,
        ["input", ..] => true,
        [first, ..] => {
            let import = cx.import(first);
            import.is_some_and(|import| import.path.first().is_some_and(|root| root.text == "input"))
        }
        [] => false,
    }
}

/// Paths that must be there for the body to hold, whatever the negations say.
fn required_paths<'a>(body: &Body<'a>) -> HashSet<Vec<&'a str>> {
    let mut found = HashSet::new();
    let mut paths = Vec::new();
    for literal in body.literals {
        match &literal.kind {
            LiteralKind::Term(term) => operand(term, &mut paths),
            LiteralKind::Assign(_, right) | LiteralKind::Unify(_, right) => operand(right, &mut paths),
            _ => {}
        }
    }
    found.extend(paths);
    found
}
