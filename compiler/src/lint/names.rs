//! Names as text: of imports, rules and calls.

use crate::ast::{Head, Import, Module, Name, Rule, Term, TermKind};

/// What an import is called in its module; nothing for imports that only switch the language.
pub(super) fn of_import<'a>(import: &Import<'a>) -> Option<Name<'a>> {
    let root = import.path.first()?;
    if !matches!(root.text, "data" | "input") {
        return None;
    }
    import.alias.or_else(|| import.path.last().copied())
}

/// The path of an import with dots.
pub(super) fn path_of_import(import: &Import<'_>) -> String {
    let names: Vec<&str> = import.path.iter().map(|name| name.text).collect();
    names.join(".")
}

/// The first name of a rule's reference.
pub(super) fn of_head<'a>(head: &Head<'a>) -> &'a str {
    match head.reference.first().map(|term| term.kind) {
        Some(TermKind::Var(name)) => name,
        _ => "",
    }
}

/// `a.b.c` as its parts, where all of them are known.
pub(super) fn parts<'a>(term: &Term<'a>) -> Option<Vec<&'a str>> {
    match term.kind {
        TermKind::Var(name) => Some(vec![name]),
        TermKind::Ref { head, path } => {
            let TermKind::Var(first) = head.kind else {
                return None;
            };
            let mut names = vec![first];
            for element in path {
                match element.kind {
                    TermKind::String { text, .. } => names.push(text),
                    _ => return None,
                }
            }
            Some(names)
        }
        _ => None,
    }
}

/// Whether a module's package is exactly this name.
pub(super) fn is_package(module: &Module<'_>, name: &str) -> bool {
    matches!(module.package.path, [only] if only.text == name)
}

/// The rules of a module whose reference is exactly this name.
pub(super) fn rules_named<'a>(module: &Module<'a>, name: &str) -> impl Iterator<Item = &'a Rule<'a>> {
    let named = move |rule: &&Rule<'a>| rule.head.reference.len() == 1 && of_head(&rule.head) == name;
    module.rules.iter().filter(named)
}
