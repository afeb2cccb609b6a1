//! Rules by the constant part of their path: what a reference or call may mean.

use super::tree::{Callee, Expr, Kind, Program, Rule, Term};
use crate::constant;
use crate::hir::{self, RuleKind, StmtKind, Unit};
use gavel_runtime::value::Constant;
use std::collections::HashMap;

/// A rule by module and place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct RuleId {
    pub(super) module: usize,
    pub(super) rule: usize,
}

/// A node of the tree.
pub(super) type NodeId = usize;

#[derive(Debug, Default)]
struct Node {
    key: Option<Constant>,
    rules: Vec<RuleId>,
    children: Vec<NodeId>,
    by_key: HashMap<String, NodeId>,
    facts: Facts,
}

/// What the rules of one node are together.
#[derive(Clone, Copy, Debug, Default)]
struct Facts {
    rules: usize,
    /// Parameters of the first rule.
    arity: usize,
    /// One of them is a function.
    function: bool,
    /// The first one is a set.
    set: bool,
    /// One of them is a default.
    default: bool,
    /// The first one is a constant value without a body.
    constant: bool,
}

/// What one rule adds to the facts of its node.
struct RuleFacts {
    arity: Option<usize>,
    is_set: bool,
    is_default: bool,
    /// A constant value without a body.
    is_constant: bool,
    /// A function behind a variable: no call can name it.
    is_nameless: bool,
}

/// The tree; its root is `data`.
#[derive(Debug)]
pub(super) struct RuleTree {
    nodes: Vec<Node>,
}

impl Program {
    pub(super) fn rule(&self, id: RuleId) -> Option<&Rule> {
        self.modules.get(id.module)?.rules.get(id.rule)
    }

    /// All rules in order.
    pub(super) fn rules(&self) -> impl Iterator<Item = (RuleId, &Rule)> {
        self.modules.iter().enumerate().flat_map(|(module, of)| {
            of.rules
                .iter()
                .enumerate()
                .map(move |(rule, rule_ref)| (RuleId { module, rule }, rule_ref))
        })
    }
}

impl Rule {
    /// The part of the reference before the first variable.
    pub(super) fn ground_prefix(&self) -> &[Term] {
        let len = self
            .reference
            .iter()
            .take_while(|term| term.as_const().is_some())
            .count();
        self.reference.get(..len).unwrap_or_default()
    }

    /// No variable in the reference.
    pub(super) fn is_ground(&self) -> bool {
        self.reference.iter().all(|term| term.as_const().is_some())
    }
}

impl RuleTree {
    pub(super) fn of(program: &Program) -> RuleTree {
        let mut tree = RuleTree {
            nodes: vec![Node::default()],
        };
        for module in &program.modules {
            let mut node = tree.root();
            for name in &module.package {
                node = tree.child_or_new(node, &Constant::String(name.clone()));
            }
        }
        for (id, rule) in program.rules() {
            let mut node = tree.root();
            for key in rule.ground_prefix().iter().filter_map(Term::as_const) {
                node = tree.child_or_new(node, key);
            }
            let is_constant = matches!(rule.clauses.as_slice(), [clause]
                if clause.body.iter().all(Expr::is_always)
                    && is_constant(&clause.value));
            let facts = RuleFacts {
                arity: rule.args.as_ref().map(Vec::len),
                is_set: rule.is_set,
                is_default: rule.is_default,
                is_constant,
                is_nameless: rule.args.is_some() && !rule.is_ground(),
            };
            tree.add(node, id, &facts);
        }
        tree
    }

    /// The tree of a checked unit.
    pub(super) fn of_unit(unit: &Unit) -> RuleTree {
        let mut tree = RuleTree {
            nodes: vec![Node::default()],
        };
        for module in &unit.modules {
            let mut node = tree.root();
            for name in &module.package {
                node = tree.child_or_new(node, &Constant::String(name.clone()));
            }
        }
        for (index, rule) in unit.rules.iter().enumerate() {
            let mut node = tree.root();
            for name in &rule.path {
                node = tree.child_or_new(node, &Constant::String(name.clone()));
            }
            for element in &rule.dynamic {
                let hir::Term::Const(key) = element else { break };
                node = tree.child_or_new(node, key);
            }
            let is_constant = matches!(rule.clauses.as_slice(), [clause]
                if matches!(clause.value, hir::Term::Const(_)) && clause.body.stmts.iter().all(is_always));
            let facts = RuleFacts {
                arity: (rule.kind == RuleKind::Function).then_some(rule.args.len()),
                is_set: rule.kind == RuleKind::Set,
                is_default: rule.is_default,
                is_constant,
                is_nameless: rule.is_unnamed_function(),
            };
            let id = RuleId {
                module: rule.module,
                rule: index,
            };
            tree.add(node, id, &facts);
        }
        tree
    }

