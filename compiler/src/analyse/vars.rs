//! Which variables occur in a piece of the tree, under the rules of the different questions asked about them.

use super::outputs;
use super::tree::{Body, Callee, Comprehension, Expr, ExprKind, Kind, Operand, Part, Ref, Rule, Term, With};
use super::walk::Visit;
use crate::hir::VarId;
use std::collections::BTreeSet;

/// Variables in a fixed order.
pub(super) type VarSet = BTreeSet<VarId>;

/// Variables known at one place, by the blocks around it, the innermost last.
pub(super) struct Known(Vec<VarSet>);

impl Known {
    pub(super) fn new(vars: VarSet) -> Known {
        Known(vec![vars])
    }

    /// Opens a block, where nothing is known in addition yet.
    pub(super) fn enter(&mut self) {
        self.0.push(VarSet::new());
    }

    /// Closes the innermost block.
    pub(super) fn leave(&mut self) {
        self.0.pop();
    }

    pub(super) fn extend(&mut self, vars: impl IntoIterator<Item = VarId>) {
        if let Some(here) = self.0.last_mut() {
            here.extend(vars);
        }
    }

    /// O(nesting).
    pub(super) fn contains(&self, var: VarId) -> bool {
        self.0.iter().rev().any(|block| block.contains(&var))
    }
}

/// How many arguments a callee takes; `None` for what does not exist.
pub(super) type Arity<'x> = &'x dyn Fn(&Callee) -> Option<usize>;

/// Which places are left out.
#[derive(Clone, Copy)]
pub(super) struct Places {
    pub(super) no_ref_heads: bool,
    pub(super) no_object_keys: bool,
    /// Comprehensions, templates, bodies of `every`, `not`, `and`, `or`.
    pub(super) no_closures: bool,
    pub(super) no_sets: bool,
    pub(super) no_comprehensions: bool,
}

/// Places of which a pattern or result argument binds the variables.
pub(super) const BINDING: Places = Places {
    no_ref_heads: true,
    no_object_keys: true,
    no_closures: true,
    no_sets: false,
    no_comprehensions: false,
};

/// Variables wherever they stand.
pub(super) const EVERYWHERE: Places = Places {
    no_ref_heads: false,
    no_object_keys: false,
    no_closures: false,
    no_sets: false,
    no_comprehensions: false,
};

/// Variables outside of closures.
pub(super) const OPEN: Places = Places {
    no_closures: true,
    ..EVERYWHERE
};

/// Collects variables.
pub(super) struct Collector<'x> {
    places: Places,
    /// Set: unbraced operands of `not`, `and`, `or` count with the variables that they cannot bind themselves.
    operands: Option<Arity<'x>>,
    found: VarSet,
}

