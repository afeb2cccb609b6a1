//! What loading yields: every entry of every domain, in load order, with all references resolved.

use std::sync::Arc;

use super::selectors::Selector;
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};
use gavel_runtime::value::Constant;

macro_rules! indices {
    ($( $(#[$doc:meta])* $name:ident, )*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub usize);
    )* };
}

indices! {
    /// Index into [`DomainSet::domains`].
    DomainIdx,
    /// Index into [`DomainSet::libraries`].
    LibraryIdx,
    /// Index into [`DomainSet::policies`].
    PolicyIdx,
    /// Index into [`DomainSet::roles`].
    RoleIdx,
    /// Index into [`DomainSet::resource_groups`].
    ResourceGroupIdx,
}

/// All domains of one compilation. Where two domains define one MRN, the one that was loaded first answers requests.
#[derive(Clone, Debug, Default)]
pub struct DomainSet {
    /// Domains.
    pub domains: Vec<Domain>,
    /// Libraries.
    pub libraries: Vec<Library>,
    /// Policies.
    pub policies: Vec<Policy>,
    /// Mappers.
    pub mappers: Vec<Mapper>,
    /// Roles.
    pub roles: Vec<PolicyHolder>,
    /// Groups.
    pub groups: Vec<Group>,
    /// Scopes.
    pub scopes: Vec<PolicyHolder>,
    /// Resource groups.
    pub resource_groups: Vec<PolicyHolder>,
    /// The resource group of resources that no entry selects.
    pub default_resource_group: Option<ResourceGroupIdx>,
    /// Operations.
    pub operations: Vec<Operation>,
    /// Resource entries.
    pub resources: Vec<Resource>,
    /// What the author should know.
    pub warnings: Vec<Diagnostic>,
}

/// One domain.
#[derive(Clone, Debug)]
pub struct Domain {
    /// Its name.
    pub name: Arc<str>,
    /// Its file.
    pub file: FileId,
}

/// A library.
#[derive(Clone, Debug)]
pub struct Library {
    /// Where it is defined.
    pub domain: DomainIdx,
    /// Its MRN.
    pub mrn: Arc<str>,
    /// Its Rego text.
    pub rego: FileId,
    /// The libraries it needs, itself excluded, in order of resolution.
    pub libraries: Vec<LibraryIdx>,
}

/// A policy.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Where it is defined.
    pub domain: DomainIdx,
    /// Its MRN.
    pub mrn: Arc<str>,
    /// Its Rego text.
    pub rego: FileId,
    /// The libraries it needs, in order of resolution.
    pub libraries: Vec<LibraryIdx>,
    /// SHA-256 as access records show it.
    pub fingerprint: [u8; 32],
}

/// A mapper.
#[derive(Clone, Debug)]
pub struct Mapper {
    /// Where it is defined.
    pub domain: DomainIdx,
    /// Its name; `mapper[i]` where it has none.
    pub name: Arc<str>,
    /// Its Rego text.
    pub rego: FileId,
    /// Its selectors.
    pub selectors: Vec<Selector>,
}

/// A role, scope or resource group.
#[derive(Clone, Debug)]
pub struct PolicyHolder {
    /// Where it is defined.
    pub domain: DomainIdx,
    /// Its MRN.
    pub mrn: Arc<str>,
    /// What decides for it.
    pub policy: PolicyIdx,
    /// Its annotations.
    pub annotations: Vec<Annotation>,
}

/// A group of roles.
#[derive(Clone, Debug)]
pub struct Group {
    /// Where it is defined.
    pub domain: DomainIdx,
    /// Its MRN.
    pub mrn: Arc<str>,
    /// Its roles in the order of the file.
    pub roles: Vec<RoleIdx>,
    /// Its annotations.
    pub annotations: Vec<Annotation>,
}

/// An operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Where it is defined.
    pub domain: DomainIdx,
    /// Its name, for people.
    pub name: Arc<str>,
    /// Where its name stands.
    pub span: Span,
    /// Its selectors.
    pub selectors: Vec<Selector>,
    /// What decides for it.
    pub policy: PolicyIdx,
}

/// A resource entry.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Where it is defined.
    pub domain: DomainIdx,
    /// Its name, for people.
    pub name: Arc<str>,
    /// Where its name stands.
    pub span: Span,
    /// Its selectors.
    pub selectors: Vec<Selector>,
    /// Its group.
    pub group: ResourceGroupIdx,
    /// Its annotations.
    pub annotations: Vec<Annotation>,
}

/// One annotation; names are unique in a list.
#[derive(Clone, Debug)]
pub struct Annotation {
    /// Its name.
    pub name: Arc<str>,
    /// Its value.
    pub value: Constant,
    /// The merge strategy as written: empty, or any word.
    pub merge: Arc<str>,
    /// Why JSON cannot hold the value; a request whose merged annotations contain it is denied.
    pub unprintable: Option<String>,
}
