//! Statements to rules: what a head means with and without `if`, which forms are no rules at all, and the checks that
//! OPA's parser makes on rules of every dialect and of v1.

use std::collections::HashSet;

use crate::ast::{
    Body, ElseBranch, Head, HeadKind, InfixOp, Literal, LiteralKind, Operand, Rule, Term, TermKind,
};
use crate::layout::Words;
use crate::parse::text::value_name;
use crate::parse::tree::{Cx, Reject, RuleParts};
use crate::source::Span;
use crate::token::Word;

/// A rule with what only the v1 checks want to know.
#[derive(Clone, Debug)]
pub(crate) struct Parsed<'a> {
    pub(crate) rule: Rule<'a>,
    /// Neither a value nor a body was written.
    bare: bool,
    contains: bool,
    /// `else` branches with a body in front of which no `if` stands.
    branches_without_if: Vec<Span>,
}

/// The parts of a head that do not depend on bodies.
struct Named<'a> {
    reference: Vec<Term<'a>>,
    args: Option<&'a [Term<'a>]>,
    value: Option<Term<'a>>,
    assign: bool,
}

/// Whether the head ends in parentheses, empty ones too.
fn is_called(head: &Literal<'_>) -> bool {
    matches!(
        head.kind,
        LiteralKind::Term(Term {
            kind: TermKind::Call { .. },
            ..
        })
    )
}

/// Turns a rule with a body, or with `contains`, into one rule for each of its bodies.
pub(crate) fn with_body<'a>(cx: &Cx<'a>, parts: &RuleParts<'a>) -> Result<Vec<Parsed<'a>>, Reject> {
    let named = named(cx, &parts.head)?;
    if let (true, Some((at, _))) = (is_called(&parts.head), parts.contains) {
        let message = "unexpected contains keyword: the contains keyword can only be used with multi-value rule definitions (e.g., p contains <VALUE> { ... })";
        return Err(Reject::new(cx.span(at, at + 8), message));
    }
    let contains = parts.contains.is_some();
    let has_if = parts.tail.as_ref().is_some_and(|tail| tail.has_if);
    let head = head(
        cx,
        named,
        parts.contains.map(|(_, key)| key),
        has_if,
        parts.head_span,
    );
    let Some(tail) = &parts.tail else {
        let rule = rule(parts.span, head, None, false);
        return Ok(vec![Parsed {
            rule,
            bare: false,
            contains,
            branches_without_if: Vec::new(),
        }]);
    };
    let mut branches_without_if = Vec::new();
    let mut branches = Vec::with_capacity(tail.branches.len());
    if let Some(first) = tail.branches.first() {
        let word = cx.span(first.span.start, first.span.start + 4);
        check_else(&head, has_if, word)?;
    }
    for branch in &tail.branches {
        if let Some((false, _)) = branch.body {
            branches_without_if.push(branch.span);
        }
        branches.push(ElseBranch {
            span: branch.span,
            value: branch.value,
            assign: branch.assign,
            body: branch.body.map(|(_, body)| body),
        });
    }
    let first_end = tail.branches.last().map_or(tail.body.span, |branch| branch.span);
    let mut first = rule(parts.span.to(first_end), head, Some(tail.body), has_if);
    first.span.end = first_end.end.max(first.span.start);
    first.else_branches = cx.bump.alloc_slice_copy(&branches);
    let mut rules = vec![Parsed {
        rule: first,
        bare: false,
        contains,
        branches_without_if,
    }];
    for body in &tail.chained {
        let mut chained = rule(body.span, head, Some(*body), has_if);
        chained.chained = true;
        rules.push(Parsed {
            rule: chained,
            bare: false,
            contains,
            branches_without_if: Vec::new(),
        });
    }
    Ok(rules)
}

fn rule<'a>(span: Span, head: Head<'a>, body: Option<Body<'a>>, has_if: bool) -> Rule<'a> {
    Rule {
        span,
        is_default: false,
        head,
        body,
        has_if,
        else_branches: &[],
        new_not: false,
        chained: false,
    }
}

