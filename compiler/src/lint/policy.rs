//! What a policy or mapper is asked for: that it is defined, has a default and a type that the phase takes, and that no
//! library adds to it.

use super::findings::{Findings, finding};
use super::kinds::{self, Kind};
use super::module::ModuleCx;
use super::names;
use super::rule::Rule;
use crate::ast::{self, HeadKind, LiteralKind, Term, TermKind};
use crate::domain::ModuleKind;
use crate::source::Span;

pub(super) fn check(cx: &ModuleCx<'_, '_>, findings: &mut Findings) {
    match cx.kind {
        ModuleKind::Mapper => defined(cx, "mapper", "porc", findings),
        ModuleKind::Library => library(cx, findings),
        ModuleKind::Policy => {
            defined(cx, "authz", "allow", findings);
            if cx.is_package("authz") {
                default(cx, findings);
                types(cx, findings);
            }
        }
    }
    if cx.kind != ModuleKind::Mapper && cx.is_package("authz") {
        grants(cx, findings);
    }
}

/// Rules of `allow` in the module's own text that give it a value.
fn allows<'a>(cx: &ModuleCx<'_, 'a>) -> impl Iterator<Item = &'a ast::Rule<'a>> {
    let gives = |rule: &&ast::Rule<'a>| rule.head.args.is_none() && rule.head.kind == HeadKind::Value;
    names::rules_named(cx.module, "allow").filter(gives)
}

fn defined(cx: &ModuleCx<'_, '_>, package: &str, name: &str, findings: &mut Findings) {
    let is_named = |module: &ast::Module<'_>| {
        let mut rules = module.rules.iter();
        rules.any(|rule| names::of_head(&rule.head) == name)
    };
    if cx.in_package(package).any(is_named) {
        return;
    }
    let asked = format!("`data.{package}.{name}`");
    let span = cx.module.package.span;
    let (message, help) = if cx.is_package(package) {
        let message = format!("nothing defines {asked}, which is what the engine asks for");
        (
            message,
            format!("define the rule `{name}`; without it every request is denied"),
        )
    } else {
        let message = format!("the package is not `{package}`, so that nothing defines {asked}");
        (
            message,
            format!("write `package {package}`; as it is, every request is denied"),
        )
    };
    findings.add(Rule::NoDecision, span, message, help);
}

fn library(cx: &ModuleCx<'_, '_>, findings: &mut Findings) {
    if !cx.is_package("authz") {
        return;
    }
    if let Some(rule) = names::rules_named(cx.module, "allow").next() {
        let message =
            "a library of package `authz` defines `allow`: it decides in every policy that depends on it";
        let help = "give the library a package of its own, and call its rules from the policies";
        findings.add(Rule::LibraryAllow, rule.head.span, message, help);
    }
}

/// A policy of which no rule applies is undefined, which denies, but as an error.
fn default(cx: &ModuleCx<'_, '_>, findings: &mut Findings) {
    let has_default = cx.in_package("authz").any(|module| {
        let mut rules = names::rules_named(module, "allow");
        rules.any(|rule| rule.is_default || always_gives(rule))
    });
    let Some(first) = allows(cx).next().filter(|_| !has_default) else {
        return;
    };
    let value = if cx.phases.operation && !cx.phases.boolean {
        "0"
    } else {
        "false"
    };
    let message = "`allow` has no default";
    let help = format!(
        "write `default allow := {value}`; without it a request that no rule grants is recorded as an error of evaluation"
    );
    findings.add(Rule::MissingDefault, first.head.span, message, help);
}

/// Whether a rule gives a value to every request.
fn always_gives(rule: &ast::Rule<'_>) -> bool {
    let first = (rule.body.as_ref(), rule.head.value);
    let others = rule
        .else_branches
        .iter()
        .map(|branch| (branch.body.as_ref(), branch.value));
    std::iter::once(first)
        .chain(others)
        .any(|(body, value)| always_holds(body) && value.is_none_or(|value| is_scalar(&value)))
}

/// Whether a body was not written, or says `true`.
pub(super) fn always_holds(body: Option<&ast::Body<'_>>) -> bool {
    body.is_none_or(|body| {
        body.literals.iter().all(|literal| {
            matches!(
                literal.kind,
                LiteralKind::Term(Term {
                    kind: TermKind::Bool(true),
                    ..
                })
            )
        })
    })
}

