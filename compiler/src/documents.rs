//! PolicyDomains in, one program out that yields every document of every policy and library: for callers that ask for any
//! document and not only for decisions.
//!
//! It stands beside the image and not in it. Decisions keep the program that they have without it, in which units that share
//! libraries are compiled together under packages that nobody can name; here each unit is compiled by itself, because
//! `data` as a whole is one of the documents and has to look as the unit's author knows it.

use std::collections::BTreeMap;

use bumpalo::Bump;

use crate::analyse::analyse;
use crate::ast::Module;
use crate::diagnostic::Diagnostic;
use crate::domain::{self, ModuleKind};
use crate::emit::{EmitOptions, ProgramBuilder};
use crate::hir::{Checked, RuleKind};
use crate::plan::{Request, plan};
use crate::policies::Options;
use crate::source::{FileId, SourceMap};
use crate::units::{self, Modules, Unit};
use gavel_runtime::bytecode::{FnId, RawProgram};
use sha2::{Digest, Sha256};

/// All documents of some domains.
#[derive(Debug)]
pub struct Documents {
    /// Not verified yet.
    pub program: RawProgram,
    /// Policies in the order of the domains, then libraries.
    pub worlds: Vec<World>,
    /// SHA-256 of the texts of all libraries. An image knows those alone that some policy needs.
    pub libraries_digest: [u8; 32],
}

/// What a policy or library can see as `data`.
#[derive(Debug)]
pub struct World {
    /// Name of its domain.
    pub domain: String,
    /// MRN of the policy or library.
    pub mrn: String,
    /// It is made for a policy.
    pub is_policy: bool,
    /// Package of the policy or library itself, behind `data`.
    pub package: Vec<String>,
    /// What is known of each path behind `data` at which there is something, `data` itself among them.
    pub documents: BTreeMap<Vec<String>, Document>,
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// The document of rules.
    Rules(FnId),
    /// The object of what stands below: a package, or a way to one.
    Package(FnId),
    /// A function, which has no document; what is said to whoever asks for one.
    Function(String),
}

/// Compiles all policies and libraries of domains. Mappers are left out: they are no policies.
///
/// # Errors
/// What reading the domains or compiling the first unit with problems found.
pub fn compile(
    sources: &mut SourceMap,
    files: &[FileId],
    options: &Options,
) -> Result<Documents, Vec<Diagnostic>> {
    let domains = domain::read(sources, files)?;
    let bump = Bump::new();
    let mut unparsed = Vec::new();
    let modules = units::parse(sources, &domains, options.dialect, &bump, |_, problems| {
        unparsed.extend(problems);
    });
    if !unparsed.is_empty() {
        return Err(unparsed);
    }
    let set = domain::resolve(sources, &domains)?;
    let mut builder = ProgramBuilder::new(EmitOptions::default());
    let mut worlds = Vec::new();
    let mut libraries = Sha256::new();
    for unit in units::units(&set) {
        match unit.kind {
            ModuleKind::Mapper => continue,
            ModuleKind::Library => {
                let text = &*sources.source(unit.own).text;
                libraries.update((text.len() as u64).to_le_bytes());
                libraries.update(text);
            }
            ModuleKind::Policy => {}
        }
        let world = world(&unit, sources, &modules, options, &mut builder).map_err(|problems| {
            let context = format!("{}: compilation of all documents failed", unit.title());
            let named = problems.into_iter().map(|problem| problem.help(context.clone()));
            named.collect::<Vec<_>>()
        })?;
        worlds.push(world);
    }
    worlds.sort_by_key(|world| !world.is_policy);
    Ok(Documents {
        program: builder.finish(),
        worlds,
        libraries_digest: libraries.finalize().into(),
    })
}

