//! From the files that `--bundle` names and the configuration to what decides.

use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gavel_compiler::diagnostic::Diagnostic;
use gavel_compiler::domain::yaml::Document;
use gavel_compiler::opt::Passes;
use gavel_compiler::parse::{BaseDialect, BlanketImport, ParseOptions};
use gavel_compiler::places::Place;
use gavel_compiler::policies::{self, Compiled};
use gavel_compiler::source::{FileId, SourceMap};
use gavel_runtime::decision::RecordOptions;
use gavel_runtime::image::{IMAGE_MAGIC, Image, MapperPart};

use crate::cli::args::{DomainArgs, Global};
use crate::cli::deep_stack::on_a_deep_stack;
use crate::cli::domain_file::{self, Unusable};
use crate::cli::references::{self, Roots};
use crate::cli::{dialect, image, mapper, report};
use crate::config::{Config, RecordRules};
use crate::envoy::Mapper;
use crate::error::Failure;
use crate::files;
use crate::folders::yaml_below;
use crate::limits;
use crate::log;
use crate::trace::{Filter, Texts};

/// An image, how its records are written, and what it was made from.
pub(crate) struct Loaded {
    pub(crate) image: Arc<Image>,
    /// The bytes of its image file, if they were asked for.
    pub(crate) saved: Vec<u8>,
    pub(crate) records: RecordOptions,
    /// Of so many grants `serve` records one.
    pub(crate) grants_sample: NonZeroU64,
    pub(crate) sources: SourceMap,
    pub(crate) files: Vec<FileId>,
    pub(crate) dialect: BaseDialect,
    pub(crate) unsafe_builtins: Vec<String>,
    /// The texts that the sources of the image's program are.
    pub(crate) program_files: Vec<FileId>,
    /// What can run, for coverage; only of domains that were compiled for tracing.
    pub(crate) places: Vec<Place>,
    /// What is traced, if anything is.
    pub(crate) trace: Option<Filter>,
    /// Mappers may call `http.send`.
    pub(crate) network: bool,
    /// Records say by which revision they were decided.
    pub(crate) records_revision: bool,
}

impl Loaded {
    /// The mapper of the domain `name`, or the only one of all.
    ///
    /// # Errors
    /// As those of [`mapper::compile`].
    pub(crate) fn mapper(&mut self, name: Option<&str>) -> Result<Mapper, Failure> {
        // Those of an image are compiled already, but not for tracing.
        if self.trace.is_none() && !self.saved.is_empty() {
            return mapper::of_image(&self.image, name);
        }
        let (sources, files, dialect) = (&mut self.sources, &self.files, self.dialect);
        let (disallowed, leave) = (self.unsafe_builtins.clone(), (self.trace.is_some(), self.network));
        on_a_deep_stack(|| mapper::compile(sources, files, name, dialect, disallowed, leave))?
    }

    /// The texts behind the image's program.
    pub(crate) fn texts(&self) -> Texts<'_> {
        Texts {
            sources: &self.sources,
            files: &self.program_files,
        }
    }
}

/// Domains that were read, and how they are to be compiled.
pub(crate) struct Prepared {
    pub(crate) sources: SourceMap,
    documents: Vec<(FileId, Document)>,
    pub(crate) options: policies::Options,
    env: Vec<(String, String)>,
    records_revision: bool,
    record_rules: RecordRules,
}

/// Reads and compiles the domains under the configuration of this process, or loads the image file that `--bundle` names.
///
/// # Errors
/// No bundle, a file that cannot be read, a broken configuration, or everything that the compiler or the loader found.
pub(crate) fn load(args: &DomainArgs, global: &Global) -> Result<Loaded, Failure> {
    load_marked(args, global, None)
}

/// As [`load`]; the domains are compiled for tracing also where nothing is traced, if a flag (its name) needs it.
///
/// # Errors
/// As [`load`], and an image file, which is not compiled for tracing.
pub(crate) fn load_marked(args: &DomainArgs, global: &Global, flag: Option<&str>) -> Result<Loaded, Failure> {
    let roots = Roots::new(&args.roots.rego_root);
    load_for(args, global, &roots, Purpose { flag, saves: false })
}

