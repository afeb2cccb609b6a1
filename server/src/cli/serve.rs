//! `gavel serve`.

use std::fs::File;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use gavel_runtime::decision::RecordOptions;

use crate::cli::args::{Global, ServeArgs};
use crate::cli::load;
use crate::error::Failure;
use crate::limits;
use crate::log::{self, Level};
use crate::server::{self, Options};
use crate::sys;
use crate::terminal::stderr_is_watched;
use crate::trace::Tracing;

/// Serves until a signal comes.
///
/// # Errors
/// Wrong flags, domains that do not load, or a server that does not start.
pub(crate) fn run(args: &ServeArgs, global: &Global) -> Result<(), Failure> {
    let mut options = options(args)?;
    log::set_json(logs_are_json());
    sys::small_pages();
    let loaded = load::load(&args.domains, global)?;
    sys::release_memory();
    options.records = loaded.records;
    if let Some(filter) = loaded.trace {
        log::line(
            Level::Warn,
            format_args!("decisions are traced on standard error: they are slow and their input is shown"),
        );
        options.tracing = Some(Arc::new(Tracing {
            sources: loaded.sources,
            files: loaded.program_files,
            filter,
        }));
    }
    // A duplicate of the descriptor writes each batch with one call; `Stdout` would split it at its buffer's size.
    let output = std::io::stdout().as_fd().try_clone_to_owned().map(File::from);
    let output = output.map_err(|e| Failure::Operator(format!("standard output: {e}")))?;
    server::run(&options, loaded.image, Box::new(output))
}

fn options(args: &ServeArgs) -> Result<Options, Failure> {
    match args.protocol.as_str() {
        "generic" => {}
        "envoy" => {
            return Err(Failure::Usage(
                "protocol envoy is not supported by this version".to_owned(),
            ));
        }
        other => return Err(Failure::Usage(format!("unsupported protocol: {other}"))),
    }
    let port = u16::try_from(args.port)
        .map_err(|_| Failure::Usage(format!("invalid port {}: it must be from 0 to 65535", args.port)))?;
    let threads = match args.threads {
        Some(0) => return Err(Failure::Usage("--threads must be at least 1".to_owned())),
        Some(threads) => threads,
        None => thread::available_parallelism().map_or(1, usize::from),
    };
    if args.max_body_bytes > limits::BODY_BYTES_MAX_CEILING {
        let most = limits::BODY_BYTES_MAX_CEILING;
        return Err(Failure::Usage(format!("--max-body-bytes may be at most {most}")));
    }
    Ok(Options {
        host: args.host,
        port,
        threads,
        driver: args.io,
        audit_full: args.audit_full,
        body_bytes_max: args.max_body_bytes,
        drain: Duration::from_secs(args.drain_seconds),
        records: RecordOptions::default(),
        constant_deny: args.constant_deny,
        tracing: None,
    })
}

/// A log collector reads JSON, as the reference writes it; a person at a terminal reads text.
fn logs_are_json() -> bool {
    match std::env::var("MPE_LOG_FORMATTER") {
        Ok(format) if !format.is_empty() => format != "text",
        _ => !stderr_is_watched(),
    }
}
