//! Finds and reads the configuration file and flattens it to dotted keys in small letters; environment variables take the
//! place of what it says.
//!
//! The search is the reference's: `$MPE_CONFIG_PATH` (default: the working directory; empty: nowhere), the name
//! `$MPE_CONFIG_FILENAME` (default `mpe-config`; empty: `config`) with each known extension and then bare. Whatever the
//! extension, the text is YAML. Unlike the reference we refuse a file that is there but cannot be used, and do not serve
//! without one that was named.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::keys::{KEYS, is_known};
use crate::error::Failure;
use crate::yaml::{Document, Member};
use crate::{files, limits};

/// Looks up an environment variable.
pub(super) type Environment<'e> = dyn Fn(&str) -> Option<OsString> + 'e;

/// Variables that say where the file is.
pub(super) const PLACES: [&str; 2] = ["MPE_CONFIG_PATH", "MPE_CONFIG_FILENAME"];

const EXTENSIONS: [&str; 13] = [
    ".json",
    ".toml",
    ".yaml",
    ".yml",
    ".properties",
    ".props",
    ".prop",
    ".hcl",
    ".tfvars",
    ".dotenv",
    ".env",
    ".ini",
    "",
];

/// A value and who says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// A scalar or a list; never null.
    pub value: Value,
    /// Where it stands.
    pub place: Place,
}

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a file, at a line from 1.
    File(Arc<str>, usize),
    /// In an environment variable.
    Variable(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File(name, line) => write!(f, "{name}:{line}"),
            Place::Variable(name) => f.write_str(name),
        }
    }
}

impl Setting {
    /// What is wrong with the value, with its place.
    pub(super) fn wrong(&self, why: impl fmt::Display) -> String {
        format!("{}: {why}", self.place)
    }
}

/// Dotted keys with what is said of each.
pub type Settings = BTreeMap<String, Setting>;

/// The configuration as it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The file, if there is one.
    pub file: Option<PathBuf>,
    /// What it and the environment say.
    pub settings: Settings,
}

impl Found {
    /// That of this process.
    ///
    /// # Errors
    /// A file that is there but cannot be used.
    pub fn by_any() -> Result<Found, Failure> {
        Found::with(&|name| std::env::var_os(name), find)
    }

    /// That of this process, which is a service.
    ///
    /// # Errors
    /// As [`Found::by_any`] and [`named_file`].
    pub fn by_service() -> Result<Found, Failure> {
        Found::with(&|name| std::env::var_os(name), named_file_of)
    }

