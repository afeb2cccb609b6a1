//! PolicyDomains in, image out: domains read and resolved, every policy compiled with its libraries, tables linked.

use std::collections::BTreeSet;

use bumpalo::Bump;

use crate::diagnostic::{Code, Diagnostic};
use crate::domain::yaml::Document;
use crate::domain::{self, ModuleKind, ReadDomain};
use crate::emit::{EmitOptions, ProgramBuilder};
use crate::link::{self, Entries};
use crate::opt::Passes;
use crate::parse::BaseDialect;
use crate::places::Place;
use crate::source::{FileId, SourceMap};
use crate::units::{self, Once, Target, Unit};
use gavel_runtime::image::{Entry, Image, ImageParts};

/// How PolicyDomains are compiled.
#[derive(Clone, Debug)]
pub struct Options {
    /// Dialect of all modules: v0 unless the user switched.
    pub dialect: BaseDialect,
    /// Builtins that policies may not call.
    pub disallowed_builtins: Vec<String>,
    /// Mappers may call builtins that go out into the network, whatever is disallowed; policies never may.
    pub network: bool,
    /// See [`gavel_runtime::image::ImageParts::include_all_references`].
    pub include_all_references: bool,
    /// The passes of the optimiser that run.
    pub optimise: Passes,
    /// The program can be traced. It should not be optimised then, or the trace shows what is left.
    pub trace: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            dialect: BaseDialect::V0,
            disallowed_builtins: vec!["http.send".to_owned()],
            network: false,
            include_all_references: true,
            optimise: Passes::ALL,
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
    /// What can run in policies and libraries, in source order; only for tracing.
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
    compile_parts(sources, files, options).and_then(image)
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
    parts(sources, &domains, options)
}

/// As [`compile_parts`], for files whose YAML was parsed already.
///
/// # Errors
/// As [`compile`].
pub fn compile_documents(
    sources: &mut SourceMap,
    documents: &[(FileId, Document)],
    options: &Options,
) -> Result<Linked, Vec<Diagnostic>> {
    let (domains, problems) = domain::read_documents(sources, documents);
    if problems.is_empty() {
        parts(sources, &domains, options)
    } else {
        Err(problems)
    }
}

/// The image of what was compiled.
///
/// # Errors
/// Selectors were compiled before, so this is a program over a bound of the machine, or a fault of the compiler.
pub fn image(linked: Linked) -> Result<Compiled, Vec<Diagnostic>> {
    let image = Image::new(linked.parts).map_err(|error| {
        let text = format!("the policies make no image: {error}");
        vec![Diagnostic::global(Code::Limit, text)]
    })?;
    Ok(Compiled {
        image,
        warnings: linked.warnings,
        files: linked.files,
        places: linked.places,
    })
}

fn parts(sources: &SourceMap, domains: &[ReadDomain], options: &Options) -> Result<Linked, Vec<Diagnostic>> {
    let bump = Bump::new();
    let mut unparsed = Vec::new();
    let modules = units::parse(sources, domains, options.dialect, &bump, |module, problems| {
        let context = format!(
            "rego compilation failed in {} '{}'",
            module.kind.as_str(),
            module.id
        );
        unparsed.extend(problems.into_iter().map(|problem| problem.help(context.clone())));
    });
    let set = match (domain::resolve(sources, domains), unparsed.is_empty()) {
        (Ok(set), true) => set,
        (Ok(_), false) => return Err(unparsed),
        (Err(mut problems), _) => {
            problems.extend(unparsed);
            return Err(problems);
        }
    };
    let mut builder = ProgramBuilder::new(EmitOptions {
        trace: options.trace,
        ..EmitOptions::default()
    });
    let mut entries = Entries::default();
    let mut places = BTreeSet::new();
    let mut problems = Vec::new();
    let mut once = Once::default();
    let units = units::units(&set);
    let wanted: Vec<&Unit> = units.iter().collect();
    let mut target = Target {
        builder: &mut builder,
        runnable: &mut places,
    };
    let compiled = units::compile(&wanted, sources, &modules, options, &mut target, &mut |_| {});
    for (unit, compiled) in units.iter().zip(compiled) {
        let entry = match compiled {
            Ok(entry) => entry,
            Err(found) => {
                let context = format!("{}: compilation failed", unit.title());
                let new = found.into_iter().filter(|problem| once.is_new(problem));
                problems.extend(new.map(|problem| problem.help(context.clone())));
                Entry::Missing
            }
        };
        match unit.kind {
            ModuleKind::Library => {}
            ModuleKind::Policy => entries.policies.push(entry),
            ModuleKind::Mapper => entries.mappers.push(entry),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let files = builder.files();
    Ok(Linked {
        parts: link::parts(&set, builder.finish(), &entries, options.include_all_references),
        warnings: set.warnings,
        files,
        places: places.into_iter().collect(),
    })
}
