//! One load: read, compiled and checked, over files that somebody may be changing at the same time.

use std::path::PathBuf;
use std::time::Duration;

use super::fingerprint::Fingerprint;
use crate::error::Failure;
use crate::limits;
use crate::publish::Fresh;

/// What shall be different after a load.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// A new name for what is loaded.
    pub label: Option<String>,
    /// Nothing is loaded where the source says that it has nothing new.
    pub only_if_changed: bool,
}

/// What a load gave.
pub struct Attempt {
    /// What can be served, if it is not what is served; or why nothing can.
    pub outcome: Result<Option<Fresh>, Failure>,
    /// Files and folders that it looked at or would have, in any case those that the operator named.
    pub files: Vec<PathBuf>,
    /// What those that other files name held before they were read, and what was read of those that the load notes itself.
    pub noted: Fingerprint,
}

/// Loads what the operator named.
pub type Load = Box<dyn FnMut(&Wish) -> Attempt + Send>;

/// Loads again and again, and remembers what it saw.
pub struct Loading {
    load: Load,
    pub(super) is_patient: bool,
    files: Vec<PathBuf>,
    /// Of these the load notes what it read: they are not read once more before it.
    noting: Vec<PathBuf>,
    seen: Fingerprint,
}

/// Files that change during so many loads in a row are given up; the watcher, or whoever asks, tries again.
const TRIES_MAX: u32 = 5;

/// Pause between those, so that whoever writes can finish.
const PAUSE: Duration = Duration::from_millis(100);

impl Loading {
    /// Loads with `load`, which at first looks at these files. `is_patient`: the first load is tried until it succeeds, since
    /// what it needs may come later.
    #[must_use]
    pub fn new(load: Load, files: Vec<PathBuf>, is_patient: bool) -> Loading {
        Loading {
            load,
            is_patient,
            files,
            noting: Vec::new(),
            seen: Fingerprint::default(),
        }
    }

    /// With files of which the load, as long as it can, notes itself what it read.
    #[must_use]
    pub fn noting(mut self, files: Vec<PathBuf>) -> Loading {
        self.noting = files;
        self
    }

    /// Loads.
    ///
    /// Files that changed meanwhile are read once more: a ConfigMap is swapped as a whole, and what was read before and
    /// after that does not belong together.
    ///
    /// # Errors
    /// Why what is there cannot be served, or that it never stood still.
    pub fn attempt(&mut self, wish: &Wish) -> Result<Option<Fresh>, Failure> {
        let mut noting = self.noting.clone();
        for _ in 0..TRIES_MAX {
            self.files.retain(|file| !noting.contains(file));
            let before = Fingerprint::of(&self.files);
            let attempt = (self.load)(wish);
            let after = Fingerprint::of(&attempt.files);
            // What changes behind the load must be a change for the watcher.
            self.seen = after.clone().as_of(&attempt.noted).as_of(&before);
            let is_noted = noting.iter().all(|file| attempt.noted.has(file));
            let stood_still =
                is_noted && Fingerprint::of_rest(&self.files, &after) == before && self.seen == after;
            self.files = attempt.files;
            if stood_still {
                return attempt.outcome;
            }
            if is_noted {
                std::thread::sleep(PAUSE);
            } else {
                // It could not: nobody knows what it read, so that from now on they are read before.
                noting.clear();
            }
        }
        let text = "the files of the policies kept changing while they were read";
        Err(Failure::Operator(text.to_owned()))
    }

    /// Files and folders that the last load looked at, and what they held.
    #[must_use]
    pub fn seen(&self) -> (&[PathBuf], &Fingerprint) {
        (&self.files, &self.seen)
    }
}

/// A label: one line of some characters, without blanks around it.
///
/// # Errors
/// Why the text cannot be one.
pub fn label(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("the label is empty".to_owned());
    }
    let most = limits::LABEL_CHARS_MAX;
    if text.chars().any(char::is_control) || text.chars().count() > most {
        return Err(format!("the label is more than a line of {most} characters"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    /// What it noted is what was read, whatever the file holds before and behind it; without a note the file is read before.
    #[test]
    fn a_load_that_notes_what_it_read_is_believed() {
        let folder = std::env::temp_dir().join(format!("gavel-noting-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let image = folder.join("a.img");
        for notes in [[true, true], [false, true]] {
            std::fs::write(&image, "1").unwrap();
            let (files, path) = (vec![image.clone()], image.clone());
            let (tell, told) = std::sync::mpsc::channel();
            let mut notes = notes.into_iter();
            let load = move |_: &Wish| {
                let mut noted = Fingerprint::default();
                if notes.next() == Some(true) {
                    noted.note_digest(&path, Sha256::digest(std::fs::read(&path).unwrap()).into());
                }
                tell.send(()).unwrap();
                // Somebody writes once.
                std::fs::write(&path, "2").unwrap();
                Attempt {
                    outcome: Ok(None),
                    files: files.clone(),
                    noted,
                }
            };
            let mut loading =
                Loading::new(Box::new(load), vec![image.clone()], false).noting(vec![image.clone()]);
            assert!(loading.attempt(&Wish::default()).is_ok());
            assert_eq!(loading.seen().1, &Fingerprint::of(std::slice::from_ref(&image)));
            assert_eq!(told.try_iter().count(), 2);
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_file_that_changes_behind_its_first_load_is_loaded_again() {
        let folder = std::env::temp_dir().join(format!("gavel-loading-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (named, found) = (folder.join("a.yml"), folder.join("b.rego"));
        std::fs::write(&named, "a").unwrap();
        std::fs::write(&found, "1").unwrap();
        let (tell, told) = std::sync::mpsc::channel();
        let files = vec![named.clone(), found.clone()];
        let load = move |_: &Wish| {
            let mut noted = Fingerprint::default();
            noted.note(&found);
            tell.send(std::fs::read_to_string(&found).unwrap()).unwrap();
            // Somebody writes while this is compiled.
            std::fs::write(&found, "2").unwrap();
            Attempt {
                outcome: Ok(None),
                files: files.clone(),
                noted,
            }
        };
        let mut loading = Loading::new(Box::new(load), vec![named], false);
        assert!(loading.attempt(&Wish::default()).is_ok());
        assert_eq!(told.try_iter().collect::<Vec<_>>(), ["1", "2"]);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
