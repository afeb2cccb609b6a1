//! Runs one command and turns its outcome into an exit status: 0 done, 1 failed, 2 a fault of a running server, 3 unknown
//! verb.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, FromArgMatches as _};

use crate::cli::args::{AuditVerb, Cli, TestVerb, Verb};
use crate::cli::configured::{Configured, completed};
use crate::cli::usage::{command, normalise, own_name};
use crate::cli::{
    audit, build, compile, eval, lint, serve, test_decision, test_decisions, test_mapper, test_replay,
};
use crate::config::Config;
use crate::error::Failure;
use crate::log::{self, Level};

/// Exit status of an unknown verb, as in the reference.
const UNKNOWN_VERB: u8 = 3;

/// Runs the command that `args` name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let mut root = command(&own_name(args.first()));
    let words = normalise(args, &root);
    // A flag may need one that the configuration says.
    if let Err(error) = root.clone().try_get_matches_from(&words)
        && error.kind() != ErrorKind::MissingRequiredArgument
    {
        return not_understood(&error, verb_at_hand(&root, &words));
    }
    let configured = match completed(&root, words) {
        Ok(configured) => configured,
        Err(failure) => return status(Err(failure), None),
    };
    let parsed = root.try_get_matches_from_mut(&configured.words);
    let read = parsed.and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, matches)));
    let (cli, matches) = match read {
        Ok(read) => read,
        Err(error) => {
            let status = not_understood(&error, verb_at_hand(&root, &configured.words));
            let notes = configured.explanation(&error.to_string());
            if !notes.is_empty() {
                log::line(Level::Error, format_args!("{}", notes.trim_start()));
            }
            return status;
        }
    };
    let status = |outcome| status(outcome, Some(&configured));
    match cli.verb {
        None => help(&mut root),
        Some(Verb::Version) => print(format!("{}\n", env!("CARGO_PKG_VERSION")).as_bytes()),
        Some(Verb::Completion(args)) => completion(args.shell, &mut root),
        Some(Verb::Eval(args)) => status(eval::run(&args, &cli.global)),
        Some(Verb::Compile(args)) => status(compile::run(&args)),
        Some(Verb::Lint(args)) => status(lint::run(&args)),
        Some(Verb::Build(args)) => status(build::run(&args)),
        Some(Verb::Serve(args)) if args.print_config => match Config::load() {
            Ok(_) => print(configured.printed(&root, &matches).as_bytes()),
            Err(failure) => status(Err(failure)),
        },
        Some(Verb::Serve(args)) => status(serve::run(&args, &cli.global, &configured.found)),
        Some(Verb::Audit { verb: None }) => root.find_subcommand_mut("audit").map_or(ExitCode::FAILURE, help),
        Some(Verb::Audit { verb: Some(verb) }) => status(match verb {
            AuditVerb::Cat(args) => audit::cat(&args.folder),
            AuditVerb::Verify(args) => audit::verify(&args.folder),
        }),
        Some(Verb::Test { verb: None }) => root.find_subcommand_mut("test").map_or(ExitCode::FAILURE, help),
        Some(Verb::Test { verb: Some(verb) }) => status(match verb {
            TestVerb::Decision(args) => test_decision::run(&args, &cli.global),
            TestVerb::Decisions(args) => test_decisions::run(&args, &cli.global),
            TestVerb::Replay(args) => test_replay::run(&args, &cli.global),
            TestVerb::Mapper(args) => test_mapper::porc(&args, &cli.global),
            TestVerb::Envoy(args) => test_mapper::envoy(&args, &cli.global),
        }),
    }
}

fn status(outcome: Result<(), Failure>, configured: Option<&Configured>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let mut text = failure.to_string();
            if let (Failure::Usage(_), Some(configured)) = (&failure, configured) {
                text.push_str(&configured.explanation(&text));
            }
            if !text.is_empty() {
                log::fatal(&text);
            }
            ExitCode::from(failure.status())
        }
    }
}

/// Help is no error; an unknown verb has a status of its own; anything else is wrong usage.
fn not_understood(error: &clap::Error, verb: &Command) -> ExitCode {
    // A closed standard output or error leaves nobody to tell.
    let _ = error.print();
    if let (Some(word), Some(flags)) = (stray_word(error), file_flags(verb)) {
        log::line(
            Level::Error,
            format_args!("`{word}` stands alone: files are named with a flag, {flags}"),
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

/// The verb that the words lead to.
fn verb_at_hand<'c>(root: &'c Command, words: &[OsString]) -> &'c Command {
    words
        .iter()
        .skip(1)
        .fold(root, |at, word| at.find_subcommand(word).unwrap_or(at))
}

/// The flags of a verb that name what it reads: `--bundle (-b) or --input (-i)`.
fn file_flags(verb: &Command) -> Option<String> {
    let flag = |name: &&str| {
        let arg = verb.get_arguments().find(|arg| arg.get_long() == Some(*name))?;
        Some(format!("--{name} (-{})", arg.get_short()?))
    };
    let flags: Vec<String> = ["file", "bundle", "data", "input"]
        .iter()
        .filter_map(flag)
        .collect();
    (!flags.is_empty()).then(|| flags.join(" or "))
}

fn help(command: &mut Command) -> ExitCode {
    match command.print_help() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// The script is made of the same table that reads the words.
fn completion(shell: clap_complete::Shell, root: &mut Command) -> ExitCode {
    let name = root.get_bin_name().unwrap_or_default().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, root, name, &mut script);
    print(&script)
}

fn print(text: &[u8]) -> ExitCode {
    match std::io::stdout().write_all(text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
