//! Typed domains → one set with every reference resolved. Second stage of loading; all problems are collected.

use std::sync::Arc;

use super::annotations;
use super::decode::Text;
use super::deps::Resolved;
use super::problems::Place;
use super::read::{ModuleKind, ReadDomain};
use super::refs::Index;
use super::schema;
use super::selectors::Selector;
use super::set::{
    Annotation, Domain, DomainIdx, DomainSet, Group, Library, LibraryIdx, Mapper, Operation, Policy,
    PolicyHolder, Resource, ResourceGroupIdx,
};
use super::structure;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{FileId, SourceMap};

/// Resolves and checks domains in load order.
///
/// # Errors
/// Everything that is missing, blank, defined twice or circular, warnings included.
pub fn resolve(sources: &SourceMap, domains: &[ReadDomain]) -> Result<DomainSet, Vec<Diagnostic>> {
    let (mut set, problems) = resolve_all(sources, domains);
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        return Err(problems);
    }
    set.warnings = problems;
    Ok(set)
}

/// As [`resolve`], with errors and warnings beside the set. If there are errors the set is for further checks only: it has
/// all libraries, policies and mappers, with the dependencies that exist, but of the other entries not all.
pub fn resolve_all(sources: &SourceMap, domains: &[ReadDomain]) -> (DomainSet, Vec<Diagnostic>) {
    let index = Index::new(domains);
    let mut found = Vec::new();
    structure::check(domains, &mut found);
    let (resolved, cycles) = Resolved::new(domains, &index, &mut found);
    let mut builder = Builder {
        sources,
        index: &index,
        resolved,
        problems: found,
        set: DomainSet::default(),
    };
    for (at, domain) in domains.iter().enumerate() {
        builder.modules(DomainIdx(at), domain);
    }
    for (at, domain) in domains.iter().enumerate() {
        builder.entries(DomainIdx(at), domain);
    }
    let Builder {
        set, mut problems, ..
    } = builder;
    problems.extend(cycles);
    (set, problems)
}

struct Builder<'a> {
    sources: &'a SourceMap,
    index: &'a Index,
    resolved: Resolved,
    problems: Vec<Diagnostic>,
    set: DomainSet,
}

