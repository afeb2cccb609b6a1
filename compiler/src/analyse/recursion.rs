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
use crate::constant;
use crate::diagnostic::Code;
use gavel_runtime::value::Constant;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

/// A clause of a rule: the nodes of the graph. `else` branches are nodes of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct ClauseId {
    rule: RuleId,
    clause: usize,
}

/// What every clause needs; whether it surely does.
///
/// Many references mean the same: the whole package, all rules under a variable key. So clauses point to *meanings*, and
/// those to clauses.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// In the order of the program.
    clauses: Vec<ClauseId>,
    /// The first clause of each rule.
    first: HashMap<RuleId, usize>,
    /// Meanings of each clause's references.
    needs: Vec<Vec<usize>>,
    /// Clauses, each with whether it is surely meant; in order.
    meanings: Vec<Vec<(usize, bool)>>,
}

impl Graph {
    /// The graph of a program whose calls are statements and whose heads are as written.
    pub(super) fn of(program: &Program, tree: &RuleTree) -> Graph {
        let mut graph = Graph::default();
        for (rule, of) in program.rules() {
            graph.first.insert(rule, graph.clauses.len());
            let clauses = 0..of.clauses.len();
            graph
                .clauses
                .extend(clauses.map(|clause| ClauseId { rule, clause }));
        }
        let mut found = Found {
            program,
            tree,
            known: HashMap::new(),
            graph,
        };
        for (_, rule) in program.rules() {
            for clause in &rule.clauses {
                let mut dependencies = Dependencies {
                    rule,
                    clause,
                    found: &mut found,
                    bound: None,
                    needs: BTreeSet::new(),
                };
                dependencies.collect();
                let needs = dependencies.needs.into_iter().collect();
                found.graph.needs.push(needs);
            }
        }
        found.graph
    }

    /// A set of rules that references may mean.
    pub(super) fn meaning(
        &mut self,
        program: &Program,
        rules: impl IntoIterator<Item = (RuleId, bool)>,
    ) -> usize {
        let mut clauses = Vec::new();
        for (rule, surely) in rules {
            let count = program.rule(rule).map_or(0, |rule| rule.clauses.len());
            if let Some(first) = self.first.get(&rule) {
                clauses.extend((*first..first + count).map(|clause| (clause, surely)));
            }
        }
        self.meanings.push(clauses);
        self.meanings.len() - 1
    }

    /// Adds that a clause needs what a meaning says.
    pub(super) fn need(&mut self, from: (RuleId, usize), meaning: usize) {
        let (rule, clause) = from;
        let at = self.first.get(&rule).map(|first| first + clause);
        if let Some(needs) = at.and_then(|at| self.needs.get_mut(at)) {
            needs.push(meaning);
        }
    }

    /// Reports every clause that lies on a cycle.
    pub(super) fn check(&self, program: &Program, findings: &mut Findings) {
        let on_cycle = self.on_cycle();
        for start in 0..self.clauses.len() {
            if findings.is_full() {
                return;
            }
            if on_cycle.get(start) != Some(&true) {
                continue;
            }
            let Some(path) = self.cycle(start, false) else {
                continue;
            };
            let sure = self.cycle(start, true);
            let word = if sure.is_some() { "is" } else { "may be" };
            let path: Vec<ClauseId> = sure
                .unwrap_or(path)
                .into_iter()
                .filter_map(|clause| self.clauses.get(clause).copied())
                .collect();
            report(program, &path, word, findings);
        }
    }

    /// Which clauses can reach themselves: Tarjan's components of clauses and meanings. Linear.
    fn on_cycle(&self) -> Vec<bool> {
        let count = self.clauses.len();
        let target = |node: usize, edge: usize| -> Option<usize> {
            match node.checked_sub(count) {
                None => self.needs.get(node)?.get(edge).map(|meaning| meaning + count),
                Some(meaning) => self.meanings.get(meaning)?.get(edge).map(|(clause, _)| *clause),
            }
        };
        components(count + self.meanings.len(), count, target)
    }

    /// A way from a clause back to itself.
    fn cycle(&self, start: usize, only_sure: bool) -> Option<Vec<usize>> {
        let mut visited = vec![false; self.clauses.len()];
        let mut path = vec![start];
        let mut open: Vec<Vec<usize>> = vec![self.next(start, only_sure, &visited)];
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
            let Some(mark) = visited.get_mut(next) else {
                continue;
            };
            if !std::mem::replace(mark, true) {
                path.push(next);
                open.push(self.next(next, only_sure, &visited));
            }
        }
        None
    }

    /// Successors that are not visited yet, the first one last.
    fn next(&self, from: usize, only_sure: bool, visited: &[bool]) -> Vec<usize> {
        let meanings = self.needs.get(from).into_iter().flatten();
        let mut next: Vec<usize> = meanings
            .filter_map(|meaning| self.meanings.get(*meaning))
            .flatten()
            .filter(|(to, sure)| (*sure || !only_sure) && visited.get(*to) != Some(&true))
            .map(|(to, _)| *to)
            .collect();
        next.sort_unstable_by(|a, b| b.cmp(a));
        next.dedup();
        next
    }
}

