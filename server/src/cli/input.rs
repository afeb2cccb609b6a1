//! The input of a command: a file, or standard input.

use std::io::Read as _;
use std::path::Path;

use crate::error::Failure;

/// All bytes of the file; of standard input where the path is absent, empty or `-`.
///
/// # Errors
/// With the system's reason.
pub(crate) fn bytes(path: Option<&Path>) -> Result<Vec<u8>, Failure> {
    match path.filter(|path| !path.as_os_str().is_empty() && *path != Path::new("-")) {
        Some(path) => std::fs::read(path).map_err(|error| Failure::unreadable(path, &error)),
        None => {
            let mut bytes = Vec::new();
            std::io::stdin()
                .read_to_end(&mut bytes)
                .map_err(|error| Failure::Operator(format!("standard input: {error}")))?;
            Ok(bytes)
        }
    }
}
