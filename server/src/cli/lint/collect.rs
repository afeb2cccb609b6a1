//! Which files to lint: those that are named, and the YAML files of folders that are named. Each file once.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::error::reason;
use crate::files::{self, NO_FILE};

/// What the arguments name.
#[derive(Debug, Default)]
pub(super) struct Targets {
    /// Files to lint, in the order of the arguments.
    pub(super) files: Vec<Target>,
    /// Files that are left out, with the reason.
    pub(super) left_out: Vec<(PathBuf, String)>,
    /// Files and folders that cannot be read, with the reason.
    pub(super) unreadable: Vec<(PathBuf, String)>,
    seen: HashSet<PathBuf>,
}

/// A file to lint.
#[derive(Debug)]
pub(super) struct Target {
    /// As named, or below a folder that was named.
    pub(super) path: PathBuf,
    /// Whether it was named itself. Other files may be something else than a PolicyDomain.
    pub(super) is_named: bool,
}

/// Looks at each path.
pub(super) fn collect<'p>(paths: impl IntoIterator<Item = &'p PathBuf>) -> Targets {
    let mut targets = Targets::default();
    for path in paths {
        if path.is_dir() {
            targets.folder(path);
        } else if files::may_never_end(path) {
            targets.unreadable.push((path.clone(), NO_FILE.to_owned()));
        } else if is_yaml(path) || !path.exists() {
            targets.file(path, true);
        } else {
            let reason = "Unsupported file type (only .yml, .yaml supported)";
            targets.left_out.push((path.clone(), reason.to_owned()));
        }
    }
    targets
}

impl Targets {
    fn file(&mut self, path: &Path, is_named: bool) {
        // A file that cannot be found is told of when it is read.
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if self.seen.insert(real) {
            self.files.push(Target {
                path: path.to_owned(),
                is_named,
            });
        }
    }

    /// All YAML files below a folder, by name. Links are followed; one that leads back to its own folder is an error.
    fn folder(&mut self, folder: &Path) {
        let mut found = false;
        let entries = WalkDir::new(folder)
            .follow_links(true)
            .sort_by_file_name()
            .into_iter()
            .filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry));
        for entry in entries {
            match entry {
                Ok(entry) if entry.file_type().is_file() && is_yaml(entry.path()) => {
                    found = true;
                    let path = entry.path();
                    self.file(path.strip_prefix("./").unwrap_or(path), false);
                }
                Ok(_) => {}
                Err(error) => {
                    found = true;
                    let path = error.path().unwrap_or(folder).to_owned();
                    let cause = match (error.loop_ancestor(), error.io_error()) {
                        (Some(ancestor), _) => format!("a link back to {}", ancestor.display()),
                        (None, Some(error)) => reason(error),
                        (None, None) => error.to_string(),
                    };
                    self.unreadable.push((path, cause));
                }
            }
        }
        if !found {
            let cause = "a folder without .yml or .yaml files";
            self.unreadable.push((folder.to_owned(), cause.to_owned()));
        }
    }
}

/// Whether a name ends in `.yml` or `.yaml`, in any case.
fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        extension.eq_ignore_ascii_case("yml") || extension.eq_ignore_ascii_case("yaml")
    })
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}
