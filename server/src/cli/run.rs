//! Runs one command and turns its outcome into an exit status: 0 done, 1 failed, 2 a server's operator error, 3 unknown
//! verb.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};

use crate::cli::args::{Cli, Global, TestVerb, Verb, normalise};
use crate::cli::{build, compile, eval, serve, test_decision, test_decisions, test_mapper};
use crate::error::Failure;
use crate::log::{self, Level};

/// Exit status of an unknown verb, as in the reference.
const UNKNOWN_VERB: u8 = 3;

/// Runs the command that `args` name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(normalise(args)) {
        Ok(cli) => cli,
        Err(error) => return not_understood(&error),
    };
    match cli.verb {
        None => help(&mut Cli::command()),
        Some(Verb::Version) => version(),
        Some(Verb::Eval(args)) => status(eval::run(&args, cli.global.trace), |_| 1),
        Some(Verb::Compile(args)) => status(compile::run(&args), |_| 1),
        Some(Verb::Build(args)) => status(build::run(&args), |_| 1),
        Some(Verb::Serve(args)) => status(serve::run(&args, &cli.global), Failure::serve_status),
        Some(Verb::Test { verb: None }) => {
            let mut root = Cli::command();
            root.build();
            root.find_subcommand_mut("test").map_or(ExitCode::FAILURE, help)
        }
        Some(Verb::Test { verb: Some(verb) }) => {
            let outcome = match verb {
                TestVerb::Decision(args) => test_decision::run(&args, &cli.global),
                TestVerb::Decisions(args) => test_decisions::run(&args, &cli.global),
                TestVerb::Mapper(args) => test_mapper::mapper(&args, &cli.global),
                TestVerb::Envoy(args) => test_mapper::envoy(&args, &cli.global),
            };
            status(outcome, |_| 1)
        }
    }
}

fn status(outcome: Result<(), Failure>, code: fn(&Failure) -> u8) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let text = failure.to_string();
            if !text.is_empty() {
                log::line(Level::Error, format_args!("{text}"));
            }
            ExitCode::from(code(&failure))
        }
    }
}

/// Help is no error; an unknown verb has a status of its own; anything else is wrong usage.
fn not_understood(error: &clap::Error) -> ExitCode {
    // A closed standard output or error leaves nobody to tell.
    let _ = error.print();
    if let Some(word) = stray_word(error) {
        log::line(
            Level::Error,
            format_args!(
                "`{word}` stands alone: files are named with a flag, --bundle (-b), --data (-d) or --input (-i)"
            ),
        );
    }
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
        ErrorKind::InvalidSubcommand => ExitCode::from(UNKNOWN_VERB),
        _ => ExitCode::FAILURE,
    }
}

/// A word that no verb takes and that is no flag: most likely a file.
fn stray_word(error: &clap::Error) -> Option<&str> {
    match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::UnknownArgument, Some(ContextValue::String(word))) if !word.starts_with('-') => {
            Some(word)
        }
        _ => None,
    }
}

fn help(command: &mut clap::Command) -> ExitCode {
    match command.print_help() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn version() -> ExitCode {
    use std::io::Write as _;
    match writeln!(std::io::stdout(), "{}", env!("CARGO_PKG_VERSION")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// What verbs say that do not trace.
///
/// # Errors
/// When a trace is asked for.
pub(crate) fn refuse_trace(global: &Global) -> Result<(), Failure> {
    if global.trace {
        return Err(Failure::Usage(
            "--trace is not supported here: `gavel eval --explain` traces a query".to_owned(),
        ));
    }
    Ok(())
}
