//! What `--data` names: Rego modules and base documents, found and put together as OPA's loader does it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use bumpalo::Bump;
use gavel_compiler::parse::{ParseOptions, parse_module};
use gavel_compiler::source::{FileId, SourceMap, position_in};
use gavel_runtime::arena::Arena;
use gavel_runtime::builtins::{Call, caches::Caches, find};
use gavel_runtime::json::{Numbers, parse};
use gavel_runtime::value::{Constant, Value};

use crate::error::Failure;
use crate::files;
use crate::limits::{self, DOCUMENT_BYTES_MAX};
use crate::log::{self, Level};

/// Modules and the base document.
#[derive(Debug)]
pub(crate) struct Documents {
    /// Texts of the modules.
    pub(crate) sources: SourceMap,
    /// The modules, in the order in which they were found.
    pub(crate) modules: Vec<FileId>,
    /// An object; empty without data files.
    pub(crate) base: Constant,
}

/// Loads files and folders.
///
/// A file inside a folder is read when its name ends in `.rego`, `.json`, `.yaml` or `.yml`, and its document stands below
/// the names of the folders between. A file that is named itself may be called anything. `a.b:FILE` puts a document
/// below `data.a.b`.
///
/// # Errors
/// Every file that cannot be read or is no object, every document that contradicts another.
pub(crate) fn load(paths: &[String], options: ParseOptions) -> Result<Documents, Failure> {
    let mut loader = Loader {
        found: Documents {
            sources: SourceMap::default(),
            modules: Vec::new(),
            base: Constant::Object(Vec::new()),
        },
        options,
        seen: HashSet::new(),
        documents: 0,
        problems: Vec::new(),
    };
    for path in paths {
        let (prefix, path) = split_prefix(path);
        loader.path(Path::new(path), &prefix, 0);
    }
    match loader.problems.len() {
        0 => {
            if loader.found.modules.is_empty() && loader.documents == 0 && !paths.is_empty() {
                log::line(
                    Level::Warn,
                    format_args!(
                        "nothing to read below {}: no module and no document",
                        paths.join(", ")
                    ),
                );
            }
            Ok(loader.found)
        }
        _ => Err(Failure::Input(loader.problems.join("\n"))),
    }
}

/// The value of a file's text: JSON, or else YAML.
///
/// # Errors
/// What is wrong with the text, and where.
pub(crate) fn json_or_yaml(name: &str, text: &str) -> Result<Constant, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match json(name, text) {
        Ok(value) => Ok(value),
        Err(error) if text.trim_start().starts_with(['{', '[']) => Err(error),
        Err(_) => yaml(name, text),
    }
}

struct Loader {
    found: Documents,
    options: ParseOptions,
    /// Files and where their documents stand.
    seen: HashSet<(Vec<String>, PathBuf)>,
    /// Documents read.
    documents: usize,
    problems: Vec<String>,
}

impl Loader {
    fn path(&mut self, path: &Path, prefix: &[String], depth: usize) {
        let is_folder = match std::fs::metadata(path) {
            Ok(metadata) => metadata.is_dir(),
            Err(error) => return self.problems.push(Failure::unreadable(path, &error).to_string()),
        };
        if is_folder {
            return self.folder(path, prefix, depth);
        }
        if self.seen.insert((prefix.to_vec(), path.components().collect()))
            && let Err(problem) = self.file(path, prefix, depth)
        {
            self.problems.push(problem);
        }
    }

