//! Bodies that are not entered at all: OPA's rule index looks at the questions that a body asks of the input and of base
//! documents, so that an error in front of a question that fails is never raised.

use super::machine::{Flow, Machine, Stop};
use super::tree::Node;
use super::value::Value;
use gavel_compiler::hir::{Callee, Ref, RefHead, Stmt, StmtKind, Term, VarId};
use gavel_runtime::builtins::BuiltinId;
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
const QUESTIONS: &[&str] = &[
    "equal",
    "internal.member_2",
    "startswith",
    "endswith",
    "strings.any_prefix_match",
    "strings.any_suffix_match",
    "glob.match",
];

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
            StmtKind::Unify {
                left: Term::Ref(reference),
                right: Term::Const(member),
                ..
            }
            | StmtKind::Unify {
                left: Term::Const(member),
                right: Term::Ref(reference),
                ..
            } if self.iterates_last(reference) => {
                let element_count = reference.path.len().saturating_sub(1);
                let document = self.part_of(reference, element_count)?;
                let is_asked =
                    is_simple(&Term::Const(member.clone())) && !matches!(member, Constant::Array(_));
                let member = Value::of(member);
                Ok(match document {
                    Some(Known::Document(document)) if is_asked => !document
                        .is_some_and(|document| document.members().iter().any(|(_, part)| *part == member)),
                    _ => false,
                })
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
                    return self.glob_fails(*id, args, known);
                };
                let is_affix = !matches!(id.get().name, "equal" | "internal.member_2");
                let right = match right {
                    Term::Const(texts) if id.get().name.starts_with("strings.") && are_texts(texts) => {
                        Some(Known::Constant(Value::of(texts)))
                    }
                    right => self.known(right, known)?,
                };
                match (self.known(left, known)?, right) {
                    (Some(Known::Constant(_)), Some(Known::Document(_))) if is_affix => Ok(false),
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

    /// A pattern whose parts are texts or a lone `*`.
    fn glob_fails(
        &mut self,
        id: BuiltinId,
        args: &'u [Term],
        known: &BTreeMap<VarId, Known>,
    ) -> Result<bool, Stop> {
        let [
            Term::Const(pattern),
            Term::Const(Constant::Array(delimiters)),
            text,
        ] = args
        else {
            return Ok(false);
        };
        let (Constant::String(parts), Some(Known::Document(Some(text)))) =
            (pattern, self.known(text, known)?)
        else {
            return Ok(false);
        };
        let mut among = String::new();
        for delimiter in delimiters {
            match delimiter {
                Constant::String(text) => among.push_str(text),
                _ => return Ok(false),
            }
        }
        if among.is_empty() {
            among.push('.');
        }
        let is_plain = |part: &str| part == "*" || !part.contains(['[', '?', '{', '*', '\\']);
        if !parts.split(|c| among.contains(c)).all(is_plain) {
            return Ok(false);
        }
        let arguments = [
            Value::of(pattern),
            Value::of(&Constant::Array(delimiters.clone())),
            text,
        ];
        Ok(!matches!(self.builtin(id, &arguments), Ok(Some(value)) if value.is_true()))
    }

    fn known(&mut self, term: &'u Term, known: &BTreeMap<VarId, Known>) -> Result<Option<Known>, Stop> {
        match term {
            Term::Const(constant) if is_simple(term) => Ok(Some(Known::Constant(Value::of(constant)))),
            Term::Var(var) => Ok(known.get(var).cloned()),
            Term::Ref(reference) => self.part_of(reference, reference.path.len()),
            Term::Const(_) | Term::Array(_) | Term::Object(_) | Term::Set(_) | Term::Comprehension(_) => {
                Ok(None)
            }
        }
    }

    /// What a reference into a document leads to with its first elements, when they are constants.
    fn part_of(&mut self, reference: &'u Ref, len: usize) -> Result<Option<Known>, Stop> {
        let path = reference.path.get(..len).unwrap_or_default();
        let is_ground = path.iter().all(|element| matches!(element, Term::Const(_)));
        if !is_ground {
            return Ok(None);
        }
        let mut found = None;
        let mut take = |_: &mut Machine<'u>, value| {
            found = Some(value);
            Ok(Flow::Enough)
        };
        match reference.head {
            RefHead::Input => {
                if let Some(input) = self.scope.input.clone() {
                    self.follow(&input, path, &mut take)?;
                }
            }
            RefHead::Data if !self.is_virtual(path) => {
                self.data(path, &mut take)?;
            }
            RefHead::Data | RefHead::Var(_) | RefHead::Const(_) => return Ok(None),
        }
        Ok(Some(Known::Document(found)))
    }

    /// Whether the last element of a reference, and no other, is a variable without a value.
    fn iterates_last(&self, reference: &Ref) -> bool {
        matches!(reference.path.last(), Some(Term::Var(var)) if !self.vars.contains_key(var))
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

/// A collection of texts, some of them.
fn are_texts(constant: &Constant) -> bool {
    match constant {
        Constant::Array(items) | Constant::Set(items) => {
            !items.is_empty() && items.iter().all(|item| matches!(item, Constant::String(_)))
        }
        _ => false,
    }
}
