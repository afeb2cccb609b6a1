//! Which names a body declares: they hide rules and imports of the same name in the whole body.

use crate::ast::visit::Visit;
use crate::ast::{Body, InfixOp, Literal, LiteralKind, Name, Operand, Term, TermKind, With};
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
    Declared(names).visit_body(body);
}

/// Names declared by one literal.
pub(super) fn in_literal<'a>(literal: &Literal<'a>, names: &mut Names<'a>) {
    Declared(names).visit_literal(literal);
}

struct Declared<'n, 'a>(&'n mut Names<'a>);

impl<'t, 'a: 't> Visit<'t, 'a> for Declared<'_, 'a> {
    fn visit_literal(&mut self, literal: &'t Literal<'a>) {
        match literal_kind(literal) {
            LiteralKind::Assign(left, _) => all_names(&left, self.0),
            LiteralKind::SomeDecl(declared) => self.0.extend(declared.iter().map(|name| name.text)),
            LiteralKind::SomeIn { key, value, .. } => {
                let mut found = Names::new();
                if let Some(key) = key {
                    all_names(&key, &mut found);
                }
                all_names(&value, &mut found);
                self.0.extend(found.into_iter().filter(|name| !is_document(name)));
            }
            _ => self.walk_literal(literal),
        }
    }

    /// Comprehensions declare for themselves.
    fn visit_term(&mut self, _: &'t Term<'a>) {}
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
    Bound(names).visit_term(pattern);
}

struct Bound<'n, 'a>(&'n mut Names<'a>);

impl<'t, 'a: 't> Visit<'t, 'a> for Bound<'_, 'a> {
    fn visit_term(&mut self, term: &'t Term<'a>) {
        match term.kind {
            TermKind::Var(name) if name != "_" => {
                self.0.insert(name);
            }
            TermKind::Ref { path, .. } => self.walk_terms(path),
            TermKind::Object(entries) => entries.iter().for_each(|(_, value)| self.visit_term(value)),
            _ if is_closure(term) => {}
            _ => self.walk_term(term),
        }
    }

    fn visit_callee(&mut self, _: &'t Term<'a>) {}
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
        found.extend(term.comprehension_body().copied());
    });
    found
}

/// Bodies of all comprehensions in a term, at any depth.
pub(super) fn closures_in_term<'a>(term: &Term<'a>) -> Vec<Body<'a>> {
    let mut found = Vec::new();
    walk(term, Closures::Enter, &mut |term| {
        found.extend(term.comprehension_body().copied());
    });
    found
}

/// Comprehensions and templates.
fn is_closure(term: &Term<'_>) -> bool {
    term.comprehension_body().is_some() || matches!(term.kind, TermKind::Template { .. })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Closures {
    Enter,
    Skip,
}

fn walk<'a>(term: &Term<'a>, closures: Closures, found: &mut dyn FnMut(&Term<'a>)) {
    Terms { closures, found }.visit_term(term);
}

fn walk_body<'a>(body: &Body<'a>, closures: Closures, found: &mut dyn FnMut(&Term<'a>)) {
    Terms { closures, found }.visit_body(body);
}

/// Shows every term, outer ones first, and the names that `some` and `every` declare as if they were terms.
struct Terms<'f, 'a> {
    closures: Closures,
    found: &'f mut dyn FnMut(&Term<'a>),
}

impl<'t, 'a: 't> Visit<'t, 'a> for Terms<'_, 'a> {
    fn visit_term(&mut self, term: &'t Term<'a>) {
        (self.found)(term);
        if self.closures == Closures::Enter || !is_closure(term) {
            self.walk_term(term);
        }
    }

    /// The name of a function is no variable.
    fn visit_callee(&mut self, name: &'t Term<'a>) {
        if let TermKind::Ref { path, .. } = name.kind {
            self.walk_terms(path);
        }
    }

    fn visit_name(&mut self, name: &'t Name<'a>) {
        (self.found)(&Term {
            span: name.span,
            kind: TermKind::Var(name.text),
        });
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
    Modifiers(names).visit_body(body);
}

struct Modifiers<'n, 'a>(&'n mut Names<'a>);

impl<'t, 'a: 't> Visit<'t, 'a> for Modifiers<'_, 'a> {
    fn visit_with(&mut self, with: &'t With<'a>) {
        all_names(&with.target, self.0);
        all_names(&with.value, self.0);
    }

    /// Comprehensions are no bodies below.
    fn visit_term(&mut self, _: &'t Term<'a>) {}
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
