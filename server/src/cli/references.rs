//! The `.rego` files that a PolicyDomain names: found, read and written into the YAML, in memory.
//!
//! A name is looked for in the working directory, then beside the YAML file. What lies outside both is not read unless its
//! folder was given: a domain must not be able to show any file of the machine.

use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use gavel_compiler::diagnostic::{Code, Diagnostic};
use gavel_compiler::domain::yaml::Document;
use gavel_compiler::domain::{self, Inlined};
use gavel_compiler::source::{FileId, SourceMap};

use crate::cli::report;
use crate::error::reason;
use crate::files;
use crate::reload::Fingerprint;

/// Where files may be read from besides the working directory and the folder of the YAML file.
#[derive(Debug, Default)]
pub(crate) struct Roots {
    allowed: Vec<PathBuf>,
    /// What was looked at held, before it was read; for whoever wants to know.
    noted: Option<Mutex<Fingerprint>>,
}

impl Roots {
    /// These folders.
    pub(crate) fn new(allowed: &[PathBuf]) -> Roots {
        Roots {
            allowed: allowed.to_vec(),
            noted: None,
        }
    }

    /// The same, and what is looked at is noted.
    pub(crate) fn noting(allowed: &[PathBuf]) -> Roots {
        Roots {
            noted: Some(Mutex::default()),
            ..Roots::new(allowed)
        }
    }

    /// The paths that were looked at, whether there was a file or not, and what they held before they were read.
    pub(crate) fn noted(self) -> Fingerprint {
        let noted = self.noted.unwrap_or_default();
        noted.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, paths: &[PathBuf]) {
        if let Some(noted) = &self.noted {
            let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
            paths.iter().for_each(|path| noted.note(path));
        }
    }
}

/// Writes the files that `yaml` – the tree of a file read from `path` – names into its text.
///
/// # Errors
/// What is wrong with the names, or every file that cannot be had.
pub(crate) fn inline(
    sources: &mut SourceMap,
    yaml: &Document,
    path: &Path,
    roots: &Roots,
) -> Result<Inlined, Vec<Diagnostic>> {
    let references = domain::references(yaml).map_err(|problem| vec![*problem])?;
    let mut files = Vec::with_capacity(references.list.len());
    let mut problems = Vec::new();
    for reference in &references.list {
        match read(&reference.name, path, roots) {
            Ok((name, rego)) => files.push(sources.add_file(&name, &rego)),
            Err(cause) => {
                let message = format!("failed to read rego file '{}': {cause}", reference.name);
                problems.push(Diagnostic::error(Code::Reference, reference.span, message));
            }
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let texts: Vec<(FileId, Arc<str>)> = files
        .iter()
        .map(|file| (*file, Arc::clone(&sources.source(*file).text)))
        .collect();
    let texts: Vec<(FileId, &str)> = texts.iter().map(|(file, text)| (*file, &**text)).collect();
    Ok(references.inline(&texts))
}

/// The first of the problems of [`inline`] as one text; the place only where the name of a file does not say enough.
pub(crate) fn explain(sources: &SourceMap, problems: &[Diagnostic]) -> String {
    match problems.first() {
        Some(problem) if problem.code == Code::Reference => problem.message.clone(),
        Some(problem) => report::without_code(sources, problem),
        None => String::new(),
    }
}

/// What to call the file that a name means, and its text.
fn read(name: &str, yaml: &Path, roots: &Roots) -> Result<(String, String), String> {
    let (found, real) = locate(name, yaml, roots)?;
    if files::may_never_end(&real) {
        return Err(files::NO_FILE.to_owned());
    }
    let rego = files::policy(&real)?;
    let shown = found.strip_prefix(working_directory()).unwrap_or(&found);
    Ok((shown.to_string_lossy().into_owned(), rego))
}

/// The file that a name means: as it is named, and the real one, which was looked at and is the one to open.
fn locate(name: &str, yaml: &Path, roots: &Roots) -> Result<(PathBuf, PathBuf), String> {
    let here = working_directory();
    let beside = clean(&here.join(yaml.parent().unwrap_or(Path::new(""))));
    let wanted = clean(&here.join(name));
    let candidates = [wanted.clone(), clean(&beside.join(name))];
    roots.note(&candidates);
    let found = candidates
        .into_iter()
        .find(|candidate| candidate.exists())
        .ok_or_else(|| format!("file not found: {}", wanted.display()))?;
    let real = found.canonicalize().map_err(|error| reason(&error))?;
    let allowed = [&here, &beside].into_iter().chain(&roots.allowed);
    let is_inside = allowed
        .filter_map(|root| root.canonicalize().ok())
        .any(|root| real.starts_with(root));
    if is_inside {
        Ok((found, real))
    } else {
        Err(format!(
            "{} is outside of the working directory and of the folder of the YAML file; allow its folder with --rego-root",
            found.display()
        ))
    }
}

/// Without one, names are looked for below the root folder and not found there.
fn working_directory() -> PathBuf {
    std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"))
}

/// A path without `.` and `..`, as written: a folder that is left again need not exist.
fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                cleaned.pop();
            }
            other => cleaned.push(other),
        }
    }
    cleaned
}
