//! PolicyDomains in, everything that is wrong with them out: each stage goes on behind the errors of the one before, so
//! that an author sees all of them at once. Makes no image; `policies.rs` does, and stops at the first stage with errors.

use std::collections::{BTreeSet, HashMap, HashSet};

use bumpalo::Bump;

use crate::diagnostic::{Code, Diagnostic, Entity};
use crate::domain::yaml::Document;
use crate::domain::{self, ModuleKind, ReadDomain};
use crate::emit::{EmitOptions, ProgramBuilder};
use crate::lint::lint_parsed;
use crate::policies::Options;
use crate::source::{FileId, Origin, SourceMap};
use crate::units::{self, Modules, Once, Target, Unit};

/// What found a problem. The names are those of the reference's lint library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// The file is no YAML, or cannot be read.
    Yaml,
    /// A selector is no regular expression, or matches otherwise than it looks.
    Selector,
    /// The YAML is no PolicyDomain.
    Registry,
    /// An entry lacks what it must have.
    Schema,
    /// A name stands twice.
    Duplicate,
    /// A name points to nothing.
    Reference,
    /// Libraries depend on each other in a circle.
    Cycle,
    /// A Rego text does not parse.
    Rego,
    /// A Rego text does not compile.
    OpaCheck,
    /// A rule of style or prudence.
    Lint,
}

impl Stage {
    /// The stage as users see it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Yaml => "yaml",
            Stage::Selector => "selector",
            Stage::Registry => "registry",
            Stage::Schema => "schema",
            Stage::Duplicate => "duplicate",
            Stage::Reference => "reference",
            Stage::Cycle => "cycle",
            Stage::Rego => "rego",
            Stage::OpaCheck => "opa-check",
            Stage::Lint => "lint",
        }
    }
}

/// A problem with the file and the stage that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The PolicyDomain.
    pub file: Option<FileId>,
    /// What found it.
    pub stage: Stage,
    /// What it is.
    pub diagnostic: Diagnostic,
}

/// A Rego text that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedModule {
    /// The PolicyDomain that it stands in.
    pub file: FileId,
    /// Kind.
    pub kind: ModuleKind,
    /// MRN, or the name of a mapper.
    pub id: String,
}

/// What [`check`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Errors and warnings, in the order of the stages.
    pub problems: Vec<Problem>,
    /// All Rego texts that are not blank, in load order.
    pub modules: Vec<CheckedModule>,
}

/// How domains are checked.
#[derive(Clone, Debug, Default)]
pub struct CheckOptions {
    /// How an engine would compile them.
    pub compile: Options,
    /// Our own lints run, too.
    pub lints: bool,
}

/// Checks PolicyDomains, given as parsed YAML in load order, as strictly as an engine does that starts with them.
/// `progress` hears of each module that is compiled next, by its MRN or name, and how many there are in all.
pub fn check(
    sources: &mut SourceMap,
    documents: &[(FileId, Document)],
    options: &CheckOptions,
    progress: &mut dyn FnMut(usize, &str),
) -> Findings {
    let (domains, problems) = domain::read_documents(sources, documents);
    let further = documents
        .iter()
        .filter_map(|(_, document)| domain::further_document(document));
    let mut checker = Checker {
        sources,
        options: &options.compile,
        found: Findings::default(),
        owners: owners(&domains),
    };
    for problem in problems {
        let stage = match problem.code {
            Code::Selector => Stage::Selector,
            _ => Stage::Registry,
        };
        checker.add(stage, problem);
    }
    for span in further {
        let message = "only the first document of a file is read";
        checker.add(Stage::Yaml, Diagnostic::warning(Code::Yaml, span, message));
    }
    let (set, problems) = domain::resolve_all(checker.sources, &domains);
    for problem in domain::tolerated(&domains).into_iter().chain(problems) {
        let stage = match problem.code {
            Code::Selector => Stage::Selector,
            Code::Duplicate => Stage::Duplicate,
            Code::Reference => Stage::Reference,
            Code::Cycle => Stage::Cycle,
            _ => Stage::Schema,
        };
        checker.add(stage, problem);
    }
    checker.modules(&domains);
    let bump = Bump::new();
    let modules = checker.parse(&domains, &bump);
    checker.compile(&units::units(&set), &modules, progress);
    if options.lints {
        for finding in lint_parsed(checker.sources, &domains, &modules) {
            checker.add(Stage::Lint, finding);
        }
    }
    checker.found
}

/// Whose text each module is.
fn owners(domains: &[ReadDomain]) -> HashMap<FileId, Entity> {
    let mut owners = HashMap::new();
    for read in domains {
        for module in &read.modules {
            let entity = Entity {
                domain: read.domain.name.text.to_string(),
                kind: module.kind.as_str(),
                id: module.id.to_string(),
                field: "rego".to_owned(),
            };
            owners.insert(module.rego, entity);
        }
    }
    owners
}

