//! References: static paths below `input`, look-ups by bound elements, loops over unbound ones.

use super::body::{Body, Planned};
use super::ir::{Container, Inst, K, Label, Reg};
use super::literal::Literal;
use crate::hir::{Ref, RefHead, Term, VarId};
use gavel_runtime::value::{Constant, array_index};

impl Body<'_, '_> {
    /// The value of a reference.
    pub(super) fn reference(&mut self, r: &Ref, redo: &mut Label) -> Planned<Reg> {
        match &r.head {
            RefHead::Input => {
                let keys = strings(&r.path);
                let rest = r.path.get(keys.len()..).unwrap_or_default();
                let dst = self.reg();
                self.emit(Inst::Slot {
                    dst,
                    path: keys,
                    fail: *redo,
                });
                self.steps(dst, rest, redo)
            }
            RefHead::Data => self.data(&r.path, redo),
            RefHead::Var(var) => {
                let of = self.var(*var)?;
                self.steps(of, &r.path, redo)
            }
            RefHead::Const(value) => {
                let of = self.constant(K::new(value.clone()));
                self.steps(of, &r.path, redo)
            }
        }
    }

    /// Follows path elements from a value.
    pub(super) fn steps(&mut self, from: Reg, path: &[Term], redo: &mut Label) -> Planned<Reg> {
        path.iter()
            .try_fold(from, |of, element| self.element(of, element, redo))
    }

    fn element(&mut self, of: Reg, element: &Term, redo: &mut Label) -> Planned<Reg> {
        if let Some(key) = self.known_term(element) {
            return Ok(self.field(of, K::new(key), *redo));
        }
        if self.has_value(element) {
            let key = self.value(element, redo)?;
            return Ok(self.index(of, key, *redo));
        }
        let (key, value) = self.open_loop(of, redo);
        *redo = self.unify_value(element, key, *redo)?;
        Ok(value)
    }

    /// Starts a loop over the members of a value: key and value registers. `redo` becomes its next round.
    pub(super) fn open_loop(&mut self, over: Reg, redo: &mut Label) -> (Reg, Reg) {
        match self.literal(over).cloned() {
            Some(Literal::Set(members)) => {
                let members = self.array(members);
                let (_, member) = self.open_loop(members, redo);
                return (member, member);
            }
            Some(Literal::Object(members)) => {
                let pairs = members
                    .into_iter()
                    .map(|(key, value)| self.array(vec![key, value]));
                let pairs = pairs.collect();
                let members = self.array(pairs);
                let (_, pair) = self.open_loop(members, redo);
                let key = self.field(pair, K::new(Constant::Int(0)), *redo);
                let value = self.field(pair, K::new(Constant::Int(1)), *redo);
                return (key, value);
            }
            None => {}
        }
        let (state, key, value) = (self.reg(), self.reg(), self.reg());
        let next = self.label();
        self.emit(Inst::LoopInit {
            state,
            over,
            fail: *redo,
        });
        self.place(next);
        self.emit(Inst::LoopNext {
            state,
            key: Some(key),
            value: Some(value),
            fail: *redo,
        });
        *redo = next;
        self.note_members(over, key, value);
        (key, value)
    }

    fn array(&mut self, parts: Vec<Reg>) -> Reg {
        let dst = self.reg();
        self.emit(Inst::Collect {
            kind: Container::Array,
            dst,
            parts,
        });
        dst
    }

    /// `of[key]` with a constant key.
    pub(super) fn field(&mut self, of: Reg, key: K, fail: Label) -> Reg {
        let dst = self.reg();
        self.emit(Inst::Field { dst, of, key, fail });
        dst
    }

    /// `of[key]`
    pub(super) fn index(&mut self, of: Reg, key: Reg, fail: Label) -> Reg {
        let dst = self.reg();
        self.emit(Inst::Index {
            dst,
            of,
            key,
            stored: false,
            fail,
        });
        dst
    }

    /// As [`Body::steps`] from a part of the base document, which is looked into by the texts of keys.
    pub(super) fn stored_steps(&mut self, from: Reg, path: &[Term], redo: &mut Label) -> Planned<Reg> {
        path.iter()
            .try_fold(from, |of, element| self.stored_element(of, element, redo))
    }

    fn stored_element(&mut self, of: Reg, element: &Term, redo: &mut Label) -> Planned<Reg> {
        let is_plain = match self.known_term(element) {
            Some(Constant::String(key)) => array_index(&key).is_none(),
            Some(Constant::Int(_) | Constant::Number(_)) => false,
            // Neither an object nor an array of the base document has such a member.
            Some(_) => true,
            None => !self.has_value(element),
        };
        if is_plain {
            return self.element(of, element, redo);
        }
        let key = self.value(element, redo)?;
        let dst = self.reg();
        self.emit(Inst::Index {
            dst,
            of,
            key,
            stored: true,
            fail: *redo,
        });
        Ok(dst)
    }

    /// The unbound variable that a path element is, if it is one.
    pub(super) fn unbound(&self, element: &Term) -> Option<VarId> {
        match element {
            Term::Var(var) if self.env.get(*var).is_none() => Some(*var),
            _ => None,
        }
    }
}

/// The longest prefix of string constants.
pub(super) fn strings(path: &[Term]) -> Vec<String> {
    path.iter()
        .map_while(|element| match element {
            Term::Const(Constant::String(key)) => Some(key.clone()),
            _ => None,
        })
        .collect()
}
