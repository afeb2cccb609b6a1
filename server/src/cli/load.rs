//! From the files that `--bundle` names to a compiled image.

use std::path::PathBuf;
use std::sync::Arc;

use crate::cli::args::DomainArgs;
use crate::engine::Image;
use crate::error::Failure;

/// Reads and compiles the domains.
///
/// # Errors
/// No bundle, a file that cannot be read, or what the compiler found.
pub(crate) fn image(args: &DomainArgs) -> Result<Arc<Image>, Failure> {
    if args.bundle.is_empty() {
        return Err(Failure::Usage("at least one bundle must be specified".to_owned()));
    }
    for path in &args.bundle {
        let _ = read(path)?;
    }
    Ok(Arc::new(Image))
}

fn read(path: &PathBuf) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))
}
