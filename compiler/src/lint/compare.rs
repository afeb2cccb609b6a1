//! Comparisons whose outcome is fixed: of values of different types, of literals, of `lower(…)` with capitals.

use super::findings::Findings;
use super::kinds;
use super::module::ModuleCx;
use super::rule::Rule;
use super::visit::{self, Event};
use crate::ast::{InfixOp, LiteralKind, Term, TermKind};
use crate::source::Span;

pub(super) fn check(cx: &ModuleCx<'_, '_>, findings: &mut Findings) {
    visit::module(cx.module, &mut |event| match event {
        Event::Literal(literal) => {
            if let LiteralKind::Unify(left, right) = &literal.kind {
                comparison(cx, literal.span, InfixOp::Equal, left, right, findings);
            }
            if let LiteralKind::SomeIn { domain, .. } = &literal.kind {
                membership(cx, domain, findings);
            }
        }
        Event::Term(term) => match &term.kind {
            TermKind::Infix {
                op: InfixOp::In,
                right,
                ..
            } => membership(cx, right, findings),
            TermKind::KeyValueIn { domain, .. } => membership(cx, domain, findings),
            TermKind::Infix { op, left, right, .. } => {
                comparison(cx, term.span, *op, left, right, findings);
            }
            _ => {}
        },
        Event::Enter(_) | Event::Leave => {}
    });
}

fn comparison<'a>(
    cx: &ModuleCx<'_, 'a>,
    span: Span,
    op: InfixOp,
    left: &Term<'a>,
    right: &Term<'a>,
    findings: &mut Findings,
) {
    let outcome = match op {
        InfixOp::Equal => "never holds",
        InfixOp::NotEqual => "always holds where both sides exist",
        InfixOp::Less | InfixOp::LessEqual | InfixOp::Greater | InfixOp::GreaterEqual => {
            "depends on the types alone"
        }
        _ => return,
    };
    let sides = kinds::of(cx, left).zip(kinds::of(cx, right));
    if let Some((left, right)) = sides.filter(|(left, right)| left != right) {
        let message = format!(
            "this compares {} with {}, which {outcome}",
            left.as_str(),
            right.as_str()
        );
        findings.add(Rule::FixedComparison, span, message, "compare values of one type");
        return;
    }
    if !matches!(op, InfixOp::Equal | InfixOp::NotEqual) {
        return;
    }
    for (call, text) in [(left, right), (right, left)] {
        if let Some((function, text)) = wrong_case(cx, call, text) {
            let message = format!("`{function}` never gives {text:?}, so that this {outcome}");
            let help = "write the text in the case that the function gives";
            findings.add(Rule::FixedComparison, span, message, help);
        }
    }
}

/// A result of `lower` or `upper` beside a text that it cannot be.
fn wrong_case<'a>(
    cx: &ModuleCx<'_, 'a>,
    call: &Term<'a>,
    text: &Term<'a>,
) -> Option<(&'static str, &'a str)> {
    let (TermKind::Call { name, .. }, TermKind::String { text, .. }) = (&call.kind, text.kind) else {
        return None;
    };
    let function = cx.builtin(name)?.name;
    let is_wrong = match function {
        "lower" => text.bytes().any(|byte| byte.is_ascii_uppercase()),
        "upper" => text.bytes().any(|byte| byte.is_ascii_lowercase()),
        _ => false,
    };
    is_wrong.then_some((function, text))
}

fn membership<'a>(cx: &ModuleCx<'_, 'a>, domain: &Term<'a>, findings: &mut Findings) {
    if let Some(kind) = kinds::of(cx, domain).filter(|kind| !kind.is_collection()) {
        let message = format!("this looks for a member of {}, which has none", kind.as_str());
        let help =
            "`in` wants an array, a set or an object; for parts of a text use `contains` or `startswith`";
        findings.add(Rule::FixedComparison, domain.span, message, help);
    }
}
