//! What a rule may know of the module it looks at: its names, and what the domain uses it for.

use std::collections::{HashMap, HashSet};

use super::names;
use super::scopes::{self, Variable};
use super::visit::{self, Event, Scope};
use crate::ast::{Import, Module, Term, TermKind};
use crate::domain::ModuleKind;
use crate::source::Span;
use gavel_runtime::builtins::{self, Builtin, BuiltinId};

/// Which phases ask a policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Phases {
    /// The operation phase, which wants an integer.
    pub(super) operation: bool,
    /// The phases of roles, resource groups and scopes, which want a boolean.
    pub(super) boolean: bool,
}

/// A module and its place in the domains.
pub(super) struct ModuleCx<'m, 'a> {
    pub(super) module: &'m Module<'a>,
    pub(super) kind: ModuleKind,
    pub(super) phases: Phases,
    /// Every identifier that stands in a rule.
    pub(super) mentioned: HashSet<&'a str>,
    /// What its rules declare.
    pub(super) variables: Vec<Variable<'a>>,
    /// Identifiers under `not`.
    negated: HashSet<&'a str>,
    /// Of a library: names that other modules have under `not`.
    negated_elsewhere: Option<&'m HashSet<&'a str>>,
    /// The modules that are compiled together with this one.
    pub(super) libraries: Vec<&'m Module<'a>>,
    /// Whether some `with` stands for a part of `input`.
    pub(super) replaces_input: bool,
    declared: HashSet<&'a str>,
    imports: HashMap<&'a str, &'a Import<'a>>,
    /// First rule of each name.
    rules: HashMap<&'a str, Span>,
}

impl<'m, 'a> ModuleCx<'m, 'a> {
    /// `negated_in_data`: names of rules that some module of all has under `not`.
    pub(super) fn new(
        module: &'m Module<'a>,
        kind: ModuleKind,
        phases: Phases,
        libraries: Vec<&'m Module<'a>>,
        negated_in_data: &'m HashSet<&'a str>,
    ) -> ModuleCx<'m, 'a> {
        let mut imports = HashMap::new();
        for import in module.imports {
            if let Some(name) = names::of_import(import) {
                imports.insert(name.text, import);
            }
        }
        let mut rules = HashMap::new();
        for rule in module.rules {
            rules.entry(names::of_head(&rule.head)).or_insert(rule.head.span);
        }
        let variables = scopes::variables(module);
        ModuleCx {
            module,
            kind,
            phases,
            mentioned: mentioned(module, false),
            negated: mentioned(module, true),
            negated_elsewhere: (kind == ModuleKind::Library).then_some(negated_in_data),
            declared: variables.iter().map(|variable| variable.name).collect(),
            variables,
            libraries,
            replaces_input: replaces_input(module),
            imports,
            rules,
        }
    }

    /// What a rule declares, by its index in the module.
    pub(super) fn variables_of(&self, rule: usize) -> &[Variable<'a>] {
        let start = self.variables.partition_point(|variable| variable.rule < rule);
        let end = self.variables.partition_point(|variable| variable.rule <= rule);
        self.variables.get(start..end).unwrap_or_default()
    }

    /// Whether the module's package is exactly this name.
    pub(super) fn is_package(&self, name: &str) -> bool {
        names::is_package(self.module, name)
    }

    /// The path that a ground reference means, from `input` or `data` on where it leads there through an import. A name that
    /// some body declares means nothing here.
    pub(super) fn path(&self, term: &Term<'a>) -> Option<Vec<&'a str>> {
        let parts = names::parts(term)?;
        let (first, rest) = parts.split_first()?;
        if self.declared.contains(first) {
            return None;
        }
        match self.imports.get(first) {
            Some(import) => {
                let path = import.path.iter().map(|name| name.text);
                Some(path.chain(rest.iter().copied()).collect())
            }
            None => Some(parts),
        }
    }

    /// Whether some rule asks for the negation of a rule of this name.
    pub(super) fn is_negated(&self, name: &str) -> bool {
        let elsewhere = self.negated_elsewhere.is_some_and(|names| names.contains(name));
        elsewhere || self.negated.contains(name)
    }

    /// Whether some body declares a name.
    pub(super) fn is_declared(&self, name: &str) -> bool {
        self.declared.contains(name)
    }

    /// The builtin that a call is of.
    pub(super) fn builtin(&self, name: &Term<'a>) -> Option<&'static Builtin> {
        let parts = names::parts(name)?;
        let first = parts.first()?;
        if self.rules.contains_key(first) || self.imports.contains_key(first) || self.declared.contains(first)
        {
            return None;
        }
        builtins::find(&parts.join(".")).map(BuiltinId::get)
    }

    /// The modules that make up the package `authz` of a policy: this one, and libraries that are in it.
    pub(super) fn in_package<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'m Module<'a>> + 's {
        let all = std::iter::once(self.module).chain(self.libraries.iter().copied());
        all.filter(move |module| names::is_package(module, name))
    }

    /// The import of a name.
    pub(super) fn import(&self, name: &str) -> Option<&'a Import<'a>> {
        self.imports.get(name).copied()
    }

    /// The head of the module's first rule of a name.
    pub(super) fn rule_span(&self, name: &str) -> Option<Span> {
        self.rules.get(name).copied()
    }
}

/// The identifiers in the rules of a module; or only those under `not`.
fn mentioned<'a>(module: &Module<'a>, negated: bool) -> HashSet<&'a str> {
    let mut found = HashSet::new();
    each_term(module, |term, is_negated| {
        if let TermKind::Var(name) = term.kind
            && (!negated || is_negated)
        {
            found.insert(name);
        }
    });
    found
}

/// Adds the names behind `data`, or behind what is imported from there, that stand under `not`.
pub(super) fn add_negated_data<'a>(module: &Module<'a>, found: &mut HashSet<&'a str>) {
    let is_data = |import: &&Import<'a>| import.path.first().is_some_and(|root| root.text == "data");
    let imports = module.imports.iter().filter(is_data);
    let mut roots: HashSet<&str> = imports
        .filter_map(names::of_import)
        .map(|name| name.text)
        .collect();
    roots.insert("data");
    each_term(module, |term, is_negated| {
        if is_negated
            && let Some(parts) = names::parts(term)
            && parts.first().is_some_and(|first| roots.contains(first))
        {
            found.extend(parts.into_iter().skip(1));
        }
    });
}

/// Every term in the rules of a module, and whether it is under `not`.
fn each_term<'a>(module: &Module<'a>, mut visit: impl FnMut(&'a Term<'a>, bool)) {
    let mut negations = 0usize;
    let mut open = Vec::new();
    visit::module(module, &mut |event| match event {
        Event::Enter(scope) => {
            let is_not = matches!(scope, Scope::Not);
            negations += usize::from(is_not);
            open.push(is_not);
        }
        Event::Leave => negations -= usize::from(open.pop() == Some(true)),
        Event::Term(term) => visit(term, negations > 0),
        Event::Literal(_) => {}
    });
}

fn replaces_input(module: &Module<'_>) -> bool {
    let mut found = false;
    visit::module(module, &mut |event| {
        if let Event::Literal(literal) = event {
            found |= literal.with.iter().any(|with| {
                let root = names::parts(&with.target).and_then(|parts| parts.first().copied());
                root == Some("input")
            });
        }
    });
    found
}
