//! Rules that need themselves.
//!
//! A reference with variables may mean several rules. It counts for all it may mean, narrowed to the values that the body
//! gives a variable before it (`some k in ["a", "b"]; data.p[k]`). The graph is that of OPA 1.22.2; `enumeration` adds
//! what OPA forgets.

use super::findings::Findings;
use super::known_values::{self, Known};
use super::rule_tree::{NodeId, RuleId, RuleTree};
use super::text;
use super::tree::{Callee, Clause, Expr, ExprKind, Head, Kind, Program, Ref, Rule, Term};
use super::vars::{self, VarSet};
use super::walk::{self, Place};
use crate::diagnostic::Code;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// A clause of a rule: the nodes of the graph. `else` branches are nodes of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct ClauseId {
    rule: RuleId,
    clause: usize,
}

/// What every clause needs; whether it surely does.
#[derive(Debug, Default)]
pub(super) struct Graph {
    edges: BTreeMap<ClauseId, BTreeMap<ClauseId, bool>>,
}

impl Graph {
    /// The graph of a program whose calls are statements and whose heads are as written.
    pub(super) fn of(program: &Program, tree: &RuleTree) -> Graph {
        let mut graph = Graph::default();
        for (rule_id, rule) in program.rules() {
            for (clause_id, clause) in rule.clauses.iter().enumerate() {
                let from = ClauseId {
                    rule: rule_id,
                    clause: clause_id,
                };
                graph.edges.entry(from).or_default();
                let mut dependencies = Dependencies {
                    program,
                    tree,
                    rule,
                    clause,
                    found: BTreeMap::new(),
                };
                dependencies.collect();
                for (target, surely) in dependencies.found {
                    graph.add(program, from, target, surely);
                }
            }
        }
        graph
    }

    /// Adds that a clause may need a rule.
    pub(super) fn may_need(&mut self, program: &Program, from: (RuleId, usize), target: RuleId) {
        let (rule, clause) = from;
        self.add(program, ClauseId { rule, clause }, target, false);
    }

    fn add(&mut self, program: &Program, from: ClauseId, target: RuleId, surely: bool) {
        let clauses = program.rule(target).map_or(0, |rule| rule.clauses.len());
        let edges = self.edges.entry(from).or_default();
        for clause in 0..clauses {
            let sure = edges.entry(ClauseId { rule: target, clause }).or_insert(false);
            *sure |= surely;
        }
    }

    /// Reports every clause that lies on a cycle.
    pub(super) fn check(&self, program: &Program, findings: &mut Findings) {
        for start in self.edges.keys() {
            let Some(path) = self.cycle(*start, false) else {
                continue;
            };
            let sure = self.cycle(*start, true);
            let word = if sure.is_some() { "is" } else { "may be" };
            report(program, *start, &sure.unwrap_or(path), word, findings);
        }
    }

    /// A way from a clause back to itself.
    fn cycle(&self, start: ClauseId, only_sure: bool) -> Option<Vec<ClauseId>> {
        let mut visited = HashSet::new();
        let mut path = vec![start];
        let mut open: Vec<Vec<ClauseId>> = vec![self.next(start, only_sure)];
        while let Some(choices) = open.last_mut() {
            let Some(next) = choices.pop() else {
                open.pop();
                path.pop();
                continue;
            };
            if next == start {
                path.push(next);
                return Some(path);
            }
            if visited.insert(next) {
                path.push(next);
                open.push(self.next(next, only_sure));
            }
        }
        None
    }

    /// Successors, the first one last.
    fn next(&self, from: ClauseId, only_sure: bool) -> Vec<ClauseId> {
        self.edges
            .get(&from)
            .into_iter()
            .flatten()
            .rev()
            .filter(|(_, sure)| **sure || !only_sure)
            .map(|(to, _)| *to)
            .collect()
    }
}

fn report(program: &Program, at: ClauseId, path: &[ClauseId], word: &str, findings: &mut Findings) {
    let name = |id: &ClauseId| {
        program.rule(id.rule).map_or_else(String::new, |rule| {
            text::data_reference(&rule.reference, &rule.vars)
        })
    };
    let names: Vec<String> = path.iter().map(name).collect();
    let message = format!("rule {} {word} recursive: {}", name(&at), names.join(" -> "));
    if let Some(clause) = program.rule(at.rule).and_then(|rule| rule.clauses.get(at.clause)) {
        findings.fatal(Code::RegoRecursion, clause.span, message);
    }
}

/// Finds what one clause needs.
struct Dependencies<'x> {
    program: &'x Program,
    tree: &'x RuleTree,
    rule: &'x Rule,
    clause: &'x Clause,
    /// Rules; whether surely.
    found: BTreeMap<RuleId, bool>,
}