/// Whether a term is a literal without parts.
pub(super) fn is_scalar(term: &Term<'_>) -> bool {
    matches!(
        term.kind,
        TermKind::Null | TermKind::Bool(_) | TermKind::Number(_) | TermKind::String { .. }
    )
}

/// What the phases that ask a policy make of its values.
fn types(cx: &ModuleCx<'_, '_>, findings: &mut Findings) {
    for rule in names::rules_named(cx.module, "allow") {
        if rule.head.args.is_some() || rule.head.kind == HeadKind::Set {
            let what = if rule.head.args.is_some() {
                "a function"
            } else {
                "a set"
            };
            let message = format!("`allow` is {what}, which no phase takes");
            let help =
                "every request is denied; a policy's `allow` is a boolean, an operation's a whole number";
            findings.add(Rule::AllowType, rule.head.span, message, help);
            return;
        }
    }
    for rule in allows(cx) {
        let branches = rule
            .else_branches
            .iter()
            .map(|branch| (branch.span, branch.value));
        for (span, value) in std::iter::once((rule.head.span, rule.head.value)).chain(branches) {
            value_type(cx, span, value, findings);
        }
    }
}

fn value_type<'a>(cx: &ModuleCx<'_, 'a>, span: Span, value: Option<Term<'a>>, findings: &mut Findings) {
    let kind = value.map_or(Some(Kind::Boolean), |value| kinds::of(cx, &value));
    let Some(kind) = kind else { return };
    let span = value.map_or(span, |value| value.span);
    let is_whole = match value.map(|value| value.kind) {
        Some(TermKind::Number(text)) => text.parse::<i64>().is_ok(),
        _ => kind == Kind::Number,
    };
    if cx.phases.boolean && kind != Kind::Boolean {
        let message = format!(
            "`allow` is {}, where roles, resource groups and scopes want a boolean",
            kind.as_str()
        );
        let help = "every request that gets this value is denied";
        findings.add(Rule::AllowType, span, message, help);
    }
    if cx.phases.operation && !is_whole {
        let shown = if kind == Kind::Number {
            "a number with a fraction or an exponent"
        } else {
            kind.as_str()
        };
        let message = format!("`allow` is {shown}, where operations want a whole number");
        let help = "every request that gets this value is denied; above 0 grants, below 0 denies, 0 goes on to the other phases";
        findings.add(Rule::AllowType, span, message, help);
    }
}

/// A grant without a condition.
fn grants(cx: &ModuleCx<'_, '_>, findings: &mut Findings) {
    for rule in allows(cx) {
        let value = rule.head.value.map_or(TermKind::Bool(true), |value| value.kind);
        if !is_grant(cx, value) {
            continue;
        }
        let found = if rule.is_default {
            let help = "write `default allow := false`, so that only what a rule says is granted";
            finding(
                Rule::GrantsByDefault,
                rule.span,
                "`allow` grants by default",
                help,
            )
        } else if always_holds(rule.body.as_ref()) {
            let message = "`allow` grants without a condition";
            let help =
                "give it a body that says who may do what; if everybody may, say so where you silence this";
            finding(Rule::GrantsByDefault, rule.span, message, help)
        } else {
            continue;
        };
        findings.push(found);
    }
}

/// Whether a value of `allow` grants: `true`, and a positive number where the operation phase asks.
fn is_grant(cx: &ModuleCx<'_, '_>, value: TermKind<'_>) -> bool {
    match value {
        TermKind::Bool(granted) => granted && (cx.phases.boolean || !cx.phases.operation),
        TermKind::Number(text) => cx.phases.operation && text.parse::<i64>().is_ok_and(|number| number > 0),
        _ => false,
    }
}

/// Whether a module of an operation's policy can make it positive: with a number above 0, or one that only a request tells.
pub(super) fn may_be_positive(module: &ast::Module<'_>) -> bool {
    let is_positive = |value: Option<Term<'_>>| match value.map(|value| value.kind) {
        Some(TermKind::Number(text)) => !text.starts_with('-') && text != "0",
        Some(TermKind::Bool(_)) | None => false,
        Some(_) => true,
    };
    let mut rules = names::rules_named(module, "allow");
    names::is_package(module, "authz")
        && rules.any(|rule| {
            let others = rule.else_branches.iter().map(|branch| branch.value);
            std::iter::once(rule.head.value).chain(others).any(is_positive)
        })
}
