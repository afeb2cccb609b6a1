//! Which names a body declares: they hide rules and imports of the same name in the whole body.

use crate::ast::{Body, InfixOp, Literal, LiteralKind, Operand, Term, TermKind};
use std::collections::HashSet;

/// A set of names as written.
pub(super) type Names<'a> = HashSet<&'a str>;

/// A literal's kind, with the operator and function spellings of `:=` and `=` made one.
pub(super) fn literal_kind<'a>(literal: &Literal<'a>) -> LiteralKind<'a> {
    let LiteralKind::Term(term) = literal.kind else {
        return literal.kind;
    };
    match term.kind {
        TermKind::Infix {
            op: InfixOp::Assign,
            left,
            right,
            ..
        } => LiteralKind::Assign(*left, *right),
        TermKind::Infix {
            op: InfixOp::Unify,
            left,
            right,
            ..
        } => LiteralKind::Unify(*left, *right),
        TermKind::Call {
            name: Term {
                kind: TermKind::Var(name),
                ..
            },
            args: [left, right],
        } => match *name {
            "assign" => LiteralKind::Assign(*left, *right),
            "eq" => LiteralKind::Unify(*left, *right),
            _ => literal.kind,
        },
        _ => literal.kind,
    }
}

/// Names declared by a body and the bodies below it, comprehensions apart.
pub(super) fn in_body<'a>(body: &Body<'a>, names: &mut Names<'a>) {
    for literal in body.literals {
        in_literal(literal, names);
    }
}

/// Names declared by one literal.
pub(super) fn in_literal<'a>(literal: &Literal<'a>, names: &mut Names<'a>) {
    match literal_kind(literal) {
        LiteralKind::Assign(left, _) => all_names(&left, names),
        LiteralKind::SomeDecl(declared) => names.extend(declared.iter().map(|name| name.text)),
        LiteralKind::SomeIn { key, value, .. } => {
            let mut found = Names::new();
            if let Some(key) = key {
                all_names(&key, &mut found);
            }
            all_names(&value, &mut found);
            names.extend(found.into_iter().filter(|name| !is_document(name)));
        }
        LiteralKind::Every { body, .. } => in_body(&body, names),
        LiteralKind::Not(operand) => in_operand(&operand, names),
        LiteralKind::And(left, right) | LiteralKind::Or(left, right) => {
            in_operand(&left, names);
            in_operand(&right, names);
        }
        LiteralKind::Term(_) | LiteralKind::Unify(..) => {}
    }
}

fn in_operand<'a>(operand: &Operand<'a>, names: &mut Names<'a>) {
    match operand {
        Operand::Implicit(literal) => in_literal(literal, names),
        Operand::Braced(body) => in_body(body, names),
    }
}

/// Every variable name under a term, wildcards apart.
pub(super) fn all_names<'a>(term: &Term<'a>, names: &mut Names<'a>) {
    walk(term, Closures::Enter, &mut |term| {
        if let TermKind::Var(name) = term.kind
            && name != "_"
        {
            names.insert(name);
        }
    });
}

/// First names of the functions that a term calls.
pub(super) fn called_names<'a>(term: &Term<'a>, names: &mut Names<'a>) {
    walk(term, Closures::Enter, &mut |term| {
        if let TermKind::Call { name, .. } = term.kind {
            let first = match name.kind {
                TermKind::Ref { head, .. } => head.kind,
                kind => kind,
            };
            if let TermKind::Var(name) = first {
                names.insert(name);
            }
        }
    });
}

/// Variable names under a term, outside of comprehensions and templates.
pub(super) fn open_names<'a>(term: &Term<'a>, names: &mut Names<'a>) {
    walk(term, Closures::Skip, &mut |term| {
        if let TermKind::Var(name) = term.kind
            && name != "_"
        {
            names.insert(name);
        }
    });
}

/// Whether a word in a pattern is a document, which no pattern binds.
pub(super) fn is_document(name: &str) -> bool {
    matches!(name, "input" | "data")
}

/// Names that a pattern binds when a defined value is matched against it.
pub(super) fn bound_names<'a>(pattern: &Term<'a>, names: &mut Names<'a>) {
    match pattern.kind {
        TermKind::Var(name) if name != "_" => {
            names.insert(name);
        }
        TermKind::Array(items) => items.iter().for_each(|item| bound_names(item, names)),
        TermKind::Object(entries) => entries.iter().for_each(|(_, value)| bound_names(value, names)),
        TermKind::Set(items) => items.iter().for_each(|item| bound_names(item, names)),
        TermKind::Ref { path, .. } => path.iter().for_each(|item| bound_names(item, names)),
        TermKind::Call { args, .. } => args.iter().for_each(|item| bound_names(item, names)),
        TermKind::Infix { left, right, .. } => {
            bound_names(left, names);
            bound_names(right, names);
        }
        TermKind::Negate(inner) => bound_names(inner, names),
        TermKind::KeyValueIn { key, value, domain } => {
            bound_names(key, names);
            bound_names(value, names);
            bound_names(domain, names);
        }
        TermKind::Null
        | TermKind::Bool(_)
        | TermKind::Number(_)
        | TermKind::String { .. }
        | TermKind::Var(_)
        | TermKind::ArrayComprehension { .. }
        | TermKind::SetComprehension { .. }
        | TermKind::ObjectComprehension { .. }
        | TermKind::Template { .. } => {}
    }
}

