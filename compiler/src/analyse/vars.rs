//! Which variables occur in a piece of the tree, under the rules of the different questions asked about them.

use super::outputs;
use super::tree::{Body, Callee, Comprehension, Expr, ExprKind, Head, Kind, Operand, Part, Term, With};
use crate::hir::VarId;
use std::collections::BTreeSet;

/// Variables in a fixed order.
pub(super) type VarSet = BTreeSet<VarId>;

/// Variables known at one place: its own beside those of the places around it.
pub(super) struct Known<'k> {
    around: Option<&'k Known<'k>>,
    here: VarSet,
}

impl<'k> Known<'k> {
    pub(super) fn new(here: VarSet) -> Known<'static> {
        Known { around: None, here }
    }

    /// The place inside, where nothing is known in addition yet.
    pub(super) fn inside(around: &'k Known<'k>) -> Known<'k> {
        Known {
            around: Some(around),
            here: VarSet::new(),
        }
    }

    pub(super) fn insert(&mut self, var: VarId) {
        self.here.insert(var);
    }

    pub(super) fn extend(&mut self, vars: impl IntoIterator<Item = VarId>) {
        self.here.extend(vars);
    }

    /// O(nesting).
    pub(super) fn contains(&self, var: VarId) -> bool {
        let mut place = Some(self);
        while let Some(known) = place {
            if known.here.contains(&var) {
                return true;
            }
            place = known.around;
        }
        false
    }
}

/// How many arguments a callee takes; `None` for what does not exist.
pub(super) type Arity<'x> = &'x dyn Fn(&Callee) -> Option<usize>;

/// Which places are left out.
#[derive(Clone, Copy, Default)]
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

/// Collects variables.
pub(super) struct Collector<'x> {
    pub(super) places: Places,
    /// Set: unbraced operands of `not`, `and`, `or` count with the variables that they cannot bind themselves.
    pub(super) operands: Option<Arity<'x>>,
    pub(super) found: VarSet,
}

/// All variables of a body, closures included.
pub(super) fn all_in_body(body: &Body) -> VarSet {
    let mut collector = Collector::everywhere();
    collector.body(body);
    collector.found
}

/// All variables of a statement, closures included.
pub(super) fn all_in_expr(expr: &Expr) -> VarSet {
    let mut collector = Collector::everywhere();
    collector.expr(expr);
    collector.found
}

/// All variables of a term, closures included.
pub(super) fn all_in_term(term: &Term) -> VarSet {
    let mut collector = Collector::everywhere();
    collector.term(term);
    collector.found
}

/// Variables of a term outside of closures.
pub(super) fn open_in_term(term: &Term) -> VarSet {
    let mut collector = Collector::open();
    collector.term(term);
    collector.found
}

/// Variables of a statement that the body around it must know.
pub(super) fn needed_in_expr(expr: &Expr, arity: Arity<'_>) -> VarSet {
    let mut collector = Collector {
        operands: Some(arity),
        ..Collector::open()
    };
    collector.expr(expr);
    collector.found
}

/// Variables of a body that stand directly in it, with those of unbraced operands.
pub(super) fn needed_in_body(body: &Body, arity: Arity<'_>) -> VarSet {
    let mut collector = Collector {
        operands: Some(arity),
        ..Collector::open()
    };
    collector.body(body);
    collector.found
}

/// Variables of the closures of a statement.
pub(super) fn in_closures(expr: &Expr) -> VarSet {
    let mut finder = ClosureVars(VarSet::new());
    finder.expr(expr);
    finder.0
}

/// Variables in the places of [`BINDING`].
pub(super) fn binding(term: &Term) -> VarSet {
    let mut collector = Collector {
        places: BINDING,
        operands: None,
        found: VarSet::new(),
    };
    collector.term(term);
    collector.found
}

