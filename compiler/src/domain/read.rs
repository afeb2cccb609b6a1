//! Files → typed domains, with each Rego text added to the source map under its MRN. First stage of loading.

use std::sync::Arc;

use super::decode::Text;
use super::schema::{self, PolicyDomain};
use super::selectors::{self, Selector};
use super::yaml::{self, Document};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, SourceMap};

/// What kind of Rego text a module is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ModuleKind {
    /// A library.
    Library,
    /// A policy.
    Policy,
    /// A mapper.
    Mapper,
}

impl ModuleKind {
    /// The word for it in messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ModuleKind::Library => "library",
            ModuleKind::Policy => "policy",
            ModuleKind::Mapper => "mapper",
        }
    }
}

/// A Rego text of a domain.
#[derive(Clone, Debug)]
pub struct ReadModule {
    /// Kind.
    pub kind: ModuleKind,
    /// MRN, or the name of a mapper.
    pub id: Arc<str>,
    /// The text.
    pub rego: FileId,
}

/// A domain as read, its references not looked at yet.
#[derive(Clone, Debug)]
pub struct ReadDomain {
    /// The entries.
    pub domain: PolicyDomain,
    /// Rego texts: libraries, policies, mappers, each in the order of the file.
    pub modules: Vec<ReadModule>,
    /// Selectors of the operations, in order.
    pub(super) operation_selectors: Vec<Vec<Selector>>,
    /// Selectors of the mappers, in order.
    pub(super) mapper_selectors: Vec<Vec<Selector>>,
    /// Selectors of the resources, in order.
    pub(super) resource_selectors: Vec<Vec<Selector>>,
}

/// Reads files in order.
///
/// # Errors
/// Everything that keeps one of the files from being a PolicyDomain.
pub fn read(sources: &mut SourceMap, files: &[FileId]) -> Result<Vec<ReadDomain>, Vec<Diagnostic>> {
    let mut domains = Vec::with_capacity(files.len());
    let mut problems = Vec::new();
    for &file in files {
        match read_file(sources, file) {
            Ok(domain) => domains.push(domain),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() {
        Ok(domains)
    } else {
        Err(problems)
    }
}

fn read_file(sources: &mut SourceMap, file: FileId) -> Result<ReadDomain, Vec<Diagnostic>> {
    let text = Arc::clone(&sources.source(file).text);
    let document = yaml::parse(file, &text).map_err(|problem| vec![*problem])?;
    let domain = schema::decode(file, &document)?;
    let mut problems = Vec::new();
    let mut anchored = |texts: &[Text]| -> Vec<Selector> {
        let mut found = Vec::with_capacity(texts.len());
        for text in texts {
            match selectors::anchor(&text.text, text.span) {
                Ok(selector) => found.push(selector),
                Err(message) => problems.push(Diagnostic::error(Code::Selector, text.span, message)),
            }
        }
        found
    };
    let operation_selectors = domain
        .operations
        .iter()
        .map(|entry| anchored(&entry.selectors))
        .collect();
    let mapper_selectors = domain
        .mappers
        .iter()
        .map(|entry| anchored(&entry.selectors))
        .collect();
    let resource_selectors = domain
        .resources
        .iter()
        .map(|entry| anchored(&entry.selectors))
        .collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let modules = embed(sources, &document, &domain);
    Ok(ReadDomain {
        domain,
        modules,
        operation_selectors,
        mapper_selectors,
        resource_selectors,
    })
}

/// Adds the Rego texts to the source map.
fn embed(sources: &mut SourceMap, document: &Document, domain: &PolicyDomain) -> Vec<ReadModule> {
    let mut modules = Vec::new();
    let mut add = |kind: ModuleKind, id: Arc<str>, rego: &Text| {
        let runs = match rego.node {
            Some(node) => document.runs(node),
            None => vec![(0, rego.span.start)],
        };
        let rego = sources.add_embedded(&id, &rego.text, domain.file, runs);
        modules.push(ReadModule { kind, id, rego });
    };
    for library in &domain.libraries {
        add(ModuleKind::Library, Arc::clone(&library.mrn.text), &library.rego);
    }
    for policy in &domain.policies {
        add(ModuleKind::Policy, Arc::clone(&policy.mrn.text), &policy.rego);
    }
    for (at, mapper) in domain.mappers.iter().enumerate() {
        let name = if mapper.name.text.is_empty() {
            format!("mapper[{at}]").into()
        } else {
            Arc::clone(&mapper.name.text)
        };
        add(ModuleKind::Mapper, name, &mapper.rego);
    }
    modules
}
