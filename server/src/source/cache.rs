//! The last content that was valid, in one file: a line about it, then the content.
//!
//! It is replaced as a whole. What it says is checked when it is read: the digest always, the signature if there is a key.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::get::Got;
use super::signature::Key;
use crate::error::reason;
use crate::files;
use crate::limits;
use crate::publish::hexadecimal;

/// A folder with what was got last.
pub(super) struct Cache {
    folder: PathBuf,
}

/// What the first line says.
#[derive(Serialize, Deserialize)]
struct About {
    url: String,
    sha256: String,
    etag: Option<String>,
    signature: String,
}

const NAME: &str = "last-good";

impl Cache {
    pub(super) fn at(folder: PathBuf) -> Cache {
        Cache { folder }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.join(NAME)
    }

    /// Keeps content that is valid.
    ///
    /// # Errors
    /// The system's reason.
    pub(super) fn keep(&self, url: &str, got: &Got) -> Result<(), String> {
        let about = About {
            url: url.to_owned(),
            sha256: hexadecimal(&Sha256::digest(&got.bytes)),
            etag: got.etag.clone(),
            signature: STANDARD.encode(&got.signature),
        };
        let mut head = serde_json::to_vec(&about).map_err(|error| error.to_string())?;
        head.push(b'\n');
        self.replace(&head, &got.bytes).map_err(|error| reason(&error))
    }

    fn replace(&self, head: &[u8], content: &[u8]) -> std::io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let beside = self.folder.join(format!("{NAME}.new"));
        let mut options = File::options();
        // Policies say who may do what: they are for the owner, and a group that may read them.
        options.write(true).create(true).truncate(true).mode(0o640);
        let mut file = options.open(&beside)?;
        file.write_all(head)?;
        file.write_all(content)?;
        // After a crash there is the old file or the new one, never half of one.
        file.sync_all()?;
        fs::rename(&beside, self.path())
    }

    /// What was kept, if it is whole and of this URL, and signed if there is a key.
    ///
    /// # Errors
    /// Why it is of no use.
    pub(super) fn take(&self, url: &str, key: Option<&Key>) -> Result<Got, String> {
        let path = self.path();
        read(&path, url, key).map_err(|why| format!("{}: {why}", path.display()))
    }
}

fn read(path: &Path, url: &str, key: Option<&Key>) -> Result<Got, String> {
    let most = limits::IMAGE_BYTES_MAX + limits::CACHE_LINE_BYTES_MAX;
    let mut bytes = files::bytes(path, most).map_err(|error| reason(&error))?;
    let end = memchr::memchr(b'\n', &bytes).ok_or("it is damaged")?;
    let content = bytes.split_off(end + 1);
    let about: About = serde_json::from_slice(&bytes).map_err(|_| "it is damaged")?;
    if about.url != url {
        return Err(format!("it is of {}", about.url));
    }
    if about.sha256 != hexadecimal(&Sha256::digest(&content)) {
        return Err("it is damaged".to_owned());
    }
    let signature = STANDARD.decode(&about.signature).unwrap_or_default();
    if key.is_some_and(|key| !key.verifies(&content, &signature)) {
        return Err("its signature is not one of the key".to_owned());
    }
    Ok(Got {
        bytes: content,
        etag: about.etag,
        signature,
    })
}
