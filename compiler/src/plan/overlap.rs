//! Documents at which both rules and the base document have something, as OPA has them where nobody checks for such
//! conflicts: a reference to the place and iteration see the rules' value, the document of a package above sees both
//! merged, and there the base document wins.

use super::body::Body;
use super::cond::{Cond, Operand};
use super::ir::{Inst, Label, NO_BODY, Reg};
use super::tree::Node;
use gavel_runtime::builtins;

impl Body<'_, '_> {
    /// What the document of a package shows of a child that rules make.
    pub(super) fn merged(&mut self, child: &Node, path: &[String], fail: Label) -> Reg {
        let is_certain = !self.planner.replaced.touches(path);
        if is_certain && self.planner.base_at(path).is_none() {
            return self.view(child, path, &[], fail);
        }
        let rules = self.reg();
        self.emit(Inst::Unset { dst: rules });
        let no_rules = self.label();
        let src = self.view(child, path, &[], no_rules);
        self.emit(Inst::Move { dst: rules, src });
        self.place(no_rules);

        let (dst, no_base, hidden, done) = (self.reg(), self.label(), self.label(), self.label());
        if let Some(base) = self.base_value(path, no_base) {
            self.test(Cond::IsSet(rules), hidden);
            self.test_object(base, hidden);
            self.test_object(rules, hidden);
            // The second argument wins.
            let src = self.builtin("object.union", vec![rules, base], hidden);
            self.emit(Inst::Move { dst, src });
            self.emit(Inst::Jump(done));
            self.place(hidden);
            self.emit(Inst::Move { dst, src: base });
            self.emit(Inst::Jump(done));
        }
        if !is_certain {
            self.place(no_base);
            self.test(Cond::IsSet(rules), fail);
            self.emit(Inst::Move { dst, src: rules });
        }
        self.place(done);
        dst
    }

    /// Returns the base document at a package if it cannot have members of the package merged into it.
    pub(super) fn return_scalar_base(&mut self, path: &[String]) {
        let (is_object, is_none) = (self.label(), self.label());
        if let Some(base) = self.base_value(path, is_object) {
            self.test_object(base, is_none);
            self.emit(Inst::Jump(is_object));
            self.place(is_none);
            self.emit(Inst::Ret {
                value: base,
                body: NO_BODY,
            });
        }
        self.place(is_object);
    }

    fn test_object(&mut self, value: Reg, fail: Label) {
        let is_object = self.builtin("is_object", vec![value], fail);
        self.test(Cond::Truthy(Operand::Reg(is_object)), fail);
    }

    fn builtin(&mut self, name: &str, args: Vec<Reg>, fail: Label) -> Reg {
        let dst = self.reg();
        match builtins::find(name) {
            Some(builtin) => self.emit(Inst::CallBuiltin {
                dst,
                builtin,
                args,
                prepared: None,
                fail,
            }),
            None => self.emit(Inst::Unset { dst }),
        }
        dst
    }
}
