//! Which rules read which, as far as types flow: the order of inference, and what a replaced document touches.
//!
//! A reference with variables may read every rule that it can match, so the graph can have circles that no evaluation has
//! (real ones were refused before). A rule that closes such a circle is told what has no type yet.

use super::documents::Key;
use super::known::Known;
use crate::hir::visit::Visit;
use crate::hir::{Callee, Ref, RefHead, Rule, Stmt, StmtKind, Term, Unit, With, WithTarget, WithValue};
use gavel_runtime::value::Constant;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Documents that one reference may stand for, before it counts as reading everything below its constant part.
const MATCHES_MAX: usize = 256;

/// Documents without a type that are told apart; a rule that may read more of them is told that it may read anything.
const OPEN_MAX: usize = 64;

/// The graph. Its nodes are rules, then paths: a path stands for all rules at and below it.
pub(super) struct Graph {
    rules: usize,
    paths: Vec<PathNode>,
    /// What each node reads.
    reads: Vec<Vec<usize>>,
    /// The reverse.
    read_by: Vec<Vec<usize>>,
}

#[derive(Default)]
struct PathNode {
    /// From the root.
    path: Vec<Key>,
    children: BTreeMap<Key, usize>,
    rules: Vec<usize>,
}

/// A rule in the order of inference.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    /// Index into [`Unit::rules`].
    pub(super) rule: usize,
    /// What it may read and has no type yet, as paths that everything below belongs to.
    pub(super) open: Vec<Vec<Key>>,
}

/// The path of a rule up to the first variable: where its type is kept.
pub(super) fn ground_path(rule: &Rule) -> Vec<Constant> {
    let fixed = rule.path.iter().map(|name| Constant::String(name.clone()));
    let dynamic = rule.dynamic.iter().map_while(|term| match term {
        Term::Const(key) => Some(key.clone()),
        _ => None,
    });
    fixed.chain(dynamic).collect()
}

/// The whole path of a rule.
pub(super) fn head_path(rule: &Rule) -> impl Iterator<Item = Key> {
    let fixed = rule.path.iter().cloned().map(Constant::String).map(Key::Constant);
    fixed.chain(rule.dynamic.iter().map(|term| match term {
        Term::Const(key) => Key::Constant(key.clone()),
        _ => Key::Variable,
    }))
}

impl Graph {
    /// The graph of a unit. O(size of the unit), times [`MATCHES_MAX`] for references with variables.
    pub(super) fn new(unit: &Unit) -> Graph {
        let rules = unit.rules.len();
        let mut graph = Graph {
            rules,
            paths: vec![PathNode::default()],
            reads: Vec::new(),
            read_by: Vec::new(),
        };
        for (index, rule) in unit.rules.iter().enumerate() {
            graph.add_rule(index, head_path(rule));
        }
        graph.reads = vec![Vec::new(); rules + graph.paths.len()];
        for (at, path) in graph.paths.iter().enumerate() {
            let below = path.children.values().map(|child| rules + child);
            if let Some(reads) = graph.reads.get_mut(rules + at) {
                reads.extend(path.rules.iter().copied().chain(below));
            }
        }
        for (index, rule) in unit.rules.iter().enumerate() {
            let mut targets = Vec::new();
            for clause in &rule.clauses {
                let mut known = Known::default();
                for stmt in &clause.body.stmts {
                    let mut mentions = Mentions(&mut |mention| match mention {
                        Mention::Ref(path) => {
                            for path in known.expand(path) {
                                graph.targets(&path, &mut targets);
                            }
                        }
                        Mention::Named(path) => graph.targets(&named(path), &mut targets),
                    });
                    mentions.visit_stmt(stmt);
                    known.learn(stmt);
                }
            }
            targets.sort_unstable();
            targets.dedup();
            if let Some(reads) = graph.reads.get_mut(index) {
                *reads = targets;
            }
        }
        graph.read_by = vec![Vec::new(); graph.reads.len()];
        for (from, reads) in graph.reads.iter().enumerate() {
            for to in reads {
                if let Some(back) = graph.read_by.get_mut(*to) {
                    back.push(from);
                }
            }
        }
        graph
    }

    fn add_rule(&mut self, rule: usize, path: impl IntoIterator<Item = Key>) {
        let mut at = 0;
        for key in path {
            let fresh = self.paths.len();
            let Some(node) = self.paths.get_mut(at) else {
                return;
            };
            let mut path = node.path.clone();
            at = *node.children.entry(key.clone()).or_insert(fresh);
            if at == fresh {
                path.push(key);
                self.paths.push(PathNode {
                    path,
                    ..PathNode::default()
                });
            }
        }
        if let Some(node) = self.paths.get_mut(at) {
            node.rules.push(rule);
        }
    }

    /// The nodes that a path behind `data` reads: rules on the way, and everything below its end.
    fn targets(&self, path: &[Key], into: &mut Vec<usize>) {
        let mut ends = vec![0];
        for step in path {
            let mut next = Vec::new();
            for node in ends.iter().filter_map(|at| self.paths.get(*at)) {
                into.extend(&node.rules);
                match step {
                    Key::Constant(_) => {
                        next.extend(node.children.get(step));
                        next.extend(node.children.get(&Key::Variable));
                    }
                    Key::Variable => next.extend(node.children.values()),
                }
            }
            if next.len() > MATCHES_MAX {
                break;
            }
            ends = next;
        }
        into.extend(ends.iter().map(|at| self.rules + at));
    }

