//! The tree of virtual documents of one unit: which rules stand at which path, and how each path is evaluated.

use crate::hir::{Rule, RuleKind, Term, Unit};
use gavel_runtime::value::Constant;
use std::collections::BTreeMap;

/// How the document at a node comes about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum NodeKind {
    /// A package or a part of a head's reference: the object of its children.
    #[default]
    Inner,
    /// One value.
    Complete,
    /// `p contains x`
    Set,
    /// `p[k] := v`
    Object,
    /// Heads with general references; the rules of all nodes below belong to it.
    Tree,
    /// A function: no document.
    Function,
}

/// A path behind `data` that rules or packages name.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Kind.
    pub kind: NodeKind,
    /// By next path element.
    pub children: BTreeMap<String, Node>,
    /// Indices into [`Unit::rules`] whose path ends here.
    pub rules: Vec<usize>,
}

impl Node {
    /// The tree of a unit.
    pub(super) fn build(unit: &Unit) -> Node {
        let mut root = Node::default();
        for module in &unit.modules {
            root.at_mut(&module.package);
        }
        for (at, rule) in unit.rules.iter().enumerate() {
            let node = root.at_mut(&rule.path);
            if !rule.is_unnamed_function() {
                node.rules.push(at);
            }
        }
        root.classify(unit);
        root
    }

    fn at_mut(&mut self, path: &[String]) -> &mut Node {
        path.iter()
            .fold(self, |node, key| node.children.entry(key.clone()).or_default())
    }

    fn classify(&mut self, unit: &Unit) {
        let mut rules = self.rules.iter().filter_map(|at| unit.rules.get(*at));
        self.kind = match rules.clone().next().map(|rule| rule.kind) {
            None => NodeKind::Inner,
            Some(RuleKind::Function) => NodeKind::Function,
            Some(_) if rules.clone().all(|rule| is_plain(rule, RuleKind::Set)) => NodeKind::Set,
            Some(_) if rules.clone().all(|rule| is_plain(rule, RuleKind::Value)) => NodeKind::Complete,
            Some(_)
                if self.children.is_empty()
                    && rules.all(|rule| rule.kind == RuleKind::Value && rule.dynamic.len() == 1) =>
            {
                NodeKind::Object
            }
            Some(_) => NodeKind::Tree,
        };
        for child in self.children.values_mut() {
            child.classify(unit);
        }
    }

    /// Whether references stop here: the document is made by a group of rules.
    pub(super) fn is_group(&self) -> bool {
        match self.kind {
            NodeKind::Complete | NodeKind::Set | NodeKind::Object | NodeKind::Tree => true,
            NodeKind::Inner | NodeKind::Function => false,
        }
    }

    /// Whether the node's document meets the base document at its place in more than a common way to what is below.
    pub(super) fn overlaps(&self, base: &Constant) -> bool {
        match (self.kind, base) {
            (NodeKind::Inner, Constant::Object(_)) => self
                .children
                .iter()
                .any(|(name, child)| base.get(name).is_some_and(|base| child.overlaps(base))),
            _ => true,
        }
    }

    /// The node at a path, if references reach it: nothing is visible below a group or a function.
    pub(super) fn find(&self, path: &[String]) -> Option<&Node> {
        let mut node = self;
        for key in path {
            if node.kind != NodeKind::Inner {
                return None;
            }
            node = node.children.get(key)?;
        }
        Some(node)
    }

    /// Rules of this node and of all below, with what their path has beyond this node's, in the order in which OPA
    /// evaluates them: those of a node before those below it, nodes by name. It shows where a value and parts of it are
    /// put at one path.
    pub(super) fn rules_below(&self) -> Vec<(Vec<String>, usize)> {
        let mut found = Vec::new();
        let mut open = vec![(Vec::new(), self)];
        while let Some((path, node)) = open.pop() {
            found.extend(node.rules.iter().map(|at| (path.clone(), *at)));
            for (key, child) in node.children.iter().rev() {
                let mut path = path.clone();
                path.push(key.clone());
                open.push((path, child));
            }
        }
        found
    }
}

/// Where one rule of a group puts something.
#[derive(Debug)]
pub(super) struct Place<'u> {
    /// The rule.
    pub rule: &'u Rule,
    /// Names between the group's node and the rule's.
    pub suffix: Vec<String>,
    /// The head's reference behind the group's node.
    pub head: Vec<Term>,
    /// The scalars that it begins with.
    pub keys: Vec<Constant>,
    /// How many of them OPA files the rule under: those in front of what it evaluates together.
    pub filed: usize,
    /// A rule with a variable in its head stands at this place or above it: OPA evaluates what is below such a rule
    /// together with it, body by body.
    pub is_open: bool,
}

impl Place<'_> {
    /// Whether the head has something besides scalars.
    pub(super) fn is_general(&self) -> bool {
        self.keys.len() < self.head.len()
    }
}

/// The places of all rules at and below a node, in the order of [`Node::rules_below`]. Functions have none.
pub(super) fn places<'u>(node: &Node, unit: &'u Unit) -> Vec<Place<'u>> {
    let mut places: Vec<Place<'u>> = Vec::new();
    for (suffix, at) in node.rules_below() {
        let Some(rule) = unit.rules.get(at).filter(|rule| rule.kind != RuleKind::Function) else {
            continue;
        };
        let names = suffix
            .iter()
            .map(|key| Term::Const(Constant::String(key.clone())));
        let head: Vec<Term> = names.chain(rule.dynamic.iter().cloned()).collect();
        let keys: Vec<Constant> = head.iter().map_while(scalar).collect();
        places.push(Place {
            rule,
            suffix,
            head,
            filed: keys.len(),
            keys,
            is_open: false,
        });
    }
    let open: Vec<Vec<Constant>> = places
        .iter()
        .filter(|place| place.is_general())
        .map(|place| place.keys.clone())
        .collect();
    for place in &mut places {
        let above = open.iter().filter(|above| place.keys.starts_with(above));
        let shortest = above.map(Vec::len).min();
        place.is_open = shortest.is_some();
        place.filed = shortest.unwrap_or(place.keys.len());
    }
    places
}

fn scalar(term: &Term) -> Option<Constant> {
    match term {
        Term::Const(Constant::Array(_) | Constant::Object(_) | Constant::Set(_)) => None,
        Term::Const(value) => Some(value.clone()),
        _ => None,
    }
}

fn is_plain(rule: &Rule, kind: RuleKind) -> bool {
    rule.kind == kind && rule.dynamic.is_empty()
}
