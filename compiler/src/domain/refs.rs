//! References between entries: `mrn` in the same domain, `domain/mrn` in another one.
//!
//! A text with a slash is qualified only if what precedes the first slash names a loaded domain; otherwise it is an MRN
//! that contains a slash, if the own domain has such an entry.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use super::decode::Text;
use super::problems::Place;
use super::read::ReadDomain;
use super::set::{DomainIdx, LibraryIdx, PolicyIdx, ResourceGroupIdx, RoleIdx};
use crate::diagnostic::{Code, Diagnostic};

/// Entries of one kind by domain and MRN.
#[derive(Debug)]
pub(super) struct Table<Idx> {
    /// The word for the kind in messages.
    noun: &'static str,
    entries: HashMap<(DomainIdx, Arc<str>), Idx>,
}

impl<Idx: Copy> Table<Idx> {
    fn new(noun: &'static str) -> Table<Idx> {
        Table {
            noun,
            entries: HashMap::new(),
        }
    }

    /// The first entry of an MRN stays.
    fn add(&mut self, domain: DomainIdx, mrn: &Arc<str>, idx: Idx) {
        self.entries.entry((domain, Arc::clone(mrn))).or_insert(idx);
    }

    fn get(&self, domain: DomainIdx, mrn: &str) -> Option<Idx> {
        self.entries.get(&(domain, Arc::from(mrn))).copied()
    }
}

/// Everything that can be referred to.
#[derive(Debug)]
pub(super) struct Index {
    domains: HashMap<Arc<str>, DomainIdx>,
    names: Vec<Arc<str>>,
    pub(super) libraries: Table<LibraryIdx>,
    pub(super) policies: Table<PolicyIdx>,
    pub(super) roles: Table<RoleIdx>,
    pub(super) resource_groups: Table<ResourceGroupIdx>,
}

/// What a reference points to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<Idx> {
    pub(super) idx: Idx,
    /// Whether it was written as `domain/mrn`.
    pub(super) qualified: bool,
}

/// Why a reference points to nothing: `(message, message of the dependency resolver)`.
pub(super) struct Missing {
    /// `Domain` where nothing is referred to at all.
    pub(super) code: Code,
    pub(super) message: String,
    pub(super) as_dependency: String,
}

impl Index {
    pub(super) fn new(domains: &[ReadDomain]) -> Index {
        let mut index = Index {
            domains: HashMap::new(),
            names: Vec::new(),
            libraries: Table::new("library"),
            policies: Table::new("policy"),
            roles: Table::new("role"),
            resource_groups: Table::new("resource-group"),
        };
        let (mut libraries, mut policies, mut roles, mut resource_groups) = (0.., 0.., 0.., 0..);
        for (at, ReadDomain { domain, .. }) in domains.iter().enumerate() {
            let own = DomainIdx(at);
            index.domains.entry(Arc::clone(&domain.name.text)).or_insert(own);
            index.names.push(Arc::clone(&domain.name.text));
            for (entry, idx) in domain.libraries.iter().zip(&mut libraries) {
                index.libraries.add(own, &entry.mrn.text, LibraryIdx(idx));
            }
            for (entry, idx) in domain.policies.iter().zip(&mut policies) {
                index.policies.add(own, &entry.mrn.text, PolicyIdx(idx));
            }
            for (entry, idx) in domain.roles.iter().zip(&mut roles) {
                index.roles.add(own, &entry.mrn.text, RoleIdx(idx));
            }
            for (entry, idx) in domain.resource_groups.iter().zip(&mut resource_groups) {
                index
                    .resource_groups
                    .add(own, &entry.mrn.text, ResourceGroupIdx(idx));
            }
        }
        index
    }

    pub(super) fn domain_name(&self, domain: DomainIdx) -> &str {
        self.names.get(domain.0).map_or("", |name| name)
    }

    /// What `reference` means inside `own`.
    pub(super) fn resolve<Idx: Copy + Eq + Hash>(
        &self,
        table: &Table<Idx>,
        own: DomainIdx,
        reference: &str,
    ) -> Result<Target<Idx>, Missing> {
        let noun = table.noun;
        if reference.trim().is_empty() {
            return Err(Missing {
                code: Code::Domain,
                message: format!("{noun} reference is empty"),
                as_dependency: "empty reference".to_owned(),
            });
        }
        let not_found = |id: &str, domain: &str| Missing {
            code: Code::Reference,
            message: format!("{noun} reference '{id}' not found in domain '{domain}'"),
            as_dependency: format!("{noun} '{id}' not found in domain '{domain}'"),
        };
        let own_name = self.domain_name(own);
        let Some((domain, id)) = reference.split_once('/') else {
            let found = table.get(own, reference).map(|idx| Target {
                idx,
                qualified: false,
            });
            return found.ok_or_else(|| not_found(reference, own_name));
        };
        if let Some(&other) = self
            .domains
            .get(domain)
            .filter(|_| !domain.is_empty() && !id.is_empty())
        {
            let found = table.get(other, id).map(|idx| Target { idx, qualified: true });
            return found.ok_or_else(|| not_found(id, domain));
        }
        if let Some(idx) = table.get(own, reference) {
            return Ok(Target {
                idx,
                qualified: false,
            });
        }
        if domain.is_empty() || id.is_empty() {
            let message = format!("invalid qualified reference format '{reference}', expected 'domain/id'");
            return Err(Missing {
                code: Code::Reference,
                as_dependency: message.clone(),
                message,
            });
        }
        Err(Missing {
            code: Code::Reference,
            message: format!("domain '{own_name}' contains undefined references to domain '{domain}'"),
            as_dependency: format!("domain '{domain}' not found"),
        })
    }

    /// Resolves a field; a reference to nothing is a problem of the entry at `place`.
    pub(super) fn resolve_field<Idx: Copy + Eq + Hash>(
        &self,
        table: &Table<Idx>,
        own: DomainIdx,
        reference: &Text,
        place: Place<'_>,
        field: &str,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<Idx> {
        match self.resolve(table, own, &reference.text) {
            Ok(target) => Some(target.idx),
            Err(missing) => {
                problems.push(place.error(missing.code, reference.span, field, &missing.message));
                None
            }
        }
    }
}