/// Calls `found` for the parts of a parameter pattern that can bind: not object keys, sets, calls, comprehensions.
pub(super) fn walk_pattern<'a>(term: &Term<'a>, found: &mut dyn FnMut(&Term<'a>)) {
    found(term);
    match term.kind {
        TermKind::Array(items) => items.iter().for_each(|item| walk_pattern(item, found)),
        TermKind::Object(entries) => entries.iter().for_each(|(_, value)| walk_pattern(value, found)),
        _ => {}
    }
}

/// Bodies of all comprehensions in a body, at any depth.
pub(super) fn closures_in_body<'a>(body: &Body<'a>) -> Vec<Body<'a>> {
    let mut found = Vec::new();
    walk_body(body, Closures::Enter, &mut |term| {
        found.extend(closure_body(term))
    });
    found
}

/// Bodies of all comprehensions in a term, at any depth.
pub(super) fn closures_in_term<'a>(term: &Term<'a>) -> Vec<Body<'a>> {
    let mut found = Vec::new();
    walk(term, Closures::Enter, &mut |term| {
        found.extend(closure_body(term))
    });
    found
}

fn closure_body<'a>(term: &Term<'a>) -> Option<Body<'a>> {
    match term.kind {
        TermKind::ArrayComprehension { body, .. }
        | TermKind::SetComprehension { body, .. }
        | TermKind::ObjectComprehension { body, .. } => Some(body),
        _ => None,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Closures {
    Enter,
    Skip,
}

fn walk<'a>(term: &Term<'a>, closures: Closures, found: &mut dyn FnMut(&Term<'a>)) {
    found(term);
    match term.kind {
        TermKind::Ref { head, path } => {
            walk(head, closures, found);
            path.iter().for_each(|item| walk(item, closures, found));
        }
        TermKind::Call { name, args } => {
            if let TermKind::Ref { path, .. } = name.kind {
                path.iter().for_each(|item| walk(item, closures, found));
            }
            args.iter().for_each(|item| walk(item, closures, found));
        }
        TermKind::Infix { left, right, .. } => {
            walk(left, closures, found);
            walk(right, closures, found);
        }
        TermKind::KeyValueIn { key, value, domain } => {
            walk(key, closures, found);
            walk(value, closures, found);
            walk(domain, closures, found);
        }
        TermKind::Negate(inner) => walk(inner, closures, found),
        TermKind::Array(items) | TermKind::Set(items) => {
            items.iter().for_each(|item| walk(item, closures, found));
        }
        TermKind::Object(entries) => entries.iter().for_each(|(key, value)| {
            walk(key, closures, found);
            walk(value, closures, found);
        }),
        TermKind::ArrayComprehension { head, body } | TermKind::SetComprehension { head, body }
            if closures == Closures::Enter =>
        {
            walk(head, closures, found);
            walk_body(&body, closures, found);
        }
        TermKind::ObjectComprehension { key, value, body } if closures == Closures::Enter => {
            walk(key, closures, found);
            walk(value, closures, found);
            walk_body(&body, closures, found);
        }
        TermKind::Template { parts, .. } if closures == Closures::Enter => {
            for part in parts {
                if let crate::ast::TemplatePart::Expr(literal) = part {
                    walk_literal(literal, closures, found);
                }
            }
        }
        TermKind::Null
        | TermKind::Bool(_)
        | TermKind::Number(_)
        | TermKind::String { .. }
        | TermKind::Var(_)
        | TermKind::ArrayComprehension { .. }
        | TermKind::SetComprehension { .. }
        | TermKind::ObjectComprehension { .. }
        | TermKind::Template { .. } => {}
    }
}

fn walk_body<'a>(body: &Body<'a>, closures: Closures, found: &mut dyn FnMut(&Term<'a>)) {
    for literal in body.literals {
        walk_literal(literal, closures, found);
    }
}

fn walk_literal<'a>(literal: &Literal<'a>, closures: Closures, found: &mut dyn FnMut(&Term<'a>)) {
    let named = |name: &crate::ast::Name<'a>| Term {
        span: name.span,
        kind: TermKind::Var(name.text),
    };
    match literal.kind {
        LiteralKind::Term(term) => walk(&term, closures, found),
        LiteralKind::Assign(left, right) | LiteralKind::Unify(left, right) => {
            walk(&left, closures, found);
            walk(&right, closures, found);
        }
        LiteralKind::SomeDecl(names) => names.iter().for_each(|name| found(&named(name))),
        LiteralKind::SomeIn { key, value, domain } => {
            if let Some(key) = key {
                walk(&key, closures, found);
            }
            walk(&value, closures, found);
            walk(&domain, closures, found);
        }
        LiteralKind::Every {
            key,
            value,
            domain,
            body,
        } => {
            if let Some(key) = key {
                found(&named(&key));
            }
            found(&named(&value));
            walk(&domain, closures, found);
            walk_body(&body, closures, found);
        }
        LiteralKind::Not(operand) => walk_operand(&operand, closures, found),
        LiteralKind::And(left, right) | LiteralKind::Or(left, right) => {
            walk_operand(&left, closures, found);
            walk_operand(&right, closures, found);
        }
    }
    for with in literal.with {
        walk(&with.target, closures, found);
        walk(&with.value, closures, found);
    }
}

