//! Defaults whose head has a computed step, `default p[input.x] := 1`: OPA takes such a rule for the default of `p`.
//!
//! What constant heads below `p` define then is a value of `p` itself, and rules with variables in their heads around it
//! make OPA forget the default. Types are those of the heads as written, so this comes behind the type check.

use super::text;
use crate::constant;
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::{Rule, RuleKind, Term, Unit};
use gavel_runtime::value::Constant;

/// Gives the heads the places that OPA gives them; returns what cannot be told.
pub(super) fn settle(unit: &mut Unit) -> Vec<Diagnostic> {
    let mut refused = Vec::new();
    if !unit.rules.iter().any(is_open_default) {
        return refused;
    }
    let places: Vec<Vec<String>> = unit.rules.iter().map(ground).collect();
    for (at, place) in places.iter().enumerate() {
        let Some(default) = unit.rules.get(at).filter(|rule| is_open_default(rule)) else {
            continue;
        };
        let rules = unit.rules.iter().zip(&places).enumerate();
        let others = || rules.clone().filter(|(other, _)| *other != at);
        if others().any(|(_, (rule, other))| is_open(rule) && meets(other, place)) {
            continue;
        }
        let inside = || others().filter(|(_, (_, other))| other.starts_with(place));
        if !inside().all(|(_, (rule, _))| rule.kind == RuleKind::Value && !rule.is_default) {
            refused.push(refusal(default));
            continue;
        }
        let affected: Vec<usize> = inside().map(|(other, _)| other).chain([at]).collect();
        for rule in affected {
            if let Some(rule) = unit.rules.get_mut(rule) {
                shorten(rule, place.len());
            }
        }
    }
    refused
}

fn refusal(rule: &Rule) -> Diagnostic {
    let message = format!(
        "a default with a computed key beside sets or other defaults of {} is not supported",
        text::data_path(&rule.path)
    );
    Diagnostic::error(Code::Unsupported, rule.span, message)
}

fn is_open_default(rule: &Rule) -> bool {
    rule.is_default && is_open(rule)
}

/// Whether a variable stands in the head's reference.
fn is_open(rule: &Rule) -> bool {
    rule.kind != RuleKind::Function
        && rule
            .dynamic
            .iter()
            .any(|element| !matches!(element, Term::Const(_)))
}

/// The steps before the first variable, as texts that tell them apart.
fn ground(rule: &Rule) -> Vec<String> {
    let names = rule.path.iter().map(|name| Constant::String(name.clone()));
    let keys = rule.dynamic.iter().map_while(|element| match element {
        Term::Const(key) => Some(key.clone()),
        _ => None,
    });
    names.chain(keys).map(|key| constant::text(&key)).collect()
}

/// Whether one path is the beginning of the other.
fn meets(one: &[String], other: &[String]) -> bool {
    one.iter().zip(other).all(|(one, other)| one == other)
}

/// Cuts the head's reference down to `len` steps.
fn shorten(rule: &mut Rule, len: usize) {
    rule.dynamic.truncate(len.saturating_sub(rule.path.len()));
    rule.path.truncate(len);
}
