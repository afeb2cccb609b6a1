//! Certificate policies along a chain: RFC 5280 section 6.1 with the graph of RFC 9618, whose size is bounded by the
//! certificates.

use super::certificate::Certificate;
use super::oid::{ANY_POLICY, Oid};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A policy at one depth of the graph.
#[derive(Debug)]
struct Node<'r> {
    policy: Oid<'r>,
    /// The policies of the next certificate that mean this one.
    expected: Vec<Oid<'r>>,
    parents: BTreeSet<usize>,
    children: BTreeSet<usize>,
}

/// The policies that are valid, from the trust anchor down. Nodes are numbered; each depth knows its own by policy.
#[derive(Debug)]
struct Graph<'r> {
    nodes: Vec<Node<'r>>,
    depths: Vec<BTreeMap<&'r [u8], usize>>,
    /// Nodes of the depth before the last by the policies that they expect.
    expecting: HashMap<Oid<'r>, Vec<usize>>,
}

/// Counters of RFC 5280: how many more certificates may do without.
struct Limits {
    explicit_policy: i64,
    any_policy: i64,
    mapping: i64,
}

/// Whether the policies of a chain, which begins with the leaf, fit together. Any policy is fine with the caller.
pub(super) fn are_valid(chain: &[&Certificate<'_>]) -> bool {
    let Some((_, below_anchor)) = chain.split_last() else {
        return true;
    };
    let Some((leaf, _)) = below_anchor.split_first() else {
        return true;
    };
    let start = below_anchor.len() as i64 + 1;
    let mut limits = Limits {
        explicit_policy: start,
        any_policy: start,
        mapping: start,
    };
    let mut graph = Some(Graph::new());
    for (at, certificate) in below_anchor.iter().enumerate().rev() {
        let is_leaf = at == 0;
        if certificate.extensions.policies.as_ref().is_none_or(Vec::is_empty) {
            graph = None;
        }
        if limits.explicit_policy == 0 && graph.is_none() {
            return false;
        }
        if let Some(graph) = &mut graph {
            graph.descend(
                certificate,
                limits.any_policy > 0 || !is_leaf && is_self_issued(certificate),
            );
            if !is_leaf && !graph.map(certificate, limits.mapping > 0) {
                return false;
            }
        }
        if !is_leaf {
            limits.pass(certificate);
        }
    }
    limits.explicit_policy -= i64::from(limits.explicit_policy > 0);
    if leaf.extensions.require_explicit_policy == Some(0) {
        limits.explicit_policy = 0;
    }
    limits.explicit_policy > 0 || graph.is_some_and(|graph| graph.has_valid_policy())
}

fn is_self_issued(certificate: &Certificate<'_>) -> bool {
    certificate.raw_issuer == certificate.raw_subject
}

impl Limits {
    /// What one certificate that is not the leaf leaves of the limits.
    fn pass(&mut self, certificate: &Certificate<'_>) {
        let known = &certificate.extensions;
        for (limit, said) in [
            (&mut self.explicit_policy, known.require_explicit_policy),
            (&mut self.mapping, known.inhibit_policy_mapping),
            (&mut self.any_policy, known.inhibit_any_policy),
        ] {
            if !is_self_issued(certificate) {
                *limit -= i64::from(*limit > 0);
            }
            if let Some(said) = said.filter(|said| *said >= 0) {
                *limit = said.min(*limit);
            }
        }
    }
}

impl<'r> Graph<'r> {
    fn new() -> Graph<'r> {
        let root = Node {
            policy: ANY_POLICY,
            expected: vec![ANY_POLICY],
            parents: BTreeSet::new(),
            children: BTreeSet::new(),
        };
        Graph {
            nodes: vec![root],
            depths: vec![BTreeMap::from([(ANY_POLICY.0, 0)])],
            expecting: HashMap::new(),
        }
    }

    fn last(&self) -> Option<&BTreeMap<&'r [u8], usize>> {
        self.depths.last()
    }

    /// Adds a node to the last depth.
    fn insert(&mut self, policy: Oid<'r>, expected: Vec<Oid<'r>>, parents: &[usize]) {
        let number = self.nodes.len();
        for parent in parents {
            if let Some(parent) = self.nodes.get_mut(*parent) {
                parent.children.insert(number);
            }
        }
        self.nodes.push(Node {
            policy,
            expected,
            parents: parents.iter().copied().collect(),
            children: BTreeSet::new(),
        });
        if let Some(last) = self.depths.last_mut() {
            last.insert(policy.0, number);
        }
    }

    /// Goes down to a certificate. `any_counts`: its word that any policy is fine counts.
    fn descend(&mut self, certificate: &Certificate<'r>, any_counts: bool) {
        let before = self.last().cloned().unwrap_or_default();
        self.expecting.clear();
        for number in before.values() {
            let expected = self.nodes.get(*number).map(|node| node.expected.clone());
            for policy in expected.unwrap_or_default() {
                self.expecting.entry(policy).or_default().push(*number);
            }
        }
        self.depths.push(BTreeMap::new());
        let policies = certificate.extensions.policies.as_deref().unwrap_or_default();
        for policy in policies.iter().filter(|policy| **policy != ANY_POLICY) {
            let parents = match self.expecting.get(policy) {
                Some(parents) => parents.clone(),
                None => before.get(ANY_POLICY.0).copied().into_iter().collect(),
            };
            if !parents.is_empty() {
                self.insert(*policy, vec![*policy], &parents);
            }
        }
        if any_counts && policies.contains(&ANY_POLICY) {
            let there = self.last().cloned().unwrap_or_default();
            let missing: Vec<_> = self
                .expecting
                .iter()
                .filter(|(policy, _)| !there.contains_key(policy.0))
                .map(|(policy, parents)| (*policy, parents.clone()))
                .collect();
            for (policy, parents) in missing {
                self.insert(policy, vec![policy], &parents);
            }
        }
        self.prune();
    }

    /// Removes what leads nowhere, above the last depth.
    fn prune(&mut self) {
        for depth in (1..self.depths.len().saturating_sub(1)).rev() {
            let numbers: Vec<usize> = self
                .depths
                .get(depth)
                .map(|at| at.values().copied().collect())
                .unwrap_or_default();
            for number in numbers {
                if self
                    .nodes
                    .get(number)
                    .is_some_and(|node| node.children.is_empty())
                {
                    self.remove(depth, number);
                }
            }
        }
    }

    fn remove(&mut self, depth: usize, number: usize) {
        let Some(node) = self.nodes.get_mut(number) else {
            return;
        };
        let (policy, parents) = (node.policy, std::mem::take(&mut node.parents));
        for parent in parents {
            if let Some(parent) = self.nodes.get_mut(parent) {
                parent.children.remove(&number);
            }
        }
        if let Some(at) = self.depths.get_mut(depth) {
            at.remove(policy.0);
        }
    }

    /// What the certificate says about policies of other domains. `counts`: it may say something. False for a mapping that
    /// is not allowed.
    fn map(&mut self, certificate: &Certificate<'r>, counts: bool) -> bool {
        let mappings = &certificate.extensions.policy_mappings;
        if mappings.is_empty() {
            return true;
        }
        let depth = self.depths.len().saturating_sub(1);
        let mut meanings: BTreeMap<&'r [u8], Vec<Oid<'r>>> = BTreeMap::new();
        for (issuer, subject) in mappings {
            if !counts {
                let there = self.last().and_then(|last| last.get(issuer.0)).copied();
                if let Some(number) = there {
                    self.remove(depth, number);
                }
                continue;
            }
            if *issuer == ANY_POLICY || *subject == ANY_POLICY {
                return false;
            }
            meanings.entry(issuer.0).or_default().push(*subject);
        }
        self.prune();
        for (issuer, subjects) in meanings {
            let at = |policy: &[u8]| self.last().and_then(|last| last.get(policy)).copied();
            if let Some(number) = at(issuer) {
                if let Some(node) = self.nodes.get_mut(number) {
                    node.expected = subjects;
                }
            } else if let Some(any) = at(ANY_POLICY.0) {
                self.insert(Oid(issuer), subjects, &[any]);
            }
        }
        true
    }

    /// Whether a policy is left that counts: one that an authority named where any was fine, or any itself at the leaf.
    fn has_valid_policy(&self) -> bool {
        let is_named = |number: &usize| {
            self.nodes.get(*number).is_some_and(|node| {
                let parent = node.parents.first().and_then(|parent| self.nodes.get(*parent));
                node.policy != ANY_POLICY
                    && node.parents.len() == 1
                    && parent.is_some_and(|parent| parent.policy == ANY_POLICY)
            })
        };
        self.depths.iter().any(|at| at.values().any(is_named))
            || self.last().is_some_and(|last| last.contains_key(ANY_POLICY.0))
    }
}