fn check_else(head: &Head<'_>, has_if: bool, at: Span) -> Result<(), Reject> {
    let open = head.reference.iter().skip(1).any(|term| !is_ground(term));
    if open && head.kind == HeadKind::Value {
        return Err(Reject::new(
            at,
            "else keyword cannot be used on rules with variables in head",
        ));
    }
    // One step behind the name is a key of a partial object, unless `if` tells that it is part of a reference.
    let keyed = match head.reference {
        [_, step] if head.args.is_none() => !has_if || matches!(step.kind, TermKind::Ref { .. }),
        _ => false,
    };
    if head.key.is_some() || keyed {
        return Err(Reject::new(
            at,
            "else keyword cannot be used on multi-value rules",
        ));
    }
    Ok(())
}

/// `default head`.
pub(crate) fn default<'a>(
    cx: &Cx<'a>,
    span: Span,
    expression: &Literal<'a>,
    key: Option<Term<'a>>,
) -> Result<Parsed<'a>, Reject> {
    let named = named(cx, expression).map_err(|_| {
        let word = cx.span(span.start, span.start + 7);
        Reject::new(word, "unexpected default keyword")
    })?;
    let plain = named.reference.len() != 2 || named.args.is_some();
    if key.is_some() || (named.value.is_none() && !plain) {
        return Err(Reject::new(span, "illegal default rule (must have a value)"));
    }
    if let Some(value) = &named.value
        && let Some(what) = not_constant(value)
    {
        return Err(Reject::new(
            span,
            format!("illegal default rule (value cannot contain {what})"),
        ));
    }
    let mut seen = HashSet::new();
    for arg in named.args.unwrap_or_default() {
        let (TermKind::Var(name), "var") = (arg.kind, value_name(arg)) else {
            let what = value_name(arg);
            return Err(Reject::new(
                span,
                format!("illegal default rule (arguments cannot contain {what})"),
            ));
        };
        if name != "_" && !seen.insert(name) {
            return Err(Reject::new(
                span,
                format!("illegal default rule (arguments cannot be repeated {name})"),
            ));
        }
    }
    let mut rule = rule(span, head(cx, named, None, true, expression.span), None, false);
    rule.is_default = true;
    Ok(Parsed {
        rule,
        bare: false,
        contains: false,
        branches_without_if: Vec::new(),
    })
}

