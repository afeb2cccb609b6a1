//! Rules that enumerate a document they are part of.
//!
//! A variable without a value enumerates the keys of a document, and for that all rules of the document run, whatever
//! stands behind the variable: `q[k].foo` that uses `q[_].bar` needs itself. OPA 1.22.2 accepts that and never ends.

use super::recursion::Graph;
use super::rule_tree::{NodeId, RuleId, RuleTree};
use super::tree::{Body, Callee, Every, Head, Program, Ref, Term, With};
use super::vars::{self, Arity, Known, VarSet};
use super::walk::Visit;
use crate::constant;
use std::collections::{BTreeSet, HashMap};

/// Adds to a graph what the ordered bodies of a program enumerate.
pub(super) fn extend(graph: &mut Graph, program: &Program, tree: &RuleTree) {
    let arity = |callee: &Callee| tree.arity(callee);
    let mut finder = Finder {
        program,
        tree,
        arity: &arity,
        graph,
        bound: Known::new(VarSet::new()),
        known: HashMap::new(),
        needs: BTreeSet::new(),
        found: BTreeSet::new(),
    };
    for (id, rule) in program.rules() {
        for (index, clause) in rule.clauses.iter().enumerate() {
            finder.bound = Known::new(vars::parameters(rule));
            finder.visit_body(&clause.body);
            for meaning in std::mem::take(&mut finder.needs) {
                finder.graph.need((id, index), meaning);
            }
        }
    }
}

struct Finder<'x> {
    program: &'x Program,
    tree: &'x RuleTree,
    arity: Arity<'x>,
    graph: &'x mut Graph,
    /// Variables with a value at the place that is looked at.
    bound: Known,
    /// What paths of one shape enumerate; `None`: nothing.
    known: HashMap<String, Option<usize>>,
    /// What the clause enumerates.
    needs: BTreeSet<usize>,
    /// What the path enumerates.
    found: BTreeSet<RuleId>,
}

impl<'t> Visit<'t> for Finder<'_> {
    fn visit_body(&mut self, body: &'t Body) {
        self.bound.enter();
        for expr in body {
            self.visit_expr(expr);
            self.bound.extend(vars::needed_in_expr(expr, self.arity));
        }
        self.bound.leave();
    }

    fn visit_every(&mut self, every: &'t Every) {
        self.visit_term(&every.domain);
        self.bound.enter();
        self.bound.extend(every.vars());
        self.visit_body(&every.body);
        self.bound.leave();
    }

    /// Targets are not read, and values were given variables.
    fn visit_with(&mut self, _: &'t With) {}

    fn visit_ref(&mut self, reference: &'t Ref) {
        if matches!(reference.head, Head::Data) {
            self.reference(&reference.path);
        }
        self.walk_ref(reference);
    }
}

impl Finder<'_> {
    /// Whether an element is a variable without a value.
    fn is_free(&self, element: &Term) -> bool {
        element.as_var().is_some_and(|var| !self.bound.contains(var))
    }

    fn reference(&mut self, path: &[Term]) {
        if !path.iter().any(|element| self.is_free(element)) {
            return;
        }
        let mut shape = String::new();
        for element in path {
            match element.as_const() {
                Some(key) => {
                    let key = constant::text(key);
                    shape.push_str(&key.len().to_string());
                    shape.push(':');
                    shape.push_str(&key);
                }
                None => shape.push(if self.is_free(element) { '+' } else { '-' }),
            }
        }
        let meaning = match self.known.get(&shape) {
            Some(meaning) => *meaning,
            None => {
                self.enumerate(self.tree.root(), path, 0, &mut Vec::new());
                let found = std::mem::take(&mut self.found);
                let meaning = (!found.is_empty()).then(|| {
                    let rules = found.into_iter().map(|rule| (rule, false));
                    self.graph.meaning(self.program, rules)
                });
                self.known.insert(shape, meaning);
                meaning
            }
        };
        self.needs.extend(meaning);
    }

    /// `around`: rules whose documents the path goes through.
    fn enumerate(&mut self, node: NodeId, path: &[Term], at: usize, around: &mut Vec<RuleId>) {
        let Some(element) = path.get(at) else { return };
        if self.is_free(element) {
            self.reached(path, at, around);
        }
        let children: Vec<NodeId> = match element.as_const() {
            Some(key) => self.tree.child(node, key).into_iter().collect(),
            None => self.tree.children(node).to_vec(),
        };
        let before = around.len();
        for child in children {
            around.extend(self.tree.rules(child));
            self.enumerate(child, path, at + 1, around);
            around.truncate(before);
        }
        if !around.is_empty() && self.leaves_tree(node, element) {
            self.enumerate_inside(path, at + 1, around);
        }
    }

    /// Takes the rules that give a document keys at a position of a path.
    fn reached(&mut self, path: &[Term], at: usize, around: &[RuleId]) {
        let reached: Vec<RuleId> = around
            .iter()
            .copied()
            .filter(|id| self.may_reach(*id, path, at))
            .collect();
        self.found.extend(reached);
    }

    /// Whether a path can go on where the tree of constant paths ends.
    fn leaves_tree(&self, node: NodeId, element: &Term) -> bool {
        element
            .as_const()
            .is_none_or(|key| self.tree.child(node, key).is_none())
    }

    /// The rest of a path that runs inside the documents of rules.
    fn enumerate_inside(&mut self, path: &[Term], from: usize, around: &[RuleId]) {
        for (at, element) in path.iter().enumerate().skip(from) {
            if self.is_free(element) {
                self.reached(path, at, around);
            }
        }
    }

    /// Whether a rule adds a key to the document that a path has reached before a position: its reference is longer, and
    /// agrees so far.
    fn may_reach(&self, id: RuleId, path: &[Term], at: usize) -> bool {
        self.program.rule(id).is_some_and(|rule| {
            let agrees = |(a, b): (&Term, &Term)| match (a.as_const(), b.as_const()) {
                (Some(a), Some(b)) => a == b,
                _ => true,
            };
            rule.args.is_none()
                && (rule.is_set || rule.reference.len() > at)
                && rule.reference.iter().zip(path).take(at).all(agrees)
        })
    }
}
