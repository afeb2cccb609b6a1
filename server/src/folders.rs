//! The YAML files below a folder, by name.

use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::error::reason;

/// All files below a folder whose names end in `.yml` or `.yaml`, in any case, sorted by name folder by folder; or what
/// cannot be read, with the reason. Links are followed; one that leads back to its own folder is an error. What is hidden
/// is left out: a mounted ConfigMap keeps its versions in hidden folders.
pub(crate) fn yaml_below(folder: &Path) -> Vec<Result<PathBuf, (PathBuf, String)>> {
    let entries = WalkDir::new(folder)
        .follow_links(true)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry));
    let mut found = Vec::new();
    for entry in entries {
        match entry {
            Ok(entry) if entry.file_type().is_file() && is_yaml(entry.path()) => {
                let path = entry.path();
                found.push(Ok(path.strip_prefix("./").unwrap_or(path).to_owned()));
            }
            Ok(_) => {}
            Err(error) => {
                let path = error.path().unwrap_or(folder).to_owned();
                let cause = match (error.loop_ancestor(), error.io_error()) {
                    (Some(ancestor), _) => format!("a link back to {}", ancestor.display()),
                    (None, Some(error)) => reason(error),
                    (None, None) => error.to_string(),
                };
                found.push(Err((path, cause)));
            }
        }
    }
    if found.is_empty() {
        found.push(Err((folder.to_owned(), EMPTY.to_owned())));
    }
    found
}

const EMPTY: &str = "a directory without .yml or .yaml files";

/// Whether a name ends in `.yml` or `.yaml`, in any case.
pub(crate) fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        extension.eq_ignore_ascii_case("yml") || extension.eq_ignore_ascii_case("yaml")
    })
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}