/// As [`load`], with the bytes of the image file. `roots` remembers where `.rego` files were looked for.
///
/// # Errors
/// As [`load`].
pub(crate) fn load_saved(args: &DomainArgs, global: &Global, roots: &Roots) -> Result<Loaded, Failure> {
    let (flag, saves) = (None, true);
    load_for(args, global, roots, Purpose { flag, saves })
}

/// What a load is for.
#[derive(Clone, Copy)]
struct Purpose<'f> {
    /// The flag that needs domains which are compiled for tracing.
    flag: Option<&'f str>,
    /// The bytes of the image file are wanted.
    saves: bool,
}

/// As [`load_saved`], what was got from somewhere: an image file or one PolicyDomain, which names no `.rego` files.
///
/// # Errors
/// As [`load`].
pub(crate) fn load_got(
    name: &str,
    content: &[u8],
    args: &DomainArgs,
    global: &Global,
) -> Result<Loaded, Failure> {
    let trace = filter(global)?;
    if content.starts_with(IMAGE_MAGIC) {
        image::refuse_flags(name, args)?;
        refuse_trace(name, trace.as_ref().map(|_| "--trace"))?;
        let prepared = configured(SourceMap::default(), Vec::new(), args)?;
        let made = Made::of_image(image::loaded(name, content, &prepared.options)?, content.to_vec());
        return finished(prepared, made, trace, global);
    }
    let text = std::str::from_utf8(content)
        .map_err(|_| Failure::Policy(format!("{name}: neither an image file nor text in UTF-8")))?;
    if text.len() > limits::TEXT_BYTES_MAX {
        let most = limits::TEXT_BYTES_MAX >> 20;
        return Err(Failure::Policy(format!("{name}: larger than {most} MiB")));
    }
    let mut sources = SourceMap::default();
    let found = on_a_deep_stack(|| domain_file::of_text(&mut sources, name, text))?;
    let found = found.map_err(|unusable| Failure::Policy(why(&sources, name, &unusable)))?;
    let mut prepared = configured(sources, vec![(found.file, found.document)], args)?;
    prepared.trace_if(trace.is_some());
    let made = Made::of_domains(&mut prepared, true)?;
    finished(prepared, made, trace, global)
}

fn load_for(
    args: &DomainArgs,
    global: &Global,
    roots: &Roots,
    purpose: Purpose<'_>,
) -> Result<Loaded, Failure> {
    let trace = filter(global)?;
    let flag = trace.as_ref().map(|_| "--trace").or(purpose.flag);
    let (prepared, made) = match image::named(args)? {
        Some(path) => {
            refuse_trace(&path.to_string_lossy(), flag)?;
            let prepared = configured(SourceMap::default(), Vec::new(), args)?;
            let (image, saved) = image::read(path, &prepared.options)?;
            (prepared, Made::of_image(image, saved))
        }
        None => {
            let mut prepared = prepare_looking(args, roots)?;
            prepared.trace_if(flag.is_some());
            let made = Made::of_domains(&mut prepared, purpose.saves)?;
            (prepared, made)
        }
    };
    finished(prepared, made, trace, global)
}

/// An image file is not compiled for tracing.
fn refuse_trace(name: &str, flag: Option<&str>) -> Result<(), Failure> {
    match flag {
        None => Ok(()),
        Some(flag) => Err(Failure::Usage(format!(
            "{name} is an image file: {flag} needs the PolicyDomain itself"
        ))),
    }
}

fn finished(
    mut prepared: Prepared,
    made: Made,
    trace: Option<Filter>,
    global: &Global,
) -> Result<Loaded, Failure> {
    let records = RecordOptions {
        env: std::mem::take(&mut prepared.env),
        pretty: global.pretty_log,
        redact: prepared.record_rules.redactions()?,
        grants_sample: None,
    };
    Ok(Loaded {
        image: Arc::new(made.image),
        saved: made.saved,
        grants_sample: prepared.record_rules.grants_sample,
        records,
        sources: prepared.sources,
        files: prepared.documents.into_iter().map(|(file, _)| file).collect(),
        dialect: prepared.options.dialect,
        unsafe_builtins: prepared.options.disallowed_builtins,
        program_files: made.files,
        places: made.places,
        trace,
        network: prepared.options.network,
        records_revision: prepared.records_revision,
    })
}

