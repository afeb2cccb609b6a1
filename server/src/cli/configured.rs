//! What the configuration says in place of flags. Its values become words of the command line, for flags that the command
//! line does not have, so that one parser reads both; what is wrong with them is said with the place of the key.

use std::any::TypeId;
use std::error::Error as _;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::Value;

use crate::config::{Found, KEYS, Key, OPA_FLAGS, Place, Setting, boolean, names};
use crate::error::Failure;

/// A command line with what the configuration adds to it.
pub(crate) struct Configured {
    /// All words.
    pub(crate) words: Vec<OsString>,
    /// Flags that were added, with the keys that say them.
    added: Vec<(&'static str, &'static Key, Place)>,
    /// Of verbs that decide.
    pub(crate) found: Found,
}

/// Adds to the words of a verb that decides what the configuration says and they do not.
///
/// # Errors
/// A configuration that cannot be read, or a value that its flag would not take.
pub(crate) fn completed(root: &Command, words: Vec<OsString>) -> Result<Configured, Failure> {
    let mut configured = Configured {
        words,
        added: Vec::new(),
        found: Found::default(),
    };
    // What is wrong with the words is found when they are parsed with all that is added: a flag may need one of those.
    let mut lenient = root.clone().ignore_errors(true);
    let Ok(matches) = lenient.try_get_matches_from_mut(&configured.words) else {
        return Ok(configured);
    };
    let mut strict = root.clone();
    strict.build();
    let verb = match matches.subcommand() {
        Some(("serve", matches)) => strict.find_subcommand("serve").map(|verb| (verb, matches)),
        Some(("test", matches)) => matches.subcommand().and_then(|(name, matches)| {
            let verb = strict.find_subcommand("test")?.find_subcommand(name)?;
            Some((verb, matches))
        }),
        _ => None,
    };
    if let Some((verb, matches)) = verb {
        configured.found = match verb.get_name() {
            "serve" => Found::by_service()?,
            _ => Found::by_any()?,
        };
        configured
            .add(verb, matches)
            .map_err(|why| Failure::Operator(format!("error reading config: {why}")))?;
    }
    Ok(configured)
}

impl Configured {
    fn add(&mut self, verb: &Command, matches: &ArgMatches) -> Result<(), String> {
        let mut added = Vec::new();
        for key in KEYS {
            let (Some(flag), Some(said)) = (key.flag, self.found.settings.get(key.name)) else {
                continue;
            };
            let Some(arg) = argument(verb, flag) else { continue };
            if verb.get_name() != "serve" && !key.is_for_tests {
                continue;
            }
            let texts = texts(key, arg, said)?;
            for text in &texts {
                refuse(verb, arg, said, key, text)?;
            }
            let gives_way = key
                .gives_way
                .iter()
                .any(|other| is_given(verb, matches, other) || self.outranks(other, said));
            // The flag's own variable is read where the flag is.
            let is_its_own = key.name == OPA_FLAGS && rank(said) > 0;
            if !is_given(verb, matches, flag) && !gives_way && !is_its_own {
                added.extend(texts.iter().map(|text| format!("--{flag}={text}").into()));
                self.added.push((flag, key, said.place.clone()));
            }
        }
        let end = self.words.iter().position(|word| word == "--");
        let end = end.unwrap_or(self.words.len());
        self.words.splice(end..end, added);
        Ok(())
    }

    /// Whether a flag is said by something that wins over this.
    fn outranks(&self, flag: &str, said: &Setting) -> bool {
        let key = KEYS.iter().find(|key| key.flag == Some(flag));
        let other = key.and_then(|key| self.found.settings.get(key.name));
        other.is_some_and(|other| rank(other) > rank(said))
    }

