//! Rules whose heads have one number in two spellings, `p[1]` and `p[1.0]`: to OPA's tree of rules these are two keys, and to
//! its objects one, so that what it answers depends on the way by which a document is read.

use super::text;
use crate::constant;
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::{Rule, Term, Unit};
use gavel_runtime::value::Constant;
use std::collections::BTreeMap;

/// Refuses the second of two such rules.
pub(super) fn check(unit: &Unit) -> Vec<Diagnostic> {
    let mut spellings = BTreeMap::new();
    let mut refused = Vec::new();
    for rule in &unit.rules {
        let mut keys: Vec<Constant> = Vec::new();
        let constants = rule.dynamic.iter().map_while(|element| match element {
            Term::Const(key) => Some(key),
            _ => None,
        });
        for key in constants {
            keys.push(key.clone());
            let spelling = constant::text(key);
            let known = spellings
                .entry((&rule.path, keys.clone()))
                .or_insert_with(|| spelling.clone());
            if *known != spelling {
                refused.push(refusal(rule, known, &spelling));
                break;
            }
        }
    }
    refused
}

fn refusal(rule: &Rule, first: &str, second: &str) -> Diagnostic {
    let message = format!(
        "{first} and {second}, which are equal, in the heads of rules of {} are not supported",
        text::data_path(&rule.path)
    );
    Diagnostic::error(Code::Unsupported, rule.span, message)
        .help("write the number the same way in both heads")
}