/// For the first `wanted` nodes of a graph, whether each lies on a cycle through another node.
fn components(nodes: usize, wanted: usize, target: impl Fn(usize, usize) -> Option<usize>) -> Vec<bool> {
    const NEW: usize = usize::MAX;
    let mut index = vec![NEW; nodes];
    let mut low = vec![NEW; nodes];
    let mut on_stack = vec![false; nodes];
    let mut on_cycle = vec![false; wanted];
    let mut stack: Vec<usize> = Vec::new();
    let mut count = 0;
    for root in 0..wanted {
        if index.get(root) != Some(&NEW) {
            continue;
        }
        let mut open: Vec<(usize, usize)> = vec![(root, 0)];
        while let Some((node, edge)) = open.pop() {
            if edge == 0 {
                set(&mut index, node, count);
                set(&mut low, node, count);
                set(&mut on_stack, node, true);
                stack.push(node);
                count += 1;
            }
            if let Some(next) = target(node, edge) {
                open.push((node, edge + 1));
                if index.get(next) == Some(&NEW) {
                    open.push((next, 0));
                } else if on_stack.get(next) == Some(&true) {
                    lower(&mut low, node, index.get(next));
                }
                continue;
            }
            let own = low.get(node).copied();
            if let Some((parent, _)) = open.last() {
                lower(&mut low, *parent, own.as_ref());
            }
            if own != index.get(node).copied() {
                continue;
            }
            let is_alone = stack.last() == Some(&node);
            while let Some(member) = stack.pop() {
                set(&mut on_stack, member, false);
                set(&mut on_cycle, member, !is_alone);
                if member == node {
                    break;
                }
            }
        }
    }
    on_cycle
}

fn set<T>(list: &mut [T], at: usize, value: T) {
    if let Some(cell) = list.get_mut(at) {
        *cell = value;
    }
}

fn lower(low: &mut [usize], at: usize, to: Option<&usize>) {
    if let (Some(cell), Some(to)) = (low.get_mut(at), to) {
        *cell = (*cell).min(*to);
    }
}

/// `path` begins and ends at the clause that is reported.
fn report(program: &Program, path: &[ClauseId], word: &str, findings: &mut Findings) {
    let name = |id: &ClauseId| {
        program.rule(id.rule).map_or_else(String::new, |rule| {
            text::data_reference(&rule.reference, &rule.vars)
        })
    };
    let Some(at) = path.first() else { return };
    let names: Vec<String> = path.iter().map(name).collect();
    let message = format!("rule {} {word} recursive: {}", name(at), names.join(" -> "));
    if let Some(clause) = program.rule(at.rule).and_then(|rule| rule.clauses.get(at.clause)) {
        findings.fatal(Code::RegoRecursion, clause.span, message);
    }
}

/// An element of a reference behind `data`.
struct Step<'t> {
    /// What it is, if that is known.
    key: Option<Cow<'t, Constant>>,
    /// Whether it selects a rule whose own key is constant: `None` compares the keys.
    selects: Option<bool>,
}

/// A graph in the making, with the meanings that are known.
struct Found<'x> {
    program: &'x Program,
    tree: &'x RuleTree,
    /// Meanings by the text of a path.
    known: HashMap<String, usize>,
    graph: Graph,
}

impl Found<'_> {
    /// The meaning of a path.
    fn meaning(&mut self, path: &[Step<'_>]) -> usize {
        let mut name = String::new();
        for step in path {
            match step.selects {
                None => name.push('='),
                Some(true) => name.push('+'),
                Some(false) => name.push('-'),
            }
            if let Some(key) = &step.key {
                let key = constant::text(key);
                name.push_str(&key.len().to_string());
                name.push(':');
                name.push_str(&key);
            }
        }
        if let Some(known) = self.known.get(&name) {
            return *known;
        }
        let program = self.program;
        let rules = rules_of(program, self.tree, path).into_iter().map(|id| {
            let surely = program.rule(id).is_some_and(|rule| selects(path, rule));
            (id, surely)
        });
        let meaning = self.graph.meaning(program, rules);
        self.known.insert(name, meaning);
        meaning
    }
}

/// Finds what one clause needs.
struct Dependencies<'x, 'f> {
    rule: &'x Rule,
    clause: &'x Clause,
    found: &'f mut Found<'x>,
    /// Variables that may have a value before the statement at an index.
    bound: Option<(usize, VarSet)>,
    needs: BTreeSet<usize>,
}