    /// For a text that names flags: which of them come from the configuration.
    pub(crate) fn explanation(&self, text: &str) -> String {
        let is_named = |flag: &str| {
            let word = format!("--{flag}");
            let ends = text.match_indices(&word).map(|(at, found)| at + found.len());
            ends.filter_map(|end| text.get(end..))
                .any(|rest| !rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '-'))
        };
        let mut out = String::new();
        for (flag, key, place) in self.added.iter().filter(|(flag, ..)| is_named(flag)) {
            // Writing to a string cannot fail.
            let _ = write!(out, "\n  = note: --{flag} is `{}` at {place}", key.name);
        }
        out
    }

    /// All keys with what holds for `serve` and who says it, as a configuration file. `matches`: those of the command line.
    pub(crate) fn printed(&self, root: &Command, matches: &ArgMatches) -> String {
        let mut strict = root.clone();
        strict.build();
        let mut out = String::new();
        let Some(matches) = matches.subcommand_matches("serve") else {
            return out;
        };
        for key in KEYS {
            let arg = key.flag.and_then(|flag| {
                let serve = strict.find_subcommand("serve")?;
                argument(serve, flag)
            });
            let said = arg.and_then(|arg| self.shown(key, arg, matches));
            let said = said.or_else(|| {
                let is_shown = key.flag.is_none() || key.name == OPA_FLAGS;
                let setting = self.found.settings.get(key.name).filter(|_| is_shown)?;
                Some((setting.value.to_string(), setting.place.to_string()))
            });
            let _ = match (said, arg, key.about) {
                (Some((value, origin)), ..) => writeln!(out, "{}: {value}  # {origin}", key.name),
                (None, Some(arg), _) => writeln!(out, "# {}:  # {}", key.name, what(arg)),
                (None, None, about) => {
                    let what = about.map_or("", |about| about.what);
                    writeln!(out, "# {}:  # {what}", key.name)
                }
            };
        }
        out
    }

    /// The value of a flag as YAML, and where it comes from; nothing if it has none.
    fn shown(&self, key: &Key, arg: &Arg, matches: &ArgMatches) -> Option<(String, String)> {
        let id = arg.get_id().as_str();
        let origin = match matches.value_source(id)? {
            ValueSource::EnvVariable => arg.get_env()?.to_string_lossy().into_owned(),
            ValueSource::DefaultValue => "default".to_owned(),
            _ => match self.added.iter().find(|(_, added, _)| added.name == key.name) {
                Some((_, _, place)) => place.to_string(),
                None => format!("--{}", key.flag?),
            },
        };
        let is_bare = is_boolean(arg) || is_integer(arg);
        let value = |raw: &std::ffi::OsStr| match raw.to_string_lossy() {
            text if is_bare => text.into_owned(),
            text => Value::from(text).to_string(),
        };
        let values: Vec<String> = matches.get_raw(id)?.map(value).collect();
        let text = match is_list(arg) {
            true => format!("[{}]", values.join(", ")),
            false => values.last()?.clone(),
        };
        Some((text, origin))
    }
}

/// What wins over what: the file is below variables.
fn rank(said: &Setting) -> u8 {
    match said.place {
        Place::File(..) => 0,
        Place::Variable(_) => 1,
    }
}

fn argument<'c>(verb: &'c Command, flag: &str) -> Option<&'c Arg> {
    verb.get_arguments().find(|arg| arg.get_long() == Some(flag))
}

/// Whether the command line has a flag, or a variable of its own does.
fn is_given(verb: &Command, matches: &ArgMatches, flag: &str) -> bool {
    argument(verb, flag).is_some_and(|arg| {
        let source = matches.value_source(arg.get_id().as_str());
        matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable))
    })
}

/// The values of a flag that a setting means; none for `null`.
fn texts(key: &Key, arg: &Arg, said: &Setting) -> Result<Vec<String>, String> {
    let wrong = || {
        let (name, value) = (key.name, &said.value);
        format!(
            "{}: `{name}`: {value} is not allowed; it takes {}",
            said.place,
            takes(arg)
        )
    };
    if is_boolean(arg) {
        let is_set = boolean(&said.value).ok_or_else(wrong)?;
        return Ok(vec![is_set.to_string()]);
    }
    match &said.value {
        Value::Array(items) if is_list(arg) => {
            let texts: Option<Vec<String>> = items.iter().map(scalar).collect();
            texts.ok_or_else(wrong)
        }
        // A variable has no other way to say several.
        value if is_list(arg) && rank(said) > 0 => names(value).ok_or_else(wrong),
        value => Ok(vec![scalar(value).ok_or_else(wrong)?]),
    }
}

/// A text, or a whole number as one. Others are spelled in many ways, so that their text is not known.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => {
            let text = number.to_string();
            text.bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'-')
                .then_some(text)
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// # Errors
/// The flag would not take this text.
fn refuse(verb: &Command, arg: &Arg, said: &Setting, key: &Key, text: &str) -> Result<(), String> {
    let Some(flag) = arg.get_long() else { return Ok(()) };
    let word = format!("--{flag}={text}");
    let parsed = verb.clone().try_get_matches_from([verb.get_name(), &word]);
    let Err(error) = parsed else { return Ok(()) };
    let why = match (error.kind(), error.source()) {
        (ErrorKind::ValueValidation, Some(why)) => format!(" ({why})"),
        (ErrorKind::ValueValidation | ErrorKind::InvalidValue, _) => String::new(),
        // What else a flag needs is seen with all flags together.
        _ => return Ok(()),
    };
    let (place, name, takes) = (&said.place, key.name, takes(arg));
    Err(format!(
        "{place}: `{name}`: {text:?} is not allowed{why}; it takes {takes}"
    ))
}