    fn add(&mut self, node: NodeId, id: RuleId, rule: &RuleFacts) {
        let Some(node) = self.nodes.get_mut(node) else {
            return;
        };
        node.rules.push(id);
        if rule.is_nameless {
            return;
        }
        let facts = &mut node.facts;
        if facts.rules == 0 {
            facts.arity = rule.arity.unwrap_or(0);
            facts.set = rule.is_set;
            facts.constant = rule.is_constant;
        }
        facts.rules += 1;
        facts.function |= rule.arity.is_some();
        facts.default |= rule.is_default;
    }

    pub(super) fn root(&self) -> NodeId {
        0
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = NodeId> {
        0..self.nodes.len()
    }

    pub(super) fn rules(&self, node: NodeId) -> &[RuleId] {
        self.nodes.get(node).map_or(&[], |node| &node.rules)
    }

    pub(super) fn children(&self, node: NodeId) -> &[NodeId] {
        self.nodes.get(node).map_or(&[], |node| &node.children)
    }

    pub(super) fn key(&self, node: NodeId) -> Option<&Constant> {
        self.nodes.get(node)?.key.as_ref()
    }

    pub(super) fn child(&self, node: NodeId, key: &Constant) -> Option<NodeId> {
        self.nodes.get(node)?.by_key.get(&constant::text(key)).copied()
    }

    /// The node of a constant path.
    pub(super) fn find(&self, path: &[Term]) -> Option<NodeId> {
        let mut node = self.root();
        for element in path {
            let Kind::Const(key) = &element.kind else {
                return None;
            };
            node = self.child(node, key)?;
        }
        Some(node)
    }

    /// The node of a path of names.
    pub(super) fn find_names(&self, path: &[String]) -> Option<NodeId> {
        let mut node = self.root();
        for name in path {
            node = self.child(node, &Constant::String(name.clone()))?;
        }
        Some(node)
    }

    /// How many arguments a callee takes; `None` for what does not exist. A rule that is no function takes none.
    pub(super) fn arity(&self, callee: &Callee) -> Option<usize> {
        match callee {
            Callee::Builtin(id) => Some(id.get().args.len()),
            Callee::Rule(path) => self
                .find_names(path)
                .and_then(|node| self.facts(node))
                .map(|facts| facts.arity),
            Callee::Unknown(_) => None,
        }
    }

    /// Whether a node holds functions.
    pub(super) fn is_function(&self, node: NodeId) -> bool {
        self.facts(node).is_some_and(|facts| facts.function)
    }

    /// Whether the document of a node is never undefined: a set, a rule with a default, a constant.
    pub(super) fn is_defined(&self, node: NodeId) -> bool {
        self.facts(node).is_some_and(|facts| {
            !facts.function && (facts.set || facts.default || (facts.rules == 1 && facts.constant))
        })
    }

    fn facts(&self, node: NodeId) -> Option<&Facts> {
        self.nodes
            .get(node)
            .map(|node| &node.facts)
            .filter(|facts| facts.rules > 0)
    }

    fn child_or_new(&mut self, node: NodeId, key: &Constant) -> NodeId {
        if let Some(child) = self.child(node, key) {
            return child;
        }
        let id = self.nodes.len();
        self.nodes.push(Node {
            key: Some(key.clone()),
            ..Node::default()
        });
        if let Some(parent) = self.nodes.get_mut(node) {
            parent.children.push(id);
            parent.by_key.insert(constant::text(key), id);
        }
        id
    }
}

/// The statement `true`.
fn is_always(stmt: &hir::Stmt) -> bool {
    matches!(&stmt.kind, StmtKind::Test(hir::Term::Const(Constant::Bool(true))))
}

/// What OPA takes for a constant value: references in collections count as constants, even those of which nothing is known.
fn is_constant(value: &Term) -> bool {
    match value.kind {
        Kind::Const(_) | Kind::Var(_) => true,
        Kind::Array(_) | Kind::Set(_) | Kind::Object(_) => is_ground(value),
        Kind::Builtin(_) | Kind::Ref(_) | Kind::Call(_) | Kind::Comprehension(_) | Kind::Template(_) => false,
    }
}

/// No variable stands in it but in front of brackets.
fn is_ground(term: &Term) -> bool {
    match &term.kind {
        Kind::Const(_) | Kind::Builtin(_) => true,
        Kind::Var(_) => false,
        Kind::Ref(reference) => reference.path.iter().all(is_ground),
        Kind::Call(call) => call.args.iter().all(is_ground),
        Kind::Array(items) | Kind::Set(items) => items.iter().all(is_ground),
        Kind::Object(entries) => entries
            .iter()
            .all(|(key, value)| is_ground(key) && is_ground(value)),
        Kind::Comprehension(_) | Kind::Template(_) => false,
    }
}
