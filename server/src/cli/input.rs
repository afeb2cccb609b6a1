//! The input of a command: a file, or standard input.

use std::path::Path;

use crate::error::Failure;
use crate::{files, limits};

/// All bytes of the file; of standard input where the path is absent, empty or `-`.
///
/// # Errors
/// With the system's reason.
pub(crate) fn bytes(path: Option<&Path>) -> Result<Vec<u8>, Failure> {
    match file(path) {
        Some(path) => files::bytes(path, limits::INPUT_FILE_BYTES_MAX)
            .map_err(|error| Failure::unreadable(path, &error)),
        None => files::standard_input(limits::INPUT_FILE_BYTES_MAX)
            .map_err(|error| Failure::Operator(format!("standard input: {error}"))),
    }
}

/// What the bytes come from, for messages.
pub(crate) fn name(path: Option<&Path>) -> String {
    file(path).map_or_else(|| "standard input".to_owned(), |path| path.display().to_string())
}

fn file(path: Option<&Path>) -> Option<&Path> {
    path.filter(|path| !path.as_os_str().is_empty() && *path != Path::new("-"))
}