    /// Rules so that each stands behind those that it reads.
    pub(super) fn order(&self, unit: &Unit) -> Vec<Turn> {
        #[derive(Clone, Copy, PartialEq)]
        enum Mark {
            New,
            Open,
            Done,
        }
        let mut marks = vec![Mark::New; self.reads.len()];
        // What each node reads that was open at that time.
        let mut open: HashMap<usize, BTreeSet<usize>> = HashMap::new();
        let mut turns = Vec::with_capacity(self.rules);
        let mut stack: Vec<(usize, usize)> = Vec::new();
        for start in 0..self.rules {
            if marks.get(start) == Some(&Mark::New) {
                stack.push((start, 0));
            }
            while let Some((node, edge)) = stack.pop() {
                set(&mut marks, node, Mark::Open);
                let next = self.reads.get(node).and_then(|reads| reads.get(edge)).copied();
                let Some(next) = next else {
                    set(&mut marks, node, Mark::Done);
                    if node < self.rules {
                        let open = open.remove(&node).unwrap_or_default();
                        turns.push(Turn {
                            rule: node,
                            open: self.open_paths(unit, &open),
                        });
                    }
                    continue;
                };
                match marks.get(next).copied() {
                    Some(Mark::New) => {
                        stack.push((node, edge));
                        stack.push((next, 0));
                        continue;
                    }
                    Some(Mark::Open) => {
                        open.entry(node).or_default().insert(next);
                    }
                    // What a path leaves open, those that read the path leave open too.
                    Some(Mark::Done) | None => {
                        if let Some(inherited) = open.get(&next).cloned() {
                            open.entry(node).or_default().extend(inherited);
                        }
                    }
                }
                stack.push((node, edge + 1));
            }
        }
        turns
    }

    fn open_paths(&self, unit: &Unit, open: &BTreeSet<usize>) -> Vec<Vec<Key>> {
        if open.len() > OPEN_MAX {
            return vec![Vec::new()];
        }
        let path = |node: &usize| -> Vec<Key> {
            let fixed = |key: &Key| matches!(key, Key::Constant(_));
            match unit.rules.get(*node) {
                Some(rule) => head_path(rule).take_while(fixed).collect(),
                None => self
                    .paths
                    .get(node - self.rules)
                    .map(|node| node.path.iter().take_while(|key| fixed(key)).cloned().collect())
                    .unwrap_or_default(),
            }
        };
        open.iter().map(path).collect()
    }

    /// The rules at, above and below a path behind `data`, and all that read them, directly or not.
    pub(super) fn dependents(&self, path: &[String]) -> Vec<usize> {
        let mut seen = vec![false; self.reads.len()];
        let mut open = Vec::new();
        self.targets(&named(path), &mut open);
        // Everything below first, then everything that reads it.
        let mut start = Vec::new();
        while let Some(node) = open.pop() {
            if node < self.rules {
                start.push(node);
            } else {
                open.extend(self.reads.get(node).into_iter().flatten());
            }
        }
        while let Some(node) = start.pop() {
            if seen.get(node).copied().unwrap_or(true) {
                continue;
            }
            set(&mut seen, node, true);
            start.extend(self.read_by.get(node).into_iter().flatten());
        }
        (0..self.rules)
            .filter(|rule| seen.get(*rule).copied().unwrap_or(false))
            .collect()
    }
}

/// A document or function below `data`, as a statement names it.
enum Mention<'t> {
    /// The path of a reference.
    Ref(&'t [Term]),
    /// A function, or what `with` replaces.
    Named(&'t [String]),
}

/// Calls back with each mention.
struct Mentions<'f>(&'f mut dyn FnMut(Mention<'_>));

impl<'t> Visit<'t> for Mentions<'_> {
    fn visit_stmt(&mut self, stmt: &'t Stmt) {
        if let StmtKind::Call {
            callee: Callee::Function(path),
            ..
        } = &stmt.kind
        {
            (self.0)(Mention::Named(path));
        }
        self.walk_stmt(stmt);
    }

    fn visit_with(&mut self, with: &'t With) {
        if let WithTarget::Data(path) | WithTarget::Function(path) = &with.target {
            (self.0)(Mention::Named(path));
        }
        match &with.value {
            WithValue::Function(path) => (self.0)(Mention::Named(path)),
            WithValue::Document(keys) => {
                let path: Vec<Term> = keys.iter().cloned().map(Term::Const).collect();
                (self.0)(Mention::Ref(&path));
            }
            WithValue::Term(_) | WithValue::Builtin(_) => self.walk_with(with),
        }
    }

    fn visit_ref(&mut self, reference: &'t Ref) {
        if matches!(reference.head, RefHead::Data) {
            (self.0)(Mention::Ref(&reference.path));
        }
        self.walk_ref(reference);
    }
}

fn named(path: &[String]) -> Vec<Key> {
    path.iter()
        .map(|name| Key::Constant(Constant::String(name.clone())))
        .collect()
}

fn set<T>(list: &mut [T], at: usize, value: T) {
    if let Some(cell) = list.get_mut(at) {
        *cell = value;
    }
}
