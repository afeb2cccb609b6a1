//! Bodies that are not entered at all: OPA's rule index looks at the questions that a body asks of the input and of base
//! documents, so that an error in front of a question that fails is never raised.

use super::machine::{Flow, Machine, Stop};
use super::tree::Node;
use super::value::Value;
use gavel_compiler::hir::{Callee, RefHead, Stmt, StmtKind, Term, VarId};
use gavel_runtime::value::Constant;
use std::collections::BTreeMap;

/// What a term is known to be without evaluating anything.
#[derive(Clone, Debug)]
enum Known {
    /// A constant.
    Constant(Value),
    /// A part of a document, or an argument; `None`: undefined.
    Document(Option<Value>),
}

/// Builtins that are questions when both operands are known.
const QUESTIONS: &[&str] = &["equal", "internal.member_2", "startswith", "endswith"];

impl<'u> Machine<'u> {
    /// Whether some question of a body fails.
    pub(super) fn is_excluded(&mut self, stmts: &'u [Stmt]) -> Result<bool, Stop> {
        let mut known: BTreeMap<VarId, Known> = BTreeMap::new();
        for (var, value) in &self.vars {
            known.insert(*var, Known::Document(Some(value.clone())));
        }
        for stmt in stmts {
            if self.fails(stmt, &mut known)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn fails(&mut self, stmt: &'u Stmt, known: &mut BTreeMap<VarId, Known>) -> Result<bool, Stop> {
        match &stmt.kind {
            StmtKind::Test(term @ Term::Ref(_)) => {
                Ok(matches!(self.known(term, known)?, Some(Known::Document(None))))
            }
            StmtKind::Unify { left, right, .. } => {
                let sides = (self.known(left, known)?, self.known(right, known)?);
                for (term, other) in [(left, &sides.1), (right, &sides.0)] {
                    if let (Term::Var(var), Some(other)) = (term, other)
                        && !known.contains_key(var)
                    {
                        known.insert(*var, other.clone());
                    }
                }
                Ok(match sides {
                    (Some(Known::Document(None)), _) => is_simple(right),
                    (_, Some(Known::Document(None))) => is_simple(left),
                    (Some(Known::Document(Some(a))), Some(Known::Constant(b)))
                    | (Some(Known::Constant(a)), Some(Known::Document(Some(b)))) => a != b,
                    _ => false,
                })
            }
            StmtKind::Call {
                callee: callee @ Callee::Builtin(id),
                args,
                out: None,
            } if QUESTIONS.contains(&id.get().name) && !self.scope.mocks.contains_key(callee) => {
                let [left, right] = args.as_slice() else {
                    return Ok(false);
                };
                match (self.known(left, known)?, self.known(right, known)?) {
                    (Some(Known::Document(Some(a))), Some(Known::Constant(b)))
                    | (Some(Known::Constant(a)), Some(Known::Document(Some(b)))) => {
                        let result = self.builtin(*id, &[a, b]);
                        Ok(matches!(result, Ok(Some(value)) if !value.is_true()))
                    }
                    _ => Ok(false),
                }
            }
            StmtKind::Test(_)
            | StmtKind::Call { .. }
            | StmtKind::Not(_)
            | StmtKind::Every { .. }
            | StmtKind::With { .. }
            | StmtKind::And(..)
            | StmtKind::Or(..) => Ok(false),
        }
    }

    fn known(&mut self, term: &'u Term, known: &BTreeMap<VarId, Known>) -> Result<Option<Known>, Stop> {
        match term {
            Term::Const(constant) if is_simple(term) => Ok(Some(Known::Constant(Value::of(constant)))),
            Term::Var(var) => Ok(known.get(var).cloned()),
            Term::Ref(reference) => {
                let is_ground = reference
                    .path
                    .iter()
                    .all(|element| matches!(element, Term::Const(_)));
                let is_document = match reference.head {
                    RefHead::Input => true,
                    RefHead::Data => !self.is_virtual(&reference.path),
                    RefHead::Var(_) | RefHead::Const(_) => false,
                };
                if !is_ground || !is_document {
                    return Ok(None);
                }
                let mut found = None;
                self.values(term, &mut |_, value| {
                    found = Some(value);
                    Ok(Flow::Enough)
                })?;
                Ok(Some(Known::Document(found)))
            }
            Term::Const(_) | Term::Array(_) | Term::Object(_) | Term::Set(_) | Term::Comprehension(_) => {
                Ok(None)
            }
        }
    }

    /// Whether a path leads to or through rules, or to a package.
    fn is_virtual(&self, path: &[Term]) -> bool {
        let mut node: &Node<'u> = &self.tree;
        for element in path {
            let Term::Const(Constant::String(name)) = element else {
                return false;
            };
            match node.children.get(name.as_str()) {
                Some(child) if child.rules.is_empty() => node = child,
                Some(_) => return true,
                None => return false,
            }
        }
        true
    }
}

/// What the index can compare with: a scalar, a variable, or an array of those.
fn is_simple(term: &Term) -> bool {
    let is_scalar = |constant: &Constant| {
        !matches!(
            constant,
            Constant::Array(_) | Constant::Object(_) | Constant::Set(_)
        )
    };
    match term {
        Term::Const(Constant::Array(items)) => items.iter().all(is_scalar),
        Term::Const(constant) => is_scalar(constant),
        Term::Var(_) => true,
        Term::Array(items) => items.iter().all(|item| match item {
            Term::Const(constant) => is_scalar(constant),
            Term::Var(_) => true,
            Term::Array(_) | Term::Object(_) | Term::Set(_) | Term::Ref(_) | Term::Comprehension(_) => false,
        }),
        Term::Object(_) | Term::Set(_) | Term::Ref(_) | Term::Comprehension(_) => false,
    }
}