/// An image and what is known of how it was made.
struct Made {
    image: Image,
    saved: Vec<u8>,
    files: Vec<FileId>,
    places: Vec<Place>,
}

impl Made {
    fn of_image(image: Image, saved: Vec<u8>) -> Made {
        Made {
            image,
            saved,
            files: Vec::new(),
            places: Vec::new(),
        }
    }

    fn of_domains(prepared: &mut Prepared, saves: bool) -> Result<Made, Failure> {
        let mut linked = prepared.compile(policies::compile_documents)?;
        let mut saved = Vec::new();
        if saves {
            linked.parts.mappers = prepared.mappers()?;
            saved = gavel_runtime::image::save(&linked.parts)
                .map_err(|error| Failure::Policy(error.to_string()))?;
        }
        let compiled: Compiled =
            on_a_deep_stack(|| policies::image(linked))?.map_err(|problems| prepared.refusal(&problems))?;
        prepared.warn(&compiled.warnings);
        Ok(Made {
            image: compiled.image,
            saved,
            files: compiled.files,
            places: compiled.places,
        })
    }
}

/// What the global flags want traced; nothing without `--trace`.
fn filter(global: &Global) -> Result<Option<Filter>, Failure> {
    let filter = Filter::new(&global.trace_filter)?;
    if !global.trace && !global.trace_filter.is_empty() {
        log::line(
            log::Level::Warn,
            format_args!("--trace-filter has no effect without --trace"),
        );
    }
    Ok(global.trace.then_some(filter))
}

/// Reads the domains and the configuration of this process.
///
/// # Errors
/// No bundle, a file that cannot be read, or a broken configuration.
pub(crate) fn prepare(args: &DomainArgs) -> Result<Prepared, Failure> {
    prepare_looking(args, &Roots::new(&args.roots.rego_root))
}

fn prepare_looking(args: &DomainArgs, roots: &Roots) -> Result<Prepared, Failure> {
    if args.bundle.is_empty() {
        return Err(Failure::Usage("at least one bundle must be specified".to_owned()));
    }
    let is_module = |path: &&PathBuf| path.extension().is_some_and(|extension| extension == "rego");
    if let Some(module) = args.bundle.iter().find(is_module) {
        return Err(Failure::Usage(format!(
            "{} is a Rego module, not a PolicyDomain: `gavel eval -d FILE QUERY` runs one by itself",
            module.display()
        )));
    }
    let mut sources = SourceMap::default();
    let documents = on_a_deep_stack(|| read_domains(args, &mut sources, roots))??;
    configured(sources, documents, args)
}

fn configured(
    sources: SourceMap,
    documents: Vec<(FileId, Document)>,
    args: &DomainArgs,
) -> Result<Prepared, Failure> {
    let config = Config::load()?;
    if let Some(level) = config.log_level {
        log::set_level(level);
    }
    let options = policies::Options {
        dialect: dialect::of(&args.dialect),
        disallowed_builtins: config.unsafe_builtins,
        network: !args.network.allow_net.is_empty(),
        include_all_references: config.include_all,
        optimise: Passes::ALL,
        trace: false,
    };
    Ok(Prepared {
        sources,
        documents,
        options,
        env: config.record_env.into_iter().collect(),
        records_revision: config.record_revision,
        record_rules: config.record_rules,
    })
}

const NETWORK_ADVICE: &str =
    "\n  = help: a mapper may ask the hosts that --allow-net HOST[:PORT] names; a policy may ask nobody";

/// A function of the compiler from domains to something else.
type Compile<T> = fn(&mut SourceMap, &[(FileId, Document)], &policies::Options) -> Result<T, Vec<Diagnostic>>;

impl Prepared {
    /// What is compiled can be traced, if that is wanted.
    fn trace_if(&mut self, wanted: bool) {
        if wanted {
            self.options.optimise = Passes::NONE;
            self.options.trace = true;
        }
    }

    /// Compiles, on a stack that fits the compiler's limits.
    ///
    /// # Errors
    /// Everything that the compiler found, rendered.
    pub(crate) fn compile<T: Send>(&mut self, compile: Compile<T>) -> Result<T, Failure> {
        let (sources, documents, options) = (&mut self.sources, &self.documents, &self.options);
        let outcome = on_a_deep_stack(|| compile(sources, documents, options))?;
        outcome.map_err(|problems| self.refusal(&problems))
    }

