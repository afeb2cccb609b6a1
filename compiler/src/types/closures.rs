//! Comprehensions and references wherever they stand in a statement.

use super::body::{Body, is_nested};
use super::report;
use super::ty::Type;
use crate::diagnostic::Diagnostic;
use crate::hir::{Block, Comprehension, ComprehensionKind, RefHead, Stmt, StmtKind, Term};

impl Body<'_, '_, '_> {
    /// Checks the comprehensions of a statement and keeps their types. Findings are those of the last wrong one, as in OPA.
    pub(super) fn closures_in_statement(&mut self, stmt: &Stmt) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        match &stmt.kind {
            StmtKind::Test(term) => self.closures(term, &mut found),
            StmtKind::Unify { left, right, .. } => {
                self.closures(left, &mut found);
                self.closures(right, &mut found);
            }
            StmtKind::Call { args, out, .. } => {
                for term in args.iter().chain(out) {
                    self.closures(term, &mut found);
                }
            }
            StmtKind::Every { domain, body, .. } => {
                self.closures(domain, &mut found);
                self.closures_in_block(body, &mut found);
            }
            StmtKind::Not(block) | StmtKind::With { block, .. } => self.closures_in_block(block, &mut found),
            StmtKind::And(left, right) | StmtKind::Or(left, right) => {
                self.closures_in_block(left, &mut found);
                self.closures_in_block(right, &mut found);
            }
        }
        found
    }

    pub(super) fn closures_in_block(&mut self, block: &Block, found: &mut Vec<Diagnostic>) {
        for stmt in &block.stmts {
            let errors = self.closures_in_statement(stmt);
            if !errors.is_empty() {
                *found = errors;
            }
        }
    }

    pub(super) fn closures_in_term(&mut self, term: &Term) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        self.closures(term, &mut found);
        found
    }

    fn closures(&mut self, term: &Term, found: &mut Vec<Diagnostic>) {
        match term {
            Term::Const(_) | Term::Var(_) => {}
            Term::Array(items) | Term::Set(items) => {
                for item in items {
                    self.closures(item, found);
                }
            }
            Term::Object(entries) => {
                for (key, value) in entries {
                    self.closures(key, found);
                    self.closures(value, found);
                }
            }
            Term::Ref(reference) => {
                for step in &reference.path {
                    self.closures(step, found);
                }
            }
            Term::Comprehension(closure) => {
                let errors = self.closure(closure);
                if !errors.is_empty() {
                    *found = errors;
                }
            }
        }
    }

    fn closure(&mut self, closure: &Comprehension) -> Vec<Diagnostic> {
        let outer = std::mem::take(&mut self.errors);
        self.closures_met += 1;
        let met = self.closures_met;
        self.enter_closure();
        self.block(&closure.body);
        let value = self.env.closure_from_inside(closure);
        self.env.leave();
        let errors = std::mem::replace(&mut self.errors, outer);
        let is_right = errors.is_empty();
        self.env
            .set_closure(closure, if is_right { value } else { Type::Unknown });
        match is_right && self.closures_met > met {
            true => self.closures_below(closure),
            false => errors,
        }
    }

    /// Checks the comprehensions inside of one that is right a second time, as OPA does: from outside, where nothing is known
    /// of the variables of the one around them.
    fn closures_below(&mut self, closure: &Comprehension) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        if self.second_looks == 0 {
            return found;
        }
        self.second_looks -= 1;
        let types = self.env.closure_types();
        match &closure.kind {
            ComprehensionKind::Array(head) | ComprehensionKind::Set(head) => self.closures(head, &mut found),
            ComprehensionKind::Object(key, value) => {
                self.closures(key, &mut found);
                self.closures(value, &mut found);
            }
        }
        self.closures_in_block(&closure.body, &mut found);
        self.env.restore_closure_types(types);
        found
    }

    pub(super) fn refs_in_block(&mut self, block: &Block) {
        for stmt in &block.stmts {
            self.refs_in_statement(stmt);
        }
    }

    /// References outside of comprehensions, which have their own check.
    pub(super) fn refs_in_statement(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Test(term) => self.refs_in_term(term),
            StmtKind::Unify { left, right, .. } => {
                self.refs_in_term(left);
                self.refs_in_term(right);
            }
            StmtKind::Call { args, out, .. } => {
                for term in args.iter().chain(out) {
                    self.refs_in_term(term);
                }
            }
            StmtKind::Every { domain, body, .. } => {
                self.refs_in_term(domain);
                self.refs_in_block(body);
            }
            StmtKind::Not(block) => self.refs_in_block(block),
            StmtKind::And(left, right) | StmtKind::Or(left, right) => {
                self.refs_in_block(left);
                self.refs_in_block(right);
            }
            StmtKind::With { modifiers, block } => {
                for inner in &block.stmts {
                    self.refs_in_statement(inner);
                    if is_nested(inner) {
                        self.functions_as_values(modifiers);
                    }
                }
            }
        }
    }

    pub(super) fn refs_in_term(&mut self, term: &Term) {
        match term {
            Term::Const(_) | Term::Var(_) | Term::Comprehension(_) => {}
            Term::Array(items) | Term::Set(items) => {
                for item in items {
                    self.refs_in_term(item);
                }
            }
            Term::Object(entries) => {
                for (key, value) in entries {
                    self.refs_in_term(key);
                    self.refs_in_term(value);
                }
            }
            Term::Ref(reference) => {
                if let Err(error) = self.env.check_ref(reference) {
                    let at = match reference.head {
                        RefHead::Input | RefHead::Data => self.place(reference.span),
                        RefHead::Var(_) | RefHead::Const(_) => reference.span,
                    };
                    let error = report::ref_error(at, reference, &error, &|var| self.name(var));
                    self.errors.push(error);
                }
                for step in &reference.path {
                    self.refs_in_term(step);
                }
            }
        }
    }
}
