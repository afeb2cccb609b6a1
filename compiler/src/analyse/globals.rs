//! What names mean in a module before its own variables: rules of its package and imports.

use super::declared;
use crate::ast;
use crate::parse::FIRST_WILDCARD;
use crate::source::Span;
use std::collections::{HashMap, HashSet};

/// A name that stands for a document.
#[derive(Clone, Debug)]
pub(super) struct Global {
    pub(super) root: Root,
    /// Behind the root.
    pub(super) path: Vec<String>,
    /// The import that made it, by index.
    pub(super) import: Option<usize>,
}

/// The two root documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    Input,
    Data,
}

/// Which names of a module were used, and where last.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// Imports, by index.
    pub(super) imports: HashSet<usize>,
    /// As [`crate::hir::ModuleMeta::last_uses`].
    pub(super) last: HashMap<String, Span>,
}

impl Uses {
    pub(super) fn note(&mut self, name: &str, global: &Global, at: Span) {
        self.imports.extend(global.import);
        let name = if global.import.is_some() { name } else { "" };
        match self.last.get_mut(name) {
            Some(last) if last.start < at.start => *last = at,
            Some(_) => {}
            None => {
                self.last.insert(name.to_owned(), at);
            }
        }
    }
}

/// Names by what they stand for.
pub(super) type Globals = HashMap<String, Global>;

/// Rule names of every package.
#[derive(Debug, Default)]
pub(super) struct Exports(HashMap<Vec<String>, Vec<String>>);

impl Exports {
    pub(super) fn of(modules: &[ast::Module<'_>]) -> Exports {
        let mut exports: HashMap<Vec<String>, Vec<String>> = HashMap::new();
        for module in modules {
            let names = exports.entry(package(module)).or_default();
            names.extend(rule_names(module));
        }
        Exports(exports)
    }

    /// Names of a module: its package's rules, then its imports (which win).
    pub(super) fn globals(&self, module: &ast::Module<'_>) -> Globals {
        let package = package(module);
        let mut globals = Globals::new();
        for name in self.0.get(&package).into_iter().flatten() {
            let mut path = package.clone();
            path.push(name.clone());
            globals.insert(
                name.clone(),
                Global {
                    root: Root::Data,
                    path,
                    import: None,
                },
            );
        }
        for (index, import) in module.imports.iter().enumerate() {
            // A wildcard names nothing.
            let Some(root) = import_root(import).filter(|_| import_name(import) != "_") else {
                continue;
            };
            let path = import
                .path
                .iter()
                .skip(1)
                .map(|name| name.text.to_owned())
                .collect();
            globals.insert(
                import_name(import).to_owned(),
                Global {
                    root,
                    path,
                    import: Some(index),
                },
            );
        }
        globals
    }
}

/// Path behind `package`.
pub(super) fn package(module: &ast::Module<'_>) -> Vec<String> {
    module
        .package
        .path
        .iter()
        .map(|name| name.text.to_owned())
        .collect()
}

/// First name of a head's reference.
pub(super) fn rule_name<'a>(head: &ast::Head<'a>) -> &'a str {
    match head.reference.first().map(|term| term.kind) {
        Some(ast::TermKind::Var(name)) => name,
        _ => "",
    }
}

/// Names of a module's rules. `_` makes a name of its own from the number of wildcards before it, as in OPA.
pub(super) fn rule_names(module: &ast::Module<'_>) -> Vec<String> {
    let first = module.package.path.first();
    let mut wildcards = usize::from(first.is_some_and(|name| name.text == FIRST_WILDCARD));
    let mut names: Vec<String> = Vec::with_capacity(module.rules.len());
    for rule in module.rules {
        let name = match (rule_name(&rule.head), names.last()) {
            ("_", Some(last)) if rule.chained => last.clone(),
            ("_", _) => {
                wildcards += 1;
                format!("${}", wildcards - 1)
            }
            (name, _) => name.to_owned(),
        };
        names.push(name);
        wildcards += declared::count_wildcards(rule);
    }
    names
}

/// The name that an import brings.
pub(super) fn import_name<'a>(import: &ast::Import<'a>) -> &'a str {
    import
        .alias
        .or(import.path.last().copied())
        .map_or("", |name| name.text)
}

/// The document an import is about; `None` for switches (`rego`, `future`).
pub(super) fn import_root(import: &ast::Import<'_>) -> Option<Root> {
    match import.path.first().map(|name| name.text) {
        Some("data") => Some(Root::Data),
        Some("input") => Some(Root::Input),
        _ => None,
    }
}

/// Root documents that stand as parameters: `(name, place)`.
pub(super) fn shadowed_roots(args: &[ast::Term<'_>]) -> Option<(&'static str, Span)> {
    let mut found = None;
    for arg in args {
        declared::walk_pattern(arg, &mut |term| {
            if let ast::TermKind::Var(name) = term.kind
                && let Some(root) = root_name(name)
                && found.is_none()
            {
                found = Some((root, term.span));
            }
        });
    }
    found
}

/// `input` and `data`.
pub(super) fn root_name(name: &str) -> Option<&'static str> {
    match name {
        "input" => Some("input"),
        "data" => Some("data"),
        _ => None,
    }
}
