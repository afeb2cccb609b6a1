//! What is told of variables that nothing binds: in heads, and in statements that found no place in the order.

use super::findings::Findings;
use super::text;
use super::tree::{Kind, Module, Program, Rule, Term, Vars};
use super::vars::{self, VarSet};
use super::walk::{self, Place};
use crate::constant;
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::VarId;
use crate::source::{SourceMap, Span};
use gavel_runtime::value::Constant;
use std::collections::{BTreeMap, HashMap};

/// Variables in heads that no statement of the body binds.
pub(super) fn check_heads(program: &Program, sources: &SourceMap, findings: &mut Findings) {
    for module in &program.modules {
        let scopes = RuleNames::of(module, sources);
        for rule in &module.rules {
            for (index, clause) in rule.clauses.iter().enumerate() {
                let mut known = vars::open_in_body(&clause.body);
                known.extend(vars::parameters(rule));
                let mut head: Vec<&Term> = vec![&clause.value];
                if index == 0 {
                    head.extend(rule.reference.iter());
                }
                let scope = scopes.label(rule, module.package.len(), sources);
                let mut seen = VarSet::new();
                for term in head {
                    for (var, span) in places_of_vars(term) {
                        if !known.contains(&var) && rule.vars.is_written(var) && seen.insert(var) {
                            let message = format!("var {} is unsafe{scope}", rule.vars.text(var));
                            findings.fatal(Code::RegoUnsafeVar, span, message);
                        }
                    }
                }
            }
        }
    }
}

/// A statement that could not be placed.
#[derive(Debug)]
pub(super) struct Unsafe {
    pub(super) span: Span,
    pub(super) vars: VarSet,
    /// Variables on the left of the statement's `:=`.
    pub(super) assigned: VarSet,
}

/// Diagnostics for what could not be placed: each variable once, at its first statement. Variables on the left of `:=`
/// are left out when the cause has another name; generated ones are never named.
pub(super) fn report(found: &[Unsafe], vars: &Vars, scope: &str) -> Vec<Diagnostic> {
    let mut places: BTreeMap<VarId, Span> = BTreeMap::new();
    for entry in found {
        for var in &entry.vars {
            let place = places.entry(*var).or_insert(entry.span);
            if entry.span.start < place.start {
                *place = entry.span;
            }
        }
    }
    let assigned: VarSet = found.iter().flat_map(|entry| &entry.assigned).copied().collect();
    let named: Vec<(VarId, Span)> = places
        .iter()
        .map(|(var, span)| (*var, *span))
        .filter(|(var, _)| vars.is_written(*var))
        .collect();
    let has_cause = named.iter().any(|(var, _)| !assigned.contains(var));
    let mut diagnostics: Vec<Diagnostic> = named
        .into_iter()
        .filter(|(var, _)| !has_cause || !assigned.contains(var))
        .map(|(var, span)| {
            let name = vars.text(var);
            let hint = if matches!(
                name.as_str(),
                "in" | "every" | "contains" | "if" | "and" | "or" | "not"
            ) {
                format!(" (hint: `import future.keywords.{name}` to import a future keyword)")
            } else {
                String::new()
            };
            let message = format!("var {name} is unsafe{scope}{hint}");
            Diagnostic::error(Code::RegoUnsafeVar, span, message)
        })
        .collect();
    if !diagnostics.is_empty() {
        return diagnostics;
    }
    let mut entries: Vec<&Unsafe> = found.iter().collect();
    entries.sort_by_key(|entry| entry.span.start);
    let mut seen = VarSet::new();
    for entry in entries {
        let before = seen.len();
        seen.extend(entry.vars.iter().filter(|var| vars.is_generated(**var)));
        if seen.len() > before {
            let message = format!("expression is unsafe{scope}");
            diagnostics.push(Diagnostic::error(Code::RegoUnsafeVar, entry.span, message));
        }
    }
    diagnostics
}

/// Variables of a head's term with their places.
fn places_of_vars(term: &Term) -> Vec<(VarId, Span)> {
    let mut places = Vec::new();
    walk::term(term, &mut |place| {
        if let Place::Term(term) = place
            && let Kind::Var(var) = term.kind
        {
            places.push((var, term.span));
        }
    });
    places
}

/// Rows that hold rules of several names: there a message names the rule.
pub(super) struct RuleNames(HashMap<u32, Option<String>>);

impl RuleNames {
    pub(super) fn of(module: &Module, sources: &SourceMap) -> RuleNames {
        let mut rows: HashMap<u32, Option<String>> = HashMap::new();
        for rule in &module.rules {
            let name = rule_name(rule, module.package.len());
            for clause in &rule.clauses {
                let row = sources.row(clause.span);
                rows.entry(row)
                    .and_modify(|known| {
                        if known.as_ref() != Some(&name) {
                            *known = None;
                        }
                    })
                    .or_insert_with(|| Some(name.clone()));
            }
        }
        RuleNames(rows)
    }

    pub(super) fn label(&self, rule: &Rule, package_len: usize, sources: &SourceMap) -> String {
        let row = sources.row(rule.span);
        match self.0.get(&row) {
            Some(None) => format!(" in rule {}", rule_name(rule, package_len)),
            Some(Some(_)) | None => String::new(),
        }
    }
}

/// The constant part of a head's reference as written.
fn rule_name(rule: &Rule, package_len: usize) -> String {
    let prefix = rule.ground_prefix().get(package_len..).unwrap_or_default();
    let names: Vec<String> = prefix
        .iter()
        .map(|term| match term.as_const() {
            Some(Constant::String(name)) => name.clone(),
            Some(other) => constant::text(other),
            None => String::new(),
        })
        .collect();
    match names.split_first() {
        Some((first, rest)) => text::dotted(first, rest),
        None => String::new(),
    }
}
