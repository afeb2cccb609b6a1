//! Files → typed domains, with each Rego text added to the source map under its MRN. First stage of loading.

use std::sync::Arc;

use super::decode::Text;
use super::schema::{self, PolicyDomain};
use super::selectors::{self, Selector};
use super::yaml::{self, Document};
use crate::diagnostic::{Code, Diagnostic, Entity};
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
    pub(crate) operation_selectors: Vec<Vec<Selector>>,
    /// Selectors of the mappers, in order.
    pub(crate) mapper_selectors: Vec<Vec<Selector>>,
    /// Selectors of the resources, in order.
    pub(crate) resource_selectors: Vec<Vec<Selector>>,
}

/// Reads files in order.
///
/// # Errors
/// Everything that keeps one of the files from being a PolicyDomain.
pub fn read(sources: &mut SourceMap, files: &[FileId]) -> Result<Vec<ReadDomain>, Vec<Diagnostic>> {
    let mut documents = Vec::with_capacity(files.len());
    let mut problems = Vec::new();
    for &file in files {
        match yaml::parse(file, &Arc::clone(&sources.source(file).text)) {
            Ok(document) => documents.push((file, document)),
            Err(problem) => problems.push(*problem),
        }
    }
    let (domains, found) = read_documents(sources, &documents);
    problems.extend(found);
    if problems.is_empty() {
        Ok(domains)
    } else {
        Err(problems)
    }
}

/// Reads files whose YAML was parsed already, in order. A file that is no PolicyDomain is left out, a selector that is
/// no regular expression, too; both are among the problems.
pub fn read_documents(
    sources: &mut SourceMap,
    documents: &[(FileId, Document)],
) -> (Vec<ReadDomain>, Vec<Diagnostic>) {
    let mut domains = Vec::with_capacity(documents.len());
    let mut problems = Vec::new();
    for (file, document) in documents {
        match schema::decode(*file, document) {
            Ok(domain) => domains.push(typed(sources, document, domain, &mut problems)),
            Err(found) => problems.extend(found),
        }
    }
    (domains, problems)
}

fn typed(
    sources: &mut SourceMap,
    document: &Document,
    domain: PolicyDomain,
    problems: &mut Vec<Diagnostic>,
) -> ReadDomain {
    let mut anchored = |kind: &'static str, at: usize, name: &Text, texts: &[Text]| -> Vec<Selector> {
        let mut found = Vec::with_capacity(texts.len());
        for text in texts {
            match selectors::anchor(&text.text, text.span) {
                Ok(selector) => found.push(selector),
                Err(message) => {
                    let message = format!("invalid selector regex {:?}: {message}", text.text);
                    let problem = Diagnostic::error(Code::Selector, text.span, message);
                    problems.push(problem.about(Entity {
                        domain: domain.name.text.to_string(),
                        kind,
                        id: name_or_position(kind, at, name).to_string(),
                        field: "selector".to_owned(),
                    }));
                }
            }
        }
        found
    };
    let operations = domain.operations.iter().enumerate();
    let operation_selectors = operations
        .map(|(at, entry)| anchored("operation", at, &entry.name, &entry.selectors))
        .collect();
    let mappers = domain.mappers.iter().enumerate();
    let mapper_selectors = mappers
        .map(|(at, entry)| anchored("mapper", at, &entry.name, &entry.selectors))
        .collect();
    let resources = domain.resources.iter().enumerate();
    let resource_selectors = resources
        .map(|(at, entry)| anchored("resource", at, &entry.name, &entry.selectors))
        .collect();
    let modules = embed(sources, document, &domain);
    ReadDomain {
        domain,
        modules,
        operation_selectors,
        mapper_selectors,
        resource_selectors,
    }
}

/// What an entry without an MRN is called.
pub(super) fn name_or_position(kind: &str, at: usize, name: &Text) -> Arc<str> {
    if name.text.is_empty() {
        format!("{kind}[{at}]").into()
    } else {
        Arc::clone(&name.text)
    }
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
        let name = name_or_position("mapper", at, &mapper.name);
        add(ModuleKind::Mapper, name, &mapper.rego);
    }
    modules
}
