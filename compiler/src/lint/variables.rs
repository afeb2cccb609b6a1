//! Variables that nothing reads, and variables, rules and imports that hide what has their name already.

use std::collections::{HashMap, HashSet};

use super::findings::{Findings, finding};
use super::module::ModuleCx;
use super::names;
use super::rule::Rule;
use super::scopes::{How, Variable};
use gavel_runtime::builtins;

pub(super) fn check(cx: &ModuleCx<'_, '_>, findings: &mut Findings) {
    let read = parameters_read(cx);
    for variable in &cx.variables {
        let is_wanted = variable.uses > 0 || variable.name.starts_with('_');
        match variable.how {
            How::Assigned | How::SomeIn if !is_wanted => unused(variable, findings),
            How::Parameter(position) if !is_wanted => {
                let key = parameter(cx, variable.rule, position);
                if !key.is_some_and(|key| read.contains(&key)) {
                    unused(variable, findings);
                }
            }
            _ => {}
        }
        hidden(cx, variable, findings);
    }
    rules(cx, findings);
    imports(cx, findings);
}

/// A function's name and one of its positions.
type Parameter<'a> = (&'a str, usize);

fn parameter<'a>(cx: &ModuleCx<'_, 'a>, rule: usize, position: usize) -> Option<Parameter<'a>> {
    let rule = cx.module.rules.get(rule)?;
    Some((names::of_head(&rule.head), position))
}

/// Positions that some clause of a function reads: with a pattern, or a variable that it uses.
fn parameters_read<'a>(cx: &ModuleCx<'_, 'a>) -> HashSet<Parameter<'a>> {
    let mut read = HashSet::new();
    for rule in cx.module.rules {
        for (position, arg) in rule.head.args.unwrap_or_default().iter().enumerate() {
            if !matches!(arg.kind, crate::ast::TermKind::Var(_)) {
                read.insert((names::of_head(&rule.head), position));
            }
        }
    }
    for variable in cx.variables.iter().filter(|variable| variable.uses > 0) {
        if let How::Parameter(position) = variable.how {
            read.extend(parameter(cx, variable.rule, position));
        }
    }
    read
}

fn unused(variable: &Variable<'_>, findings: &mut Findings) {
    let name = variable.name;
    let (message, help) = match variable.how {
        How::Parameter(_) => (
            format!("parameter `{name}` is never used"),
            "a check that was to look at it may be missing; if not, write `_`",
        ),
        How::SomeIn => (
            format!("variable `{name}` is never used"),
            "a check that was to look at it may be missing; if any element will do, write `_`",
        ),
        _ => (
            format!("variable `{name}` is assigned and never used"),
            "a check that was to look at it may be missing; if the value only has to exist, write it without the variable",
        ),
    };
    findings.add(Rule::UnusedVariable, variable.span, message, help);
}

fn hidden(cx: &ModuleCx<'_, '_>, variable: &Variable<'_>, findings: &mut Findings) {
    let name = variable.name;
    let what = format!("variable `{name}`");
    if let Some(outer) = variable.hides {
        let message = format!("{what} hides a variable of the same name around it");
        let help = "give one of them another name; conditions on one say nothing about the other";
        let found = finding(Rule::ShadowedVariable, variable.span, message, help);
        findings.push(found.label(outer, "hidden inside"));
    } else if let Some(import) = cx.import(name) {
        let message = format!("{what} hides the import `{}`", names::path_of_import(import));
        let found = finding(Rule::ShadowedRule, variable.span, message, "give it another name");
        findings.push(found.label(import.span, "hidden in that body"));
    } else if let Some(rule) = cx.rule_span(name) {
        let message = format!("{what} hides the rule `{name}`");
        let help = "give it another name; the rule is not asked here";
        let found = finding(Rule::ShadowedRule, variable.span, message, help);
        findings.push(found.label(rule, "hidden in that body"));
    } else if let Some(kind) = predeclared(name) {
        let message = format!("{what} hides the {kind}");
        findings.add(
            Rule::ShadowedBuiltin,
            variable.span,
            message,
            "give it another name",
        );
    }
}

/// What a name means before anything is declared.
fn predeclared(name: &str) -> Option<String> {
    match name {
        "input" | "data" => Some(format!("document `{name}`")),
        // Builtins behind operators are not called by name.
        "eq" | "equal" | "neq" | "lt" | "lte" | "gt" | "gte" | "plus" | "minus" | "mul" | "div" | "rem"
        | "and" | "or" | "assign" => None,
        _ => builtins::find(name).map(|_| format!("builtin `{name}`")),
    }
}

fn rules(cx: &ModuleCx<'_, '_>, findings: &mut Findings) {
    let mut seen = HashSet::new();
    for rule in cx.module.rules {
        let name = names::of_head(&rule.head);
        if let Some(kind) = predeclared(name).filter(|_| seen.insert(name)) {
            let message = format!("rule `{name}` hides the {kind}");
            let help = "give it another name; in this package every use of the name means the rule";
            findings.add(Rule::ShadowedBuiltin, rule.head.span, message, help);
        }
    }
}

fn imports(cx: &ModuleCx<'_, '_>, findings: &mut Findings) {
    let mut seen = HashMap::new();
    for import in cx.module.imports {
        let Some(name) = names::of_import(import) else {
            continue;
        };
        let Some(earlier) = seen.insert(name.text, import) else {
            continue;
        };
        let (path, other) = (names::path_of_import(import), names::path_of_import(earlier));
        let found = if path == other {
            let message = format!("`{path}` is imported twice");
            finding(Rule::UnusedImport, import.span, message, "remove one of them")
        } else {
            let message = format!("import `{path}` hides the import `{other}`");
            finding(
                Rule::ShadowedRule,
                import.span,
                message,
                "name one of them with `as`",
            )
        };
        findings.push(found.label(earlier.span, "the other one"));
    }
}