/// What a default value must not contain, outside comprehensions.
fn not_constant(term: &Term<'_>) -> Option<&'static str> {
    match term.kind {
        TermKind::Null
        | TermKind::Bool(_)
        | TermKind::Number(_)
        | TermKind::String { .. }
        | TermKind::ArrayComprehension { .. }
        | TermKind::SetComprehension { .. }
        | TermKind::ObjectComprehension { .. } => None,
        TermKind::Array(terms) | TermKind::Set(terms) => terms.iter().find_map(not_constant),
        TermKind::Object(pairs) => pairs
            .iter()
            .find_map(|(key, value)| not_constant(key).or_else(|| not_constant(value))),
        TermKind::Template { parts, .. } => parts.iter().find_map(|part| match part {
            crate::ast::TemplatePart::Expr(Literal {
                kind: LiteralKind::Term(term),
                ..
            }) => not_constant(term),
            _ => None,
        }),
        TermKind::Var(_)
        | TermKind::Ref { .. }
        | TermKind::Call { .. }
        | TermKind::Infix { .. }
        | TermKind::KeyValueIn { .. }
        | TermKind::Negate(_) => Some(value_name(term)),
    }
}

/// A statement without a body: a rule if it looks like one.
pub(crate) fn bodyless<'a>(cx: &Cx<'a>, literal: &Literal<'a>) -> Result<Parsed<'a>, Reject> {
    let refuse = |message: &str| Err(Reject::new(literal.span, message));
    if !literal.with.is_empty() {
        return refuse("expressions using with keyword cannot be used for rule head");
    }
    match literal.kind {
        LiteralKind::SomeDecl(_) | LiteralKind::SomeIn { .. } => {
            return refuse("'some' declarations cannot be used for rule head");
        }
        LiteralKind::Not(Operand::Implicit(_)) => {
            return refuse("negated expressions cannot be used for rule head");
        }
        LiteralKind::Not(Operand::Braced(_))
        | LiteralKind::Every { .. }
        | LiteralKind::And(..)
        | LiteralKind::Or(..) => return refuse("expression cannot be used for rule head"),
        LiteralKind::Term(term) => check_bare_head(&term, literal.span)?,
        LiteralKind::Assign(..) | LiteralKind::Unify(..) => {}
    }
    let named = named(cx, literal)?;
    let bare = named.value.is_none() && named.args.is_none() && named.reference.len() != 2;
    let head = head(cx, named, None, false, literal.span);
    let rule = rule(literal.span, head, None, false);
    Ok(Parsed {
        rule,
        bare,
        contains: false,
        branches_without_if: Vec::new(),
    })
}

/// A statement that is one term: `p[x]`, `p.q.r`, `f(x)`.
fn check_bare_head(term: &Term<'_>, at: Span) -> Result<(), Reject> {
    match term.kind {
        TermKind::Ref { .. } => Ok(()),
        TermKind::Var("input" | "data") => Err(Reject::new(at, "refs cannot be used for rule head")),
        TermKind::Infix { .. } | TermKind::Negate(_) | TermKind::KeyValueIn { .. } => {
            Err(Reject::new(at, "rule name conflicts with built-in function"))
        }
        TermKind::Call { name, args } => {
            if is_builtin(name) {
                return Err(Reject::new(at, "rule name conflicts with built-in function"));
            }
            if args.is_empty() {
                let message = "rule argument list must take at least one argument";
                return Err(Reject::new(at, message));
            }
            Ok(())
        }
        _ => Err(Reject::new(
            at,
            format!("{} cannot be used for rule name", value_name(term)),
        )),
    }
}

/// Whether the term is the name of a builtin.
fn is_builtin(name: &Term<'_>) -> bool {
    let mut text = String::new();
    match name.kind {
        TermKind::Var(name) => text.push_str(name),
        TermKind::Ref {
            head: Term {
                kind: TermKind::Var(first),
                ..
            },
            path,
        } => {
            text.push_str(first);
            for part in path {
                let TermKind::String { text: part, .. } = part.kind else {
                    return false;
                };
                text.push('.');
                text.push_str(part);
            }
        }
        _ => return false,
    }
    gavel_runtime::builtins::find(&text).is_some()
}

/// Splits a head, written as an expression, into reference, arguments and value.
fn named<'a>(cx: &Cx<'a>, expression: &Literal<'a>) -> Result<Named<'a>, Reject> {
    let (left, value, assign) = match expression.kind {
        LiteralKind::Assign(left, right) => (left, Some(right), true),
        LiteralKind::Unify(left, right) => (left, Some(right), false),
        LiteralKind::Term(term) => (term, None, false),
        _ => {
            return Err(Reject::new(
                expression.span,
                "expression cannot be used for rule head",
            ));
        }
    };
    let (name, args): (Term<'a>, Option<&'a [Term<'a>]>) = match left.kind {
        TermKind::Call { name, args } => (*name, Some(args).filter(|args| !args.is_empty())),
        // OPA reads an operator as a call of its builtin, here too.
        TermKind::Infix {
            op,
            op_span,
            left,
            right,
        } => {
            let name = builtin_name(cx, op_span, op.builtin());
            (name, Some(cx.bump.alloc_slice_copy(&[*left, *right])))
        }
        TermKind::KeyValueIn { key, value, domain } => {
            let name = builtin_name(cx, left.span, "internal.member_3");
            (name, Some(cx.bump.alloc_slice_copy(&[*key, *value, *domain])))
        }
        TermKind::Negate(inner) => {
            let zero = Term {
                span: left.span,
                kind: TermKind::Number("0"),
            };
            let name = builtin_name(cx, left.span, InfixOp::Sub.builtin());
            (name, Some(cx.bump.alloc_slice_copy(&[zero, *inner])))
        }
        TermKind::Var(_) | TermKind::Ref { .. } => (left, None),
        _ => {
            return Err(Reject::new(
                expression.span,
                format!("{} cannot be used for rule name", value_name(&left)),
            ));
        }
    };
    let mut reference = Vec::new();
    match name.kind {
        TermKind::Ref { head, path } if matches!(head.kind, TermKind::Var(_)) => {
            reference.push(*head);
            reference.extend_from_slice(path);
        }
        TermKind::Var(_) => reference.push(name),
        _ => {
            let text = cx
                .text
                .get(name.span.start as usize..name.span.end as usize)
                .unwrap_or("");
            return Err(Reject::new(expression.span, format!("invalid rule head: {text}")));
        }
    }
    Ok(Named {
        reference,
        args,
        value,
        assign,
    })
}

/// A builtin's name as it would be written.
fn builtin_name<'a>(cx: &Cx<'a>, span: Span, name: &'static str) -> Term<'a> {
    let Some((first, second)) = name.split_once('.') else {
        return Term {
            span,
            kind: TermKind::Var(name),
        };
    };
    let head = cx.bump.alloc(Term {
        span,
        kind: TermKind::Var(first),
    });
    let path = [Term {
        span,
        kind: TermKind::String {
            text: second,
            raw: false,
        },
    }];
    Term {
        span,
        kind: TermKind::Ref {
            head,
            path: cx.bump.alloc_slice_copy(&path),
        },
    }
}

/// `p[x]` without `if` and value is a set with member `x`; with either it is a value at `p[x]`.
fn head<'a>(cx: &Cx<'a>, named: Named<'a>, key: Option<Term<'a>>, has_if: bool, span: Span) -> Head<'a> {
    let Named {
        mut reference,
        args,
        value,
        assign,
    } = named;
    let mut key = key;
    let mut kind = if key.is_some() {
        HeadKind::Set
    } else {
        HeadKind::Value
    };
    if !has_if && key.is_none() && args.is_none() && value.is_none() && reference.len() == 2 {
        key = reference.pop();
        kind = HeadKind::Set;
    }
    Head {
        span,
        reference: cx.bump.alloc_slice_copy(&reference),
        args,
        key,
        value,
        assign,
        kind,
    }
}