struct Checker<'a> {
    sources: &'a SourceMap,
    options: &'a Options,
    found: Findings,
    owners: HashMap<FileId, Entity>,
}

impl Checker<'_> {
    /// Adds a problem of the file, and of the Rego text if it is in one, that its place is in.
    fn add(&mut self, stage: Stage, mut diagnostic: Diagnostic) {
        if let Some(owner) = diagnostic.span.and_then(|span| self.owners.get(&span.file)) {
            diagnostic.entity = Some(Box::new(owner.clone()));
        }
        let file = diagnostic.span.map(|span| self.document(span.file));
        self.push(stage, file, diagnostic);
    }

    /// Adds a problem of a Rego text; one without a place belongs to `unit`.
    fn add_rego(&mut self, stage: Stage, unit: FileId, mut diagnostic: Diagnostic) {
        let module = diagnostic.span.map_or(unit, |span| span.file);
        diagnostic.entity = self.owners.get(&module).cloned().map(Box::new);
        self.push(stage, Some(self.document(module)), diagnostic);
    }

    fn push(&mut self, stage: Stage, file: Option<FileId>, diagnostic: Diagnostic) {
        self.found.problems.push(Problem {
            file,
            stage,
            diagnostic,
        });
    }

    /// The PolicyDomain that a text stands in.
    fn document(&self, file: FileId) -> FileId {
        match self.sources.source(file).origin {
            Origin::Embedded { yaml, .. } => yaml,
            Origin::Whole | Origin::Inlined { .. } => file,
        }
    }

    fn modules(&mut self, domains: &[ReadDomain]) {
        for read in domains {
            let texts = read
                .modules
                .iter()
                .filter(|module| !self.sources.source(module.rego).text.trim().is_empty());
            let checked = texts.map(|module| CheckedModule {
                file: read.domain.file,
                kind: module.kind,
                id: module.id.to_string(),
            });
            self.found.modules.extend(checked);
        }
    }

    /// Blank texts were reported with the entries; as modules they are skipped.
    fn parse<'b>(&mut self, domains: &[ReadDomain], bump: &'b Bump) -> Modules<'b> {
        let mut broken = Vec::new();
        let sources = self.sources;
        let modules = units::parse(
            sources,
            domains,
            self.options.dialect,
            bump,
            |module, problems| {
                if !sources.source(module.rego).text.trim().is_empty() {
                    broken.push((module.rego, problems));
                }
            },
        );
        for (rego, problems) in broken {
            for problem in problems {
                self.add_rego(Stage::Rego, rego, problem);
            }
        }
        modules
    }

    /// Texts of the libraries and policies that depend on something that does not exist, or on themselves.
    fn incomplete(&self, units: &[Unit]) -> HashSet<FileId> {
        let problems = self.found.problems.iter();
        let about = problems
            .filter(|problem| matches!(problem.stage, Stage::Reference | Stage::Cycle))
            .filter_map(|problem| problem.diagnostic.entity.as_deref())
            .filter(|entity| entity.field == "dependencies");
        let broken: HashSet<_> = about
            .map(|entity| (entity.domain.as_str(), entity.kind, entity.id.as_str()))
            .collect();
        let is_broken =
            |unit: &&Unit| broken.contains(&(unit.domain.as_str(), unit.kind.as_str(), unit.id.as_str()));
        units.iter().filter(is_broken).map(|unit| unit.own).collect()
    }

    /// A unit with a text that is missing or does not parse cannot be judged: what is missing would look like an error.
    fn compile(&mut self, units: &[Unit], modules: &Modules<'_>, progress: &mut dyn FnMut(usize, &str)) {
        let incomplete = self.incomplete(units);
        let mut builder = ProgramBuilder::new(EmitOptions {
            strict_builtins: false,
            trace: false,
            sleep: None,
        });
        let is_usable = |file: &FileId| modules.contains_key(file) && !incomplete.contains(file);
        let (usable, skipped): (Vec<&Unit>, Vec<&Unit>) =
            units.iter().partition(|unit| unit.files.iter().all(is_usable));
        for unit in skipped {
            progress(units.len(), &unit.id);
        }
        let mut target = Target {
            builder: &mut builder,
            runnable: &mut BTreeSet::new(),
        };
        let mut next = |unit: &Unit| progress(units.len(), &unit.id);
        let compiled = units::compile(
            &usable,
            self.sources,
            modules,
            self.options,
            &mut target,
            &mut next,
        );
        let mut once = Once::default();
        for (unit, compiled) in usable.into_iter().zip(compiled) {
            let Err(problems) = compiled else {
                continue;
            };
            for problem in problems {
                if once.is_new(&problem) {
                    self.add_rego(Stage::OpaCheck, unit.own, problem);
                }
            }
        }
    }
}
