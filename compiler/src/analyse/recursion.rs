//! Rules that need themselves: the graph of clauses and what they need, and the circles in it.
//!
//! `needs` fills the graph as OPA 1.22.2 has it; `enumeration` adds what OPA forgets.

use super::findings::Findings;
use super::rule_tree::RuleId;
use super::text;
use super::tree::Program;
use crate::diagnostic::Code;
use std::collections::HashMap;

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
    /// A graph of a program's clauses, of which none needs anything yet.
    pub(super) fn new(program: &Program) -> Graph {
        let mut graph = Graph::default();
        for (rule, of) in program.rules() {
            graph.first.insert(rule, graph.clauses.len());
            let clauses = (0..of.clauses.len()).map(|clause| ClauseId { rule, clause });
            graph.clauses.extend(clauses);
        }
        graph.needs = vec![Vec::new(); graph.clauses.len()];
        graph
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