    /// What the compiler found, rendered.
    fn refusal(&self, problems: &[Diagnostic]) -> Failure {
        let parse = ParseOptions {
            base: self.options.dialect,
            blanket_import: BlanketImport::Reference,
            ..ParseOptions::default()
        };
        let mut text = report::problems(&self.sources, problems);
        if let Some(advice) = dialect::advice(&self.sources, problems, parse) {
            text.push_str(&format!("\n  = help: {advice}"));
        }
        if !self.options.network
            && problems
                .iter()
                .any(|problem| problem.message.contains(mapper::HTTP_SEND))
        {
            text.push_str(NETWORK_ADVICE);
        }
        Failure::Policy(text)
    }

    /// The domains' files.
    pub(crate) fn files(&self) -> Vec<FileId> {
        self.documents.iter().map(|(file, _)| *file).collect()
    }

    /// The mappers of all domains.
    ///
    /// # Errors
    /// As [`mapper::parts`].
    pub(crate) fn mappers(&mut self) -> Result<Vec<MapperPart>, Failure> {
        let (sources, documents, options) = (&mut self.sources, &self.documents, &self.options);
        on_a_deep_stack(|| {
            mapper::parts(
                sources,
                documents,
                options.dialect,
                &options.disallowed_builtins,
                options.network,
            )
        })?
    }

    /// Logs what the author should know.
    pub(crate) fn warn(&self, warnings: &[Diagnostic]) {
        for warning in warnings {
            log::line(
                log::Level::Warn,
                format_args!("{}", report::one(&self.sources, warning)),
            );
        }
    }
}

/// Reads the domains. Those that name `.rego` files get their texts and come first, as in the reference.
fn read_domains(
    args: &DomainArgs,
    sources: &mut SourceMap,
    roots: &Roots,
) -> Result<Vec<(FileId, Document)>, Failure> {
    let (mut built, mut plain, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    for path in &expanded(&args.bundle)? {
        let name = path.to_string_lossy();
        if name.contains(',') {
            let text = format_args!("`{name}` is one file: --bundle does not split at commas");
            log::line(log::Level::Warn, text);
        }
        match domain_file::open(sources, path, roots) {
            Ok(found) if found.is_built => built.push((found.file, found.document)),
            Ok(found) => plain.push((found.file, found.document)),
            Err(Unusable::Unread(reason)) => {
                return Err(Failure::Operator(format!("open {name}: {reason}")));
            }
            Err(unusable) => problems.push(why(sources, &name, &unusable)),
        }
    }
    if !problems.is_empty() {
        return Err(Failure::Policy(problems.join("\n")));
    }
    if !built.is_empty() {
        let text = format_args!(
            "the .rego files of {} PolicyDomainReference(s) were read",
            built.len()
        );
        log::line(log::Level::Info, text);
    }
    built.append(&mut plain);
    Ok(built)
}

/// The files that are named, and those of the folders that are named, in place of the folder.
fn expanded(bundles: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::with_capacity(bundles.len());
    for path in bundles {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        for found in yaml_below(path) {
            let unreadable =
                |(path, why): (PathBuf, String)| Failure::Operator(format!("open {}: {why}", path.display()));
            files.push(found.map_err(unreadable)?);
        }
    }
    Ok(files)
}

/// Why a file is of no use, in the reference's words.
pub(crate) fn why(sources: &SourceMap, name: &str, unusable: &Unusable) -> String {
    match unusable {
        Unusable::Unread(reason) => {
            format!("failed to check file type for '{name}': failed to read file: open {name}: {reason}")
        }
        Unusable::NotYaml(_, problem) => {
            let cause = report::without_code(sources, problem);
            format!("failed to check file type for '{name}': failed to parse YAML: {cause}")
        }
        Unusable::NotBuilt(_, problems) => {
            format!(
                "failed to build '{name}': {}",
                references::explain(sources, problems)
            )
        }
    }
}

/// The text of a file, which must be UTF-8.
///
/// # Errors
/// With the system's reason.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    files::text(path, limits::TEXT_BYTES_MAX).map_err(|error| Failure::unreadable(path, &error))
}