impl Builder<'_> {
    fn modules(&mut self, own: DomainIdx, read: &ReadDomain) {
        let domain = &read.domain;
        self.set.domains.push(Domain {
            name: Arc::clone(&domain.name.text),
            file: domain.file,
        });
        let texts = |kind: ModuleKind| read.modules.iter().filter(move |module| module.kind == kind);
        for module in texts(ModuleKind::Library) {
            let libraries = self.resolved.of_library(LibraryIdx(self.set.libraries.len()));
            self.set.libraries.push(Library {
                domain: own,
                mrn: Arc::clone(&module.id),
                rego: module.rego,
                libraries,
            });
        }
        for (at, module) in texts(ModuleKind::Mapper).enumerate() {
            let selectors = selectors_at(&read.mapper_selectors, at);
            self.set.mappers.push(Mapper {
                domain: own,
                name: Arc::clone(&module.id),
                rego: module.rego,
                selectors,
            });
        }
    }

    /// Needs the libraries of all domains in the set.
    fn entries(&mut self, own: DomainIdx, read: &ReadDomain) {
        let domain = &read.domain;
        let regos = read
            .modules
            .iter()
            .filter(|module| module.kind == ModuleKind::Policy)
            .map(|module| module.rego);
        for (policy, rego) in domain.policies.iter().zip(regos) {
            self.policy(own, policy, rego);
        }
        for entry in &domain.roles {
            if let Some(role) = self.holder(own, "role", entry) {
                self.set.roles.push(role);
            }
        }
        for group in &domain.groups {
            self.group(own, group);
        }
        for entry in &domain.resource_groups {
            let Some(group) = self.holder(own, "resource-group", entry) else {
                continue;
            };
            if entry.is_default && self.set.default_resource_group.is_none() {
                self.set.default_resource_group = Some(ResourceGroupIdx(self.set.resource_groups.len()));
            }
            self.set.resource_groups.push(group);
        }
        for entry in &domain.scopes {
            if let Some(scope) = self.holder(own, "scope", entry) {
                self.set.scopes.push(scope);
            }
        }
        for (at, entry) in domain.operations.iter().enumerate() {
            self.operation(own, at, entry, selectors_at(&read.operation_selectors, at));
        }
        for (at, entry) in domain.resources.iter().enumerate() {
            self.resource(own, at, entry, selectors_at(&read.resource_selectors, at));
        }
    }

    fn policy(&mut self, own: DomainIdx, policy: &schema::Module, rego: FileId) {
        let at = self.set.policies.len();
        let libraries = self.resolved.of_policy(at);
        let text_of = |LibraryIdx(library): LibraryIdx| {
            let rego = self.set.libraries.get(library).map(|library| library.rego);
            rego.map_or_else(|| "".into(), |rego| Arc::clone(&self.sources.source(rego).text))
        };
        let fingerprint = self.resolved.fingerprint(at, policy, text_of);
        self.set.policies.push(Policy {
            domain: own,
            mrn: Arc::clone(&policy.mrn.text),
            rego,
            libraries,
            fingerprint,
        });
    }

    /// Nothing if the policy is missing: then there is a problem and the set is not used.
    fn holder(
        &mut self,
        own: DomainIdx,
        kind: &'static str,
        entry: &schema::PolicyEntry,
    ) -> Option<PolicyHolder> {
        let place = Place {
            domain: self.index.domain_name(own),
            kind,
            id: &entry.mrn.text,
        };
        let index = self.index;
        let policy = index.resolve_field(
            &index.policies,
            own,
            &entry.policy,
            place,
            "policy",
            &mut self.problems,
        )?;
        let annotations = annotations_of(&entry.annotations);
        Some(PolicyHolder {
            domain: own,
            mrn: Arc::clone(&entry.mrn.text),
            policy,
            annotations,
        })
    }

    fn group(&mut self, own: DomainIdx, group: &schema::Group) {
        let index = self.index;
        let place = Place {
            domain: index.domain_name(own),
            kind: "group",
            id: &group.mrn.text,
        };
        let mut roles = Vec::with_capacity(group.roles.len());
        for (at, role) in group.roles.iter().enumerate() {
            let field = format!("roles[{at}]");
            roles.extend(index.resolve_field(&index.roles, own, role, place, &field, &mut self.problems));
        }
        let annotations = annotations_of(&group.annotations);
        self.set.groups.push(Group {
            domain: own,
            mrn: Arc::clone(&group.mrn.text),
            roles,
            annotations,
        });
    }

    fn operation(&mut self, own: DomainIdx, at: usize, entry: &schema::Operation, selectors: Vec<Selector>) {
        let index = self.index;
        let id = format!("operation[{at}]");
        let place = Place {
            domain: index.domain_name(own),
            kind: "operation",
            id: &id,
        };
        let policy = index.resolve_field(
            &index.policies,
            own,
            &entry.policy,
            place,
            "policy",
            &mut self.problems,
        );
        let Some(policy) = policy else { return };
        let (name, span) = name_of(&entry.name);
        self.set.operations.push(Operation {
            domain: own,
            name,
            span,
            selectors,
            policy,
        });
    }

    fn resource(&mut self, own: DomainIdx, at: usize, entry: &schema::Resource, selectors: Vec<Selector>) {
        let index = self.index;
        let id = format!("resource[{at}]");
        let place = Place {
            domain: index.domain_name(own),
            kind: "resource",
            id: &id,
        };
        let table = &index.resource_groups;
        let Some(group) = index.resolve_field(table, own, &entry.group, place, "group", &mut self.problems)
        else {
            return;
        };
        let (name, span) = name_of(&entry.name);
        let annotations = annotations_of(&entry.annotations);
        self.set.resources.push(Resource {
            domain: own,
            name,
            span,
            selectors,
            group,
            annotations,
        });
    }
}

fn name_of(name: &Text) -> (Arc<str>, crate::source::Span) {
    (Arc::clone(&name.text), name.span)
}

fn selectors_at(lists: &[Vec<Selector>], at: usize) -> Vec<Selector> {
    lists.get(at).cloned().unwrap_or_default()
}

fn annotations_of(written: &[schema::Annotation]) -> Vec<Annotation> {
    let mut found: Vec<Annotation> = written
        .iter()
        .map(|annotation| Annotation {
            name: Arc::clone(&annotation.name.text),
            value: annotation.value.clone(),
            merge: Arc::clone(&annotation.merge.text),
            unprintable: annotations::unprintable(&annotation.value),
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}
