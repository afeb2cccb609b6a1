//! Which variables a statement gives a value, when some are known already.
//!
//! Rego binds through references (`xs[i]`), through unification, and through the result argument of a call. Everything
//! else only reads.

use super::term_order::{By, terms};
use super::tree::{Body, Comprehension, ComprehensionKind, Expr, ExprKind, Head, Kind, Part, Ref, Term};
use super::vars::{
    Arity, BINDING, EVERYWHERE, OPEN, Places, VarSet, all_in_term, binding, collect, open_in_expr,
    open_in_term,
};
use super::walk::Visit;
use crate::hir::VarId;
use gavel_runtime::value::Constant;
use std::collections::{BTreeMap, BTreeSet};

/// Whether a variable has a value before the statement.
pub(super) type Knows<'x> = &'x dyn Fn(VarId) -> bool;

/// Variables that a statement binds when `safe` are known.
pub(super) fn of_expr(expr: &Expr, arity: Arity<'_>, safe: Knows<'_>) -> VarSet {
    if expr.negated || matches!(expr.kind, ExprKind::Not(_)) {
        return VarSet::new();
    }
    let modifiers = collect(OPEN, |open| {
        expr.with.iter().for_each(|with| open.visit_with(with))
    });
    if !modifiers.iter().all(|var| safe(*var)) {
        return VarSet::new();
    }
    match &expr.kind {
        ExprKind::Term(term) => of_terms([term], safe),
        ExprKind::Eq {
            left,
            right,
            directed,
        } => of_equality(left, right, *directed, safe),
        ExprKind::Call(call) => match arity(&call.callee) {
            Some(arity) => of_call(&call.args, arity, safe),
            None => VarSet::new(),
        },
        ExprKind::Every(every) => of_terms([&every.domain], safe),
        ExprKind::Not(_) | ExprKind::And(..) | ExprKind::Or(..) => VarSet::new(),
    }
}

/// Variables that the statements of a body bind when run in their order.
pub(super) fn of_body<'b>(
    body: impl IntoIterator<Item = &'b Expr>,
    arity: Arity<'_>,
    safe: Knows<'_>,
) -> VarSet {
    let mut bound = VarSet::new();
    for expr in body {
        let more = of_expr(expr, arity, &|var| bound.contains(&var) || safe(var));
        bound.extend(more.into_iter().filter(|var| !safe(*var)));
    }
    bound
}

/// All variables that [`of_expr`] can ever yield for a statement, whatever is known.
pub(super) fn possible(expr: &Expr, arity: Arity<'_>) -> VarSet {
    let mut possible = open_in_expr(expr);
    possible.extend(of_expr(expr, arity, &|_| true));
    possible
}

fn of_equality(left: &Term, right: &Term, directed: bool, safe: Knows<'_>) -> VarSet {
    let mut bound = of_terms([left, right], safe);
    // What `:=` declares is new, whatever was known under that variable.
    let declared = if directed {
        all_in_term(left)
    } else {
        VarSet::new()
    };
    bound.retain(|var| !declared.contains(var));
    let known = |var| bound.contains(&var) || (safe(var) && !declared.contains(&var));
    let unified = unify(&known, left, right);
    bound.extend(unified);
    bound.retain(|var| !safe(*var));
    bound
}

fn of_call(args: &[Term], arity: usize, safe: Knows<'_>) -> VarSet {
    let mut bound = of_terms(args, safe);
    let Some((inputs, results)) = args.split_at_checked(arity) else {
        return bound;
    };
    if results.is_empty() {
        return bound;
    }
    if collect(RESULT, |vars| vars.walk_terms(inputs))
        .iter()
        .any(|var| !bound.contains(var) && !safe(*var))
    {
        return VarSet::new();
    }
    bound.extend(collect(RESULT, |vars| vars.walk_terms(results)));
    bound
}

/// Places of which a call binds the variables.
const RESULT: Places = Places {
    no_sets: true,
    ..BINDING
};

/// Variables in brackets of references whose head is known.
fn of_terms<'t>(terms: impl IntoIterator<Item = &'t Term>, safe: Knows<'_>) -> VarSet {
    let mut brackets = Brackets {
        safe,
        bound: VarSet::new(),
    };
    terms.into_iter().for_each(|term| brackets.visit_term(term));
    brackets.bound
}

struct Brackets<'s> {
    safe: Knows<'s>,
    bound: VarSet,
}