impl Collector<'_> {
    pub(super) fn everywhere() -> Self {
        Collector {
            places: Places::default(),
            operands: None,
            found: VarSet::new(),
        }
    }

    pub(super) fn open() -> Self {
        Collector {
            places: Places {
                no_closures: true,
                ..Places::default()
            },
            operands: None,
            found: VarSet::new(),
        }
    }

    pub(super) fn body(&mut self, body: &Body) {
        body.iter().for_each(|expr| self.expr(expr));
    }

    pub(super) fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Term(term) => self.term(term),
            ExprKind::Eq { left, right, .. } => {
                self.term(left);
                self.term(right);
            }
            ExprKind::Call(call) => call.args.iter().for_each(|arg| self.term(arg)),
            ExprKind::Every {
                key,
                value,
                domain,
                body,
            } => {
                self.term(domain);
                if self.places.no_closures {
                    return;
                }
                self.found.extend(*key);
                self.found.insert(*value);
                self.body(body);
            }
            ExprKind::Not(operand) => self.operand(operand),
            ExprKind::And(left, right) | ExprKind::Or(left, right) => {
                self.operand(left);
                self.operand(right);
            }
        }
        expr.with.iter().for_each(|with| self.with(with));
    }

    fn operand(&mut self, operand: &Operand) {
        if let Some(arity) = self.operands {
            if !operand.braced {
                self.found
                    .extend(outputs::unbound_in_operand(&operand.body, arity));
            }
        } else if !self.places.no_closures {
            self.body(&operand.body);
        }
    }

    pub(super) fn with(&mut self, with: &With) {
        if !self.places.no_closures {
            self.term(&with.target);
            self.term(&with.value);
            return;
        }
        // The head may be a function's name.
        if let Some(target) = with.target.as_ref() {
            target.path.iter().for_each(|element| self.term(element));
        }
        match with.value.as_ref() {
            Some(value) => value.path.iter().for_each(|element| self.term(element)),
            None => self.term(&with.value),
        }
    }

    pub(super) fn term(&mut self, term: &Term) {
        match &term.kind {
            Kind::Const(_) | Kind::Builtin(_) => {}
            Kind::Var(var) => {
                self.found.insert(*var);
            }
            Kind::Ref(reference) => {
                if !self.places.no_ref_heads {
                    match &reference.head {
                        Head::Input | Head::Data => {}
                        Head::Var(var) => {
                            self.found.insert(*var);
                        }
                        Head::Term(head) => self.term(head),
                    }
                }
                reference.path.iter().for_each(|element| self.term(element));
            }
            Kind::Call(call) => call.args.iter().for_each(|arg| self.term(arg)),
            Kind::Array(items) => items.iter().for_each(|item| self.term(item)),
            Kind::Set(items) => {
                if !self.places.no_sets {
                    items.iter().for_each(|item| self.term(item));
                }
            }
            Kind::Object(entries) => {
                for (key, value) in entries {
                    if !self.places.no_object_keys {
                        self.term(key);
                    }
                    self.term(value);
                }
            }
            Kind::Comprehension(comprehension) => {
                if !self.places.no_closures && !self.places.no_comprehensions {
                    self.comprehension(comprehension);
                }
            }
            Kind::Template(parts) => {
                if !self.places.no_closures {
                    for part in parts {
                        if let Part::Expr(expr) = part {
                            self.expr(expr);
                        }
                    }
                }
            }
        }
    }

    fn comprehension(&mut self, comprehension: &Comprehension) {
        comprehension.key.iter().for_each(|key| self.term(key));
        self.term(&comprehension.value);
        self.body(&comprehension.body);
    }
}

/// Finds closures and takes all that occurs in them.
struct ClosureVars(VarSet);

impl ClosureVars {
    fn take(&mut self, body: &Body) {
        self.0.extend(all_in_body(body));
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Term(term) => self.term(term),
            ExprKind::Eq { left, right, .. } => {
                self.term(left);
                self.term(right);
            }
            ExprKind::Call(call) => call.args.iter().for_each(|arg| self.term(arg)),
            ExprKind::Every { body, .. } => self.take(body),
            ExprKind::Not(operand) => self.take(&operand.body),
            ExprKind::And(left, right) | ExprKind::Or(left, right) => {
                self.take(&left.body);
                self.take(&right.body);
            }
        }
        for with in &expr.with {
            self.term(&with.target);
            self.term(&with.value);
        }
    }

    fn term(&mut self, term: &Term) {
        match &term.kind {
            Kind::Const(_) | Kind::Builtin(_) | Kind::Var(_) => {}
            Kind::Ref(reference) => {
                if let Head::Term(head) = &reference.head {
                    self.term(head);
                }
                reference.path.iter().for_each(|element| self.term(element));
            }
            Kind::Call(call) => call.args.iter().for_each(|arg| self.term(arg)),
            Kind::Array(items) | Kind::Set(items) => items.iter().for_each(|item| self.term(item)),
            Kind::Object(entries) => {
                for (key, value) in entries {
                    self.term(key);
                    self.term(value);
                }
            }
            Kind::Comprehension(_) => {
                self.0.extend(all_in_term(term));
            }
            Kind::Template(parts) => {
                for part in parts {
                    if let Part::Expr(expr) = part {
                        self.expr(expr);
                    }
                }
            }
        }
    }
}