    fn with(
        environment: &Environment<'_>,
        find: impl Fn(&Environment<'_>) -> Result<Option<PathBuf>, Failure>,
    ) -> Result<Found, Failure> {
        let file = find(environment)?;
        let settings = read(environment, file.as_deref())?;
        Ok(Found { file, settings })
    }
}

/// What these environment variables say, and the file that they lead to.
pub(super) fn settings_from(environment: &Environment<'_>) -> Result<Settings, Failure> {
    read(environment, find(environment)?.as_deref())
}

fn read(environment: &Environment<'_>, file: Option<&Path>) -> Result<Settings, Failure> {
    let mut settings = match file {
        None => Settings::new(),
        Some(path) => {
            let text = files::text(path, limits::TEXT_BYTES_MAX)
                .map_err(|error| Failure::unreadable(path, &error))?;
            let name = path.display().to_string();
            parse(&name, &text)
                .map_err(|error| Failure::Operator(format!("error reading config: {error}")))?
        }
    };
    for key in KEYS {
        let Some(name) = key.variable() else { continue };
        if let Some(value) = environment(&name).filter(|value| !value.is_empty()) {
            let value = value.to_string_lossy().into_owned();
            // Kubernetes tells every pod in this way of a service that is called `mpe-server` or `mpe-envoy`.
            if name.ends_with("_PORT") && value.contains("://") {
                continue;
            }
            let value = Value::String(value);
            let place = Place::Variable(name);
            settings.insert(key.name.to_owned(), Setting { value, place });
        }
    }
    Ok(settings)
}

/// The file that a service of this process reads, if there is one.
///
/// # Errors
/// It cannot be looked at; or it was named and is not there. Without what it says the service might let in whom it should not:
/// TLS, and what happens to grants that cannot be recorded, may stand in it.
pub fn named_file() -> Result<Option<PathBuf>, Failure> {
    named_file_of(&|name| std::env::var_os(name))
}

fn named_file_of(environment: &Environment<'_>) -> Result<Option<PathBuf>, Failure> {
    if let Some(path) = find(environment)? {
        return Ok(Some(path));
    }
    let is_said = |name: &&&str| environment(name).is_some_and(|value| !value.is_empty());
    let said: Vec<&str> = PLACES.iter().filter(is_said).copied().collect();
    let Some(lack) = lack(environment).filter(|_| !said.is_empty()) else {
        return Ok(None);
    };
    let values = said.iter().map(|name| {
        let value = environment(name).unwrap_or_default();
        format!("{name}={}", value.to_string_lossy())
    });
    let (values, said) = (values.collect::<Vec<_>>().join(" "), said.join(" and "));
    Err(Failure::Operator(format!(
        "error reading config: {values}: {lack}\n  = help: put the configuration there, or unset {said}"
    )))
}

/// What there is not, where no file is found; nothing where none is looked for.
fn lack(environment: &Environment<'_>) -> Option<String> {
    let bare = places(environment).pop()?;
    let ends: Vec<&str> = EXTENSIONS
        .iter()
        .filter_map(|end| end.strip_prefix('.'))
        .collect();
    let (bare, ends) = (bare.display(), ends.join(","));
    Some(format!("there is neither {bare} nor {bare}.{{{ends}}}"))
}

/// Why this process reads no file, where it found none.
#[must_use]
pub fn why_none() -> String {
    let lack = lack(&|name| std::env::var_os(name));
    lack.unwrap_or_else(|| format!("{} is empty", PLACES[0]))
}

fn find(environment: &Environment<'_>) -> Result<Option<PathBuf>, Failure> {
    for path in places(environment) {
        match path.metadata() {
            // A folder of that name is no configuration.
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Ok(Some(path)),
            // A link to nowhere was meant to be one; so was what is there and cannot be looked at.
            Err(error) if error.kind() != ErrorKind::NotFound || path.is_symlink() => {
                return Err(Failure::unreadable(&path, &error));
            }
            Err(_) => {}
        }
    }
    Ok(None)
}

/// The file that is read, and those that would be read instead of it once they are there.
pub(super) fn candidates(environment: &Environment<'_>) -> Vec<PathBuf> {
    let mut all = places(environment);
    let is_read = |path: &PathBuf| path.is_symlink() || path.metadata().is_ok_and(|found| !found.is_dir());
    if let Some(at) = all.iter().position(is_read) {
        all.truncate(at + 1);
    }
    all
}

/// Where a file is looked for, in order.
fn places(environment: &Environment<'_>) -> Vec<PathBuf> {
    let [folder, name] = PLACES;
    let directory = match environment(folder) {
        Some(path) if path.is_empty() => return Vec::new(),
        Some(path) => PathBuf::from(path),
        None => PathBuf::from("."),
    };
    let name = match environment(name) {
        Some(name) if name.is_empty() => "config".into(),
        Some(name) => name,
        None => "mpe-config".into(),
    };
    let place = |extension: &&str| {
        let mut file = name.clone();
        file.push(extension);
        Path::new(&directory).join(file)
    };
    EXTENSIONS.iter().map(place).collect()
}

pub(super) fn parse(name: &str, text: &str) -> Result<Settings, String> {
    let document = Document::read(name, text)?;
    let (name, mut settings) = (Arc::from(name), Settings::new());
    match document.members(document.root())? {
        Some(members) => flatten(&document, "", members, &name, &mut settings)?,
        None if document.value(document.root())?.is_null() => {}
        None => return Err(document.wrong(document.root(), "the top level must be a mapping")),
    }
    // Null says nothing, of a key or of all keys of a section; a name that is none of these is still a mistake.
    settings.retain(|key, said| !(said.value.is_null() && is_known(key)));
    Ok(settings)
}

fn flatten(
    document: &Document,
    within: &str,
    members: Vec<Member<'_>>,
    name: &Arc<str>,
    settings: &mut Settings,
) -> Result<(), String> {
    for member in members {
        let key = match within {
            "" => member.name.to_lowercase(),
            within => format!("{within}.{}", member.name.to_lowercase()),
        };
        if let Some(members) = document.members(member.value)? {
            flatten(document, &key, members, name, settings)?;
            continue;
        }
        let place = Place::File(Arc::clone(name), document.line(member.key));
        let value = document.value(member.value)?;
        let said = Setting { value, place };
        if let Some(first) = settings.get(&key) {
            return Err(said.wrong(format!("`{key}` is said already at {}", first.place)));
        }
        settings.insert(key, said);
    }
    Ok(())
}