impl Dependencies<'_> {
    fn collect(&mut self) {
        let bindings = known_values::of_body(&self.clause.body);
        for (at, expr) in self.clause.body.iter().enumerate() {
            let known = known_values::before(&bindings, at);
            for reference in references_of_expr(expr) {
                self.reference(&reference, at, &known);
            }
        }
        let at = self.clause.body.len();
        let known = known_values::before(&bindings, at);
        let heads = std::iter::once(&self.clause.value).chain(self.rule.args.iter().flatten());
        let references: Vec<Vec<Term>> = heads.flat_map(references_of_term).collect();
        for reference in references {
            self.reference(&reference, at, &known);
        }
    }

    fn reference(&mut self, path: &[Term], at: usize, known: &Known) {
        if path.iter().all(|element| element.as_const().is_some()) {
            for target in rules_of(self.program, self.tree, path) {
                self.found.insert(target, true);
            }
            return;
        }
        let expanded = known_values::expand(path, known);
        let bound = self.bound_before(at);
        for narrowed in &expanded {
            let selecting = if expanded.len() == 1 {
                narrowed.as_slice()
            } else {
                path
            };
            for target in rules_of(self.program, self.tree, narrowed) {
                let surely = self
                    .program
                    .rule(target)
                    .is_some_and(|rule| selects(selecting, rule, &bound));
                let entry = self.found.entry(target).or_insert(false);
                *entry |= surely;
            }
        }
    }

    /// Variables that may have a value before a statement.
    fn bound_before(&self, at: usize) -> VarSet {
        let mut collector = vars::Collector::everywhere();
        self.rule
            .args
            .iter()
            .flatten()
            .for_each(|arg| collector.term(arg));
        self.rule
            .reference
            .iter()
            .for_each(|element| collector.term(element));
        collector.term(&self.clause.value);
        self.clause
            .body
            .iter()
            .take(at)
            .for_each(|expr| collector.expr(expr));
        collector.found
    }
}

/// Whether a reference means a rule whatever its variables hold.
fn selects(path: &[Term], rule: &Rule, bound: &VarSet) -> bool {
    path.iter().zip(&rule.reference).all(|(element, of_rule)| {
        let Some(wanted) = of_rule.as_const() else {
            return true;
        };
        match &element.kind {
            Kind::Const(given) => given == wanted,
            Kind::Var(var) => {
                let occurrences = path.iter().filter(|other| other.as_var() == Some(*var)).count();
                !bound.contains(var) && occurrences == 1
            }
            Kind::Ref(_)
            | Kind::Call(_)
            | Kind::Array(_)
            | Kind::Set(_)
            | Kind::Object(_)
            | Kind::Comprehension(_)
            | Kind::Template(_)
            | Kind::Builtin(_) => false,
        }
    })
}

/// Paths behind `data` of the references and calls in a statement.
fn references_of_expr(expr: &Expr) -> Vec<Vec<Term>> {
    let mut found = Vec::new();
    walk::expr(expr, &mut |place| collect(place, &mut found));
    found
}

fn references_of_term(term: &Term) -> Vec<Vec<Term>> {
    let mut found = Vec::new();
    walk::term(term, &mut |place| collect(place, &mut found));
    found
}

fn collect(place: Place<'_>, found: &mut Vec<Vec<Term>>) {
    match place {
        Place::Expr(Expr {
            kind: ExprKind::Call(call),
            span,
            ..
        }) => {
            if let Callee::Rule(path) = &call.callee {
                found.push(path.iter().map(|name| Term::string(*span, name)).collect());
            }
        }
        Place::Term(Term {
            kind: Kind::Ref(reference),
            ..
        }) => found.extend(data_path(reference)),
        Place::Expr(_) | Place::Term(_) => {}
    }
}

fn data_path(reference: &Ref) -> Option<Vec<Term>> {
    matches!(reference.head, Head::Data).then(|| reference.path.clone())
}

/// Rules that a reference may mean, as far as its constants tell.
fn rules_of(program: &Program, tree: &RuleTree, path: &[Term]) -> BTreeSet<RuleId> {
    let mut found = BTreeSet::new();
    search(program, tree, tree.root(), path, 0, &mut found);
    found
}

fn search(
    program: &Program,
    tree: &RuleTree,
    node: NodeId,
    path: &[Term],
    at: usize,
    found: &mut BTreeSet<RuleId>,
) {
    let Some(element) = path.get(at) else {
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            found.extend(tree.rules(node));
            open.extend(tree.children(node));
        }
        return;
    };
    let one: Vec<NodeId> = match element.as_const() {
        Some(key) => tree.child(node, key).into_iter().collect(),
        None => tree.children(node).to_vec(),
    };
    for child in one {
        for id in tree.rules(child) {
            if program.rule(*id).is_some_and(|rule| may_meet(rule, path, at + 1)) {
                found.insert(*id);
            }
        }
        search(program, tree, child, path, at + 1, found);
    }
}

/// Whether a rule's reference and a path agree from a position on, as far as both are constant.
fn may_meet(rule: &Rule, path: &[Term], from: usize) -> bool {
    rule.reference
        .iter()
        .zip(path)
        .skip(from)
        .all(|(a, b)| match (a.as_const(), b.as_const()) {
            (Some(a), Some(b)) => a == b,
            _ => true,
        })
}
