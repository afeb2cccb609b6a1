//! Which files to lint: those that are named, and the YAML files of folders that are named. Each file once.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::files::{self, NO_FILE};
use crate::folders::{is_yaml, yaml_below};

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

    fn folder(&mut self, folder: &Path) {
        for found in yaml_below(folder) {
            match found {
                Ok(path) => self.file(&path, false),
                Err(unreadable) => self.unreadable.push(unreadable),
            }
        }
    }
}
