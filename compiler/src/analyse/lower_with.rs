//! The ordered tree to HIR: `with` modifiers.

use super::lower::{Group, Lowering};
use super::text;
use super::tree::{self, Kind, Term, With};
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::{
    self, Block, Comprehension, ComprehensionKind, Ref, RefHead, Stmt, StmtKind, VarId, WithTarget, WithValue,
};
use crate::source::Span;
use crate::types::is_nested;
use gavel_runtime::value::Constant;

/// What a modifier became.
enum Lowered {
    With(hir::With),
    /// A path that no document has: whoever comes here aborts.
    BadPath,
}

impl Lowering<'_> {
    /// Ends a group of statements with the same modifiers.
    pub(super) fn close(&mut self, group: Option<Group>, block: &mut Block) {
        let Some(group) = group else { return };
        let Some(span) = group.stmts.first().map(|stmt| stmt.span) else {
            return;
        };
        let mut modifiers = Vec::with_capacity(group.with.len());
        let mut aborts = false;
        let mut stmts = Vec::with_capacity(group.stmts.len());
        // Where the statement has bodies of its own OPA looks targets up as if they were read.
        if group.stmts.iter().any(is_nested) {
            for target in group.with.iter().map(|with| &with.target) {
                if leaves_documents(target) {
                    let message = format!("undefined ref: {}", text::term(target, self.vars));
                    self.errors
                        .push(Diagnostic::error(Code::RegoType, target.span, message));
                }
            }
        }
        for with in group.with {
            let place = with.span;
            match self.with(with) {
                Some(Lowered::With(with)) => modifiers.push(with),
                Some(Lowered::BadPath) => {
                    aborts = true;
                    stmts.push(self.abort(place));
                }
                None => {}
            }
        }
        stmts.extend(group.stmts);
        let inner = Block { stmts };
        // What aborts stays together, since OPA's index asks nothing of statements with modifiers.
        if modifiers.is_empty() && !aborts {
            block.stmts.extend(inner.stmts);
        } else {
            block.stmts.push(Stmt {
                span,
                kind: StmtKind::With {
                    modifiers,
                    block: inner,
                },
            });
        }
    }

    fn with(&mut self, with: With) -> Option<Lowered> {
        let (target_span, value_span) = (with.target.span, with.value.span);
        let target = match with.target.kind {
            Kind::Builtin(id) => WithTarget::Builtin(id),
            Kind::Ref(reference) => {
                let is_function = self
                    .tree
                    .find(&reference.path)
                    .is_some_and(|node| self.tree.is_function(node));
                let tree::Ref { head, path } = *reference;
                let Some(path) = names(path) else {
                    return Some(Lowered::BadPath);
                };
                match head {
                    tree::Head::Input => WithTarget::Input(path),
                    tree::Head::Data if is_function => WithTarget::Function(path),
                    tree::Head::Data => WithTarget::Data(path),
                    tree::Head::Var(_) | tree::Head::Term(_) => return None,
                }
            }
            Kind::Const(_)
            | Kind::Var(_)
            | Kind::Call(_)
            | Kind::Array(_)
            | Kind::Set(_)
            | Kind::Object(_)
            | Kind::Comprehension(_)
            | Kind::Template(_) => return None,
        };
        let for_function = matches!(target, WithTarget::Function(_) | WithTarget::Builtin(_));
        let value = match with.value.kind {
            Kind::Builtin(id) if for_function => WithValue::Builtin(id),
            Kind::Ref(reference) if for_function => {
                let is_function = self
                    .tree
                    .find(&reference.path)
                    .is_some_and(|node| self.tree.is_function(node));
                let keys: Option<Vec<Constant>> = reference
                    .path
                    .iter()
                    .map(|element| element.as_const().cloned())
                    .collect();
                match (keys, names(reference.path)) {
                    (_, Some(path)) if is_function => WithValue::Function(path),
                    (Some(keys), _) if !is_function => WithValue::Document(keys),
                    _ => {
                        let message = "a function is named by strings only";
                        self.errors
                            .push(Diagnostic::error(Code::Unsupported, value_span, message));
                        return None;
                    }
                }
            }
            // What is left of references are functions.
            Kind::Ref(reference) => WithValue::Function(names(reference.path)?),
            kind => WithValue::Term(self.plain(Term::new(value_span, kind))),
        };
        Some(Lowered::With(hir::With {
            span: with.span,
            target,
            target_span,
            value,
            value_span,
        }))
    }

    /// A statement that aborts with a conflict error, as OPA does where a `with` names a path that is not made of strings:
    /// an object with two values for one key.
    fn abort(&mut self, span: Span) -> Stmt {
        let (result, member, index) = (
            self.vars.generated(),
            self.vars.generated(),
            self.vars.generated(),
        );
        let unify = |var: VarId, right: hir::Term| Stmt {
            span,
            kind: StmtKind::Unify {
                left: hir::Term::Var(var),
                right,
                directed: false,
            },
        };
        let two = RefHead::Const(Constant::Array(vec![Constant::Int(0), Constant::Int(1)]));
        let members = hir::Term::Ref(Box::new(Ref {
            span,
            head: two,
            path: vec![hir::Term::Var(index)],
        }));
        let key = hir::Term::Const(Constant::String("bad document path".to_owned()));
        let clash = Comprehension {
            span,
            kind: ComprehensionKind::Object(key, hir::Term::Var(member)),
            body: Block {
                stmts: vec![unify(member, members)],
            },
        };
        unify(result, hir::Term::Comprehension(Box::new(clash)))
    }
}

fn names(path: Vec<Term>) -> Option<Vec<String>> {
    path.into_iter()
        .map(|element| match element.kind {
            Kind::Const(Constant::String(name)) => Some(name),
            _ => None,
        })
        .collect()
}

/// Whether one of the first two steps of a reference is no string: OPA knows of no document with such keys.
fn leaves_documents(target: &Term) -> bool {
    let steps = target.as_ref().map_or(&[][..], |reference| &reference.path);
    let is_name = |step: &Term| matches!(step.as_const(), None | Some(Constant::String(_)));
    !steps.iter().take(2).all(is_name)
}
