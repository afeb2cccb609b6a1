//! From the files that `--bundle` names and the configuration to what decides.

use std::path::Path;
use std::sync::Arc;
use std::thread;

use gavel_compiler::parse::BaseDialect;
use gavel_compiler::policies::{self, Compiled};
use gavel_compiler::source::{FileId, SourceMap};
use gavel_runtime::decision::RecordOptions;
use gavel_runtime::image::Image;

use crate::cli::args::{DomainArgs, Global};
use crate::cli::{dialect, report};
use crate::config::Config;
use crate::error::Failure;
use crate::limits;
use crate::log;

/// An image, how its records are written, and what it was made from.
pub(crate) struct Loaded {
    pub(crate) image: Arc<Image>,
    pub(crate) records: RecordOptions,
    pub(crate) sources: SourceMap,
    pub(crate) files: Vec<FileId>,
    pub(crate) dialect: BaseDialect,
    pub(crate) unsafe_builtins: Vec<String>,
}

/// Reads and compiles the domains under the configuration of this process.
///
/// # Errors
/// No bundle, a file that cannot be read, a broken configuration, or everything that the compiler found.
pub(crate) fn load(args: &DomainArgs, global: &Global) -> Result<Loaded, Failure> {
    if args.bundle.is_empty() {
        return Err(Failure::Usage("at least one bundle must be specified".to_owned()));
    }
    let mut sources = SourceMap::default();
    let mut files = Vec::with_capacity(args.bundle.len());
    for path in &args.bundle {
        if path.to_string_lossy().contains(',') {
            log::line(
                log::Level::Warn,
                format_args!(
                    "`{}` is one file: --bundle does not split at commas",
                    path.display()
                ),
            );
        }
        let text = read(path)?;
        files.push(sources.add_file(&path.to_string_lossy(), &text));
    }
    let config = Config::load()?;
    if let Some(level) = config.log_level {
        log::set_level(level);
    }
    let options = policies::Options {
        dialect: dialect::of(&args.dialect),
        disallowed_builtins: config.unsafe_builtins,
        include_all_references: config.include_all,
        optimise: true,
    };
    let (dialect, unsafe_builtins) = (options.dialect, options.disallowed_builtins.clone());
    let compile = || policies::compile(&mut sources, &files, &options);
    let outcome = on_a_deep_stack(compile)?;
    let Compiled { image, warnings } =
        outcome.map_err(|problems| Failure::Policy(report::problems(&sources, &problems)))?;
    for warning in &warnings {
        log::line(
            log::Level::Warn,
            format_args!("{}", report::one(&sources, warning)),
        );
    }
    let records = RecordOptions {
        env: config.record_env.into_iter().collect(),
        pretty: global.pretty_log,
    };
    Ok(Loaded {
        image: Arc::new(image),
        records,
        sources,
        files,
        dialect,
        unsafe_builtins,
    })
}

/// The text of a file, which must be UTF-8.
///
/// # Errors
/// With the system's reason.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))
}

/// Runs `work` on a thread whose stack fits the compiler's nesting limits, whatever stack this thread has.
pub(crate) fn on_a_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Failure> {
    let failed = |cause: &str| Failure::Operator(format!("the compiling thread {cause}"));
    thread::scope(|scope| {
        let thread = thread::Builder::new()
            .name("compile".to_owned())
            .stack_size(limits::STACK_BYTES);
        let running = thread
            .spawn_scoped(scope, work)
            .map_err(|e| failed(&format!("did not start: {e}")))?;
        running.join().map_err(|_| failed("died"))
    })
}
