//! The `.rego` files that a PolicyDomain names: found, read and written into the YAML, in memory.
//!
//! A name is looked for in the working directory, then beside the YAML file. What lies outside both is not read unless its
//! folder was given: a domain must not be able to show any file of the machine.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use gavel_compiler::diagnostic::{Code, Diagnostic};
use gavel_compiler::domain::{self, Inlined};
use gavel_compiler::source::{FileId, SourceMap};

use crate::cli::report;
use crate::error::reason;

/// Where files may be read from besides the working directory and the folder of the YAML file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roots(pub(crate) Vec<PathBuf>);

/// Writes the files that `yaml` – one of `sources`, read from `path` – names into its text.
///
/// # Errors
/// What is wrong with the YAML or one of the files, as one text.
pub(crate) fn inline(
    sources: &mut SourceMap,
    yaml: FileId,
    path: &Path,
    roots: &Roots,
) -> Result<Inlined, String> {
    let text = Arc::clone(&sources.source(yaml).text);
    let references = domain::references(yaml, &text).map_err(|problem| explain(sources, &problem))?;
    let mut files = Vec::with_capacity(references.list.len());
    for reference in &references.list {
        let failed = |cause: &str| format!("failed to read rego file '{}': {cause}", reference.name);
        let found = locate(&reference.name, path, roots).map_err(|cause| failed(&cause))?;
        let rego = std::fs::read_to_string(&found).map_err(|error| failed(&reason(&error)))?;
        let name = found.strip_prefix(working_directory()).unwrap_or(&found);
        files.push(sources.add_file(&name.to_string_lossy(), &rego));
    }
    let texts: Vec<(FileId, Arc<str>)> = files
        .iter()
        .map(|file| (*file, Arc::clone(&sources.source(*file).text)))
        .collect();
    let texts: Vec<(FileId, &str)> = texts.iter().map(|(file, text)| (*file, &**text)).collect();
    Ok(references.inline(&texts))
}

fn explain(sources: &SourceMap, problem: &Diagnostic) -> String {
    let what = match problem.code {
        Code::Domain => "",
        _ => "failed to parse YAML: ",
    };
    format!("{what}{}", report::without_code(sources, problem))
}

/// The file that a name means.
fn locate(name: &str, yaml: &Path, roots: &Roots) -> Result<PathBuf, String> {
    let here = working_directory();
    let beside = clean(&here.join(yaml.parent().unwrap_or(Path::new(""))));
    let wanted = clean(&here.join(name));
    let found = [wanted.clone(), clean(&beside.join(name))]
        .into_iter()
        .find(|candidate| candidate.exists())
        .ok_or_else(|| format!("file not found: {}", wanted.display()))?;
    let real = found.canonicalize().map_err(|error| reason(&error))?;
    let allowed = [&here, &beside].into_iter().chain(&roots.0);
    let is_inside = allowed
        .filter_map(|root| root.canonicalize().ok())
        .any(|root| real.starts_with(root));
    if is_inside {
        Ok(found)
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
