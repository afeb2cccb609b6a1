//! Runs all lints over domains.

use std::collections::{HashMap, HashSet};

use super::findings::Findings;
use super::module::{ModuleCx, Phases};
use super::silence::Silences;
use super::{allow, imports, negation, variables};
use crate::ast::Module;
use crate::diagnostic::Diagnostic;
use crate::domain::{self, DomainSet, ReadDomain};
use crate::parse::{BaseDialect, BlanketImport, ParseOptions, parse_module};
use crate::source::{FileId, SourceMap};
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
    let modules = parse(sources, domains, options, &bump);
    let set = domain::resolve(sources, domains).ok();
    let mut findings = Findings::default();
    let mut silences = Silences::new(sources);
    let mut files = HashSet::new();
    for read in domains {
        if files.insert(read.domain.file) {
            silences.yaml(read.domain.file, &mut findings);
        }
    }
    let uses = set.as_ref().map(phases).unwrap_or_default();
    let mut complete = set.is_some();
    for read in domains.iter().flat_map(|read| &read.modules) {
        let Some(module) = modules.get(&read.rego) else {
            complete = false;
            continue;
        };
        silences.module(module, &mut findings);
        let phases = uses.get(&read.rego).copied().unwrap_or_default();
        let cx = ModuleCx::new(module, read.kind, phases);
        imports::check(&cx, &mut findings);
        variables::check(&cx, &mut findings);
        negation::check(&cx, &mut findings);
        allow::check(&cx, &mut findings);
    }
    finish(sources, findings, silences, complete)
}

fn parse<'a>(
    sources: &SourceMap,
    domains: &[ReadDomain],
    options: LintOptions,
    bump: &'a Bump,
) -> HashMap<FileId, Module<'a>> {
    let parse = ParseOptions {
        base: options.dialect,
        blanket_import: BlanketImport::Reference,
        annotations: false,
    };
    let modules = domains.iter().flat_map(|read| &read.modules);
    let parsed = modules.filter_map(|module| {
        let parsed = parse_module(bump, sources, module.rego, parse).ok()?;
        Some((module.rego, parsed))
    });
    parsed.collect()
}

/// Which phases ask the policy of a text.
fn phases(set: &DomainSet) -> HashMap<FileId, Phases> {
    let mut found: HashMap<FileId, Phases> = HashMap::new();
    let mut note = |policy: domain::set::PolicyIdx, operation: bool| {
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

/// Takes out what comments silence, and brings the rest in order. `complete`: every rule saw everything, so that a comment
/// that silenced nothing is known to be unused.
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
