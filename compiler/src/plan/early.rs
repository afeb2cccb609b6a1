//! Which statements of a rule's body run first: cheap questions to the input that cannot raise an error.
//!
//! OPA asks them before it evaluates a rule at all, through its rule index: a body whose question fails is never
//! entered, so that a conflict in front of the question is not raised. It is also the fastest order.

use super::body::{Body, Env};
use crate::hir::{Block, Callee, Ref, RefHead, Stmt, StmtKind, Term, VarId};
use crate::source::Span;
use gavel_runtime::value::Constant;
use std::collections::HashMap;

/// What a variable is known to stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// A part of the input or of a base document.
    Document,
    /// A constant.
    Constant,
    /// Something that takes work.
    Other,
}

impl Body<'_, '_> {
    /// The statements of a rule's body in the order in which they are planned.
    ///
    /// `args`: variables that have values are a function's arguments, which can be asked like documents.
    pub(super) fn early_first<'b>(&self, block: &'b Block, args: bool) -> Vec<&'b Stmt> {
        let mut sources: HashMap<VarId, Source> = HashMap::new();
        for (var, _) in self.env.since(&Env::default()) {
            sources.insert(var, if args { Source::Document } else { Source::Other });
        }
        let (mut early, mut late) = (Vec::new(), Vec::new());
        for stmt in &block.stmts {
            if self.is_early(stmt, &mut sources) {
                early.push(stmt);
            } else {
                late.push(stmt);
            }
        }
        early.append(&mut late);
        early
    }

    /// Documents that must be defined for the late statements, in so far as something stands in front of them, and where
    /// those stand.
    pub(super) fn wanted<'b>(&self, stmts: &[&'b Stmt]) -> Vec<(&'b Ref, Span)> {
        let behind = stmts.iter().skip_while(|stmt| self.needs(stmt).is_some());
        behind
            .filter_map(|stmt| Some((self.needs(stmt)?, stmt.span)))
            .collect()
    }

    /// The document without which a statement fails.
    fn needs<'b>(&self, stmt: &'b Stmt) -> Option<&'b Ref> {
        let (document, other) = match &stmt.kind {
            StmtKind::Test(Term::Ref(r))
            | StmtKind::Every {
                domain: Term::Ref(r), ..
            } => (r, None),
            StmtKind::Unify {
                left: Term::Ref(r),
                right: other,
                ..
            }
            | StmtKind::Unify {
                left: other,
                right: Term::Ref(r),
                ..
            } => (r, Some(other)),
            _ => return None,
        };
        let is_plain = match other {
            None | Some(Term::Var(_)) => true,
            Some(Term::Const(value)) => is_plain(value),
            Some(_) => false,
        };
        (is_plain && self.is_document(document)).then_some(document)
    }

    fn is_early(&self, stmt: &Stmt, sources: &mut HashMap<VarId, Source>) -> bool {
        match &stmt.kind {
            StmtKind::Unify { left, right, .. } => {
                let (a, b) = (self.source(left, sources), self.source(right, sources));
                for (term, other) in [(left, b), (right, a)] {
                    if let (Term::Var(var), Some(source)) = (term, other)
                        && self.env.get(*var).is_none()
                        && !sources.contains_key(var)
                    {
                        sources.insert(*var, source);
                        return source != Source::Other;
                    }
                }
                let is_early = is_question(a, b, left, right);
                if !is_early {
                    note_others(left, sources);
                    note_others(right, sources);
                }
                is_early
            }
            StmtKind::Call {
                callee: callee @ Callee::Builtin(id),
                args,
                out: None,
            } if !self.planner.replaced.is_mocked(callee) => {
                let [left, right] = args.as_slice() else {
                    return false;
                };
                let (a, b) = (self.source(left, sources), self.source(right, sources));
                match id.get().name {
                    "equal" => is_question(a, b, left, right),
                    "internal.member_2" => matches!(
                        (a, b),
                        (Some(Source::Document), Some(Source::Constant))
                            | (Some(Source::Constant), Some(Source::Document))
                    ),
                    "startswith" | "endswith" => a == Some(Source::Document) && b == Some(Source::Constant),
                    _ => false,
                }
            }
            StmtKind::Call { out, .. } => {
                if let Some(out) = out {
                    note_others(out, sources);
                }
                false
            }
            StmtKind::With { .. } => {
                // What it binds is not looked for: nothing behind it that uses a variable from inside is early, because
                // such a variable has no source.
                false
            }
            StmtKind::Test(_)
            | StmtKind::Not(_)
            | StmtKind::Every { .. }
            | StmtKind::And(..)
            | StmtKind::Or(..) => false,
        }
    }

    fn source(&self, term: &Term, sources: &HashMap<VarId, Source>) -> Option<Source> {
        match term {
            Term::Const(_) => Some(Source::Constant),
            Term::Var(var) => sources.get(var).copied(),
            Term::Ref(r) if self.is_document(r) => Some(Source::Document),
            Term::Array(_) | Term::Object(_) | Term::Set(_) | Term::Ref(_) | Term::Comprehension(_) => {
                Some(Source::Other)
            }
        }
    }

    /// A constant path into the input or a base document.
    fn is_document(&self, r: &Ref) -> bool {
        let is_constant = r.path.iter().all(|element| matches!(element, Term::Const(_)));
        match r.head {
            RefHead::Input => is_constant,
            RefHead::Data => is_constant && !self.is_virtual(&super::refs::strings(&r.path)),
            RefHead::Var(_) | RefHead::Const(_) => false,
        }
    }

    /// Whether a path leads to a rule, or to a package.
    fn is_virtual(&self, path: &[String]) -> bool {
        let tree = &self.planner.tree;
        let through = (0..path.len()).any(|len| {
            path.get(..len)
                .and_then(|above| tree.find(above))
                .is_some_and(super::tree::Node::is_group)
        });
        through || tree.find(path).is_some()
    }
}

/// A comparison of a document with a constant that can be decided by looking.
fn is_question(a: Option<Source>, b: Option<Source>, left: &Term, right: &Term) -> bool {
    let is_plain = |term: &Term| !matches!(term, Term::Const(value) if !is_plain(value));
    matches!(
        (a, b),
        (Some(Source::Document), Some(Source::Constant)) | (Some(Source::Constant), Some(Source::Document))
    ) && is_plain(left)
        && is_plain(right)
}

/// OPA's index knows nothing of objects and sets.
fn is_plain(value: &Constant) -> bool {
    !matches!(value, Constant::Object(_) | Constant::Set(_))
}

fn note_others(term: &Term, sources: &mut HashMap<VarId, Source>) {
    match term {
        Term::Var(var) => {
            sources.entry(*var).or_insert(Source::Other);
        }
        Term::Array(items) | Term::Set(items) => items.iter().for_each(|item| note_others(item, sources)),
        Term::Object(entries) => entries.iter().for_each(|(key, value)| {
            note_others(key, sources);
            note_others(value, sources);
        }),
        Term::Ref(r) => r.path.iter().for_each(|item| note_others(item, sources)),
        Term::Const(_) | Term::Comprehension(_) => {}
    }
}