fn is_list(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append)
}

fn is_boolean(arg: &Arg) -> bool {
    arg.get_value_parser().type_id() == TypeId::of::<bool>()
}

fn is_integer(arg: &Arg) -> bool {
    let known = [
        TypeId::of::<u16>(),
        TypeId::of::<u32>(),
        TypeId::of::<u64>(),
        TypeId::of::<usize>(),
    ];
    let of_arg = arg.get_value_parser().type_id();
    known.into_iter().any(|one| of_arg == one)
}

/// What a flag's key takes, for people.
fn takes(arg: &Arg) -> String {
    let words: Vec<String> = arg
        .get_possible_values()
        .iter()
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    let one = match words.split_last() {
        _ if is_boolean(arg) => "`true` or `false`".to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None if is_integer(arg) => "a whole number".to_owned(),
        None if arg.get_value_parser().type_id() == TypeId::of::<PathBuf>() => "a path".to_owned(),
        None => {
            let names = arg.get_value_names().unwrap_or_default();
            format!("a text: `{}`", names.first().map_or("", |name| name.as_str()))
        }
    };
    match is_list(arg) {
        true => format!("{one}, or a list of such"),
        false => one,
    }
}

/// What a flag is about, on one line.
fn what(arg: &Arg) -> String {
    let text = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.ends_with('.') {
        true => text,
        false => format!("{text}."),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;

    use super::*;
    use crate::cli::usage::command;
    use crate::config::FLAGS_WITHOUT_KEY;

    fn serve() -> Command {
        let mut root = command("gavel");
        root.build();
        root.find_subcommand("serve").unwrap().clone()
    }

    #[test]
    fn every_flag_has_a_key() {
        let serve = serve();
        for flag in serve.get_arguments().filter_map(Arg::get_long) {
            let keys = KEYS.iter().filter(|key| key.flag == Some(flag)).count();
            let without = FLAGS_WITHOUT_KEY.iter().any(|(name, _)| *name == flag);
            assert_eq!(keys, usize::from(!without), "--{flag}");
        }
        for key in KEYS {
            for flag in key.flag.iter().chain(key.gives_way) {
                assert!(argument(&serve, flag).is_some(), "{}: --{flag}", key.name);
            }
        }
    }

    /// One table for each group of keys, a line for each key.
    fn tables() -> String {
        let serve = serve();
        let mut out = String::new();
        let mut group = "";
        for key in KEYS {
            let (own, _) = key.name.split_once('.').unwrap();
            if own != group {
                group = own;
                out.push_str(&format!(
                    "\n### {group}\n\n| key | flag, variable | takes | default | |\n|---|---|---|---|---|\n"
                ));
            }
            let arg = key.flag.and_then(|flag| argument(&serve, flag));
            let flag = key.flag.map(|flag| format!("`--{flag}`"));
            let variable = key.variable().map(|name| format!("`{name}`"));
            let both: Vec<String> = flag.into_iter().chain(variable).collect();
            let (takes, default, what) = match (arg, key.about) {
                (Some(arg), _) => {
                    let defaults = arg.get_default_values().iter();
                    let texts: Vec<String> = defaults
                        .map(|text| format!("`{}`", text.to_string_lossy()))
                        .collect();
                    (takes(arg), texts.join(", "), what(arg))
                }
                (None, Some(about)) => (
                    about.takes.to_owned(),
                    about.default.to_owned(),
                    about.what.to_owned(),
                ),
                (None, None) => panic!("{}", key.name),
            };
            let line = [format!("`{}`", key.name), both.join("<br>"), takes, default, what]
                .map(|cell| cell.replace('|', "\\|"))
                .join(" | ");
            out.push_str(&format!("| {line} |\n"));
        }
        out
    }

    /// The tables of `docs/configuration.md` say what the flags say: UPDATE_EXPECT=1 writes them anew.
    #[test]
    fn the_page_has_every_key() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
        let page = std::fs::read_to_string(path).unwrap();
        let (begin, end) = ("\n## Keys\n", "\n| type in");
        let (before, rest) = page.split_once(begin).unwrap();
        let (_, after) = rest.split_once(end).unwrap();
        let want = format!("{before}{begin}{}{end}{after}", tables());
        expect_file![path].assert_eq(&want);
    }
}