fn world(
    unit: &Unit,
    sources: &SourceMap,
    modules: &Modules<'_>,
    options: &Options,
    builder: &mut ProgramBuilder,
) -> Result<World, Vec<Diagnostic>> {
    let found = unit.files.iter().filter_map(|file| modules.get(file));
    let found: Vec<Module<'_>> = found.copied().collect();
    let checked = analyse(sources, &found, &units::analyse_options(unit.kind, options))?;
    let mut documents = packages(&checked);
    let functions: Vec<Vec<String>> = paths_of_rules(&checked, true).collect();
    for path in paths_of_rules(&checked, false) {
        documents.insert(path, true);
    }
    let wanted: Vec<Vec<String>> = documents.keys().cloned().collect();
    let request = Request {
        entries: &wanted,
        // Documents show numbers of the input as callers spelled them.
        spellings: true,
        ..Request::default()
    };
    let plan = units::optimised(plan(&checked, request)?, 1, options);
    let entries = builder
        .add_unit(&plan, sources)
        .map_err(|problem| vec![problem])?;
    let ids: BTreeMap<Vec<String>, FnId> = entries.entries.into_iter().collect();
    let compiled = documents.into_iter().filter_map(|(path, is_rule)| {
        let id = *ids.get(&path)?;
        let document = match is_rule {
            true => Document::Rules(id),
            false => Document::Package(id),
        };
        Some((path, document))
    });
    let mut documents: BTreeMap<Vec<String>, Document> = compiled.collect();
    for path in functions {
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        let text = units::misuse(&checked, &names, "");
        documents.insert(path, Document::Function(text));
    }
    let own = checked.0.modules.iter().find(|module| module.file == unit.own);
    Ok(World {
        domain: unit.domain.clone(),
        mrn: unit.id.clone(),
        is_policy: unit.kind == ModuleKind::Policy,
        package: own.map(|module| module.package.clone()).unwrap_or_default(),
        documents,
    })
}

/// Packages and all ways to packages and rules, none of which is a rule as far as is known here.
fn packages(checked: &Checked) -> BTreeMap<Vec<String>, bool> {
    let packages = checked.0.modules.iter().map(|module| &module.package);
    let rules = checked.0.rules.iter().filter_map(|rule| rule.path.split_last());
    let ways = packages
        .map(Vec::as_slice)
        .chain(rules.map(|(_, way)| way))
        .flat_map(|way| (0..=way.len()).filter_map(|end| way.get(..end)));
    ways.map(|way| (way.to_vec(), false)).collect()
}

fn paths_of_rules(checked: &Checked, functions: bool) -> impl Iterator<Item = Vec<String>> {
    let rules = checked.0.rules.iter();
    rules
        .filter(move |rule| (rule.kind == RuleKind::Function) == functions)
        .map(|rule| rule.path.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOMAIN: &str = r"
apiVersion: iamlite.manetu.io/v1beta1
kind: PolicyDomain
metadata: {name: shop}
spec:
  policy-libraries:
    - mrn: mrn:lib:names
      name: names
      rego: |
        package names.staff
        owner = 1
  policies:
    - mrn: mrn:policy:gate
      name: gate
      dependencies: [mrn:lib:names]
      rego: |
        package authz
        default allow = false
        f(x) = x
        seen[x] { x := data.names.staff.owner }
    - mrn: mrn:policy:wall
      name: wall
      rego: |
        package authz
        allow = false
  operations:
    - {name: all, selector: ['.*'], policy: mrn:policy:gate}
";

    #[test]
    fn each_unit_has_its_own_documents() {
        let mut sources = SourceMap::default();
        let file = sources.add_file("shop.yml", DOMAIN);
        let found = match compile(&mut sources, &[file], &Options::default()) {
            Ok(found) => found,
            Err(problems) => panic!("{}", crate::render::text(&sources, &problems)),
        };
        let mut lines = Vec::new();
        for world in &found.worlds {
            lines.push(format!("{} {}", world.mrn, world.package.join(".")));
            for (path, document) in &world.documents {
                let kind = match document {
                    Document::Rules(_) => "rules",
                    Document::Package(_) => "package",
                    Document::Function(text) => text,
                };
                lines.push(format!("  /{} {kind}", path.join("/")));
            }
        }
        let function = "1 error occurred: 1:1: rego_type_error: function data.authz.f used as reference, not called\n\
                        \tdata.authz.f\n\t^^^^^^^^^^^^\n\thave: (any) => any";
        let want = [
            "mrn:policy:gate authz",
            "  / package",
            "  /authz package",
            "  /authz/allow rules",
            &format!("  /authz/f {function}"),
            "  /authz/seen rules",
            "  /names package",
            "  /names/staff package",
            "  /names/staff/owner rules",
            "mrn:policy:wall authz",
            "  / package",
            "  /authz package",
            "  /authz/allow rules",
            "mrn:lib:names names.staff",
            "  / package",
            "  /names package",
            "  /names/staff package",
            "  /names/staff/owner rules",
        ];
        assert_eq!(lines, want);
        gavel_runtime::bytecode::verify(found.program).unwrap();
    }
}
