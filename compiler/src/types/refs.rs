//! References against types: finds paths that can lead nowhere, and gives their variables types.

use super::compatible::compatible;
use super::infer::{Env, Root};
use super::ty::{FunctionType, Type};
use crate::hir::{Ref, RefHead, Term, VarId};
use gavel_runtime::value::Constant;
use std::rc::Rc;

/// Why a reference is wrong.
#[derive(Clone, Debug)]
pub(super) enum RefError {
    /// It names a function without calling it.
    Function(Rc<FunctionType>),
    /// What an element is applied to has no members.
    NoMembers {
        /// What it is applied to.
        have: Type,
    },
    /// An element cannot be a key there.
    Key {
        /// What the keys are; unknown where there are none.
        want: Type,
        /// The collection; unknown for a package.
        of: Type,
    },
}

/// What a walk along documents came to.
enum Found {
    /// The reference is settled.
    Done,
    /// This tree says nothing more about it.
    Unknown,
    /// From this index of the path on, it goes through a value.
    Value(Type, usize),
}

impl Env<'_> {
    /// Checks one reference.
    pub(super) fn check_ref(&mut self, reference: &Ref) -> Result<(), RefError> {
        match &reference.head {
            RefHead::Input => self.check_documents(Root::Input, &reference.path),
            RefHead::Const(value) => self.check_path(literal_head(value), &reference.path, 0),
            RefHead::Var(var) => {
                let mut value = self.var(*var);
                if matches!(value, Type::Unknown) {
                    value = Type::Any;
                    self.set_var(*var, Type::Any);
                }
                self.check_path(value, &reference.path, 0)
            }
            RefHead::Data => {
                if let Type::Function(signature) = self.type_of_ref(reference) {
                    return Err(RefError::Function(signature));
                }
                self.check_documents(Root::Data, &reference.path)
            }
        }
    }

    fn check_documents(&mut self, root: Root, path: &[Term]) -> Result<(), RefError> {
        let trees = self.trees(root).count();
        for tree in 0..trees {
            match self.check_tree(root, tree, path)? {
                Found::Done => return Ok(()),
                Found::Value(value, from) => return self.check_path(value, path, from),
                Found::Unknown => {}
            }
        }
        self.check_path(Type::Any, path, 0)
    }

    /// Follows a path through one of the trees.
    fn check_tree(&mut self, root: Root, tree: usize, path: &[Term]) -> Result<Found, RefError> {
        // Types that the variables of the path get while the tree is borrowed.
        let mut learned: Vec<(VarId, Type)> = Vec::new();
        let result = {
            let Some(mut node) = self.trees(root).nth(tree) else {
                return Ok(Found::Unknown);
            };
            let mut result = Ok(Found::Done);
            for (at, step) in path.iter().enumerate() {
                if node.is_leaf() {
                    result = Ok(Found::Value(node.value().clone(), at));
                    break;
                }
                let key_error = |of| {
                    Err(RefError::Key {
                        want: node.key_types(),
                        of,
                    })
                };
                // A package clause is mandatory: the first two elements name packages or rules.
                if at < 2 && !matches!(step, Term::Var(_) | Term::Const(Constant::String(_))) {
                    result = key_error(Type::Unknown);
                    break;
                }
                if let Term::Var(var) = step {
                    let keys = node.key_types();
                    match self.var(*var) {
                        Type::Unknown => learned.push((*var, keys)),
                        have if compatible(&keys, &have) => {}
                        _ => {
                            result = key_error(Type::Unknown);
                            break;
                        }
                    }
                }
                let child = match step {
                    Term::Const(key) => node.child(key),
                    _ => None,
                };
                match child {
                    Some(child) => node = child,
                    None => {
                        result = Ok(Found::Unknown);
                        break;
                    }
                }
                if node.is_leaf() {
                    result = Ok(Found::Value(node.value().clone(), at + 1));
                    break;
                }
            }
            result
        };
        for (var, keys) in learned {
            self.set_var(var, keys);
        }
        result
    }

    /// Follows the path from index `from` on through a value.
    fn check_path(&mut self, value: Type, path: &[Term], from: usize) -> Result<(), RefError> {
        let mut value = value;
        for step in path.iter().skip(from) {
            if value.is_empty_collection() {
                return self.check_empty(value, step);
            }
            let keys = value.keys();
            if matches!(keys, Type::Unknown) {
                return match value {
                    Type::Function(signature) => Err(RefError::Function(signature)),
                    have => Err(RefError::NoMembers { have }),
                };
            }
            value = match step {
                Term::Const(
                    key @ (Constant::Null
                    | Constant::Bool(_)
                    | Constant::Int(_)
                    | Constant::Number(_)
                    | Constant::String(_)),
                ) => match value.member(key) {
                    Type::Unknown => {
                        return Err(RefError::Key {
                            want: keys,
                            of: value,
                        });
                    }
                    member => member,
                },
                // Variables without a type get that of the keys.
                key if self.fits(key, &keys, false) => value.values(),
                _ => {
                    return Err(RefError::Key {
                        want: keys,
                        of: value,
                    });
                }
            };
        }
        Ok(())
    }

    /// An element applied to a collection without members: a constant is missed, a variable has nothing to iterate.
    fn check_empty(&mut self, value: Type, step: &Term) -> Result<(), RefError> {
        let missed = match step {
            Term::Const(Constant::Array(_) | Constant::Object(_) | Constant::Set(_)) => false,
            Term::Const(_) => true,
            Term::Var(var) => match self.var(*var) {
                Type::Unknown => {
                    self.set_var(*var, Type::Any);
                    false
                }
                have => {
                    let keys = value.keys();
                    !matches!(keys, Type::Unknown) && !compatible(&have, &keys)
                }
            },
            Term::Array(_) | Term::Object(_) | Term::Set(_) | Term::Ref(_) | Term::Comprehension(_) => false,
        };
        if missed {
            return Err(RefError::Key {
                want: Type::Unknown,
                of: value,
            });
        }
        Ok(())
    }
}

/// The type of a literal that a path is applied to. OPA does not look at scalars there (`some x in 1`).
fn literal_head(value: &Constant) -> Type {
    match value {
        Constant::Array(_) | Constant::Object(_) | Constant::Set(_) => Type::of_constant(value),
        Constant::Null | Constant::Bool(_) | Constant::Int(_) | Constant::Number(_) | Constant::String(_) => {
            Type::Any
        }
    }
}
