//! Rules that cannot stand beside each other, beside a package, or beside base data.

use super::findings::Findings;
use super::rule_tree::{NodeId, RuleId, RuleTree};
use super::text;
use super::tree::{Module, Program, Rule};
use crate::diagnostic::Code;
use crate::source::{SourceMap, Span};
use gavel_runtime::value::Constant;
use std::collections::{HashMap, HashSet};

/// All conflicts of a program.
pub(super) fn check(
    program: &Program,
    tree: &RuleTree,
    base: Option<&Constant>,
    sources: &SourceMap,
    findings: &mut Findings,
) {
    for node in tree.nodes() {
        check_node(node, program, tree, sources, findings);
    }
    if let Some(base) = base {
        for child in tree.children(tree.root()) {
            check_base(*child, tree, program, base, &mut Vec::new(), findings);
        }
    }
    check_packages(program, sources, findings);
}

/// What the rules of one node are together.
#[derive(Default)]
struct Census {
    kinds: HashSet<bool>,
    arities: HashSet<usize>,
    complete: bool,
    partial: bool,
    set: bool,
    object_of_sets: bool,
}

fn check_node(
    node: NodeId,
    program: &Program,
    tree: &RuleTree,
    sources: &SourceMap,
    findings: &mut Findings,
) {
    let rules: Vec<(RuleId, &Rule)> = tree
        .rules(node)
        .iter()
        .filter_map(|id| program.rule(*id).map(|rule| (*id, rule)))
        .collect();
    let (Some((_, first)), Some((_, last))) = (rules.first(), rules.last()) else {
        return;
    };
    let name = text::data_reference(&last.reference, &last.vars);
    let mut census = Census::default();
    for (_, rule) in &rules {
        let ground = rule.is_ground();
        census.kinds.insert(rule.is_set);
        census.arities.insert(rule.args.as_ref().map_or(0, Vec::len));
        if !rule.is_set && ground {
            census.complete = true;
        } else {
            census.partial = true;
        }
        if rule.is_set {
            census.set |= ground;
            census.object_of_sets |= !ground;
        }
    }
    let any_ground = rules.iter().any(|(_, rule)| rule.is_ground());
    let mut below = if any_ground {
        rules_below(node, program, tree, &|_| true)
    } else {
        Vec::new()
    };
    if below.is_empty() && rules.iter().any(|(_, rule)| !rule.is_ground()) {
        below = rules_below(node, program, tree, &|rule| rule.args.is_some());
    }
    if !below.is_empty() {
        let mut message = format!("rule {name} conflicts with:");
        for (reference, span) in below {
            message.push_str(&format!("\n  rule {reference} at {}", place(span, sources)));
        }
        findings.fatal(Code::RegoType, first.span, message);
        return;
    }
    let mixed = census.kinds.len() > 1
        || census.arities.len() > 1
        || (census.complete && census.partial)
        || (census.set && census.object_of_sets);
    if mixed {
        findings.fatal(
            Code::RegoType,
            first.span,
            format!("conflicting rules {name} found"),
        );
        return;
    }
    let defaults: Vec<&(RuleId, &Rule)> = rules.iter().filter(|(_, rule)| rule.is_default).collect();
    if let [(id, _), _, ..] = defaults.as_slice() {
        let places: Vec<String> = defaults
            .iter()
            .map(|(_, rule)| place(rule.span, sources))
            .collect();
        let message = format!("multiple default rules {name} found at {}", places.join(", "));
        let span = program
            .modules
            .get(id.module)
            .map_or(first.span, |module| module.span);
        findings.fatal(Code::RegoType, span, message);
    }
}

/// References of the rules under a node, those that others extend left out.
fn rules_below(
    node: NodeId,
    program: &Program,
    tree: &RuleTree,
    wanted: &dyn Fn(&Rule) -> bool,
) -> Vec<(String, Span)> {
    let mut found: Vec<(String, Span, NodeId)> = Vec::new();
    let mut open: Vec<NodeId> = tree.children(node).to_vec();
    while let Some(node) = open.pop() {
        let mut has_rule = false;
        for rule in tree.rules(node).iter().filter_map(|id| program.rule(*id)) {
            if wanted(rule) {
                let reference = text::data_reference(&rule.reference, &rule.vars);
                if !found.iter().any(|(known, ..)| *known == reference) {
                    found.push((reference, rule.span, node));
                }
                has_rule |= rule.is_ground();
            }
        }
        if !has_rule {
            open.extend(tree.children(node));
        }
    }
    found.sort();
    found
        .into_iter()
        .map(|(reference, span, _)| (reference, span))
        .collect()
}

/// Rules on a path where the base document has something, or cannot have anything.
fn check_base(
    node: NodeId,
    tree: &RuleTree,
    program: &Program,
    base: &Constant,
    path: &mut Vec<String>,
    findings: &mut Findings,
) {
    let Some(Constant::String(key)) = tree.key(node) else {
        return;
    };
    path.push(key.clone());
    if let Some(rule) = tree.rules(node).first().and_then(|id| program.rule(*id))
        && is_taken(base, path)
    {
        let message = format!("conflicting rule for data path {} found", path.join("/"));
        findings.fatal(Code::RegoCompile, rule.span, message);
    } else {
        for child in tree.children(node) {
            check_base(*child, tree, program, base, path, findings);
        }
    }
    path.pop();
}

fn is_taken(base: &Constant, path: &[String]) -> bool {
    let mut at = base;
    for key in path {
        if !matches!(at, Constant::Object(_)) {
            return true;
        }
        match at.get(key) {
            Some(next) => at = next,
            None => return false,
        }
    }
    true
}

/// Rules whose path is the path of a package.
fn check_packages(program: &Program, sources: &SourceMap, findings: &mut Findings) {
    let mut packages: HashMap<Vec<&String>, Vec<&Module>> = HashMap::new();
    for module in &program.modules {
        packages
            .entry(module.package.iter().collect())
            .or_default()
            .push(module);
    }
    for module in &program.modules {
        for rule in &module.rules {
            if !rule.is_ground() {
                continue;
            }
            let path: Option<Vec<&String>> = rule
                .reference
                .iter()
                .map(|term| match term.as_const() {
                    Some(Constant::String(name)) => Some(name),
                    _ => None,
                })
                .collect();
            let Some(path) = path else { continue };
            for other in packages.get(&path).into_iter().flatten() {
                let written = rule.reference.get(module.package.len()..).unwrap_or_default();
                let name = text::data_reference(written, &rule.vars);
                let name = name.strip_prefix("data.").unwrap_or(&name);
                let package = text::data_path(&other.package);
                let package = package.strip_prefix("data.").unwrap_or(&package);
                let message = format!(
                    "package {package} conflicts with rule {name} defined at {}",
                    place(rule.span, sources)
                );
                findings.fatal(Code::RegoType, module.span, message);
            }
        }
    }
}

/// `file:row`
fn place(span: Span, sources: &SourceMap) -> String {
    let row = sources.row(span);
    format!("{}:{row}", sources.source(span.file).name)
}
