//! What of a set of PolicyDomains is compiled together: each library, policy and mapper with the libraries that it needs.
//! Parses the Rego texts and compiles one such unit; `policies.rs` makes an image of all, `check.rs` a list of problems.

mod groups;
mod mentions;
#[cfg(test)]
mod tests;
mod together;

use std::collections::{BTreeSet, HashMap, HashSet};

use bumpalo::Bump;

use crate::analyse::{AnalyseOptions, analyse, analyse_query};
use crate::ast::Module;
use crate::diagnostic::{Code, Diagnostic};
use crate::domain::{DomainSet, ModuleKind, ReadDomain, ReadModule, set};
use crate::emit::ProgramBuilder;
use crate::fold::Folding;
use crate::hir::{Checked, RuleKind};
use crate::opt::OptOptions;
use crate::parse::{BaseDialect, BlanketImport, ParseOptions, parse_module, parse_query};
use crate::places::{Place, places};
use crate::plan::{Plan, Request, plan};
use crate::policies::Options;
use crate::source::{FileId, SourceMap, Span};
use gavel_runtime::builtins;
use gavel_runtime::image::Entry;

/// The syntax trees of all Rego texts that have one.
pub(crate) type Modules<'a> = HashMap<FileId, Module<'a>>;

/// Parses the Rego texts of all domains, each as a module of its own; `report` gets the problems of each text.
pub(crate) fn parse<'a>(
    sources: &SourceMap,
    domains: &[ReadDomain],
    dialect: BaseDialect,
    bump: &'a Bump,
    mut report: impl FnMut(&ReadModule, Vec<Diagnostic>),
) -> Modules<'a> {
    let options = ParseOptions {
        base: dialect,
        blanket_import: BlanketImport::Reference,
        annotations: false,
    };
    let mut parsed = Modules::new();
    for domain in domains {
        for module in &domain.modules {
            match parse_module(bump, sources, module.rego, options) {
                Ok(tree) => {
                    parsed.insert(module.rego, tree);
                }
                Err(problems) => report(module, problems),
            }
        }
    }
    parsed
}

/// A library, policy or mapper with the libraries that it needs.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    /// Kind of the module that the unit is made for.
    pub(crate) kind: ModuleKind,
    /// Name of its domain.
    pub(crate) domain: String,
    /// Its MRN or name.
    pub(crate) id: String,
    /// Its text.
    pub(crate) own: FileId,
    /// All texts, its own last.
    pub(crate) files: Vec<FileId>,
}

/// Every unit of a set: libraries, policies, mappers, in the order of the set.
pub(crate) fn units(set: &DomainSet) -> Vec<Unit> {
    let unit = |kind, domain: set::DomainIdx, id: &str, own, libraries: &[set::LibraryIdx]| {
        let needed = libraries.iter().filter_map(|index| set.libraries.get(index.0));
        let domain = set.domains.get(domain.0);
        Unit {
            kind,
            domain: domain.map_or_else(String::new, |domain| domain.name.to_string()),
            id: id.to_owned(),
            own,
            files: needed
                .map(|library| library.rego)
                .filter(|file| *file != own)
                .chain([own])
                .collect(),
        }
    };
    let libraries = set.libraries.iter().map(|library| {
        let needs = &library.libraries;
        unit(
            ModuleKind::Library,
            library.domain,
            &library.mrn,
            library.rego,
            needs,
        )
    });
    let policies = set.policies.iter().map(|policy| {
        let needs = &policy.libraries;
        unit(ModuleKind::Policy, policy.domain, &policy.mrn, policy.rego, needs)
    });
    let mappers = set.mappers.iter();
    let mappers =
        mappers.map(|mapper| unit(ModuleKind::Mapper, mapper.domain, &mapper.name, mapper.rego, &[]));
    libraries.chain(policies).chain(mappers).collect()
}

impl Unit {
    /// The unit as the reference's start-up errors name it.
    pub(crate) fn title(&self) -> String {
        let kind = match self.kind {
            ModuleKind::Library => "policy library",
            ModuleKind::Policy | ModuleKind::Mapper => self.kind.as_str(),
        };
        format!("domain {}: {kind} {}", self.domain, self.id)
    }

    /// The document that requests ask for; none of libraries, which are only checked.
    fn entry(&self) -> &'static [&'static str] {
        match self.kind {
            ModuleKind::Library => &[],
            ModuleKind::Policy => &["authz", "allow"],
            ModuleKind::Mapper => &["mapper", "porc"],
        }
    }

    /// Compiles the unit into a program, and notes what can be run if it is to be traced. Texts that are not among
    /// `modules` are left out.
    ///
    /// # Errors
    /// Everything that the first stage that finds something has found.
    fn compile(
        &self,
        sources: &SourceMap,
        modules: &Modules<'_>,
        options: &Options,
        target: &mut Target<'_>,
    ) -> Result<Entry, Vec<Diagnostic>> {
        let modules = self.files.iter().filter_map(|file| modules.get(file));
        let modules: Vec<Module<'_>> = modules.copied().collect();
        let checked = analyse(sources, &modules, &analyse_options(self.kind, options))?;
        let entry = self.entry();
        let path: Vec<String> = entry.iter().map(|name| (*name).to_owned()).collect();
        let wanted = if path.is_empty() { Vec::new() } else { vec![path] };
        let plan = planned(&checked, &wanted, options)?;
        // Decisions never run mappers.
        if options.trace && self.kind != ModuleKind::Mapper {
            target.runnable.extend(places(&checked));
        }
        let entries = target
            .builder
            .add_unit(&optimised(plan, 1, options), sources)
            .map_err(|problem| vec![problem])?;
        if is_function(&checked, entry) {
            return Ok(Entry::Function(misuse(&checked, entry, "x = ")));
        }
        Ok(entries.find(entry).map_or(Entry::Missing, Entry::Document))
    }
}

