//! Names to variables and documents: statements that declare (`:=`, `some`, `every`).

use super::declared::{self, Names};
use super::globals::root_name;
use super::keys;
use super::resolve::Resolver;
use super::scope::Occurrence;
use super::tree::{Every, Expr, ExprKind, Kind, Ref, Term, VarName, With};
use crate::ast::{self, Literal, Name, TermKind};
use crate::hir::VarId;
use crate::parse::term_name;
use crate::source::Span;

impl<'a> Resolver<'_, 'a> {
    pub(super) fn assignment(
        &mut self,
        literal: &Literal<'a>,
        left: &ast::Term<'a>,
        right: &ast::Term<'a>,
    ) -> Option<Expr> {
        let right = self.term(right);
        let with = literal
            .with
            .iter()
            .map(|with| {
                let raw = std::mem::replace(&mut self.raw, true);
                let target = self.replaced(&with.target, true);
                self.raw = raw;
                With {
                    span: with.span,
                    target,
                    value: self.replaced(&with.value, false),
                }
            })
            .collect();
        let left = self.assigned_pattern(left);
        let mut expr = Expr::new(
            literal.span,
            ExprKind::Eq {
                left,
                right,
                directed: true,
            },
        );
        expr.with = with;
        Some(expr)
    }

    /// The left side of `:=`: declares the variables of a pattern.
    fn assigned_pattern(&mut self, pattern: &ast::Term<'a>) -> Term {
        let kind = match pattern.kind {
            TermKind::Var(name) => {
                let var = self.declare(pattern.span, name, Occurrence::Assigned);
                Kind::Var(var)
            }
            TermKind::Array(items) => {
                let items = items.iter().map(|item| self.assigned_pattern(item)).collect();
                Kind::Array(items)
            }
            TermKind::Object(entries) => {
                // OPA does not rename the variables of keys: they are those of nobody's declaration.
                let keyed = entries
                    .iter()
                    .map(|(key, value)| (self.key_of_pattern(key), value));
                let mut entries = keyed.collect();
                keys::merge(&mut entries, &self.vars);
                let entries = entries.into_iter();
                Kind::Object(
                    entries
                        .map(|(key, value)| (key, self.assigned_pattern(value)))
                        .collect(),
                )
            }
            other => {
                let name = term_name(&other);
                self.error(pattern.span, format!("cannot assign to {name}"));
                return self.term(pattern);
            }
        };
        super::resolve_term::fold(Term::new(pattern.span, kind))
    }

    fn key_of_pattern(&mut self, key: &ast::Term<'a>) -> Term {
        match key.kind {
            TermKind::Var(name)
                if name != "_" && root_name(name).is_none() && self.global(name).is_none() =>
            {
                let var = self.scopes.undeclared(&mut self.vars, name);
                Term::var(key.span, var)
            }
            _ => self.term(key),
        }
    }

    pub(super) fn declare(&mut self, span: Span, name: &str, occurrence: Occurrence) -> VarId {
        match self.scopes.declare(&mut self.vars, name, occurrence) {
            Ok(var) => var,
            Err(message) => {
                self.error(span, message);
                self.vars.fresh(VarName::Written(name.to_owned()))
            }
        }
    }

    pub(super) fn some_declared(&mut self, literal: &Literal<'a>, names: &[Name<'a>]) {
        for name in names {
            let before = self.errors.len();
            self.declare(literal.span, name.text, Occurrence::Declared);
            if self.errors.len() > before {
                return;
            }
        }
    }

    /// `some k, v in xs` is `v = xs[k]` with the variables of `k` and `v` declared.
    pub(super) fn some_in(
        &mut self,
        literal: &Literal<'a>,
        key: Option<&ast::Term<'a>>,
        value: &ast::Term<'a>,
        domain: &ast::Term<'a>,
    ) -> Option<Expr> {
        let mut bound = Names::new();
        key.into_iter()
            .for_each(|key| declared::bound_names(key, &mut bound));
        declared::bound_names(value, &mut bound);
        bound.retain(|name| !declared::is_document(name));
        let mut in_domain = Names::new();
        declared::open_names(domain, &mut in_domain);
        let mut clashes: Vec<&str> = bound
            .intersection(&in_domain)
            .copied()
            .filter(|name| self.global(name).is_none())
            .collect();
        clashes.sort_unstable();
        if !clashes.is_empty() {
            for name in clashes {
                self.error(literal.span, format!("var {name} assigned before"));
            }
            return None;
        }
        let mut outputs = Names::new();
        if matches!(
            value.kind,
            TermKind::Var(_) | TermKind::Array(_) | TermKind::Object(_)
        ) {
            declared::bound_names(value, &mut outputs);
        }
        key.into_iter()
            .for_each(|key| declared::all_names(key, &mut outputs));
        let mut of_domain = Names::new();
        declared::all_names(domain, &mut of_domain);
        let mut outputs: Vec<&str> = outputs.difference(&of_domain).copied().collect();
        outputs.retain(|name| !declared::is_document(name));
        outputs.sort_unstable();
        for name in outputs {
            let before = self.errors.len();
            self.declare(literal.span, name, Occurrence::Declared);
            if self.errors.len() > before {
                return None;
            }
        }
        let left = self.term(value);
        let domain_term = self.term(domain);
        let key = match key {
            Some(key) => self.term(key),
            None => {
                let var = self.vars.generated();
                Term::var(domain.span, var)
            }
        };
        let right = index(domain_term, key);
        Some(self.finish(
            literal,
            ExprKind::Eq {
                left,
                right,
                directed: false,
            },
        ))
    }

    pub(super) fn every(
        &mut self,
        literal: &Literal<'a>,
        key: Option<Name<'a>>,
        value: Name<'a>,
        domain: &ast::Term<'a>,
        body: &ast::Body<'a>,
    ) -> Option<Expr> {
        let mut hidden = Names::new();
        hidden.extend(key.map(|key| key.text));
        hidden.insert(value.text);
        self.hidden.push(hidden);
        let domain = self.term(domain);
        self.scopes.push();
        let before = self.errors.len();
        let key = key.map(|key| self.declare(literal.span, key.text, Occurrence::Declared));
        let value = (self.errors.len() == before)
            .then(|| self.declare(literal.span, value.text, Occurrence::Declared));
        if self.errors.len() > before {
            // OPA knows no position here.
            for error in self.errors.iter_mut().skip(before) {
                if let Some(span) = error.span.take() {
                    *error = error.clone().label(span, "");
                }
            }
            self.hidden.pop();
            self.scopes.pop();
            return None;
        }
        let value = value?;
        let body = self.body(body, &Names::new());
        self.hidden.pop();
        let mut expr = self.finish(
            literal,
            ExprKind::Every(Every {
                key,
                value,
                domain,
                body,
            }),
        );
        self.captured_by_block(&mut expr);
        self.scopes.pop();
        Some(expr)
    }
}

/// `domain[key]`; a reference just gets longer.
fn index(domain: Term, key: Term) -> Term {
    let span = domain.span;
    let reference = match domain.kind {
        Kind::Ref(mut reference) => {
            reference.path.push(key);
            *reference
        }
        Kind::Var(var) => Ref {
            head: super::tree::Head::Var(var),
            path: vec![key],
        },
        _ => Ref {
            head: super::tree::Head::Term(domain),
            path: vec![key],
        },
    };
    Term::new(span, Kind::Ref(Box::new(reference)))
}
