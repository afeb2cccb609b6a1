//! References into the request and into data that are never defined. `not` turns an undefined reference into a grant.

use std::collections::{HashMap, HashSet};

use super::findings::Findings;
use super::module::ModuleCx;
use super::names;
use super::near::is_near;
use super::rule::Rule;
use super::visit::{self, Event};
use crate::ast::{Module, Term, TermKind};
use crate::domain::ModuleKind;
use crate::source::Span;

/// What a request has; other members are passed on as they are.
const REQUEST: [&str; 4] = ["principal", "operation", "resource", "context"];
/// What a resource has. The engine drops other members.
const RESOURCE: [&str; 5] = ["id", "owner", "group", "annotations", "classification"];
/// Members of a principal that the engine reads; others are passed on as they are.
const PRINCIPAL: [&str; 7] = [
    "sub",
    "mrealm",
    "mroles",
    "mgroups",
    "scopes",
    "mannotations",
    "mclearance",
];
/// Names that tokens really have, near those above.
const CLAIMS: [&str; 8] = [
    "realm",
    "roles",
    "groups",
    "scope",
    "annotations",
    "clearance",
    "role",
    "group",
];

/// Which names modules define, by package.
pub(super) type Packages<'a> = HashMap<Vec<&'a str>, HashSet<&'a str>>;

/// Adds what a module defines, and the packages above its own.
pub(super) fn add_package<'a>(packages: &mut Packages<'a>, module: &Module<'a>) {
    let path: Vec<&str> = module.package.path.iter().map(|name| name.text).collect();
    for length in 0..path.len() {
        let (Some(above), Some(next)) = (path.get(..length), path.get(length)) else {
            return;
        };
        packages.entry(above.to_vec()).or_default().insert(next);
    }
    let names = module.rules.iter().map(|rule| names::of_head(&rule.head));
    packages.entry(path).or_default().extend(names);
}

/// `seen`: what the module sees of data.
pub(super) fn check<'a>(cx: &ModuleCx<'_, 'a>, seen: &[&Packages<'a>], findings: &mut Findings) {
    let replaced = replaced_data(cx);
    let mut reported: HashSet<Vec<&str>> = HashSet::new();
    let mut place = |path: Vec<&'a str>, span: Span, findings: &mut Findings| match path.first() {
        Some(&"data") => {
            let undefined = undefined_part(&path, seen, &replaced);
            if let Some(path) = undefined.filter(|path| reported.insert(path.to_vec())) {
                let message = format!("nothing defines `{}`", path.join("."));
                let help = "policies see the packages of their own text and of their `dependencies`; what is undefined makes `not` hold";
                findings.add(Rule::UndefinedData, span, message, help);
            }
        }
        Some(&"input") if cx.kind != ModuleKind::Mapper && !cx.replaces_input => {
            if let Some((message, help)) = unknown_field(&path) {
                findings.add(Rule::UnknownField, span, message, help);
            }
        }
        _ => {}
    };
    for import in cx.module.imports {
        let path: Vec<&str> = import.path.iter().map(|name| name.text).collect();
        let used = names::of_import(import).is_some_and(|name| cx.mentioned.contains(name.text));
        if used {
            place(path, import.span, findings);
        }
    }
    visit::module(cx.module, &mut |event| {
        let Event::Term(term) = event else { return };
        match &term.kind {
            TermKind::Ref { head, path } => {
                if let Some(path) = ground_start(cx, term, head, path) {
                    place(path, term.span, findings);
                }
            }
            TermKind::Call { name, args } => {
                let Some(path) = looked_up(cx, name, args) else {
                    return;
                };
                place(path, term.span, findings);
            }
            _ => {}
        }
    });
}

/// The path of a reference up to its first computed element.
fn ground_start<'a>(
    cx: &ModuleCx<'_, 'a>,
    term: &Term<'a>,
    head: &Term<'a>,
    path: &[Term<'a>],
) -> Option<Vec<&'a str>> {
    if let Some(whole) = cx.path(term) {
        return Some(whole);
    }
    let mut found = cx.path(head)?;
    for element in path {
        let TermKind::String { text, .. } = element.kind else {
            break;
        };
        found.push(text);
    }
    Some(found)
}

/// `object.get(input.resource, "x", …)` reads `input.resource.x`.
pub(super) fn looked_up<'a>(
    cx: &ModuleCx<'_, 'a>,
    name: &Term<'a>,
    args: &[Term<'a>],
) -> Option<Vec<&'a str>> {
    let [object, key, _] = args else { return None };
    let TermKind::String { text, .. } = key.kind else {
        return None;
    };
    cx.builtin(name).filter(|builtin| builtin.name == "object.get")?;
    let mut path = cx.path(object).filter(|path| path.first() == Some(&"input"))?;
    path.push(text);
    Some(path)
}

/// Paths of data that some `with` puts a value at.
#[derive(Default)]
struct Replaced<'a> {
    paths: HashSet<Vec<&'a str>>,
    /// They and what lies above them.
    above: HashSet<Vec<&'a str>>,
}

fn replaced_data<'a>(cx: &ModuleCx<'_, 'a>) -> Replaced<'a> {
    let mut found = Replaced::default();
    visit::module(cx.module, &mut |event| {
        let Event::Literal(literal) = event else { return };
        for path in literal.with.iter().filter_map(|with| cx.path(&with.target)) {
            if path.first() == Some(&"data") && !found.paths.contains(&path) {
                let above = (1..=path.len()).filter_map(|length| path.get(..length));
                found.above.extend(above.map(<[&str]>::to_vec));
                found.paths.insert(path);
            }
        }
    });
    found
}

/// The first part of a path of data that no package has.
fn undefined_part<'p, 'a>(
    path: &'p [&'a str],
    seen: &[&Packages<'a>],
    replaced: &Replaced<'a>,
) -> Option<&'p [&'a str]> {
    let behind = path.get(1..)?;
    for length in 0..behind.len() {
        let (above, next) = (behind.get(..length)?, behind.get(length)?);
        let mut packages = seen.iter().filter_map(|packages| packages.get(above)).peekable();
        // Behind a rule stands its value.
        packages.peek()?;
        if packages.any(|names| names.contains(next)) {
            continue;
        }
        let part = path.get(..length + 2)?;
        let mut starts = (1..=path.len()).filter_map(|length| path.get(..length));
        let is_replaced = replaced.above.contains(part) || starts.any(|start| replaced.paths.contains(start));
        return (!is_replaced).then_some(part);
    }
    None
}

fn unknown_field(path: &[&str]) -> Option<(String, String)> {
    match path {
        ["input", "resource", field, ..] if !RESOURCE.contains(field) => {
            let message = format!("`input.resource.{field}` never exists");
            let help = "a resource has `id`, `owner`, `group`, `annotations` and `classification`; what else a request sends there is dropped";
            Some((message, help.to_owned()))
        }
        ["input", "principal", field, ..] if !PRINCIPAL.contains(field) && !CLAIMS.contains(field) => {
            let meant = PRINCIPAL.iter().find(|known| is_near(field, known))?;
            let message = format!("`input.principal.{field}` is nearly `input.principal.{meant}`");
            Some((message, format!("write `{meant}`, unless principals have both")))
        }
        ["input", field, ..] if !REQUEST.contains(field) => {
            let meant = REQUEST.iter().find(|known| is_near(field, known))?;
            let message = format!("`input.{field}` is nearly `input.{meant}`");
            Some((message, format!("write `{meant}`, unless requests have both")))
        }
        _ => None,
    }
}
