//! Runs all lints over domains.

use std::collections::{HashMap, HashSet};

use super::annotations::{self, Defined};
use super::fields::{self, Packages};
use super::findings::Findings;
use super::module::{ModuleCx, Phases, add_negated_data};
use super::silence::Silences;
use super::{
    branches, calls, compare, conditions, imports, negation, policy, regexes, secrets, selectors, usage,
    variables,
};
use crate::ast::Module;
use crate::diagnostic::Diagnostic;
use crate::domain::set::{LibraryIdx, PolicyIdx};
use crate::domain::{self, DomainSet, ModuleKind, ReadDomain, ReadModule};
use crate::parse::BaseDialect;
use crate::source::{FileId, SourceMap};
use crate::units::{self, Modules};
use bumpalo::Bump;

/// How modules are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LintOptions {
    /// Dialect of all modules: v0 unless the user switched.
    pub dialect: BaseDialect,
}

impl Default for LintOptions {
    fn default() -> LintOptions {
        LintOptions {
            dialect: BaseDialect::V0,
        }
    }
}

/// Lints domains that were read from files, all of which see each other. Findings have severity warning or note, carry
/// [`Code::Lint`](crate::diagnostic::Code::Lint), and come in the order of files and lines.
///
/// Modules that do not parse are left out, and so is what needs references where one of them points to nothing: the
/// compiler reports both. Linear in the size of the texts.
#[must_use]
pub fn lint(sources: &SourceMap, domains: &[ReadDomain], options: LintOptions) -> Vec<Diagnostic> {
    let bump = Bump::new();
    let modules = units::parse(sources, domains, options.dialect, &bump, |_, _| {});
    lint_parsed(sources, domains, &modules)
}

/// As [`lint`], for modules that are parsed already.
pub(crate) fn lint_parsed(
    sources: &SourceMap,
    domains: &[ReadDomain],
    modules: &Modules<'_>,
) -> Vec<Diagnostic> {
    let run = Run {
        domains,
        modules,
        set: domain::resolve(sources, domains).ok(),
    };
    let mut findings = Findings::default();
    let mut silences = Silences::new(sources);
    run.silences(&mut silences, &mut findings);
    run.modules(&mut findings);
    run.entries(&mut findings);
    finish(sources, findings, silences, run.is_complete())
}

/// What is looked at.
struct Run<'d, 'a> {
    domains: &'d [ReadDomain],
    /// Those that parse.
    modules: &'d Modules<'a>,
    /// Nothing where a reference points to nothing.
    set: Option<DomainSet>,
}