/// A document as a clause names it, behind `data`.
enum Named<'t> {
    Reference(&'t [Term]),
    Function(&'t [String]),
}

impl<'x> Dependencies<'x, '_> {
    fn collect(&mut self) {
        let clause = self.clause;
        let mut known = Known::default();
        for (at, expr) in clause.body.iter().enumerate() {
            let mut named = Vec::new();
            walk::expr(expr, &mut |place| collect(place, &mut named));
            for name in named {
                self.name(&name, at, &known);
            }
            known.learn(expr);
        }
        let at = clause.body.len();
        let mut named = Vec::new();
        for term in std::iter::once(&clause.value).chain(self.rule.args.iter().flatten()) {
            walk::term(term, &mut |place| collect(place, &mut named));
        }
        for name in named {
            self.name(&name, at, &known);
        }
    }

    fn name(&mut self, name: &Named<'x>, at: usize, known: &Known<'x>) {
        match name {
            Named::Reference(path) => self.reference(path, at, known),
            Named::Function(path) => {
                let step = |name: &String| Step {
                    key: Some(Cow::Owned(Constant::String(name.clone()))),
                    selects: Some(true),
                };
                let path: Vec<Step<'_>> = path.iter().map(step).collect();
                self.needs.insert(self.found.meaning(&path));
            }
        }
    }

    fn reference(&mut self, path: &'x [Term], at: usize, known: &Known<'x>) {
        if path.iter().all(|element| element.as_const().is_some()) {
            let step = |element: &'x Term| Step {
                key: element.as_const().map(Cow::Borrowed),
                selects: Some(true),
            };
            let path: Vec<Step<'_>> = path.iter().map(step).collect();
            self.needs.insert(self.found.meaning(&path));
            return;
        }
        let expanded = known_values::expand(path, known);
        let is_narrowed = expanded.len() == 1;
        let bound = self.bound_before(at);
        let mut paths = Vec::with_capacity(expanded.len());
        for keys in &expanded {
            let selecting = |element: &Term, key: &Option<&Constant>| match (key, element.as_var()) {
                (Some(_), _) if is_narrowed || element.as_const().is_some() => None,
                (_, Some(var)) => {
                    let same = path.iter().zip(keys).filter(|(other, key)| {
                        other.as_var() == Some(var) && (key.is_none() || !is_narrowed)
                    });
                    Some(!bound.contains(&var) && same.count() == 1)
                }
                (_, None) => Some(false),
            };
            let step = |(element, key): (&Term, &Option<&'x Constant>)| Step {
                key: key.map(Cow::Borrowed),
                selects: selecting(element, key),
            };
            paths.push(path.iter().zip(keys).map(step).collect::<Vec<_>>());
        }
        for path in paths {
            self.needs.insert(self.found.meaning(&path));
        }
    }

    /// Variables that may have a value before a statement, which is not before the one asked about last.
    fn bound_before(&mut self, at: usize) -> &VarSet {
        let (rule, clause) = (self.rule, self.clause);
        let (seen, bound) = self.bound.get_or_insert_with(|| {
            let mut collector = vars::Collector::everywhere();
            rule.args
                .iter()
                .flatten()
                .chain(&rule.reference)
                .for_each(|term| collector.term(term));
            collector.term(&clause.value);
            (0, collector.found)
        });
        for expr in clause.body.iter().take(at).skip(*seen) {
            bound.extend(vars::all_in_expr(expr));
        }
        *seen = at;
        bound
    }
}

/// Whether a reference means a rule whatever its variables hold.
fn selects(path: &[Step<'_>], rule: &Rule) -> bool {
    path.iter().zip(&rule.reference).all(|(step, of_rule)| {
        let Some(wanted) = of_rule.as_const() else {
            return true;
        };
        step.selects
            .unwrap_or_else(|| step.key.as_deref() == Some(wanted))
    })
}

/// Documents and functions that a place names.
fn collect<'t>(place: Place<'t>, found: &mut Vec<Named<'t>>) {
    match place {
        Place::Expr(Expr {
            kind: ExprKind::Call(call),
            ..
        }) => {
            if let Callee::Rule(path) = &call.callee {
                found.push(Named::Function(path));
            }
        }
        Place::Term(Term {
            kind: Kind::Ref(reference),
            ..
        }) => found.extend(data_path(reference).map(Named::Reference)),
        Place::Expr(_) | Place::Term(_) => {}
    }
}

fn data_path(reference: &Ref) -> Option<&[Term]> {
    matches!(reference.head, Head::Data).then_some(&reference.path)
}

/// Rules that a reference may mean, as far as its constants tell.
fn rules_of(program: &Program, tree: &RuleTree, path: &[Step<'_>]) -> BTreeSet<RuleId> {
    let mut found = BTreeSet::new();
    search(program, tree, tree.root(), path, 0, &mut found);
    found
}

fn search(
    program: &Program,
    tree: &RuleTree,
    node: NodeId,
    path: &[Step<'_>],
    at: usize,
    found: &mut BTreeSet<RuleId>,
) {
    let Some(step) = path.get(at) else {
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            found.extend(tree.rules(node));
            open.extend(tree.children(node));
        }
        return;
    };
    let one: Vec<NodeId> = match step.key.as_deref() {
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
fn may_meet(rule: &Rule, path: &[Step<'_>], from: usize) -> bool {
    rule.reference
        .iter()
        .zip(path)
        .skip(from)
        .all(|(a, b)| match (a.as_const(), b.key.as_deref()) {
            (Some(a), Some(b)) => a == b,
            _ => true,
        })
}
