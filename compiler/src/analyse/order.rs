//! Safety: puts the statements of every body in an order in which each finds its variables known, or tells which
//! variables can never be.
//!
//! Repeatedly takes the earliest statement whose variables are known or bound by itself. Closures need the variables
//! they share with the body around them; then their own bodies are ordered. Source: OPA's language reference, and its
//! answers on the conformance corpora.

use super::findings::Findings;
use super::outputs;
use super::rule_tree::RuleTree;
use super::term_order::{By, exprs};
use super::tree::{Body, Callee, Comprehension, Every, Expr, ExprKind, Program, Vars, With};
use super::unsafe_vars::{RuleNames, Unsafe, report};
use super::vars::{self, Arity, Known, VarSet};
use super::walk::VisitMut;
use crate::hir::VarId;
use crate::source::{SourceMap, Span};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Orders the bodies of all rules.
pub(super) fn order(program: &mut Program, tree: &RuleTree, sources: &SourceMap, findings: &mut Findings) {
    let arity = |callee: &Callee| tree.arity(callee);
    for module in &mut program.modules {
        let scopes = RuleNames::of(module, sources);
        let package_len = module.package.len();
        for rule in &mut module.rules {
            let mut known = Known::new(vars::parameters(rule));
            let scope = scopes.label(rule, package_len, sources);
            for clause in &mut rule.clauses {
                let unsafe_vars = order_body(&mut clause.body, &mut known, &arity);
                findings.fatal_all(report(&unsafe_vars, &rule.vars, &scope));
            }
        }
    }
}

/// Orders the body of a query.
pub(super) fn order_query(body: &mut Body, vars: &Vars, tree: &RuleTree, findings: &mut Findings) {
    let arity = |callee: &Callee| tree.arity(callee);
    let unsafe_vars = order_body(body, &mut Known::new(VarSet::new()), &arity);
    findings.fatal_all(report(&unsafe_vars, vars, ""));
}

/// Orders a body and the bodies in it; `known`: variables from outside.
fn order_body(body: &mut Body, known: &mut Known, arity: Arity<'_>) -> Vec<Unsafe> {
    let mut ordering = Ordering::new(std::mem::take(body), known, arity);
    ordering.run();
    let Ordering {
        mut ordered, waiting, ..
    } = ordering;
    let waiting: Vec<Waiting> = waiting.into_iter().flatten().collect();
    let left = waiting.iter().filter(|candidate| !candidate.missing.is_empty());
    let mut found: Vec<Unsafe> = left.map(Waiting::as_unsafe).collect();
    known.enter();
    for at in 0..ordered.len() {
        if let Some(previous) = at.checked_sub(1).and_then(|at| ordered.get(at)) {
            known.extend(vars::needed_in_expr(previous, arity));
        }
        if let Some(expr) = ordered.get_mut(at) {
            let mut closures = Closures {
                span: expr.span,
                known,
                arity,
                found: &mut found,
            };
            closures.visit_expr(expr);
        }
    }
    known.leave();
    ordered.extend(waiting.into_iter().map(|candidate| candidate.expr));
    *body = ordered;
    found
}

/// A body that is being put in order.
///
/// In each round the statements are asked one after the other. A statement is asked again only after one of its
/// variables became known: nothing else changes its answer.
struct Ordering<'x> {
    arity: Arity<'x>,
    /// Variables of the body that have a value.
    safe: VarSet,
    /// By place in the source; `None`: placed.
    waiting: Vec<Option<Waiting>>,
    ordered: Body,
    /// Places among `ordered` of statements that may bind more once more is known.
    binding_later: Vec<usize>,
    /// What those may bind, by their place in the source.
    possible: BTreeMap<usize, VarSet>,
    /// Statements to ask in this round and in the next one.
    asked: BTreeSet<usize>,
    asked_next: BTreeSet<usize>,
    /// Statements in which a variable occurs.
    readers: HashMap<VarId, Vec<usize>>,
}