impl<'a> Run<'_, 'a> {
    fn read_modules(&self) -> impl Iterator<Item = &ReadModule> {
        self.domains.iter().flat_map(|read| &read.modules)
    }

    /// Whether every rule saw everything, so that a comment that silenced nothing is known to be unused.
    fn is_complete(&self) -> bool {
        self.set.is_some()
            && self
                .read_modules()
                .all(|module| self.modules.contains_key(&module.rego))
    }

    fn silences(&self, silences: &mut Silences<'_>, findings: &mut Findings) {
        let mut files = HashSet::new();
        for read in self.domains {
            if files.insert(read.domain.file) {
                silences.yaml(read.domain.file, findings);
            }
        }
        for read in self.read_modules() {
            if let Some(module) = self.modules.get(&read.rego) {
                silences.module(module, findings);
            }
        }
    }

    fn modules(&self, findings: &mut Findings) {
        let phases = self.set.as_ref().map(phases).unwrap_or_default();
        let defined = Defined::new(self.domains);
        let mut comparisons = annotations::COMPARISONS_MAX;
        let units = self.units();
        let packages: HashMap<FileId, Packages<'a>> = self
            .modules
            .iter()
            .map(|(rego, module)| {
                let mut packages = Packages::new();
                fields::add_package(&mut packages, module);
                (*rego, packages)
            })
            .collect();
        // A library sees what the policies that use it see, which may be any module.
        let mut everything = Packages::new();
        let mut negated = HashSet::new();
        let seen_all = self.is_complete();
        for module in self.modules.values().filter(|_| seen_all) {
            fields::add_package(&mut everything, module);
            add_negated_data(module, &mut negated);
        }
        for read in self.read_modules() {
            let Some(module) = self.modules.get(&read.rego) else {
                continue;
            };
            let unit = units.get(&read.rego);
            let phases = phases.get(&read.rego).copied().unwrap_or_default();
            let libraries = unit.cloned().unwrap_or_default();
            let cx = ModuleCx::new(module, read.kind, phases, libraries, &negated);
            alone(&cx, findings);
            annotations::check(&cx, &defined, &mut comparisons, findings);
            if unit.is_none() {
                continue;
            }
            policy::check(&cx, findings);
            let together = cx.libraries.iter().copied().chain([module]);
            let texts = together.map(|module| module.package.span.file);
            let seen = match read.kind {
                ModuleKind::Library => vec![&everything],
                ModuleKind::Policy | ModuleKind::Mapper => {
                    texts.filter_map(|rego| packages.get(&rego)).collect()
                }
            };
            fields::check(&cx, &seen, findings);
        }
    }

    /// For each module the libraries that are compiled with it; nothing for a module of which one does not parse.
    fn units(&self) -> HashMap<FileId, Vec<&Module<'a>>> {
        let Some(set) = &self.set else {
            return HashMap::new();
        };
        let parsed = |libraries: &[LibraryIdx]| {
            let texts = libraries
                .iter()
                .map(|at| set.libraries.get(at.0).map(|library| library.rego));
            let modules = texts.map(|rego| self.modules.get(&rego?));
            modules.collect::<Option<Vec<_>>>()
        };
        let libraries = set
            .libraries
            .iter()
            .map(|library| (library.rego, &*library.libraries));
        let policies = set
            .policies
            .iter()
            .map(|policy| (policy.rego, &*policy.libraries));
        let mappers = set.mappers.iter().map(|mapper| (mapper.rego, [].as_slice()));
        let all = libraries.chain(policies).chain(mappers);
        all.filter_map(|(rego, libraries)| Some((rego, parsed(libraries)?)))
            .collect()
    }

    fn entries(&self, findings: &mut Findings) {
        let may_grant = |operation: usize| {
            let set = self.set.as_ref()?;
            let policy = set.policies.get(set.operations.get(operation)?.policy.0)?;
            let own = self.modules.get(&policy.rego)?;
            let libraries = policy.libraries.iter().filter_map(|at| set.libraries.get(at.0));
            let libraries = libraries.filter_map(|library| self.modules.get(&library.rego));
            Some(libraries.chain([own]).any(policy::may_be_positive))
        };
        selectors::check(self.domains, |at| may_grant(at).unwrap_or(false), findings);
        if let Some(set) = &self.set {
            usage::check(self.domains, set, findings);
        }
    }
}

/// The rules that look at one module by itself.
fn alone(cx: &ModuleCx<'_, '_>, findings: &mut Findings) {
    imports::check(cx, findings);
    variables::check(cx, findings);
    negation::check(cx, findings);
    conditions::check(cx, findings);
    compare::check(cx, findings);
    branches::check(cx, findings);
    calls::check(cx, findings);
    regexes::check(cx, findings);
    secrets::check(cx, findings);
    annotations::metadata(cx, findings);
}

/// Which phases ask the policy of a text.
fn phases(set: &DomainSet) -> HashMap<FileId, Phases> {
    let mut found: HashMap<FileId, Phases> = HashMap::new();
    let mut note = |policy: PolicyIdx, operation: bool| {
        if let Some(policy) = set.policies.get(policy.0) {
            let phases = found.entry(policy.rego).or_default();
            phases.operation |= operation;
            phases.boolean |= !operation;
        }
    };
    let holders = set.roles.iter().chain(&set.scopes).chain(&set.resource_groups);
    holders.for_each(|holder| note(holder.policy, false));
    set.operations
        .iter()
        .for_each(|operation| note(operation.policy, true));
    found
}

/// Takes out what comments silence, and brings the rest in order. `complete`: see [`Run::is_complete`].
fn finish(
    sources: &SourceMap,
    findings: Findings,
    mut silences: Silences<'_>,
    complete: bool,
) -> Vec<Diagnostic> {
    let mut found = findings.into_list();
    found.retain(|finding| !silences.silences(finding));
    if complete {
        let mut unused = Findings::default();
        silences.unused(&mut unused);
        let unused = unused.into_list().into_iter();
        found.extend(unused.filter(|finding| !silences.silences(finding)));
    }
    found.sort_by_cached_key(|finding| {
        let place = finding.span.map(|span| sources.on_disk(span));
        (place.map(|span| (span.file, span.start)), finding.code)
    });
    found
}
