//! Statements: each falls through for every solution and fails to a label.
//!
//! Planning a statement takes the label where control goes when it has no (more) solutions and gives back the label that
//! asks for its next solution: the same one when it has at most one, that of its innermost loop otherwise.

use super::body::{Body, Planned};
use super::cond::{Cond, Operand};
use super::ir::{Inst, K, Label, Note};
use crate::hir::{Block, Ref, RefHead, Stmt, StmtKind, Term, VarId};
use gavel_runtime::value::Constant;

impl Body<'_, '_> {
    /// All statements of a block.
    pub(super) fn block(&mut self, block: &Block, fail: Label) -> Planned<Label> {
        self.stmts(&block.stmts, fail)
    }

    /// Statements one after the other.
    pub(super) fn stmts(&mut self, stmts: &[Stmt], fail: Label) -> Planned<Label> {
        stmts.iter().try_fold(fail, |redo, stmt| self.stmt(stmt, redo))
    }

    /// The body of a rule; see `early`. Tells whether solutions behind the first may abort.
    pub(super) fn rule_body(&mut self, block: &Block, args: bool, fail: Label) -> Planned<(Label, bool)> {
        self.indexed_body(block, args, fail, fail)
    }

    /// As [`Body::rule_body`]; `excluded` is where control goes when a question fails that OPA asks before it enters the
    /// body.
    pub(super) fn indexed_body(
        &mut self,
        block: &Block,
        args: bool,
        excluded: Label,
        fail: Label,
    ) -> Planned<(Label, bool)> {
        let order = self.early_first(block, args);
        let stmts: Vec<&Stmt> = order.early.iter().chain(&order.late).copied().collect();
        for (document, span) in self.wanted(&stmts, excluded != fail) {
            self.note(Note::Asks(span));
            self.defined(document, excluded)?;
        }
        for (document, member, span) in self.wanted_members(&order) {
            self.note(Note::Asks(span));
            let of = self.reference(&document, &mut { excluded })?;
            let member = self.constant(K::new(member.clone()));
            self.test(Cond::In(Operand::Reg(member), Operand::Reg(of)), excluded);
        }
        let mut asked = excluded;
        for stmt in &order.early {
            asked = self.stmt(stmt, asked)?;
        }
        for questions in &order.contested {
            self.one_of(questions, asked)?;
        }
        let mut redo = if asked == excluded { fail } else { asked };
        let mut raises = false;
        for stmt in &order.late {
            redo = self.stmt(stmt, redo)?;
            raises = raises || (redo != fail && self.raises(stmt));
        }
        Ok((redo, raises))
    }

    /// Fails unless one of some questions holds.
    fn one_of(&mut self, questions: &[&Stmt], fail: Label) -> Planned<()> {
        let done = self.label();
        let before = self.env.clone();
        for question in questions {
            let next = self.label();
            self.stmt(question, next)?;
            self.env = before.clone();
            self.emit(Inst::Jump(done));
            self.place(next);
        }
        self.emit(Inst::Jump(fail));
        self.place(done);
        Ok(())
    }

    /// Fails unless a document is defined.
    fn defined(&mut self, document: &Ref, fail: Label) -> Planned<()> {
        let path = super::refs::strings(&document.path);
        match document.head {
            // An element of an array, or a member that no text names.
            RefHead::Input | RefHead::Data if path.len() < document.path.len() => {
                self.reference(document, &mut { fail })?;
            }
            RefHead::Input => self.test(Cond::Defined(path), fail),
            RefHead::Data if self.base_value(&path, fail).is_none() => self.emit(Inst::Jump(fail)),
            RefHead::Data | RefHead::Var(_) | RefHead::Const(_) => {}
        }
        Ok(())
    }

    /// A block whose bindings end with it and of which one solution is enough: falls through once or fails.
    fn condition(&mut self, block: &Block, fail: Label) -> Planned<()> {
        let before = self.env.clone();
        self.block(block, fail)?;
        self.env = before;
        Ok(())
    }

    fn stmt(&mut self, stmt: &Stmt, fail: Label) -> Planned<Label> {
        self.span = Some(stmt.span);
        self.note_stmt(stmt);
        match &stmt.kind {
            StmtKind::Test(term) => self.test_term(term, fail),
            StmtKind::Unify { left, right, .. } => self.unify(left, right, fail),
            StmtKind::Call { callee, args, out } => self.call(callee, args, out.as_ref(), fail),
            StmtKind::Not(block) => {
                let none = self.label();
                self.condition(block, none)?;
                self.note(Note::Fails(stmt.span, false));
                self.emit(Inst::Jump(fail));
                self.place(none);
                self.note(Note::Holds(stmt.span));
                Ok(fail)
            }
            StmtKind::Every {
                key,
                value,
                domain,
                body,
            } => self.every(*key, *value, domain, body, fail),
            StmtKind::With { modifiers, block } => self.with(modifiers, block, fail),
            StmtKind::And(first, second) => {
                self.condition(first, fail)?;
                self.condition(second, fail)?;
                Ok(fail)
            }
            StmtKind::Or(first, second) => {
                let (other, done) = (self.label(), self.label());
                self.condition(first, other)?;
                self.emit(Inst::Jump(done));
                self.place(other);
                self.condition(second, fail)?;
                self.place(done);
                Ok(fail)
            }
        }
    }

    fn test_term(&mut self, term: &Term, fail: Label) -> Planned<Label> {
        if let Term::Const(value) = term {
            if matches!(value, Constant::Bool(false)) {
                self.note_failure(false);
                self.emit(Inst::Jump(fail));
            }
            return Ok(fail);
        }
        let mut redo = fail;
        let value = self.value(term, &mut redo)?;
        self.test(Cond::Truthy(Operand::Reg(value)), redo);
        Ok(redo)
    }

    fn every(
        &mut self,
        key: Option<VarId>,
        value: VarId,
        domain: &Term,
        body: &Block,
        fail: Label,
    ) -> Planned<Label> {
        let mut redo = fail;
        let over = self.value(domain, &mut redo)?;
        let (state, key_reg, value_reg) = (self.reg(), self.reg(), self.reg());
        let (next, done) = (self.label(), self.label());
        self.emit(Inst::LoopInit {
            state,
            over,
            fail: redo,
        });
        self.place(next);
        self.emit(Inst::LoopNext {
            state,
            key: Some(key_reg),
            value: Some(value_reg),
            fail: done,
        });
        let before = self.env.clone();
        if let Some(key) = key {
            self.bind(key, key_reg);
        }
        self.bind(value, value_reg);
        self.block(body, redo)?;
        self.env = before;
        self.emit(Inst::Jump(next));
        self.place(done);
        Ok(redo)
    }
}