impl<'x> Ordering<'x> {
    fn new(body: Body, known: &Known, arity: Arity<'x>) -> Ordering<'x> {
        let body_vars = vars::needed_in_body(&body, arity);
        let safe: VarSet = body_vars
            .iter()
            .copied()
            .filter(|var| known.contains(*var))
            .collect();
        let mut readers: HashMap<VarId, Vec<usize>> = HashMap::new();
        for (at, expr) in body.iter().enumerate() {
            for var in vars::all_in_expr(expr) {
                readers.entry(var).or_default().push(at);
            }
        }
        let waiting: Vec<Option<Waiting>> = body
            .into_iter()
            .map(|expr| Some(Waiting::new(expr, &safe, known, &body_vars, arity)))
            .collect();
        Ordering {
            arity,
            safe,
            ordered: Body::with_capacity(waiting.len()),
            binding_later: Vec::new(),
            possible: BTreeMap::new(),
            asked: (0..waiting.len()).collect(),
            asked_next: BTreeSet::new(),
            waiting,
            readers,
        }
    }

    fn run(&mut self) {
        while !self.asked.is_empty() {
            while let Some(at) = self.asked.pop_first() {
                self.ask(at);
            }
            self.asked = std::mem::take(&mut self.asked_next);
        }
    }

    /// Places a statement when its variables are known.
    fn ask(&mut self, at: usize) {
        let Some(Some(candidate)) = self.waiting.get_mut(at) else {
            return;
        };
        // OPA takes a statement for one that is placed already if that is the same and now has this one's number: it
        // never becomes safe.
        if self
            .ordered
            .get(at)
            .is_some_and(|placed| exprs(placed, &candidate.expr, By::Identity).is_eq())
        {
            return;
        }
        let later = self
            .binding_later
            .iter()
            .filter_map(|place| self.ordered.get(*place));
        if !candidate.is_ready(&self.safe, later, self.arity) {
            return;
        }
        let Some(placed) = self.waiting.get_mut(at).and_then(Option::take) else {
            return;
        };
        let mut changed: Vec<VarId> = Vec::new();
        for var in placed.outputs {
            if self.safe.insert(var) {
                changed.push(var);
            }
        }
        let mut possible = outputs::possible(&placed.expr, self.arity);
        possible.retain(|var| !self.safe.contains(var));
        if !possible.is_empty() {
            self.binding_later.push(self.ordered.len());
            changed.extend(&possible);
            self.possible.insert(at, possible);
        }
        self.ordered.push(placed.expr);
        while let Some(var) = changed.pop() {
            for reader in self.readers.get(&var).into_iter().flatten() {
                let round = if *reader > at {
                    &mut self.asked
                } else {
                    &mut self.asked_next
                };
                if round.insert(*reader) {
                    changed.extend(self.possible.get(reader).into_iter().flatten());
                }
            }
        }
    }
}

/// A statement that waits for its variables.
struct Waiting {
    expr: Expr,
    missing: VarSet,
    /// Variables that its closures share with the body.
    closed_over: VarSet,
    outputs: VarSet,
}

impl Waiting {
    fn new(expr: Expr, safe: &VarSet, known: &Known, body_vars: &VarSet, arity: Arity<'_>) -> Waiting {
        let missing = vars::needed_in_expr(&expr, arity)
            .difference(safe)
            .copied()
            .collect();
        let closed_over = vars::in_closures(&expr)
            .intersection(body_vars)
            .copied()
            .filter(|var| !known.contains(*var))
            .collect();
        Waiting {
            expr,
            missing,
            closed_over,
            outputs: VarSet::new(),
        }
    }

    /// `later`: statements before it that may bind more than is counted as safe.
    fn is_ready<'b>(
        &mut self,
        safe: &VarSet,
        later: impl Iterator<Item = &'b Expr>,
        arity: Arity<'_>,
    ) -> bool {
        let known = |var| safe.contains(&var);
        self.outputs = outputs::of_expr(&self.expr, arity, &known);
        if !self.closed_over.is_empty() {
            let bound = outputs::of_body(later, arity, &known);
            let open: VarSet = self.closed_over.difference(&bound).copied().collect();
            if !open.is_empty() {
                if open == self.outputs {
                    return false;
                }
                self.missing = open;
            }
        }
        let outputs = &self.outputs;
        self.missing
            .retain(|var| !outputs.contains(var) && !safe.contains(var));
        self.missing.is_empty()
    }

    fn as_unsafe(&self) -> Unsafe {
        let assigned = match &self.expr.kind {
            ExprKind::Eq {
                left, directed: true, ..
            } => vars::all_in_term(left),
            _ => VarSet::new(),
        };
        Unsafe {
            span: self.expr.span,
            vars: self.missing.clone(),
            assigned,
        }
    }
}

/// Orders the closures of one statement.
struct Closures<'x> {
    span: Span,
    known: &'x mut Known,
    arity: Arity<'x>,
    found: &'x mut Vec<Unsafe>,
}

impl VisitMut for Closures<'_> {
    fn visit_body(&mut self, body: &mut Body) {
        let mut found = order_body(body, self.known, self.arity);
        self.found.append(&mut found);
    }

    fn visit_every(&mut self, every: &mut Every) {
        self.known.extend(every.vars());
        self.visit_body(&mut every.body);
    }

    fn visit_comprehension(&mut self, comprehension: &mut Comprehension) {
        let bound = vars::needed_in_body(&comprehension.body, self.arity);
        let mut open = vars::all_in_term(&comprehension.value);
        if let Some(key) = &comprehension.key {
            open.extend(vars::all_in_term(key));
        }
        open.retain(|var| !bound.contains(var) && !self.known.contains(*var));
        if !open.is_empty() {
            self.found.push(Unsafe {
                span: self.span,
                vars: open,
                assigned: VarSet::new(),
            });
        }
        self.visit_body(&mut comprehension.body);
    }

    /// What is replaced is not evaluated.
    fn visit_with(&mut self, with: &mut With) {
        self.visit_term(&mut with.value);
    }
}
