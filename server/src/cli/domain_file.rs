//! One PolicyDomain file: read, its YAML parsed once, the `.rego` files that it names written into it.

use std::path::Path;
use std::sync::Arc;

use gavel_compiler::diagnostic::{Code, Diagnostic};
use gavel_compiler::domain::{self, yaml};
use gavel_compiler::source::{FileId, SourceMap};

use crate::cli::references::{self, Roots};
use crate::files;

/// A file that is YAML.
pub(crate) struct DomainFile {
    /// Its text, the `.rego` files in it.
    pub(crate) file: FileId,
    /// Its tree.
    pub(crate) document: yaml::Document,
    /// What it says that it is.
    pub(crate) kind: Option<Arc<str>>,
    /// Whether it named `.rego` files.
    pub(crate) is_built: bool,
}

/// Why a file is of no use.
pub(crate) enum Unusable {
    /// It cannot be read, for this reason.
    Unread(String),
    /// It is no YAML, or no mapping.
    NotYaml(FileId, Box<Diagnostic>),
    /// A `.rego` file that it names cannot be had, or it names them wrongly.
    NotBuilt(FileId, Vec<Diagnostic>),
}

/// Reads a file and adds its text to `sources`, with every `.rego` text that it names.
///
/// # Errors
/// See [`Unusable`].
pub(crate) fn open(sources: &mut SourceMap, path: &Path, roots: &Roots) -> Result<DomainFile, Unusable> {
    let text = files::policy(path).map_err(Unusable::Unread)?;
    let name = path.to_string_lossy();
    let found = parse(sources, &name, &text)?;
    if found.kind.as_deref() != Some(REFERENCE) {
        return Ok(found);
    }
    let (file, kind) = (found.file, found.kind);
    let inlined = references::inline(sources, &found.document, path, roots)
        .map_err(|problems| Unusable::NotBuilt(file, problems))?;
    let built = sources.add_inlined(&name, &inlined.text, inlined.pieces);
    let text: Arc<str> = inlined.text.into();
    let document = yaml::parse(built, &text).map_err(|problem| Unusable::NotYaml(built, problem))?;
    Ok(DomainFile {
        file: built,
        document,
        kind,
        is_built: true,
    })
}

const REFERENCE: &str = "PolicyDomainReference";

/// As [`open`], for a text from elsewhere, beside which there are no `.rego` files.
///
/// # Errors
/// See [`Unusable`].
pub(crate) fn of_text(sources: &mut SourceMap, name: &str, text: &str) -> Result<DomainFile, Unusable> {
    let found = parse(sources, name, text)?;
    if found.kind.as_deref() == Some(REFERENCE) {
        let message =
            "a PolicyDomainReference names files, which are not there: write them into it with `gavel build`";
        let problem = Diagnostic::global(Code::Reference, message.to_owned());
        return Err(Unusable::NotBuilt(found.file, vec![problem]));
    }
    Ok(found)
}

fn parse(sources: &mut SourceMap, name: &str, text: &str) -> Result<DomainFile, Unusable> {
    let text: Arc<str> = text.into();
    let file = sources.add_file(name, &text);
    let not_yaml = |problem| Unusable::NotYaml(file, problem);
    let document = yaml::parse(file, &text).map_err(not_yaml)?;
    let kind = domain::kind(&document).map_err(not_yaml)?;
    Ok(DomainFile {
        file,
        document,
        kind,
        is_built: false,
    })
}
