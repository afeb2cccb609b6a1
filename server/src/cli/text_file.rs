//! Reads a file of text, never more of it than the compiler takes: a device or a file without end is an error.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use gavel_compiler::domain::limits::FILE_BYTES_MAX;

use crate::error::reason;

/// The text of a file of at most [`FILE_BYTES_MAX`] bytes, which must be UTF-8.
///
/// # Errors
/// The reason in a few words, without the file's name.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    let file = File::open(path).map_err(|error| reason(&error))?;
    let mut bytes = Vec::new();
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    bytes.reserve(usize::try_from(size).unwrap_or(0).min(FILE_BYTES_MAX) + 1);
    file.take(FILE_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| reason(&error))?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(format!("larger than {} MiB", FILE_BYTES_MAX >> 20));
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = error.as_bytes().get(..error.utf8_error().valid_up_to());
        let lines = before.unwrap_or_default().iter().filter(|byte| **byte == b'\n');
        format!("line {} is not UTF-8", lines.count() + 1)
    })
}
