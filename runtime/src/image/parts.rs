//! What the compiler hands over to make an image, every reference an index.

use super::tables::ImageError;
use crate::bytecode::{FnId, FnKind, RawProgram};
use crate::decision::Strategy;
use crate::value::Constant;
use borsh::{BorshDeserialize, BorshSerialize};

/// What the compiler hands over, every reference an index into a list of this struct.
#[derive(Debug, Default, BorshSerialize, BorshDeserialize)]
pub struct ImageParts {
    /// The program of all policies.
    pub program: RawProgram,
    /// Policies.
    pub policies: Vec<PolicyPart>,
    /// Roles, in load order (of equal MRNs the first counts).
    pub roles: Vec<SubjectPart>,
    /// Groups.
    pub groups: Vec<GroupPart>,
    /// Scopes.
    pub scopes: Vec<SubjectPart>,
    /// Resource groups.
    pub resource_groups: Vec<SubjectPart>,
    /// The first resource group marked as default, in load order.
    pub default_resource_group: Option<u32>,
    /// Operations, domain by domain in load order, in file order.
    pub operations: Vec<OperationPart>,
    /// Resource entries, domain by domain in load order, in file order.
    pub resources: Vec<ResourcePart>,
    /// List everything that ran in the record, also behind the phase that decided.
    pub include_all_references: bool,
    /// Names of the domains, in load order.
    pub domains: Vec<String>,
    /// Mappers that an image brings along; decisions do not need them.
    pub mappers: Vec<MapperPart>,
}

/// A mapper: a program of its own, whose query gives a PORC.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub struct MapperPart {
    /// Name of its domain.
    pub domain: String,
    /// Its name in the domain.
    pub name: String,
    /// Its program.
    pub program: RawProgram,
    /// The query.
    pub entry: FnId,
}

/// A policy.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub struct PolicyPart {
    /// Its MRN.
    pub mrn: String,
    /// SHA-256 over MRN, Rego and dependencies.
    pub fingerprint: [u8; 32],
    /// What its query asks for.
    pub entry: Entry,
}

/// What the query of a policy asks for.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Entry {
    /// A document.
    Document(FnId),
    /// There is no such rule: undefined.
    Missing,
    /// A function has the name: an error with this text.
    Function(String),
}

/// A role, scope or resource group.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub struct SubjectPart {
    /// Its MRN.
    pub mrn: String,
    /// Index of its policy.
    pub policy: u32,
    /// Sorted or not; of equal names the last counts.
    pub annotations: Vec<AnnotationPart>,
}

/// A group.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub struct GroupPart {
    /// Its MRN.
    pub mrn: String,
    /// Indices of its roles.
    pub roles: Vec<u32>,
    /// As in [`SubjectPart`].
    pub annotations: Vec<AnnotationPart>,
}

/// An operation.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub struct OperationPart {
    /// Index of its domain in load order.
    pub domain: u32,
    /// Anchored selectors.
    pub selectors: Vec<String>,
    /// Index of its policy.
    pub policy: u32,
}

/// A resource entry.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub struct ResourcePart {
    /// Anchored selectors.
    pub selectors: Vec<String>,
    /// Index of its resource group, whose annotations lie under its own: several domains may each have one of that MRN.
    pub group: u32,
    /// Its own annotations.
    pub annotations: Vec<AnnotationPart>,
}

/// One annotation.
#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub struct AnnotationPart {
    /// Name.
    pub name: String,
    /// Decoded value.
    pub value: Constant,
    /// How it merges.
    pub strategy: Strategy,
    /// JSON cannot hold the value.
    pub unprintable: bool,
}

impl ImageParts {
    pub(super) fn check_indices(&self) -> Result<(), ImageError> {
        let within = |index: u32, count: usize, what: &'static str| {
            if (index as usize) < count {
                Ok(())
            } else {
                Err(ImageError::DanglingIndex(what))
            }
        };
        let subjects = self.roles.iter().chain(&self.scopes).chain(&self.resource_groups);
        for policy in subjects
            .map(|s| s.policy)
            .chain(self.operations.iter().map(|o| o.policy))
        {
            within(policy, self.policies.len(), "policy")?;
        }
        for role in self.groups.iter().flat_map(|group| &group.roles) {
            within(*role, self.roles.len(), "role")?;
        }
        let of_resources = self.resources.iter().map(|resource| resource.group);
        for group in of_resources.chain(self.default_resource_group) {
            within(group, self.resource_groups.len(), "resource group")?;
        }
        for mapper in &self.mappers {
            let function = mapper.program.functions.get(mapper.entry.0 as usize);
            if function.is_none_or(|function| function.kind != FnKind::Query) {
                return Err(ImageError::DanglingIndex("mapper's query"));
            }
        }
        for policy in &self.policies {
            if let Entry::Document(entry) = policy.entry {
                let function = self.program.functions.get(entry.0 as usize);
                if function.is_none_or(|function| function.kind != FnKind::Rule) {
                    return Err(ImageError::DanglingIndex("policy's rule"));
                }
            }
        }
        Ok(())
    }
}
