//! Ways through the tree. What a pass is about it says itself; how it gets there stands here.
//!
//! [`Visit`] reads and [`VisitMut`] changes; both come from one text, so that a kind of node is added in one place. A pass has
//! a `visit_*` of its own for the kinds that it is about, and calls the `walk_*` of the same name, which no pass replaces,
//! where it wants to see what is inside. Nodes come in the order of the source, modifiers behind their statement.

use super::tree::{
    Body, Clause, Comprehension, Every, Expr, ExprKind, Head, Kind, Operand, Part, Program, Ref, Term, With,
};
use crate::hir::VarId;

macro_rules! visitor {
    ($(#[$doc:meta])* $name:ident $(<$tree:lifetime>)? $(, $mut:ident)?) => {
        $(#[$doc])*
        pub(super) trait $name$(<$tree>)? {
            /// The body of a rule, or of what has one inside of it.
            fn visit_body(&mut self, body: &$($tree)? $($mut)? Body) {
                self.walk_body(body);
            }

            fn walk_body(&mut self, body: &$($tree)? $($mut)? Body) {
                for expr in body {
                    self.visit_expr(expr);
                }
            }

            fn visit_expr(&mut self, expr: &$($tree)? $($mut)? Expr) {
                self.walk_expr(expr);
            }

            fn walk_expr(&mut self, expr: &$($tree)? $($mut)? Expr) {
                self.walk_statement(&$($mut)? expr.kind);
                for with in &$($mut)? expr.with {
                    self.visit_with(with);
                }
            }

            /// An expression without its modifiers.
            fn walk_statement(&mut self, kind: &$($tree)? $($mut)? ExprKind) {
                match kind {
                    ExprKind::Term(term) => self.visit_term(term),
                    ExprKind::Eq { left, right, .. } => {
                        self.visit_term(left);
                        self.visit_term(right);
                    }
                    ExprKind::Call(call) => self.walk_terms(&$($mut)? call.args),
                    ExprKind::Every(every) => self.visit_every(every),
                    ExprKind::Not(operand) => self.visit_operand(operand),
                    ExprKind::And(left, right) | ExprKind::Or(left, right) => {
                        self.visit_operand(left);
                        self.visit_operand(right);
                    }
                }
            }

            fn visit_every(&mut self, every: &$($tree)? $($mut)? Every) {
                if let Some(key) = &$($mut)? every.key {
                    self.visit_var(key);
                }
                self.visit_var(&$($mut)? every.value);
                self.visit_term(&$($mut)? every.domain);
                self.visit_body(&$($mut)? every.body);
            }

            fn visit_operand(&mut self, operand: &$($tree)? $($mut)? Operand) {
                self.visit_body(&$($mut)? operand.body);
            }

            fn visit_with(&mut self, with: &$($tree)? $($mut)? With) {
                self.walk_with(with);
            }

            fn walk_with(&mut self, with: &$($tree)? $($mut)? With) {
                self.visit_term(&$($mut)? with.target);
                self.visit_term(&$($mut)? with.value);
            }

            fn visit_term(&mut self, term: &$($tree)? $($mut)? Term) {
                self.walk_term(term);
            }

            fn walk_term(&mut self, term: &$($tree)? $($mut)? Term) {
                match &$($mut)? term.kind {
                    Kind::Const(_) | Kind::Builtin(_) => {}
                    Kind::Var(var) => self.visit_var(var),
                    Kind::Ref(reference) => self.visit_ref(reference),
                    Kind::Call(call) => self.walk_terms(&$($mut)? call.args),
                    Kind::Array(items) | Kind::Set(items) => self.walk_terms(items),
                    Kind::Object(entries) => {
                        for (key, value) in entries {
                            self.visit_term(key);
                            self.visit_term(value);
                        }
                    }
                    Kind::Comprehension(comprehension) => self.visit_comprehension(comprehension),
                    Kind::Template(parts) => self.visit_template(parts),
                }
            }

            fn walk_terms(&mut self, terms: &$($tree)? $($mut)? [Term]) {
                for term in terms {
                    self.visit_term(term);
                }
            }

            fn visit_ref(&mut self, reference: &$($tree)? $($mut)? Ref) {
                self.walk_ref(reference);
            }

            fn walk_ref(&mut self, reference: &$($tree)? $($mut)? Ref) {
                match &$($mut)? reference.head {
                    Head::Input | Head::Data => {}
                    Head::Var(var) => self.visit_var(var),
                    Head::Term(head) => self.visit_term(head),
                }
                self.walk_terms(&$($mut)? reference.path);
            }

            fn visit_comprehension(&mut self, comprehension: &$($tree)? $($mut)? Comprehension) {
                self.walk_comprehension(comprehension);
            }

            fn walk_comprehension(&mut self, comprehension: &$($tree)? $($mut)? Comprehension) {
                if let Some(key) = &$($mut)? comprehension.key {
                    self.visit_term(key);
                }
                self.visit_term(&$($mut)? comprehension.value);
                self.visit_body(&$($mut)? comprehension.body);
            }

            fn visit_template(&mut self, parts: &$($tree)? $($mut)? [Part]) {
                self.walk_template(parts);
            }

            fn walk_template(&mut self, parts: &$($tree)? $($mut)? [Part]) {
                for part in parts {
                    if let Part::Expr(expr) = part {
                        self.visit_expr(expr);
                    }
                }
            }

            /// A variable where one may stand: as a term, in front of a reference, declared by `every`.
            fn visit_var(&mut self, _var: &$($tree)? $($mut)? VarId) {}
        }
    };
}

visitor! {
    /// Reads a piece of the tree.
    Visit<'t>
}

visitor! {
    /// Changes a piece of the tree in place.
    VisitMut, mut
}

/// A place in the tree.
#[derive(Clone, Copy)]
pub(super) enum Place<'t> {
    Expr(&'t Expr),
    Term(&'t Term),
}

/// Shows every place, outer ones first, closures included.
struct Places<'v, 't>(&'v mut dyn FnMut(Place<'t>));

impl<'t> Visit<'t> for Places<'_, 't> {
    fn visit_expr(&mut self, expr: &'t Expr) {
        (self.0)(Place::Expr(expr));
        self.walk_expr(expr);
    }

    fn visit_term(&mut self, term: &'t Term) {
        (self.0)(Place::Term(term));
        self.walk_term(term);
    }
}

/// Shows the places of a body.
pub(super) fn body<'t>(body: &'t Body, show: &mut dyn FnMut(Place<'t>)) {
    Places(show).visit_body(body);
}

/// Shows the places of a clause: of its body, then of its value.
pub(super) fn clause<'t>(clause: &'t Clause, show: &mut dyn FnMut(Place<'t>)) {
    body(&clause.body, show);
    term(&clause.value, show);
}

/// Shows the places of the clauses of all rules.
pub(super) fn program<'t>(program: &'t Program, show: &mut dyn FnMut(Place<'t>)) {
    for (_, rule) in program.rules() {
        rule.clauses.iter().for_each(|clause| self::clause(clause, show));
    }
}

/// Shows the places of a statement.
pub(super) fn expr<'t>(expr: &'t Expr, show: &mut dyn FnMut(Place<'t>)) {
    Places(show).visit_expr(expr);
}

/// Shows the places of a term.
pub(super) fn term<'t>(term: &'t Term, show: &mut dyn FnMut(Place<'t>)) {
    Places(show).visit_term(term);
}

/// Gives bodies to change, outer ones first. `change` tells whether to go into the body.
struct Bodies<'v>(&'v mut dyn FnMut(&mut Body) -> bool);

impl VisitMut for Bodies<'_> {
    fn visit_body(&mut self, body: &mut Body) {
        if (self.0)(body) {
            self.walk_body(body);
        }
    }

    /// What is replaced is not evaluated.
    fn visit_with(&mut self, with: &mut With) {
        self.visit_term(&mut with.value);
    }
}

/// Gives a body and every body in it.
pub(super) fn bodies_mut(body: &mut Body, change: &mut dyn FnMut(&mut Body) -> bool) {
    Bodies(change).visit_body(body);
}

/// Gives every body in a term.
pub(super) fn bodies_in_term(term: &mut Term, change: &mut dyn FnMut(&mut Body) -> bool) {
    Bodies(change).visit_term(term);
}
