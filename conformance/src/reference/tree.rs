//! Which rules stand at which path behind `data`.

use super::value::Value;
use gavel_compiler::hir::{Rule, RuleKind, Term, Unit};
use gavel_runtime::value::Constant;
use std::collections::BTreeMap;

/// How the document at a node comes about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// The object of its children.
    #[default]
    Package,
    /// One value.
    Complete,
    /// Members of a set.
    Set,
    /// What the rules of this node and of all below put into an object.
    Object,
    /// A function, no document.
    Function,
}

/// A path that rules or packages name.
#[derive(Debug, Default)]
pub(super) struct Node<'u> {
    pub(super) kind: Kind,
    pub(super) children: BTreeMap<&'u str, Node<'u>>,
    /// In source order.
    pub(super) rules: Vec<&'u Rule>,
}

/// Where one rule of a group puts something.
#[derive(Debug)]
pub(super) struct Place<'u> {
    pub(super) rule: &'u Rule,
    /// Names between the group's node and the rule's.
    pub(super) names: Vec<&'u str>,
    /// The scalars that the head's reference behind the group's node begins with.
    pub(super) keys: Vec<Value>,
    /// How many of them the rule is filed under: those in front of what is evaluated together.
    pub(super) filed: usize,
    /// The reference has more than those.
    pub(super) is_general: bool,
    /// A rule with a variable in its head stands at this place or above it.
    pub(super) is_open: bool,
}

impl<'u> Node<'u> {
    /// The places of all rules of this node and of all below that are no functions.
    pub(super) fn places(&self) -> Vec<Place<'u>> {
        let mut places: Vec<Place<'u>> = Vec::new();
        for (names, rule) in self.rules_below() {
            if rule.kind == RuleKind::Function {
                continue;
            }
            let mut keys: Vec<Value> = names.iter().map(|name| Value::text(name)).collect();
            keys.extend(rule.dynamic.iter().map_while(scalar));
            let is_general = keys.len() < names.len() + rule.dynamic.len();
            places.push(Place {
                rule,
                names,
                filed: keys.len(),
                keys,
                is_general,
                is_open: false,
            });
        }
        let general = places.iter().filter(|place| place.is_general);
        let open: Vec<Vec<Value>> = general.map(|place| place.keys.clone()).collect();
        for place in &mut places {
            let above = open.iter().filter(|above| place.keys.starts_with(above));
            let shortest = above.map(Vec::len).min();
            place.is_open = shortest.is_some();
            place.filed = shortest.unwrap_or(place.keys.len());
        }
        places
    }

    /// Whether rules of its document are filed under numbers.
    pub(super) fn is_filed_under_numbers(&self) -> bool {
        let is_number = |key: &Value| matches!(key, Value::Number(_));
        let is_filed = |place: &Place<'_>| place.keys.iter().take(place.filed).any(is_number);
        self.kind == Kind::Object && self.places().iter().any(is_filed)
    }

    /// The tree of a unit.
    pub(super) fn of(unit: &'u Unit) -> Node<'u> {
        let mut root = Node::default();
        for module in &unit.modules {
            root.at(&module.package);
        }
        for rule in &unit.rules {
            let node = root.at(&rule.path);
            if !rule.is_unnamed_function() {
                node.rules.push(rule);
            }
        }
        root.classify();
        root
    }

    /// The node at a path.
    pub(super) fn find(&self, path: &[String]) -> Option<&Node<'u>> {
        path.iter()
            .try_fold(self, |node, name| node.children.get(name.as_str()))
    }

    fn at(&mut self, path: &'u [String]) -> &mut Node<'u> {
        path.iter()
            .fold(self, |node, name| node.children.entry(name).or_default())
    }

    fn classify(&mut self) {
        let all = |kind| {
            self.rules
                .iter()
                .all(|rule| rule.kind == kind && rule.dynamic.is_empty())
        };
        self.kind = if self.rules.is_empty() {
            Kind::Package
        } else if all(RuleKind::Function) {
            Kind::Function
        } else if all(RuleKind::Set) {
            Kind::Set
        } else if all(RuleKind::Value) {
            Kind::Complete
        } else {
            Kind::Object
        };
        for child in self.children.values_mut() {
            child.classify();
        }
    }

    /// Rules of this node and of all below, each with the names that lead to its node: those of a node before those below
    /// it, as OPA evaluates them.
    pub(super) fn rules_below(&self) -> Vec<(Vec<&'u str>, &'u Rule)> {
        let mut found = Vec::new();
        self.collect(&mut Vec::new(), &mut found);
        found
    }

    fn collect(&self, path: &mut Vec<&'u str>, found: &mut Vec<(Vec<&'u str>, &'u Rule)>) {
        found.extend(self.rules.iter().map(|rule| (path.clone(), *rule)));
        for (name, child) in &self.children {
            path.push(name);
            child.collect(path, found);
            path.pop();
        }
    }
}

fn scalar(term: &Term) -> Option<Value> {
    match term {
        Term::Const(Constant::Array(_) | Constant::Object(_) | Constant::Set(_)) => None,
        Term::Const(value) => Some(Value::of(value)),
        _ => None,
    }
}
