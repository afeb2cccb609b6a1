//! Both stages of loading in one call.

use super::read::read;
use super::resolve::resolve;
use super::set::DomainSet;
use super::structure::tolerated;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{FileId, SourceMap};

/// Reads the files in order and resolves every reference among them. The Rego texts are in `sources` afterwards, not
/// parsed yet; a caller that wants their problems beside those of the references calls [`read`] and [`resolve`] itself.
///
/// # Errors
/// All problems of the first stage that has any, warnings among them.
pub fn load(sources: &mut SourceMap, files: &[FileId]) -> Result<DomainSet, Vec<Diagnostic>> {
    let domains = read(sources, files)?;
    let mut set = resolve(sources, &domains)?;
    let as_warning = |problem| Diagnostic {
        severity: Severity::Warning,
        ..problem
    };
    set.warnings
        .extend(tolerated(&domains).into_iter().map(as_warning));
    Ok(set)
}
