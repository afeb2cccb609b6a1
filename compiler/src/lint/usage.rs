//! Entries of domains that nothing uses. Roles, groups, scopes and resource groups are also named by requests, which no
//! domain shows: where that is the only way left for one of a few roles or resource groups, a note says so.

use std::collections::HashSet;

use super::findings::Findings;
use super::rule::Rule;
use crate::domain::schema::ApiVersion;
use crate::domain::{DomainSet, ReadDomain, Text};

/// `set`: the same domains with their references resolved, entries in the same order.
pub(super) fn check(domains: &[ReadDomain], set: &DomainSet, findings: &mut Findings) {
    policies(domains, set, findings);
    libraries(domains, set, findings);
    roles(domains, set, findings);
    resource_groups(domains, set, findings);
    for group in domains.iter().flat_map(|read| &read.domain.groups) {
        if group.roles.is_empty() && group.annotations.is_empty() {
            let message = format!("the group `{}` gives nothing", group.mrn.text);
            let help = "list its `roles`; as it is, members of the group have no right from it";
            findings.add(Rule::EmptyGroup, group.mrn.span, message, help);
        }
    }
}

fn policies(domains: &[ReadDomain], set: &DomainSet, findings: &mut Findings) {
    let holders = set.roles.iter().chain(&set.scopes).chain(&set.resource_groups);
    let of_operations = set.operations.iter().map(|operation| operation.policy.0);
    let used: HashSet<usize> = holders
        .map(|holder| holder.policy.0)
        .chain(of_operations)
        .collect();
    // Domains with nothing but policies are there for other files.
    if used.is_empty() {
        return;
    }
    let all = domains.iter().flat_map(|read| &read.domain.policies);
    for (_, policy) in all.enumerate().filter(|(at, _)| !used.contains(at)) {
        let message = format!(
            "no role, scope, resource group or operation of these files uses the policy `{}`",
            policy.mrn.text
        );
        let help = "what it denies is not denied; refer to it, or remove it";
        findings.add(Rule::UnusedPolicy, policy.mrn.span, message, help);
    }
}

fn libraries(domains: &[ReadDomain], set: &DomainSet, findings: &mut Findings) {
    let of_policies = set.policies.iter().flat_map(|policy| &policy.libraries);
    let of_libraries = set.libraries.iter().flat_map(|library| &library.libraries);
    let used: HashSet<usize> = of_policies.chain(of_libraries).map(|library| library.0).collect();
    let mut at = 0;
    for read in domains {
        for library in &read.domain.libraries {
            // A domain without policies is there for other files.
            if !used.contains(&at) && !read.domain.policies.is_empty() {
                let message = format!(
                    "no policy of these files depends on the library `{}`",
                    library.mrn.text
                );
                let help = "list it under `dependencies` where it is used, or remove it";
                findings.add(Rule::UnusedLibrary, library.mrn.span, message, help);
            }
            at += 1;
        }
    }
}

fn roles(domains: &[ReadDomain], set: &DomainSet, findings: &mut Findings) {
    let used: HashSet<usize> = set
        .groups
        .iter()
        .flat_map(|group| &group.roles)
        .map(|role| role.0)
        .collect();
    if used.len() <= set.roles.len() / 2 {
        return;
    }
    let all = domains.iter().flat_map(|read| &read.domain.roles);
    for (_, role) in all.enumerate().filter(|(at, _)| !used.contains(at)) {
        only_by_request(Rule::UnusedRole, "role", "is in no group", &role.mrn, findings);
    }
}

fn resource_groups(domains: &[ReadDomain], set: &DomainSet, findings: &mut Findings) {
    let used: HashSet<usize> = set.resources.iter().map(|resource| resource.group.0).collect();
    if used.len() <= set.resource_groups.len() / 2 {
        return;
    }
    let mut at = 0;
    for read in domains {
        for group in &read.domain.resource_groups {
            let has_resources = read.domain.version >= ApiVersion::V1Alpha4;
            if has_resources && !group.is_default && !used.contains(&at) {
                let why = "has no resources and is not the default";
                only_by_request(
                    Rule::UnusedResourceGroup,
                    "resource group",
                    why,
                    &group.mrn,
                    findings,
                );
            }
            at += 1;
        }
    }
}

fn only_by_request(rule: Rule, kind: &str, why: &str, mrn: &Text, findings: &mut Findings) {
    let message = format!("the {kind} `{}` {why}", mrn.text);
    let help = "only requests that name it themselves can use it; remove it if none does";
    findings.add(rule, mrn.span, message, help);
}