impl<'t> Visit<'t> for Brackets<'_> {
    fn visit_ref(&mut self, reference: &'t Ref) {
        if is_safe_ref(reference, self.safe) {
            let places = Places {
                no_ref_heads: true,
                ..EVERYWHERE
            };
            self.bound
                .extend(collect(places, |vars| vars.walk_terms(&reference.path)));
            self.walk_ref(reference);
        }
    }

    fn visit_comprehension(&mut self, _: &'t Comprehension) {}

    fn visit_template(&mut self, _: &'t [Part]) {}
}

fn is_safe_ref(reference: &Ref, safe: Knows<'_>) -> bool {
    match &reference.head {
        Head::Input | Head::Data => true,
        Head::Var(var) => safe(*var),
        Head::Term(head) => open_in_term(head).iter().all(|var| safe(*var)),
    }
}

/// Variables that become known when two terms are made equal.
fn unify(safe: Knows<'_>, left: &Term, right: &Term) -> VarSet {
    let mut unifier = Unifier {
        safe,
        unified: VarSet::new(),
        unknown: BTreeMap::new(),
        waiting: BTreeMap::new(),
    };
    unifier.unify(left, right);
    unifier.unified
}

struct Unifier<'s> {
    safe: Knows<'s>,
    unified: VarSet,
    /// A variable that becomes known once all of its set are.
    unknown: BTreeMap<VarId, BTreeSet<VarId>>,
    /// In whose sets a variable is.
    waiting: BTreeMap<VarId, Vec<VarId>>,
}

/// What matters of a term's shape for unification.
enum Shape<'t> {
    Var(VarId),
    /// Reads others; known when those are.
    Computed(bool),
    Array(&'t [Term]),
    Object(&'t [(Term, Term)]),
    Comprehension(ComprehensionKind),
    /// Known as it is, and gives no part away.
    Opaque,
}

impl Unifier<'_> {
    fn is_safe(&self, var: VarId) -> bool {
        (self.safe)(var) || self.unified.contains(&var)
    }

    fn shape<'t>(&self, term: &'t Term) -> Shape<'t> {
        match &term.kind {
            Kind::Var(var) => Shape::Var(*var),
            Kind::Ref(reference) => Shape::Computed(is_safe_ref(reference, self.safe)),
            Kind::Call(_) => Shape::Computed(open_in_term(term).iter().all(|var| (self.safe)(*var))),
            Kind::Array(items) => Shape::Array(items),
            Kind::Object(entries) => Shape::Object(entries),
            Kind::Comprehension(comprehension) => Shape::Comprehension(comprehension.kind),
            Kind::Const(_) | Kind::Set(_) | Kind::Template(_) | Kind::Builtin(_) => Shape::Opaque,
        }
    }

    fn unify(&mut self, left: &Term, right: &Term) {
        match (self.shape(left), self.shape(right)) {
            (Shape::Var(a), Shape::Var(b)) => {
                if self.is_safe(b) {
                    self.mark(a);
                } else if self.is_safe(a) {
                    self.mark(b);
                } else {
                    self.wait(a, b);
                    self.wait(b, a);
                }
            }
            (Shape::Var(var), Shape::Array(_) | Shape::Object(_)) => self.against_collection(var, right),
            (Shape::Array(_) | Shape::Object(_), Shape::Var(var)) => self.against_collection(var, left),
            (Shape::Var(var), Shape::Computed(known)) | (Shape::Computed(known), Shape::Var(var)) => {
                if known {
                    self.mark(var);
                }
            }
            (Shape::Var(var), Shape::Comprehension(_) | Shape::Opaque)
            | (Shape::Comprehension(_) | Shape::Opaque, Shape::Var(var)) => self.mark(var),
            (Shape::Computed(known), Shape::Array(_) | Shape::Object(_)) => {
                if known {
                    self.mark_all(right);
                }
            }
            (Shape::Array(_) | Shape::Object(_), Shape::Computed(known)) => {
                if known {
                    self.mark_all(left);
                }
            }
            (Shape::Comprehension(ComprehensionKind::Array), Shape::Array(_))
            | (Shape::Comprehension(ComprehensionKind::Object), Shape::Object(_)) => self.mark_all(right),
            (Shape::Array(_), Shape::Comprehension(_)) => self.mark_all(left),
            (Shape::Array(a), Shape::Array(b)) => {
                if a.len() == b.len() {
                    a.iter().zip(b).for_each(|(a, b)| self.unify(a, b));
                }
            }
            (Shape::Object(a), Shape::Object(b)) => {
                if a.len() == b.len() {
                    let others = ByKey::of(b);
                    for (key, value) in a {
                        if let Some(other) = others.get(key) {
                            self.unify(value, other);
                        }
                    }
                }
            }
            (Shape::Array(_) | Shape::Object(_), Shape::Opaque) => self.match_constant(left, right),
            (Shape::Opaque, Shape::Array(_) | Shape::Object(_)) => self.match_constant(right, left),
            // OPA learns nothing from these.
            (Shape::Object(_), Shape::Comprehension(_))
            | (Shape::Comprehension(_), Shape::Array(_) | Shape::Object(_))
            | (Shape::Array(_), Shape::Object(_))
            | (Shape::Object(_), Shape::Array(_))
            | (
                Shape::Computed(_) | Shape::Comprehension(_) | Shape::Opaque,
                Shape::Computed(_) | Shape::Comprehension(_) | Shape::Opaque,
            ) => {}
        }
    }

    /// A pattern against a constant collection of the same size.
    fn match_constant(&mut self, pattern: &Term, other: &Term) {
        match (&pattern.kind, &other.kind) {
            (Kind::Array(items), Kind::Const(Constant::Array(values))) if items.len() == values.len() => {
                for (item, value) in items.iter().zip(values) {
                    self.unify(item, &Term::new(other.span, Kind::Const(value.clone())));
                }
            }
            (Kind::Object(entries), Kind::Const(Constant::Object(values)))
                if entries.len() == values.len() =>
            {
                let values: BTreeMap<&Constant, &Constant> = values.iter().map(|(k, v)| (k, v)).collect();
                for (key, item) in entries {
                    if let Some(value) = key.as_const().and_then(|key| values.get(key)) {
                        self.unify(item, &Term::new(other.span, Kind::Const((*value).clone())));
                    }
                }
            }
            _ => {}
        }
    }

    fn against_collection(&mut self, var: VarId, collection: &Term) {
        if self.is_safe(var) {
            self.mark_all(collection);
            return;
        }
        let unsafe_vars: BTreeSet<VarId> = binding(collection)
            .into_iter()
            .filter(|var| !self.is_safe(*var))
            .collect();
        if unsafe_vars.is_empty() {
            self.mark(var);
        } else {
            unsafe_vars
                .into_iter()
                .for_each(|missing| self.wait(var, missing));
        }
    }

    fn mark_all(&mut self, term: &Term) {
        binding(term).into_iter().for_each(|var| self.mark(var));
    }

    fn wait(&mut self, var: VarId, missing: VarId) {
        if self.unknown.entry(var).or_default().insert(missing) {
            self.waiting.entry(missing).or_default().push(var);
        }
    }

    fn mark(&mut self, var: VarId) {
        let mut open = vec![var];
        while let Some(var) = open.pop() {
            if !self.unified.insert(var) {
                continue;
            }
            open.extend(self.unknown.remove(&var).unwrap_or_default());
            for dependent in self.waiting.remove(&var).unwrap_or_default() {
                if let Some(missing) = self.unknown.get_mut(&dependent)
                    && missing.remove(&var)
                    && missing.is_empty()
                {
                    self.unknown.remove(&dependent);
                    open.push(dependent);
                }
            }
        }
    }
}

