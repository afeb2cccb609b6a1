//! PolicyDomains in, image out: domains read and resolved, every policy compiled with its libraries, tables linked.

use crate::analyse::{AnalyseOptions, analyse, analyse_query};
use crate::ast::Module;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::domain::{self, DomainSet, ModuleKind};
use crate::emit::{EmitOptions, ProgramBuilder};
use crate::fold::{self, Folding};
use crate::hir::{Checked, RuleKind};
use crate::link::{self, Entries};
use crate::opt::optimise;
use crate::parse::{BaseDialect, BlanketImport, ParseOptions, parse_module, parse_query};
use crate::places::{Place, places};
use crate::plan::{Request, plan};
use crate::source::{FileId, SourceMap};
use bumpalo::Bump;
use gavel_runtime::image::{Entry, Image, ImageParts};
use gavel_runtime::value::Constant;
use std::collections::{BTreeSet, HashMap};

/// How PolicyDomains are compiled.
#[derive(Clone, Debug)]
pub struct Options {
    /// Dialect of all modules: v0 unless the user switched.
    pub dialect: BaseDialect,
    /// Builtins that policies may not call.
    pub disallowed_builtins: Vec<String>,
    /// See [`gavel_runtime::image::ImageParts::include_all_references`].
    pub include_all_references: bool,
    /// The optimiser is on.
    pub optimise: bool,
    /// The program can be traced. It should not be optimised then, or the trace shows what is left.
    pub trace: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            dialect: BaseDialect::V0,
            disallowed_builtins: vec!["http.send".to_owned()],
            include_all_references: true,
            optimise: true,
            trace: false,
        }
    }
}

/// An image and what its author should know.
#[derive(Debug)]
pub struct Compiled {
    /// Runs.
    pub image: Image,
    /// Warnings.
    pub warnings: Vec<Diagnostic>,
    /// The texts that the program's sources are, by their numbers.
    pub files: Vec<FileId>,
    /// What can be run, file by file in source order; only for tracing.
    pub places: Vec<Place>,
}

/// The parts of an image, for [`gavel_runtime::image::save`], and what its author should know.
#[derive(Debug)]
pub struct Linked {
    /// Not verified yet.
    pub parts: ImageParts,
    /// Warnings.
    pub warnings: Vec<Diagnostic>,
    /// As in [`Compiled`].
    pub files: Vec<FileId>,
    /// As in [`Compiled`].
    pub places: Vec<Place>,
}

/// Errors of one module set before the rest is left out, as in OPA.
const ERROR_LIMIT: usize = 10;

/// Compiles PolicyDomain files, in load order.
///
/// # Errors
/// Every problem of the first stage that has any: reading (YAML, types, selectors), then references and Rego syntax
/// together, then the compilation of libraries, policies and mappers.
pub fn compile(
    sources: &mut SourceMap,
    files: &[FileId],
    options: &Options,
) -> Result<Compiled, Vec<Diagnostic>> {
    let Linked {
        parts,
        warnings,
        files,
        places,
    } = compile_parts(sources, files, options)?;
    // Selectors were compiled before, so this is a program over a bound of the machine, or a fault of the compiler.
    let image = Image::new(parts).map_err(|error| {
        let text = format!("the policies make no image: {error}");
        vec![Diagnostic::global(Code::Limit, text)]
    })?;
    Ok(Compiled {
        image,
        warnings,
        files,
        places,
    })
}

/// As [`compile`], up to what an image is made of.
///
/// # Errors
/// As [`compile`].
pub fn compile_parts(
    sources: &mut SourceMap,
    files: &[FileId],
    options: &Options,
) -> Result<Linked, Vec<Diagnostic>> {
    let domains = domain::read(sources, files)?;
    let bump = Bump::new();
    let mut modules = Modules {
        parsed: HashMap::new(),
        problems: Vec::new(),
    };
    for module in domains.iter().flat_map(|domain| &domain.modules) {
        modules.parse(sources, module.rego, module.kind, &module.id, options, &bump);
    }
    let resolved = domain::resolve(sources, &domains);
    let set = match (resolved, modules.problems.is_empty()) {
        (Ok(set), true) => set,
        (Ok(_), false) => return Err(modules.problems),
        (Err(mut problems), _) => {
            problems.extend(modules.problems);
            return Err(problems);
        }
    };
    let mut units = Units {
        sources,
        options,
        modules: &modules.parsed,
        problems: Vec::new(),
        places: BTreeSet::new(),
    };
    let mut builder = ProgramBuilder::new(EmitOptions {
        strict_builtins: false,
        trace: options.trace,
    });
    let entries = units.compile(&set, &mut builder);
    if units
        .problems
        .iter()
        .any(|problem| problem.severity == Severity::Error)
    {
        return Err(units.problems);
    }
    let files = builder.files();
    let parts = link::parts(&set, builder.finish(), &entries, options.include_all_references);
    let mut warnings = set.warnings;
    warnings.append(&mut units.problems);
    Ok(Linked {
        parts,
        warnings,
        files,
        places: units.places.into_iter().collect(),
    })
}

