//! The way through checked programs, as [`crate::ast::visit`] has it for syntax trees.

use super::{Block, Comprehension, ComprehensionKind, Ref, Stmt, StmtKind, Term, With, WithValue};

/// Reads a piece of a program.
pub(crate) trait Visit<'t> {
    fn visit_block(&mut self, block: &'t Block) {
        for stmt in &block.stmts {
            self.visit_stmt(stmt);
        }
    }

    fn visit_stmt(&mut self, stmt: &'t Stmt) {
        self.walk_stmt(stmt);
    }

    fn walk_stmt(&mut self, stmt: &'t Stmt) {
        match &stmt.kind {
            StmtKind::Test(term) => self.visit_term(term),
            StmtKind::Unify { left, right, .. } => {
                self.visit_term(left);
                self.visit_term(right);
            }
            StmtKind::Call { args, out, .. } => args.iter().chain(out).for_each(|term| self.visit_term(term)),
            StmtKind::Not(block) => self.visit_block(block),
            StmtKind::Every { domain, body, .. } => {
                self.visit_term(domain);
                self.visit_block(body);
            }
            StmtKind::With { modifiers, block } => {
                modifiers.iter().for_each(|with| self.visit_with(with));
                self.visit_block(block);
            }
            StmtKind::And(left, right) | StmtKind::Or(left, right) => {
                self.visit_block(left);
                self.visit_block(right);
            }
        }
    }

    fn visit_with(&mut self, with: &'t With) {
        self.walk_with(with);
    }

    fn walk_with(&mut self, with: &'t With) {
        if let WithValue::Term(term) = &with.value {
            self.visit_term(term);
        }
    }

    fn visit_term(&mut self, term: &'t Term) {
        match term {
            Term::Const(_) | Term::Var(_) => {}
            Term::Array(items) | Term::Set(items) => items.iter().for_each(|item| self.visit_term(item)),
            Term::Object(entries) => entries.iter().for_each(|(key, value)| {
                self.visit_term(key);
                self.visit_term(value);
            }),
            Term::Ref(reference) => self.visit_ref(reference),
            Term::Comprehension(comprehension) => self.visit_comprehension(comprehension),
        }
    }

    fn visit_ref(&mut self, reference: &'t Ref) {
        self.walk_ref(reference);
    }

    fn walk_ref(&mut self, reference: &'t Ref) {
        reference.path.iter().for_each(|step| self.visit_term(step));
    }

    fn visit_comprehension(&mut self, comprehension: &'t Comprehension) {
        self.walk_comprehension(comprehension);
    }

    fn walk_comprehension(&mut self, comprehension: &'t Comprehension) {
        match &comprehension.kind {
            ComprehensionKind::Array(head) | ComprehensionKind::Set(head) => self.visit_term(head),
            ComprehensionKind::Object(key, value) => {
                self.visit_term(key);
                self.visit_term(value);
            }
        }
        self.visit_block(&comprehension.body);
    }
}
