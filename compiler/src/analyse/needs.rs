//! What every clause needs: the rules that its references and calls may mean.
//!
//! A reference with variables may mean several rules. It counts for all it may mean, narrowed to the values that the body
//! gives a variable before it (`some k in ["a", "b"]; data.p[k]`).

use super::known_values::{self, Known};
use super::recursion::Graph;
use super::rule_tree::{NodeId, RuleId, RuleTree};
use super::tree::{Callee, Clause, Expr, ExprKind, Head, Kind, Program, Ref, Rule, Term};
use super::vars::{self, EVERYWHERE, VarSet};
use super::walk::{self, Place, Visit};
use crate::constant;
use gavel_runtime::value::Constant;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

/// The graph of a program whose calls are statements and whose heads are as written.
pub(super) fn graph(program: &Program, tree: &RuleTree) -> Graph {
    let mut found = Found {
        program,
        tree,
        known: HashMap::new(),
        graph: Graph::new(program),
    };
    for (id, rule) in program.rules() {
        for (at, clause) in rule.clauses.iter().enumerate() {
            let mut dependencies = Dependencies {
                rule,
                clause,
                found: &mut found,
                bound: None,
                needs: BTreeSet::new(),
            };
            dependencies.collect();
            for meaning in dependencies.needs {
                found.graph.need((id, at), meaning);
            }
        }
    }
    found.graph
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
            let of_head = vars::collect(EVERYWHERE, |all| {
                all.walk_terms(rule.args.as_deref().unwrap_or_default());
                all.walk_terms(&rule.reference);
                all.visit_term(&clause.value);
            });
            (0, of_head)
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
