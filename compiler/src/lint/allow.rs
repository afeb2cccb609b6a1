//! What `allow` gives: a grant without a condition.

use super::findings::Findings;
use super::module::ModuleCx;
use super::rule::Rule;
use crate::ast::{self, LiteralKind, Term, TermKind};
use crate::domain::ModuleKind;

pub(super) fn check(cx: &ModuleCx<'_, '_>, findings: &mut Findings) {
    if cx.kind == ModuleKind::Mapper || !cx.is_package("authz") {
        return;
    }
    for rule in cx.rules_named("allow") {
        if rule.head.args.is_some() || rule.head.key.is_some() {
            continue;
        }
        let value = rule.head.value.map_or(TermKind::Bool(true), |value| value.kind);
        if !is_grant(cx, value) {
            continue;
        }
        if rule.is_default {
            let message = "`allow` grants by default";
            let help = "write `default allow := false`, so that only what a rule says is granted";
            findings.add(Rule::GrantsByDefault, rule.span, message, help);
        } else if rule.body.as_ref().is_none_or(|body| always_holds(body)) {
            let message = "`allow` grants without a condition";
            let help =
                "give it a body that says who may do what; if everybody may, say so where you silence this";
            findings.add(Rule::GrantsByDefault, rule.span, message, help);
        }
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

/// Whether a body consists of `true`.
fn always_holds(body: &ast::Body<'_>) -> bool {
    body.literals.iter().all(|literal| {
        matches!(
            literal.kind,
            LiteralKind::Term(Term {
                kind: TermKind::Bool(true),
                ..
            })
        )
    })
}