/// Compiles units into a program, those together that mean the same so. What each becomes, or everything that the first
/// stage that finds something in it has found: as if each were compiled by itself, since what fails together is compiled
/// again apart. `progress` hears of each unit before that.
pub(crate) fn compile(
    units: &[&Unit],
    sources: &SourceMap,
    modules: &Modules<'_>,
    options: &Options,
    target: &mut Target<'_>,
    progress: &mut dyn FnMut(&Unit),
) -> Vec<Result<Entry, Vec<Diagnostic>>> {
    let mut compiled: Vec<Option<Result<Entry, Vec<Diagnostic>>>> = vec![None; units.len()];
    for group in groups::groups(units, modules, options, sources) {
        let members: Vec<&Unit> = group
            .units
            .iter()
            .filter_map(|at| units.get(*at).copied())
            .collect();
        members.iter().for_each(|unit| progress(unit));
        let mut entries = Vec::new();
        if members.len() > 1 {
            entries = together::compile(&members, &group.files, sources, modules, options, target.builder);
        }
        let mut entries = entries.into_iter();
        for (at, unit) in group.units.iter().zip(members) {
            let entry = match entries.next().flatten() {
                Some(entry) => Ok(entry),
                None => unit.compile(sources, modules, options, target),
            };
            if let Some(place) = compiled.get_mut(*at) {
                *place = Some(entry);
            }
        }
    }
    compiled
        .into_iter()
        .map(|entry| entry.unwrap_or(Ok(Entry::Missing)))
        .collect()
}

/// How modules of a unit for this kind of entry are checked.
pub(crate) fn analyse_options(kind: ModuleKind, options: &Options) -> AnalyseOptions {
    let network = options.network && kind == ModuleKind::Mapper;
    let allowed = |name: &str| network && builtins::find(name).is_some_and(|id| id.get().network);
    let disallowed = options.disallowed_builtins.iter().filter(|name| !allowed(name));
    AnalyseOptions {
        disallowed_builtins: disallowed.cloned().collect(),
        network,
        ..AnalyseOptions::default()
    }
}

fn planned(checked: &Checked, entries: &[Vec<String>], options: &Options) -> Result<Plan, Vec<Diagnostic>> {
    let request = Request {
        entries,
        queries: &[],
        trace: options.trace,
        spellings: false,
        strict_builtins: false,
    };
    plan(checked, request)
}

/// `units`: of how many the plan is made.
pub(crate) fn optimised(plan: Plan, units: usize, options: &Options) -> Plan {
    let passes = OptOptions {
        passes: options.optimise,
        ..OptOptions::default()
    };
    Folding::of_units(units).optimise(plan, &passes)
}

/// What units are compiled into.
pub(crate) struct Target<'t> {
    /// The program.
    pub(crate) builder: &'t mut ProgramBuilder,
    /// What can be run in policies and libraries, if it is to be traced.
    pub(crate) runnable: &'t mut BTreeSet<Place>,
}

/// Problems that were met already: an error in a library shows up in every policy that needs it, and once is enough.
#[derive(Debug, Default)]
pub(crate) struct Once(HashSet<(Code, Option<Span>, String)>);

impl Once {
    /// Whether the problem is met for the first time.
    pub(crate) fn is_new(&mut self, problem: &Diagnostic) -> bool {
        self.0
            .insert((problem.code, problem.span, problem.message.clone()))
    }
}

/// Whether the rules at a path behind `data` are functions.
fn is_function(checked: &Checked, path: &[&str]) -> bool {
    checked
        .0
        .rules
        .iter()
        .any(|rule| rule.kind == RuleKind::Function && rule.path == path)
}

/// What OPA says to a query for a function as if it were a document. `before`: what stands before the path in OPA's query.
pub(crate) fn misuse(checked: &Checked, entry: &[&str], before: &str) -> String {
    let path = entry.join(".");
    let mut sources = SourceMap::default();
    let file = sources.add_file("query", &format!("x = data.{path}"));
    let bump = Bump::new();
    let parse = ParseOptions {
        base: BaseDialect::V1,
        blanket_import: BlanketImport::Opa,
        annotations: false,
    };
    let problems = match parse_query(&bump, &sources, file, parse) {
        Ok(query) => analyse_query(&sources, checked, &query, &AnalyseOptions::default()).err(),
        Err(problems) => Some(problems),
    };
    let have = problems.iter().flatten().flat_map(|problem| &problem.help).next();
    let underline = "^".repeat("data.".len() + path.len());
    let have = have.map_or("", String::as_str);
    let column = before.len() + 1;
    format!(
        "1 error occurred: 1:{column}: rego_type_error: function data.{path} used as reference, not called\n\
         \tdata.{path}\n\t{underline}\n\t{have}"
    )
}
