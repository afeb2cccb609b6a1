//! Calls: builtins that are conditions become tests, relations are iterated, everything else is a call whose result is
//! tested or unified.

use super::body::{Body, Planned};
use super::cond::{Cmp, Cond, Operand};
use super::ir::{Inst, Label, Reg, Target};
use super::planner::FnKey;
use crate::hir::{Callee, Term};
use gavel_runtime::builtins::BuiltinId;

impl Body<'_, '_> {
    /// A call statement.
    pub(super) fn call(
        &mut self,
        callee: &Callee,
        args: &[Term],
        out: Option<&Term>,
        fail: Label,
    ) -> Planned<Label> {
        let mut redo = fail;
        let args = args
            .iter()
            .map(|arg| self.value(arg, &mut redo))
            .collect::<Planned<Vec<Reg>>>()?;
        let mocked = self.planner.replaced.is_mocked(callee);
        let target = match callee {
            Callee::Builtin(id) => Target::Builtin(*id),
            Callee::Function(path) => Target::Function(self.function(path)?),
        };
        if let (Callee::Builtin(id), false, None) = (callee, mocked, out)
            && let Some(cond) = condition(*id, &args)
        {
            self.test(cond, redo);
            return Ok(redo);
        }
        let asks_cell = out.is_none() && self.planner.replaced.by_document.contains(callee);
        // OPA does not read such a document where the call's value is not asked for: the call succeeds.
        let done = asks_cell.then(|| self.unless_document(target));
        let dst = self.reg();
        self.emit(match target {
            target if mocked => Inst::CallMocked {
                dst,
                target,
                args,
                fail: redo,
            },
            Target::Function(func) => Inst::CallFn {
                dst,
                func,
                args,
                fail: redo,
            },
            Target::Builtin(builtin) => Inst::CallBuiltin {
                dst,
                builtin,
                args,
                prepared: None,
                fail: redo,
            },
        });
        let mut result = dst;
        if matches!(callee, Callee::Builtin(id) if id.get().relation) {
            (_, result) = self.open_loop(dst, &mut redo);
        }
        match out {
            Some(pattern) => self.unify_value(pattern, result, redo),
            None => {
                self.test(Cond::Truthy(Operand::Reg(result)), redo);
                done.into_iter().for_each(|done| self.place(done));
                Ok(redo)
            }
        }
    }

    /// The function at a path.
    pub(super) fn function(&mut self, path: &[String]) -> Planned<super::ir::FnRef> {
        match self.planner.tree.find(path) {
            Some(node) if node.kind == super::tree::NodeKind::Function => {
                Ok(self.planner.request(FnKey::Function { path: path.to_vec() }))
            }
            _ => self.refuse(format!("undefined function `data.{}`", path.join("."))),
        }
    }
}

impl Body<'_, '_> {
    /// Goes on behind the call, at the label given back, where a document stands for the function.
    fn unless_document(&mut self, function: Target) -> Label {
        let (calls, done) = (self.label(), self.label());
        self.test(Cond::IsDocument(function), calls);
        self.emit(Inst::Jump(done));
        self.place(calls);
        done
    }

    /// How many arguments a function takes.
    pub(super) fn arity(&self, callee: &Callee) -> usize {
        match callee {
            Callee::Builtin(id) => id.get().args.len(),
            Callee::Function(path) => {
                let rules = self.planner.tree.find(path).map(|node| node.rules.as_slice());
                let rule = rules.and_then(<[usize]>::first);
                rule.and_then(|at| self.planner.unit.rules.get(*at))
                    .map_or(0, |rule| rule.args.len())
            }
        }
    }
}

/// The test that a builtin in the place of a condition is.
pub(crate) fn condition(id: BuiltinId, args: &[Reg]) -> Option<Cond> {
    let [a, b] = args else {
        return None;
    };
    let (a, b) = (Operand::Reg(*a), Operand::Reg(*b));
    let cmp = match id.get().name {
        "equal" => Cmp::Eq,
        "neq" => Cmp::Ne,
        "lt" => Cmp::Lt,
        "lte" => Cmp::Le,
        "gt" => Cmp::Gt,
        "gte" => Cmp::Ge,
        "internal.member_2" => return Some(Cond::In(a, b)),
        _ => return None,
    };
    Some(Cond::Compare(cmp, a, b))
}
