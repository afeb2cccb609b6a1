//! Both stages of loading in one call.

use super::read::{ReadDomain, read, read_documents};
use super::resolve::resolve;
use super::set::DomainSet;
use super::structure::tolerated;
use super::yaml::Document;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{FileId, SourceMap};

/// Reads the files in order and resolves every reference among them. The Rego texts are in `sources` afterwards, not
/// parsed yet; a caller that wants their problems beside those of the references calls [`read`] and [`resolve`] itself.
///
/// # Errors
/// All problems of the first stage that has any, warnings among them.
pub fn load(sources: &mut SourceMap, files: &[FileId]) -> Result<DomainSet, Vec<Diagnostic>> {
    let domains = read(sources, files)?;
    resolved(sources, &domains)
}

/// As [`load`], of files whose YAML was parsed already.
///
/// # Errors
/// As [`load`].
pub fn load_documents(
    sources: &mut SourceMap,
    documents: &[(FileId, Document)],
) -> Result<DomainSet, Vec<Diagnostic>> {
    let (domains, problems) = read_documents(sources, documents);
    if !problems.is_empty() {
        return Err(problems);
    }
    resolved(sources, &domains)
}

fn resolved(sources: &mut SourceMap, domains: &[ReadDomain]) -> Result<DomainSet, Vec<Diagnostic>> {
    let mut set = resolve(sources, domains)?;
    let as_warning = |problem| Diagnostic {
        severity: Severity::Warning,
        ..problem
    };
    set.warnings
        .extend(tolerated(domains).into_iter().map(as_warning));
    Ok(set)
}
