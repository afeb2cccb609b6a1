//! `with`: a scope of replacements around a block. What the block binds is computed inside; when it has several
//! solutions they are collected first, because the scope must be closed before what follows runs.

use super::body::{Body, Planned};
use super::ir::{Container, Inst, K, Label, Reg, Step, Target};
use super::planner::FnKey;
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::{Block, Callee, Stmt, With, WithTarget, WithValue};
use gavel_runtime::value::Constant;

impl Body<'_, '_> {
    /// A block under modifiers. In OPA each of its statements has a scope of its own, with results of its own; that shows
    /// where results differ inside of a replacement.
    pub(super) fn with(&mut self, modifiers: &[With], block: &Block, fail: Label) -> Planned<Label> {
        let mut redo = fail;
        let scope = modifiers
            .iter()
            .map(|with| self.modifier(with, &mut redo))
            .collect::<Planned<Vec<Inst>>>()?;
        if !self.planner.replaced.by_function {
            return self.scope(&scope, &block.stmts, redo);
        }
        for stmt in &block.stmts {
            redo = self.scope(&scope, std::slice::from_ref(stmt), redo)?;
        }
        Ok(redo)
    }

    /// Statements in a scope of replacements.
    fn scope(&mut self, replacements: &[Inst], stmts: &[Stmt], mut redo: Label) -> Planned<Label> {
        let start = self.code.len();
        let outer = self.span;
        self.emit(Inst::WithBegin);
        replacements.iter().for_each(|inst| self.emit(inst.clone()));
        let (before, regs) = (self.env.clone(), self.regs);
        let (none, done) = (self.label(), self.label());
        let inner = self.stmts(stmts, none)?;
        self.forget_origins(regs);
        self.span = outer;
        if inner == none {
            self.emit(Inst::WithEnd);
            self.emit(Inst::Jump(done));
            self.place(none);
            self.emit(Inst::WithEnd);
            self.emit(Inst::Jump(redo));
            self.place(done);
            return Ok(redo);
        }
        let found = self.env.since(&before);
        let all = self.reg();
        let new = Inst::New {
            kind: Container::Array,
            dst: all,
        };
        self.code.insert(
            start,
            Step {
                inst: new,
                span: outer,
            },
        );
        let solution = self.reg();
        self.emit(Inst::Collect {
            kind: Container::Array,
            dst: solution,
            parts: found.iter().map(|(_, reg)| *reg).collect(),
        });
        self.emit(Inst::Add {
            kind: Container::Array,
            to: all,
            value: solution,
        });
        self.emit(Inst::Jump(inner));
        self.place(none);
        self.emit(Inst::End {
            kind: Container::Array,
            reg: all,
        });
        self.emit(Inst::WithEnd);
        let (_, solution) = self.open_loop(all, &mut redo);
        for (at, (var, _)) in (0i64..).zip(found) {
            let value = self.field(solution, K::new(Constant::Int(at)), redo);
            self.env.bind(var, value);
        }
        Ok(redo)
    }

    /// The instruction of one modifier; its value is computed outside the scope.
    fn modifier(&mut self, with: &With, redo: &mut Label) -> Planned<Inst> {
        self.span = Some(with.span);
        let cell = match &with.target {
            WithTarget::Input(path) => {
                return Ok(Inst::WithInput {
                    value: self.with_value(&with.value, redo)?,
                    path: path.clone(),
                });
            }
            WithTarget::Data(path) => {
                if self.is_inside_rule(path) {
                    return Err(Diagnostic::error(
                        Code::RegoCompile,
                        with.span,
                        "with keyword cannot partially replace virtual document(s)",
                    ));
                }
                if let (WithValue::Function(_), [_, ..]) = (&with.value, path.as_slice()) {
                    return Ok(Inst::WithNoData { path: path.clone() });
                }
                return Ok(Inst::WithData {
                    value: self.with_value(&with.value, redo)?,
                    path: path.clone(),
                });
            }
            WithTarget::Function(path) => Target::Function(self.function(path)?),
            WithTarget::Builtin(id) => Target::Builtin(*id),
        };
        if let WithValue::Document(keys) = &with.value {
            let key = FnKey::Document {
                keys: keys.clone(),
                params: super::scan::callee_of(&with.target).map_or(0, |callee| self.arity(&callee)),
            };
            let func = self.planner.request(key);
            return Ok(Inst::WithMockDocument { cell, func });
        }
        let target = match &with.value {
            WithValue::Term(_) => {
                return Ok(Inst::WithMockValue {
                    cell,
                    value: self.with_value(&with.value, redo)?,
                });
            }
            WithValue::Function(path) => {
                self.check_replacement(&with.target, &Callee::Function(path.clone()))?;
                Target::Function(self.function(path)?)
            }
            WithValue::Builtin(id) => {
                self.check_replacement(&with.target, &Callee::Builtin(*id))?;
                Target::Builtin(*id)
            }
            WithValue::Document(_) => return self.refuse("a document can only replace a function"),
        };
        Ok(Inst::WithMockCall { cell, target })
    }

    /// What OPA lets through without a meaning, or with one that a call here cannot have.
    fn check_replacement(&self, replaced: &WithTarget, value: &Callee) -> Planned<()> {
        if matches!(value, Callee::Builtin(id) if id.get().relation) {
            return self.refuse("a relation in the place of a function is not supported");
        }
        let replaced = super::scan::callee_of(replaced);
        if replaced.is_none_or(|replaced| self.arity(&replaced) != self.arity(value)) {
            return self
                .refuse("a function in the place of one with another number of arguments is not supported");
        }
        Ok(())
    }

    fn with_value(&mut self, value: &WithValue, redo: &mut Label) -> Planned<Reg> {
        match value {
            WithValue::Term(term) => self.value(term, redo),
            WithValue::Function(_) | WithValue::Document(_) | WithValue::Builtin(_) => {
                self.refuse("a function can only replace a function")
            }
        }
    }

    /// Whether a path goes through a rule's document to something inside it.
    fn is_inside_rule(&self, path: &[String]) -> bool {
        (0..path.len()).any(|len| {
            path.get(..len)
                .and_then(|above| self.planner.tree.find(above))
                .is_some_and(super::tree::Node::is_group)
        })
    }
}
