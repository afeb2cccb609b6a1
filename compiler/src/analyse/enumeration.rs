//! Rules that enumerate a document they are part of.
//!
//! A variable without a value enumerates the keys of a document, and for that all rules of the document run, whatever
//! stands behind the variable: `q[k].foo` that uses `q[_].bar` needs itself. OPA 1.22.2 accepts that and never ends.

use super::recursion::Graph;
use super::rule_tree::{NodeId, RuleId, RuleTree};
use super::tree::{Body, Callee, Expr, ExprKind, Head, Kind, Operand, Program, Term};
use super::vars::{self, Arity, Known};
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
        known: HashMap::new(),
        needs: BTreeSet::new(),
        found: BTreeSet::new(),
    };
    for (id, rule) in program.rules() {
        for (index, clause) in rule.clauses.iter().enumerate() {
            finder.body(
                &clause.body,
                Known::new(super::resolve_rule::parameter_vars(rule)),
            );
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
    /// What paths of one shape enumerate; `None`: nothing.
    known: HashMap<String, Option<usize>>,
    /// What the clause enumerates.
    needs: BTreeSet<usize>,
    /// What the path enumerates.
    found: BTreeSet<RuleId>,
}

impl Finder<'_> {
    fn body(&mut self, body: &Body, mut bound: Known<'_>) {
        for expr in body {
            self.expr(expr, &bound);
            bound.extend(vars::needed_in_expr(expr, self.arity));
        }
    }

    fn expr(&mut self, expr: &Expr, bound: &Known<'_>) {
        match &expr.kind {
            ExprKind::Term(term) => self.term(term, bound),
            ExprKind::Eq { left, right, .. } => {
                self.term(left, bound);
                self.term(right, bound);
            }
            ExprKind::Call(call) => call.args.iter().for_each(|arg| self.term(arg, bound)),
            ExprKind::Every {
                key,
                value,
                domain,
                body,
            } => {
                self.term(domain, bound);
                let mut inside = Known::inside(bound);
                inside.extend(*key);
                inside.insert(*value);
                self.body(body, inside);
            }
            ExprKind::Not(operand) => self.operand(operand, bound),
            ExprKind::And(left, right) | ExprKind::Or(left, right) => {
                self.operand(left, bound);
                self.operand(right, bound);
            }
        }
    }

    fn operand(&mut self, operand: &Operand, bound: &Known<'_>) {
        self.body(&operand.body, Known::inside(bound));
    }

    fn term(&mut self, term: &Term, bound: &Known<'_>) {
        match &term.kind {
            Kind::Const(_) | Kind::Var(_) | Kind::Builtin(_) | Kind::Template(_) => {}
            Kind::Ref(reference) => {
                if matches!(reference.head, Head::Data) {
                    self.reference(&reference.path, bound);
                }
                reference
                    .path
                    .iter()
                    .for_each(|element| self.term(element, bound));
            }
            Kind::Call(call) => call.args.iter().for_each(|arg| self.term(arg, bound)),
            Kind::Array(items) | Kind::Set(items) => items.iter().for_each(|item| self.term(item, bound)),
            Kind::Object(entries) => entries.iter().for_each(|(key, value)| {
                self.term(key, bound);
                self.term(value, bound);
            }),
            Kind::Comprehension(comprehension) => self.body(&comprehension.body, Known::inside(bound)),
        }
    }

    fn reference(&mut self, path: &[Term], bound: &Known<'_>) {
        let is_free = |element: &Term| element.as_var().is_some_and(|var| !bound.contains(var));
        if !path.iter().any(is_free) {
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
                None => shape.push(if is_free(element) { '+' } else { '-' }),
            }
        }
        let meaning = match self.known.get(&shape) {
            Some(meaning) => *meaning,
            None => {
                self.enumerate(self.tree.root(), path, 0, bound, &mut Vec::new());
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
    fn enumerate(
        &mut self,
        node: NodeId,
        path: &[Term],
        at: usize,
        bound: &Known<'_>,
        around: &mut Vec<RuleId>,
    ) {
        let Some(element) = path.get(at) else { return };
        let free = element.as_var().is_some_and(|var| !bound.contains(var));
        if free {
            self.reached(path, at, around);
        }
        let children: Vec<NodeId> = match element.as_const() {
            Some(key) => self.tree.child(node, key).into_iter().collect(),
            None => self.tree.children(node).to_vec(),
        };
        let before = around.len();
        for child in children {
            around.extend(self.tree.rules(child));
            self.enumerate(child, path, at + 1, bound, around);
            around.truncate(before);
        }
        if !around.is_empty() && self.leaves_tree(node, element) {
            self.enumerate_inside(path, at + 1, bound, around);
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
    fn enumerate_inside(&mut self, path: &[Term], from: usize, bound: &Known<'_>, around: &[RuleId]) {
        for (at, element) in path.iter().enumerate().skip(from) {
            if element.as_var().is_some_and(|var| !bound.contains(var)) {
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
