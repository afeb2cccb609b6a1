//! Comprehensions and references wherever they stand in a statement.

use super::body::{Body, is_nested};
use super::report;
use super::ty::Type;
use crate::diagnostic::Diagnostic;
use crate::hir::visit::Visit;
use crate::hir::{Block, Comprehension, Ref, RefHead, Stmt, StmtKind, Term};

/// Checks comprehensions and keeps their types. Findings are those of the last wrong one, as in OPA.
struct Closures<'b, 'e, 's, 'u> {
    body: &'b mut Body<'e, 's, 'u>,
    found: Vec<Diagnostic>,
}

impl<'t> Visit<'t> for Closures<'_, '_, '_, '_> {
    fn visit_comprehension(&mut self, closure: &'t Comprehension) {
        let errors = self.body.closure(closure);
        if !errors.is_empty() {
            self.found = errors;
        }
    }
}

/// Checks references outside of comprehensions, which have their own check.
struct Refs<'b, 'e, 's, 'u>(&'b mut Body<'e, 's, 'u>);

impl<'t> Visit<'t> for Refs<'_, '_, '_, '_> {
    fn visit_stmt(&mut self, stmt: &'t Stmt) {
        let StmtKind::With { modifiers, block } = &stmt.kind else {
            return self.walk_stmt(stmt);
        };
        for inner in &block.stmts {
            self.visit_stmt(inner);
            if is_nested(inner) {
                self.0.functions_as_values(modifiers);
            }
        }
    }

    fn visit_ref(&mut self, reference: &'t Ref) {
        if let Err(error) = self.0.env.check_ref(reference) {
            let at = match reference.head {
                RefHead::Input | RefHead::Data => self.0.place(reference.span),
                RefHead::Var(_) | RefHead::Const(_) => reference.span,
            };
            let error = report::ref_error(at, reference, &error, &|var| self.0.name(var));
            self.0.errors.push(error);
        }
        self.walk_ref(reference);
    }

    fn visit_comprehension(&mut self, _: &'t Comprehension) {}
}

impl<'e, 's, 'u> Body<'e, 's, 'u> {
    fn closures(&mut self, look: impl FnOnce(&mut Closures<'_, 'e, 's, 'u>)) -> Vec<Diagnostic> {
        let mut closures = Closures {
            body: self,
            found: Vec::new(),
        };
        look(&mut closures);
        closures.found
    }

    pub(super) fn closures_in_statement(&mut self, stmt: &Stmt) -> Vec<Diagnostic> {
        self.closures(|closures| closures.visit_stmt(stmt))
    }

    pub(super) fn closures_in_blocks(&mut self, blocks: &[&Block]) -> Vec<Diagnostic> {
        self.closures(|closures| blocks.iter().for_each(|block| closures.visit_block(block)))
    }

    pub(super) fn closures_in_term(&mut self, term: &Term) -> Vec<Diagnostic> {
        self.closures(|closures| closures.visit_term(term))
    }

    pub(super) fn refs_in_block(&mut self, block: &Block) {
        Refs(self).visit_block(block);
    }

    pub(super) fn refs_in_statement(&mut self, stmt: &Stmt) {
        Refs(self).visit_stmt(stmt);
    }

    pub(super) fn refs_in_term(&mut self, term: &Term) {
        Refs(self).visit_term(term);
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
        if self.second_looks == 0 {
            return Vec::new();
        }
        self.second_looks -= 1;
        let types = self.env.closure_types();
        let found = self.closures(|closures| closures.walk_comprehension(closure));
        self.env.restore_closure_types(types);
        found
    }
}