/// A key of an object pattern that is found fast: the same constant or variable is the same key.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key<'t> {
    Const(&'t Constant),
    Var(VarId),
}

fn key_of(term: &Term) -> Option<Key<'_>> {
    match &term.kind {
        Kind::Const(constant) => Some(Key::Const(constant)),
        Kind::Var(var) => Some(Key::Var(*var)),
        _ => None,
    }
}

/// The values of an object pattern by key as written, the first of equal keys.
#[derive(Default)]
struct ByKey<'t> {
    plain: BTreeMap<Key<'t>, &'t Term>,
    others: Vec<(&'t Term, &'t Term)>,
}

impl<'t> ByKey<'t> {
    fn of(entries: &'t [(Term, Term)]) -> ByKey<'t> {
        let mut found = ByKey::default();
        for (key, value) in entries {
            match key_of(key) {
                Some(key) => {
                    found.plain.entry(key).or_insert(value);
                }
                None => found.others.push((key, value)),
            }
        }
        found
    }

    fn get(&self, key: &Term) -> Option<&'t Term> {
        match key_of(key) {
            Some(key) => self.plain.get(&key).copied(),
            None => {
                let mut others = self.others.iter();
                others
                    .find(|(other, _)| terms(key, other, By::Identity).is_eq())
                    .map(|(_, value)| *value)
            }
        }
    }
}

/// Variables of an unbraced operand that the body around it must bind: those the operand does not bind for a statement of
/// its own that was lifted out of it.
pub(super) fn unbound_in_operand(body: &Body, arity: Arity<'_>) -> VarSet {
    let mut occurrences: BTreeMap<VarId, usize> = BTreeMap::new();
    for expr in body {
        for var in open_in_expr(expr) {
            *occurrences.entry(var).or_default() += 1;
        }
    }
    if body.len() == 1 {
        return occurrences.into_keys().collect();
    }
    let mut safe: VarSet = occurrences.keys().copied().collect();
    for expr in body {
        if let ExprKind::Eq { left, right, .. } = &expr.kind {
            for side in [left, right] {
                if let Some(var) = side.as_var() {
                    safe.remove(&var);
                }
            }
        }
    }
    let mut bound = VarSet::new();
    loop {
        let before = bound.len();
        for expr in body {
            if let ExprKind::Eq {
                left,
                right,
                directed,
            } = &expr.kind
            {
                let outputs = of_equality(left, right, *directed, &|var| safe.contains(&var));
                safe.extend(&outputs);
                bound.extend(outputs);
            }
        }
        if bound.len() == before {
            break;
        }
    }
    for expr in body {
        let ExprKind::Call(call) = &expr.kind else {
            continue;
        };
        let Some((_, results)) = arity(&call.callee).and_then(|arity| call.args.split_at_checked(arity))
        else {
            continue;
        };
        bound.extend(collect(RESULT, |vars| vars.walk_terms(results)));
    }
    occurrences
        .into_iter()
        .filter(|(var, count)| !bound.contains(var) || *count == 1)
        .map(|(var, _)| var)
        .collect()
}