fn walk_operand<'a>(operand: &Operand<'a>, closures: Closures, found: &mut dyn FnMut(&Term<'a>)) {
    match operand {
        Operand::Implicit(literal) => walk_literal(literal, closures, found),
        Operand::Braced(body) => walk_body(body, closures, found),
    }
}

/// Variable names that stand directly in a body, `every` domains included. `new_not`: negations have bodies of their own.
pub(super) fn open_names_in_body<'a>(body: &Body<'a>, new_not: bool, names: &mut Names<'a>) {
    for literal in body.literals {
        open_names_in_literal(literal, new_not, names);
    }
}

fn open_names_in_literal<'a>(literal: &Literal<'a>, new_not: bool, names: &mut Names<'a>) {
    match literal_kind(literal) {
        LiteralKind::Term(term) => open_names(&term, names),
        LiteralKind::Assign(left, right) | LiteralKind::Unify(left, right) => {
            open_names(&left, names);
            open_names(&right, names);
        }
        LiteralKind::SomeIn { key, value, domain } => {
            key.iter().for_each(|key| open_names(key, names));
            open_names(&value, names);
            open_names(&domain, names);
        }
        LiteralKind::Every { domain, .. } => open_names(&domain, names),
        LiteralKind::Not(Operand::Implicit(inner)) if !new_not => {
            open_names_in_literal(inner, new_not, names);
        }
        LiteralKind::Not(_) | LiteralKind::And(..) | LiteralKind::Or(..) | LiteralKind::SomeDecl(_) => {}
    }
}

/// Variable names in the `with` modifiers of a body and the bodies below it.
pub(super) fn names_in_withs<'a>(body: &Body<'a>, names: &mut Names<'a>) {
    for literal in body.literals {
        names_in_withs_of(literal, names);
    }
}

fn names_in_withs_of<'a>(literal: &Literal<'a>, names: &mut Names<'a>) {
    for with in literal.with {
        all_names(&with.target, names);
        all_names(&with.value, names);
    }
    let mut operand = |operand: &Operand<'a>| match operand {
        Operand::Implicit(inner) => names_in_withs_of(inner, names),
        Operand::Braced(body) => names_in_withs(body, names),
    };
    match literal.kind {
        LiteralKind::Not(inner) => operand(&inner),
        LiteralKind::And(left, right) | LiteralKind::Or(left, right) => {
            operand(&left);
            operand(&right);
        }
        LiteralKind::Every { body, .. } => names_in_withs(&body, names),
        LiteralKind::Term(_)
        | LiteralKind::Assign(..)
        | LiteralKind::Unify(..)
        | LiteralKind::SomeDecl(_)
        | LiteralKind::SomeIn { .. } => {}
    }
}

/// How many wildcards a rule's body and else branches hold, and its head behind its name.
pub(super) fn count_wildcards(rule: &crate::ast::Rule<'_>) -> usize {
    let mut count = 0;
    let mut found = |term: &Term<'_>| count += usize::from(matches!(term.kind, TermKind::Var("_")));
    if !rule.chained {
        let head = &rule.head;
        let rest = head.reference.iter().skip(1);
        let terms = rest
            .chain(head.args.unwrap_or_default())
            .chain(&head.key)
            .chain(&head.value);
        terms.for_each(|term| walk(term, Closures::Enter, &mut found));
    }
    rule.body
        .iter()
        .for_each(|body| walk_body(body, Closures::Enter, &mut found));
    for branch in rule.else_branches {
        branch
            .value
            .iter()
            .for_each(|value| walk(value, Closures::Enter, &mut found));
        branch
            .body
            .iter()
            .for_each(|body| walk_body(body, Closures::Enter, &mut found));
    }
    count
}
