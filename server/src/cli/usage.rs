//! Habits of the reference's flag library that clap has not: long names with a single dash, `h` for `help`, `help` behind a
//! verb. And the name under which the binary was started, which help and usage show.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use clap::{Command, CommandFactory};

use super::args::Cli;
use super::help::OWN_NAME;

/// The table of verbs and flags, as the binary under this name shows it.
pub(crate) fn command(name: &str) -> Command {
    named(Cli::command(), name).bin_name(name)
}

/// Examples call the binary by the name that it has.
fn named(command: Command, name: &str) -> Command {
    let rename = |text: Option<&clap::builder::StyledStr>| {
        let lines = text?.to_string();
        Some(lines.replace(&format!("{OWN_NAME} "), &format!("{name} ")))
    };
    let (short, long) = (
        rename(command.get_after_help()),
        rename(command.get_after_long_help()),
    );
    let mut command = command;
    if let Some(text) = short {
        command = command.after_help(text);
    }
    if let Some(text) = long {
        command = command.after_long_help(text);
    }
    command.mut_subcommands(|sub| named(sub, name))
}

/// The name of the file that was started: a link or copy called `mpe` is `mpe`.
pub(crate) fn own_name(first: Option<&OsString>) -> String {
    first
        .and_then(|path| Path::new(path).file_name())
        .and_then(|name| name.to_str())
        .filter(|name| !name.is_empty())
        .unwrap_or(OWN_NAME)
        .to_owned()
}

/// Rewrites what clap does not take.
pub(crate) fn normalise(args: Vec<OsString>, root: &Command) -> Vec<OsString> {
    let mut names = BTreeSet::from(["help".to_owned(), "version".to_owned()]);
    long_names(root, &mut names);
    // The verb so far; none once something else than verbs and flags came.
    let mut verb = Some(root);
    let mut literal = false;
    let mut out: Vec<OsString> = Vec::new();
    for (index, arg) in args.into_iter().enumerate() {
        let text = arg.to_str().unwrap_or_default().to_owned();
        literal |= text == "--";
        if index == 0 || literal {
            out.push(arg);
        } else if text.starts_with('-') {
            // What follows a flag of a verb may be the flag's value.
            verb = verb.filter(|at| at.has_subcommands());
            out.push(double_dash(&text, &names).unwrap_or(arg));
        } else {
            let (word, next) = match verb {
                Some(at) => step(at, &text),
                None => (None, None),
            };
            verb = next;
            out.push(word.map_or(arg, OsString::from));
        }
    }
    out
}

/// What a word below a verb stands for, if it is not itself, and the verb that it leads to.
fn step<'c>(at: &'c Command, word: &str) -> (Option<&'static str>, Option<&'c Command>) {
    if let Some(next) = at.find_subcommand(word) {
        return (None, Some(next));
    }
    let asks = word == "h" || word == "help";
    let takes_words = at.get_positionals().next().is_some();
    match (asks, at.has_subcommands(), takes_words) {
        (true, true, _) => (Some("help"), Some(at)),
        (true, false, false) => (Some("--help"), None),
        _ => (None, None),
    }
}

/// `-bundle` → `--bundle`.
fn double_dash(text: &str, names: &BTreeSet<String>) -> Option<OsString> {
    let rest = text.strip_prefix('-').filter(|rest| !rest.starts_with('-'))?;
    let name = rest.split('=').next()?;
    names.contains(name).then(|| format!("-{text}").into())
}

fn long_names(command: &Command, names: &mut BTreeSet<String>) {
    names.extend(
        command
            .get_arguments()
            .filter_map(|arg| arg.get_long())
            .map(str::to_owned),
    );
    command.get_subcommands().for_each(|sub| long_names(sub, names));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &str, want: &str) {
        let words = words.split_whitespace().map(OsString::from).collect();
        let got = normalise(words, &command("gavel"));
        let got: Vec<&str> = got.iter().map(|word| word.to_str().unwrap()).collect();
        assert_eq!(got.join(" "), want);
    }

    #[test]
    fn single_dashes_and_help() {
        check(
            "mpe serve -port=1 -b a -bundle b",
            "mpe serve --port=1 -b a --bundle b",
        );
        check(
            "mpe -trace test decision -junit x",
            "mpe --trace test decision --junit x",
        );
        check("mpe serve -- -port", "mpe serve -- -port");
        check("mpe h", "mpe help");
        check("mpe h serve", "mpe help serve");
        check("mpe test h decision", "mpe test help decision");
        check("mpe test decision help", "mpe test decision --help");
        check("mpe serve h", "mpe serve --help");
        check("mpe eval h", "mpe eval h");
        check("mpe serve -n h", "mpe serve -n h");
        check("mpe -xyz", "mpe -xyz");
    }

    #[test]
    fn examples_have_the_name_of_the_binary() {
        let mut root = command("mpe");
        let help = root.render_long_help().to_string();
        assert!(
            help.contains("mpe serve") && !help.contains("gavel serve"),
            "{help}"
        );
        assert_eq!(own_name(Some(&OsString::from("/usr/bin/mpe"))), "mpe");
        assert_eq!(own_name(None), "gavel");
    }
}