/// Whether the term has no variables, as OPA counts: the head of a reference is none.
pub(crate) fn is_ground(term: &Term<'_>) -> bool {
    match term.kind {
        TermKind::Var(name) => matches!(name, "input" | "data"),
        TermKind::Null | TermKind::Bool(_) | TermKind::Number(_) | TermKind::String { .. } => true,
        TermKind::Ref { path, .. } => path.iter().all(is_ground),
        TermKind::Call { args, .. } => args.iter().all(is_ground),
        TermKind::Infix { left, right, .. } => is_ground(left) && is_ground(right),
        TermKind::KeyValueIn { key, value, domain } => {
            is_ground(key) && is_ground(value) && is_ground(domain)
        }
        TermKind::Negate(inner) => is_ground(inner),
        TermKind::Array(terms) | TermKind::Set(terms) => terms.iter().all(is_ground),
        TermKind::Object(pairs) => pairs
            .iter()
            .all(|(key, value)| is_ground(key) && is_ground(value)),
        TermKind::ArrayComprehension { .. }
        | TermKind::SetComprehension { .. }
        | TermKind::ObjectComprehension { .. }
        | TermKind::Template { .. } => false,
    }
}

/// What v1 wants of a rule: names, `if`, `contains`, and that it says something.
pub(crate) fn check_v1(parsed: &Parsed<'_>, errors: &mut Vec<Reject>) {
    let rule = &parsed.rule;
    let head = &rule.head;
    let what = if head.args.is_some() { "function" } else { "rule" };
    let v1 = Words::new(crate::parse::BaseDialect::V1);
    if let [
        Term {
            kind: TermKind::Var(name),
            ..
        },
    ] = head.reference
        && Word::parse(name).is_some_and(|word| v1.is_keyword(word))
    {
        errors.push(Reject::new(
            rule.span,
            format!("{name} keyword cannot be used for rule name"),
        ));
    }
    if parsed.bare {
        let message = format!("{what} must have value assignment and/or body declaration");
        errors.push(Reject::new(rule.span, message));
    }
    if rule.body.is_some() && !rule.has_if {
        errors.push(Reject::new(
            rule.span,
            format!("`if` keyword is required before {what} body"),
        ));
    }
    if head.kind == HeadKind::Set && !parsed.contains {
        errors.push(Reject::new(
            rule.span,
            "`contains` keyword is required for partial set rules",
        ));
    }
    for span in &parsed.branches_without_if {
        errors.push(Reject::new(
            *span,
            format!("`if` keyword is required before {what} body"),
        ));
    }
}
