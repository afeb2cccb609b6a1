//! Resolved domains and their entry functions → the tables of an image.

use crate::domain::DomainSet;
use crate::domain::set::{Annotation, PolicyHolder};
use gavel_runtime::bytecode::RawProgram;
use gavel_runtime::decision::Strategy;
use gavel_runtime::image::{
    AnnotationPart, Entry, GroupPart, ImageParts, OperationPart, PolicyPart, ResourcePart, SubjectPart,
};

/// Entry functions of a set, by policy and by mapper.
#[derive(Debug, Default)]
pub struct Entries {
    /// `data.authz.allow` of each policy.
    pub policies: Vec<Entry>,
    /// `data.mapper.porc` of each mapper.
    pub mappers: Vec<Entry>,
}

/// The parts of an image of a set.
#[must_use]
pub fn parts(
    set: &DomainSet,
    program: RawProgram,
    entries: &Entries,
    include_all_references: bool,
) -> ImageParts {
    let policies = set
        .policies
        .iter()
        .zip(&entries.policies)
        .map(|(policy, entry)| PolicyPart {
            mrn: policy.mrn.to_string(),
            fingerprint: policy.fingerprint,
            entry: entry.clone(),
        });
    let operations = set.operations.iter().map(|operation| OperationPart {
        domain: index(operation.domain.0),
        selectors: operation
            .selectors
            .iter()
            .map(|selector| selector.pattern.clone())
            .collect(),
        policy: index(operation.policy.0),
    });
    let groups = set.groups.iter().map(|group| GroupPart {
        mrn: group.mrn.to_string(),
        roles: group.roles.iter().map(|role| index(role.0)).collect(),
        annotations: annotations(&group.annotations),
    });
    let resources = set.resources.iter().map(|resource| ResourcePart {
        selectors: resource
            .selectors
            .iter()
            .map(|selector| selector.pattern.clone())
            .collect(),
        group: index(resource.group.0),
        annotations: annotations(&resource.annotations),
    });
    ImageParts {
        program,
        policies: policies.collect(),
        roles: subjects(&set.roles),
        groups: groups.collect(),
        scopes: subjects(&set.scopes),
        resource_groups: subjects(&set.resource_groups),
        default_resource_group: set.default_resource_group.map(|group| index(group.0)),
        operations: operations.collect(),
        resources: resources.collect(),
        include_all_references,
        domains: set.domains.iter().map(|domain| domain.name.to_string()).collect(),
        mappers: Vec::new(),
    }
}

fn subjects(holders: &[PolicyHolder]) -> Vec<SubjectPart> {
    let part = |holder: &PolicyHolder| SubjectPart {
        mrn: holder.mrn.to_string(),
        policy: index(holder.policy.0),
        annotations: annotations(&holder.annotations),
    };
    holders.iter().map(part).collect()
}

fn annotations(list: &[Annotation]) -> Vec<AnnotationPart> {
    let part = |annotation: &Annotation| AnnotationPart {
        name: annotation.name.to_string(),
        value: annotation.value.clone(),
        strategy: Strategy::from_word(&annotation.merge),
        unprintable: annotation.unprintable.is_some(),
    };
    list.iter().map(part).collect()
}

/// Files are bounded, so no table has 2³² rows.
fn index(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
