//! The ops that make collections, and those of `with`.

use super::super::builder::{Again, Builder};
use super::super::machine::Request;
use super::super::tree::{Tree, What};
use super::{Window, item};
use crate::arena::List;
use crate::bytecode::{Inst, Op, Role};
use crate::error::EvalErrorKind;
use crate::value::{Entry, Value, set_from};

impl<'v> Request<'v> {
    /// Ops that make collections.
    #[inline(never)]
    pub(super) fn build(&mut self, window: &mut Window<'_, 'v>, inst: &Inst) -> Result<(), EvalErrorKind> {
        let arena = self.arena;
        let made = match inst.op {
            Op::ArrayNew => self.start(Builder::Array(List::new(arena)))?,
            Op::SetNew => self.start(Builder::Set(List::new(arena)))?,
            Op::ObjectNew => self.start(Builder::object(arena))?,
            Op::TreeNew => self.start(Builder::Tree(Tree::new(arena)))?,
            Op::ArrayPush | Op::SetAdd => return self.push_part(window.get(inst.a), window.get(inst.b)),
            Op::ObjectPut | Op::ObjectPutLast | Op::ObjectSet => {
                let entry = Entry {
                    key: window.get(inst.b),
                    value: window.get(inst.d),
                };
                let again = match inst.op {
                    Op::ObjectPut => Again::First,
                    Op::ObjectPutLast => Again::Last,
                    _ => Again::Replaces,
                };
                return self.put_member(window.get(inst.a), entry, again);
            }
            Op::TreePut | Op::TreeAdd | Op::TreeSet | Op::TreeMerge => {
                let what = match inst.op {
                    Op::TreePut => What::Put(window.get(inst.e)),
                    Op::TreeAdd => What::Add(window.get(inst.e)),
                    Op::TreeMerge => What::Merge(window.get(inst.e)),
                    _ => What::Set,
                };
                return self.put_in_tree(window.get(inst.a), window.run(inst.b, inst.d.into()), what);
            }
            Op::ArrayOf => Value::array(arena.values(window.run(inst.b, inst.d.into()))?),
            Op::SetOf => set_from(arena, arena.values_mut(window.run(inst.b, inst.d.into()))?)?,
            Op::ObjectOf => self.object_of(window.run(inst.b, 2 * usize::from(inst.d)))?,
            _ => self.finish(window.get(inst.a))?,
        };
        window.set(inst.a, made);
        Ok(())
    }

    /// Ops of `with`.
    #[inline(never)]
    pub(super) fn scope_op(
        &mut self,
        window: &Window<'_, 'v>,
        inst: &Inst,
        constants: &'v [Value<'v>],
    ) -> Result<(), EvalErrorKind> {
        let [a, _, c, ..] = inst.op.shape().roles;
        let value = match a {
            Role::Use => window.get(inst.a),
            _ => Value::UNSET,
        };
        let path = match c {
            Role::Const => *item(constants, inst.c as usize),
            _ => Value::UNSET,
        };
        self.with(inst, path, value)
    }
}