    fn folder(&mut self, path: &Path, prefix: &[String], depth: usize) {
        let mut prefix = prefix.to_vec();
        if depth > 0 {
            prefix.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
        let entries = std::fs::read_dir(path).and_then(|entries| {
            entries
                .map(|entry| Ok(entry?.path()))
                .collect::<Result<Vec<_>, _>>()
        });
        match entries {
            Ok(mut entries) => {
                entries.sort();
                for entry in entries {
                    self.path(&entry, &prefix, depth + 1);
                }
            }
            Err(error) => self.problems.push(Failure::unreadable(path, &error).to_string()),
        }
    }

    fn file(&mut self, path: &Path, prefix: &[String], depth: usize) -> Result<(), String> {
        let name = path.to_string_lossy();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if name.ends_with(".tar.gz") {
            return Err(format!(
                "{name}: bundle archives are not supported; unpack it and name the folder"
            ));
        }
        let known = matches!(extension, Some("rego" | "json" | "yaml" | "yml"));
        if !known && depth > 0 {
            return Ok(());
        }
        let text = files::text(path, limits::INPUT_FILE_BYTES_MAX)
            .map_err(|error| Failure::unreadable(path, &error).to_string())?;
        let document = match extension {
            Some("rego") => {
                self.module(&name, &text);
                return Ok(());
            }
            Some("json") => json(&name, text.strip_prefix('\u{feff}').unwrap_or(&text))?,
            Some("yaml" | "yml") => yaml(&name, &text)?,
            _ if self.is_rego(&name, &text) => {
                self.module(&name, &text);
                return Ok(());
            }
            _ => json(&name, &text)
                .or_else(|_| yaml(&name, &text))
                .map_err(|_| format!("{name}: neither a Rego module nor a JSON or YAML document"))?,
        };
        let document = prefix.iter().rev().fold(document, |document, key| {
            Constant::Object(vec![(Constant::String(key.clone()), document)])
        });
        if !matches!(document, Constant::Object(_)) {
            return Err(format!("{name}: the document must be an object"));
        }
        self.documents += 1;
        merge(&mut self.found.base, document, &mut Vec::new()).map_err(|path| {
            format!(
                "{name}: `data.{}` has another value in a file that was read before",
                path.join(".")
            )
        })
    }

    fn module(&mut self, name: &str, text: &str) {
        let file = self.found.sources.add_file(name, text);
        self.found.modules.push(file);
    }

    fn is_rego(&self, name: &str, text: &str) -> bool {
        let mut sources = SourceMap::default();
        let file = sources.add_file(name, text);
        parse_module(&Bump::new(), &sources, file, self.options).is_ok()
    }
}

/// A prefix in front of a path, as in `a.b:FILE`; a URL keeps its colon.
fn split_prefix(path: &str) -> (Vec<String>, &str) {
    let path = path.strip_prefix("file://").unwrap_or(path);
    match path.split_once(':') {
        Some((prefix, rest)) if !prefix.is_empty() && !rest.starts_with("//") => {
            (prefix.split('.').map(str::to_owned).collect(), rest)
        }
        _ => (Vec::new(), path),
    }
}

/// Adds the members of an object to another's; the path to what stands in both and is no object in both.
fn merge(base: &mut Constant, added: Constant, path: &mut Vec<String>) -> Result<(), Vec<String>> {
    let (Constant::Object(members), Constant::Object(added)) = (base, added) else {
        return Err(path.clone());
    };
    for (key, value) in added {
        match members.binary_search_by(|(member, _)| member.compare(&key)) {
            Ok(at) => {
                if let Some((_, member)) = members.get_mut(at) {
                    if let Constant::String(key) = key {
                        path.push(key);
                    }
                    merge(member, value, path)?;
                    path.pop();
                }
            }
            Err(at) => members.insert(at, (key, value)),
        }
    }
    Ok(())
}

fn json(name: &str, text: &str) -> Result<Constant, String> {
    let arena = Arena::new(text.len(), DOCUMENT_BYTES_MAX);
    let value = parse(&arena, text.as_bytes(), Numbers::Text).map_err(|error| {
        let at = position_in(text, error.at);
        format!("{name}:{}:{}: {error}", at.row, at.col)
    })?;
    owned(name, value)
}

/// YAML as `yaml.unmarshal` reads it.
fn yaml(name: &str, text: &str) -> Result<Constant, String> {
    let not_yaml = || format!("{name}: no YAML document");
    let read = find("yaml.unmarshal")
        .and_then(|id| id.get().run)
        .ok_or_else(not_yaml)?;
    let arena = Arena::new(text.len(), DOCUMENT_BYTES_MAX);
    let mut call = Call {
        arena: &arena,
        now_ns: 0,
        seed: 0,
        prepared: None,
        caches: &mut Caches::default(),
        parse_module: None,
        sleep: None,
        fuel: &mut u64::MAX.clone(),
    };
    let value = read(&mut call, &[Value::string(text)]).map_err(|_| not_yaml())?;
    owned(name, value)
}

fn owned(name: &str, value: Value<'_>) -> Result<Constant, String> {
    value.to_constant().ok_or_else(|| format!("{name}: no document"))
}
