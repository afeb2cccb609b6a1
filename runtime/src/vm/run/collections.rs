//! The ops that make collections, and those of `with`.

use super::super::builder::{Again, Builder};
use super::super::machine::Request;
use super::super::scopes::Mock;
use super::super::tree::{Tree, What};
use super::{Window, item};
use crate::arena::List;
use crate::bytecode::Inst;
use crate::error::EvalErrorKind;
use crate::value::{Entry, Value, set_from};

/// What an op does to make a collection.
#[derive(Clone, Copy, Debug)]
pub(super) enum Build {
    NewArray,
    NewSet,
    NewObject,
    NewTree,
    /// Adds an element or a member of a set.
    Push,
    /// Adds a member of an object.
    Put(Again),
    TreePut,
    TreeAdd,
    TreeSet,
    TreeMerge,
    End,
    ArrayOf,
    SetOf,
    ObjectOf,
}

/// What an op of `with` does.
#[derive(Clone, Copy, Debug)]
pub(super) enum ScopeStep {
    Begin,
    Input,
    Base,
    Rule,
    MockValue,
    MockCall,
    MockDocument,
    End,
}

impl<'v> Request<'v> {
    /// Ops that make collections.
    #[inline(never)]
    pub(super) fn build(
        &mut self,
        window: &mut Window<'_, 'v>,
        inst: &Inst,
        step: Build,
    ) -> Result<(), EvalErrorKind> {
        let arena = self.arena;
        let made = match step {
            Build::NewArray => self.start(Builder::Array(List::new(arena)))?,
            Build::NewSet => self.start(Builder::Set(List::new(arena)))?,
            Build::NewObject => self.start(Builder::object(arena))?,
            Build::NewTree => self.start(Builder::Tree(Tree::new(arena)))?,
            Build::Push => return self.push_part(window.get(inst.a), window.get(inst.b)),
            Build::Put(again) => {
                let entry = Entry {
                    key: window.get(inst.b),
                    value: window.get(inst.d),
                };
                return self.put_member(window.get(inst.a), entry, again);
            }
            Build::TreePut => return self.note(window, inst, What::Put(window.get(inst.e))),
            Build::TreeAdd => return self.note(window, inst, What::Add(window.get(inst.e))),
            Build::TreeSet => return self.note(window, inst, What::Set),
            Build::TreeMerge => return self.note(window, inst, What::Merge(window.get(inst.e))),
            Build::End => self.finish(window.get(inst.a))?,
            Build::ArrayOf => Value::array(arena.values(window.run(inst.b, inst.d.into()))?),
            Build::SetOf => set_from(arena, arena.values_mut(window.run(inst.b, inst.d.into()))?)?,
            Build::ObjectOf => self.object_of(window.run(inst.b, 2 * usize::from(inst.d)))?,
        };
        window.set(inst.a, made);
        Ok(())
    }

    fn note(&mut self, window: &Window<'_, 'v>, inst: &Inst, what: What<'v>) -> Result<(), EvalErrorKind> {
        self.put_in_tree(window.get(inst.a), window.run(inst.b, inst.d.into()), what)
    }

    /// Ops of `with`.
    #[inline(never)]
    pub(super) fn scope_op(
        &mut self,
        window: &Window<'_, 'v>,
        inst: &Inst,
        constants: &'v [Value<'v>],
        step: ScopeStep,
    ) -> Result<(), EvalErrorKind> {
        let path = || *item(constants, inst.c as usize);
        match step {
            ScopeStep::Begin => self.open_scope(),
            ScopeStep::Input => self.with_input(path(), window.get(inst.a))?,
            ScopeStep::Base => self.with_base(path(), window.get(inst.a))?,
            ScopeStep::Rule => self.with_rule(inst.f, window.get(inst.a)),
            ScopeStep::MockValue => self.with_mock(inst.e, Mock::Value(window.get(inst.a))),
            ScopeStep::MockCall => self.with_mock(inst.e, Mock::Call(inst.f)),
            ScopeStep::MockDocument => self.with_mock(inst.e, Mock::Document(inst.f)),
            ScopeStep::End => self.close_scope(),
        }
        Ok(())
    }
}
