//! The input of a command: a file, or standard input.

use std::path::Path;

use crate::error::Failure;
use crate::{files, limits};

/// All bytes of the file; of standard input where the path is absent, empty or `-`.
///
/// # Errors
/// With the system's reason.
pub(crate) fn bytes(path: Option<&Path>) -> Result<Vec<u8>, Failure> {
    match path.filter(|path| !path.as_os_str().is_empty() && *path != Path::new("-")) {
        Some(path) => files::bytes(path, limits::INPUT_FILE_BYTES_MAX)
            .map_err(|error| Failure::unreadable(path, &error)),
        None => files::standard_input(limits::INPUT_FILE_BYTES_MAX)
            .map_err(|error| Failure::Operator(format!("standard input: {error}"))),
    }
}
