//! What files hold, so that a change of any kind shows and a mere event does not: SHA-256 of each, or why there is none.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::reason;
use crate::files;
use crate::folders::yaml_below;

/// The contents of some files at about one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint(BTreeMap<PathBuf, Result<[u8; 32], String>>);

impl Fingerprint {
    /// Of these files, and of all PolicyDomains in those that are folders. A file that is not there counts, too.
    #[must_use]
    pub fn of(paths: &[PathBuf]) -> Fingerprint {
        Fingerprint::of_rest(paths, &Fingerprint::default())
    }

    /// As [`Fingerprint::of`]; files that `just` tells of, which was taken a moment ago, are not read again.
    #[must_use]
    pub fn of_rest(paths: &[PathBuf], just: &Fingerprint) -> Fingerprint {
        let digest = |path: &Path| match just.0.get(path) {
            Some(known) => known.clone(),
            None => digest(path),
        };
        let mut found = BTreeMap::new();
        for path in paths {
            if !path.is_dir() {
                found.insert(path.clone(), digest(path));
                continue;
            }
            for entry in yaml_below(path) {
                let (file, digest) = match entry {
                    Ok(file) => {
                        let digest = digest(&file);
                        (file, digest)
                    }
                    Err((unreadable, cause)) => (unreadable, Err(cause)),
                };
                found.insert(file, digest);
            }
        }
        Fingerprint(found)
    }

    /// Notes what a file holds, unless it was noted before.
    pub fn note(&mut self, path: &Path) {
        if !self.0.contains_key(path) {
            self.0.insert(path.to_owned(), digest(path));
        }
    }

    /// Notes what was read of a file.
    pub fn note_digest(&mut self, path: &Path, digest: [u8; 32]) {
        self.0.insert(path.to_owned(), Ok(digest));
    }

    /// Whether it tells of this file.
    #[must_use]
    pub fn has(&self, path: &Path) -> bool {
        self.0.contains_key(path)
    }

    /// This, with what `earlier` says of the files that it knows.
    #[must_use]
    pub fn as_of(mut self, earlier: &Fingerprint) -> Fingerprint {
        for (path, digest) in &mut self.0 {
            if let Some(known) = earlier.0.get(path) {
                digest.clone_from(known);
            }
        }
        self
    }

    /// The files that were looked at.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.0.keys().map(PathBuf::as_path)
    }
}

/// Bytes of a file that are read at once.
const READ_BYTES: usize = 64 << 10;

fn digest(path: &Path) -> Result<[u8; 32], String> {
    if files::may_never_end(path) {
        return Err(files::NO_FILE.to_owned());
    }
    let read = || -> io::Result<[u8; 32]> {
        let mut digest = Sha256::new();
        let mut file = BufReader::with_capacity(READ_BYTES, File::open(path)?);
        loop {
            let bytes = file.fill_buf()?;
            if bytes.is_empty() {
                break;
            }
            digest.update(bytes);
            let count = bytes.len();
            file.consume(count);
        }
        Ok(digest.finalize().into())
    };
    read().map_err(|error| reason(&error))
}
