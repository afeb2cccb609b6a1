//! What a rule may know of the module it looks at: its names, and what the domain uses it for.

use std::collections::{HashMap, HashSet};

use super::names;
use super::scopes::{self, Variable};
use super::visit::{self, Event, Scope};
use crate::ast::{Import, Module, Rule, TermKind};
use crate::domain::ModuleKind;
use crate::source::Span;

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
    pub(super) negated: HashSet<&'a str>,
    imports: HashMap<&'a str, &'a Import<'a>>,
    /// First rule of each name.
    rules: HashMap<&'a str, Span>,
}

impl<'m, 'a> ModuleCx<'m, 'a> {
    pub(super) fn new(module: &'m Module<'a>, kind: ModuleKind, phases: Phases) -> ModuleCx<'m, 'a> {
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
        ModuleCx {
            module,
            kind,
            phases,
            mentioned: mentioned(module, false),
            negated: mentioned(module, true),
            variables: scopes::variables(module),
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
        matches!(self.module.package.path, [only] if only.text == name)
    }

    /// The rules whose reference is exactly this name.
    pub(super) fn rules_named(&self, name: &str) -> impl Iterator<Item = &'a Rule<'a>> {
        let named =
            move |rule: &&Rule<'a>| rule.head.reference.len() == 1 && names::of_head(&rule.head) == name;
        self.module.rules.iter().filter(named)
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
    let mut negations = 0usize;
    let mut open = Vec::new();
    visit::module(module, &mut |event| match event {
        Event::Enter(scope) => {
            let is_not = matches!(scope, Scope::Not);
            negations += usize::from(is_not);
            open.push(is_not);
        }
        Event::Leave => negations -= usize::from(open.pop() == Some(true)),
        Event::Term(term) => {
            if let TermKind::Var(name) = term.kind
                && (!negated || negations > 0)
            {
                found.insert(name);
            }
        }
        Event::Literal(_) => {}
    });
    found
}