/// Variables of what `show` visits.
pub(super) fn collect(places: Places, show: impl FnOnce(&mut Collector<'_>)) -> VarSet {
    Collector::collect(places, None, show)
}

/// All variables of a body, closures included.
pub(super) fn all_in_body(body: &Body) -> VarSet {
    collect(EVERYWHERE, |all| all.visit_body(body))
}

/// All variables of a statement, closures included.
pub(super) fn all_in_expr(expr: &Expr) -> VarSet {
    collect(EVERYWHERE, |all| all.visit_expr(expr))
}

/// All variables of a term, closures included.
pub(super) fn all_in_term(term: &Term) -> VarSet {
    collect(EVERYWHERE, |all| all.visit_term(term))
}

/// All variables of a rule's parameters.
pub(super) fn parameters(rule: &Rule) -> VarSet {
    collect(EVERYWHERE, |all| {
        all.walk_terms(rule.args.as_deref().unwrap_or_default())
    })
}

/// Variables of a body outside of closures.
pub(super) fn open_in_body(body: &Body) -> VarSet {
    collect(OPEN, |open| open.visit_body(body))
}

/// Variables of a statement outside of closures.
pub(super) fn open_in_expr(expr: &Expr) -> VarSet {
    collect(OPEN, |open| open.visit_expr(expr))
}

/// Variables of a term outside of closures.
pub(super) fn open_in_term(term: &Term) -> VarSet {
    collect(OPEN, |open| open.visit_term(term))
}

/// Variables of a statement that the body around it must know.
pub(super) fn needed_in_expr(expr: &Expr, arity: Arity<'_>) -> VarSet {
    Collector::collect(OPEN, Some(arity), |needed| needed.visit_expr(expr))
}

/// Variables of a body that stand directly in it, with those of unbraced operands.
pub(super) fn needed_in_body(body: &Body, arity: Arity<'_>) -> VarSet {
    Collector::collect(OPEN, Some(arity), |needed| needed.visit_body(body))
}

/// Variables of the closures of a statement.
pub(super) fn in_closures(expr: &Expr) -> VarSet {
    let mut closures = Closures(VarSet::new());
    closures.visit_expr(expr);
    closures.0
}

/// Variables in the places of [`BINDING`].
pub(super) fn binding(term: &Term) -> VarSet {
    collect(BINDING, |binding| binding.visit_term(term))
}

impl<'x> Collector<'x> {
    fn collect(places: Places, operands: Option<Arity<'x>>, show: impl FnOnce(&mut Self)) -> VarSet {
        let mut collector = Collector {
            places,
            operands,
            found: VarSet::new(),
        };
        show(&mut collector);
        collector.found
    }
}

impl<'t> Visit<'t> for Collector<'_> {
    fn visit_expr(&mut self, expr: &'t Expr) {
        match &expr.kind {
            // Its modifiers count as part of the closure.
            ExprKind::Every(every) if self.places.no_closures => self.visit_term(&every.domain),
            _ => self.walk_expr(expr),
        }
    }

    fn visit_operand(&mut self, operand: &'t Operand) {
        if let Some(arity) = self.operands {
            if !operand.braced {
                self.found
                    .extend(outputs::unbound_in_operand(&operand.body, arity));
            }
        } else if !self.places.no_closures {
            self.visit_body(&operand.body);
        }
    }

    fn visit_with(&mut self, with: &'t With) {
        if !self.places.no_closures {
            self.walk_with(with);
            return;
        }
        // The head may be a function's name.
        if let Some(target) = with.target.as_ref() {
            self.walk_terms(&target.path);
        }
        match with.value.as_ref() {
            Some(value) => self.walk_terms(&value.path),
            None => self.visit_term(&with.value),
        }
    }

    fn visit_term(&mut self, term: &'t Term) {
        match &term.kind {
            Kind::Set(_) if self.places.no_sets => {}
            Kind::Object(entries) if self.places.no_object_keys => {
                entries.iter().for_each(|(_, value)| self.visit_term(value));
            }
            _ => self.walk_term(term),
        }
    }

    fn visit_ref(&mut self, reference: &'t Ref) {
        if self.places.no_ref_heads {
            self.walk_terms(&reference.path);
        } else {
            self.walk_ref(reference);
        }
    }

    fn visit_comprehension(&mut self, comprehension: &'t Comprehension) {
        if !self.places.no_closures && !self.places.no_comprehensions {
            self.walk_comprehension(comprehension);
        }
    }

    fn visit_template(&mut self, parts: &'t [Part]) {
        if !self.places.no_closures {
            self.walk_template(parts);
        }
    }

    fn visit_var(&mut self, var: &'t VarId) {
        self.found.insert(*var);
    }
}

/// Finds closures and takes all that occurs in them.
struct Closures(VarSet);

impl<'t> Visit<'t> for Closures {
    fn visit_body(&mut self, body: &'t Body) {
        self.0.extend(all_in_body(body));
    }

    fn visit_comprehension(&mut self, comprehension: &'t Comprehension) {
        self.0
            .extend(collect(EVERYWHERE, |all| all.visit_comprehension(comprehension)));
    }
}