struct Modules<'a> {
    parsed: HashMap<FileId, Module<'a>>,
    problems: Vec<Diagnostic>,
}

impl<'a> Modules<'a> {
    fn parse(
        &mut self,
        sources: &SourceMap,
        file: FileId,
        kind: ModuleKind,
        id: &str,
        options: &Options,
        bump: &'a Bump,
    ) {
        let parse = ParseOptions {
            base: options.dialect,
            blanket_import: BlanketImport::Reference,
            annotations: false,
        };
        match parse_module(bump, sources, file, parse) {
            Ok(module) => {
                self.parsed.insert(file, module);
            }
            Err(problems) => {
                let context = format!("rego compilation failed in {} '{id}'", kind.as_str());
                self.problems
                    .extend(problems.into_iter().map(|problem| problem.help(context.clone())));
            }
        }
    }
}

struct Units<'u, 'a> {
    sources: &'u SourceMap,
    options: &'u Options,
    modules: &'u HashMap<FileId, Module<'a>>,
    problems: Vec<Diagnostic>,
    places: BTreeSet<Place>,
}

impl Units<'_, '_> {
    fn compile(&mut self, set: &DomainSet, builder: &mut ProgramBuilder) -> Entries {
        let domain_of =
            |index: domain::set::DomainIdx| set.domains.get(index.0).map_or("", |domain| &domain.name);
        let library_files = |libraries: &[domain::set::LibraryIdx]| -> Vec<FileId> {
            libraries
                .iter()
                .filter_map(|index| set.libraries.get(index.0))
                .map(|library| library.rego)
                .collect()
        };
        for library in &set.libraries {
            let mut files = library_files(&library.libraries);
            files.push(library.rego);
            let name = format!(
                "domain {}: policy library {}",
                domain_of(library.domain),
                library.mrn
            );
            self.unit(&files, &name, &[], builder);
        }
        let mut entries = Entries::default();
        for policy in &set.policies {
            let mut files = library_files(&policy.libraries);
            files.push(policy.rego);
            let name = format!("domain {}: policy {}", domain_of(policy.domain), policy.mrn);
            entries
                .policies
                .push(self.unit(&files, &name, &["authz", "allow"], builder));
        }
        for mapper in &set.mappers {
            let name = format!("domain {}: mapper {}", domain_of(mapper.domain), mapper.name);
            entries
                .mappers
                .push(self.unit(&[mapper.rego], &name, &["mapper", "porc"], builder));
        }
        entries
    }

    /// Compiles one module set; `entry` empty: only checks it.
    fn unit(&mut self, files: &[FileId], name: &str, entry: &[&str], builder: &mut ProgramBuilder) -> Entry {
        match self.compile_unit(files, entry, builder) {
            Ok(found) => found,
            Err(problems) => {
                for problem in problems {
                    // An error in a library shows up in every policy that needs it; once is enough.
                    let known = self.problems.iter().any(|other| {
                        (other.code, other.span, &other.message)
                            == (problem.code, problem.span, &problem.message)
                    });
                    if !known {
                        self.problems
                            .push(problem.help(format!("{name}: compilation failed")));
                    }
                }
                Entry::Missing
            }
        }
    }

    fn compile_unit(
        &mut self,
        files: &[FileId],
        entry: &[&str],
        builder: &mut ProgramBuilder,
    ) -> Result<Entry, Vec<Diagnostic>> {
        let modules: Vec<Module<'_>> = files
            .iter()
            .filter_map(|file| self.modules.get(file))
            .copied()
            .collect();
        let analyse_options = AnalyseOptions {
            disallowed_builtins: self.options.disallowed_builtins.clone(),
            error_limit: Some(ERROR_LIMIT),
            ..AnalyseOptions::default()
        };
        let checked = analyse(self.sources, &modules, &analyse_options)?;
        let path: Vec<String> = entry.iter().map(|name| (*name).to_owned()).collect();
        let wanted = if path.is_empty() { Vec::new() } else { vec![path] };
        let plan = plan(
            &checked,
            Request {
                entries: &wanted,
                queries: &[],
                trace: self.options.trace,
            },
        )?;
        if self.options.trace {
            self.places.extend(places(&checked));
        }
        let folding = Folding::default();
        let fold = |builtin, args: &[Constant]| folding.call(builtin, args);
        let plan = optimise(plan, &fold::opt_options(self.options.optimise, &fold));
        let entries = builder
            .add_unit(&plan, self.sources)
            .map_err(|problem| vec![problem])?;
        if is_function(&checked, entry) {
            return Ok(Entry::Function(self.misuse(&checked, entry)));
        }
        Ok(entries.find(entry).map_or(Entry::Missing, Entry::Document))
    }

    /// What OPA says to a query for a function as if it were a document.
    fn misuse(&self, checked: &Checked, entry: &[&str]) -> String {
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
        format!(
            "1 error occurred: 1:5: rego_type_error: function data.{path} used as reference, not called\n\
             \tdata.{path}\n\t{underline}\n\t{have}"
        )
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
