//! What an image holds, for whoever lists it; decisions look things up by name.

use super::Image;
use super::policy::Policy;
use super::tables::{Group, Resource, Subject};

impl Image {
    /// All roles, by their index.
    #[must_use]
    pub fn roles(&self) -> &[Subject] {
        &self.roles
    }

    /// All scopes, in load order.
    #[must_use]
    pub fn scopes(&self) -> &[Subject] {
        &self.scopes
    }

    /// All resource groups, in load order.
    #[must_use]
    pub fn resource_groups(&self) -> &[Subject] {
        &self.resource_groups
    }

    /// All groups with their MRNs, in load order.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = (&str, &Group)> {
        let names = self.group_names.all().iter().map(|name| &**name);
        names.zip(&self.groups)
    }

    /// The anchored selectors of each operation, and its policy; domain by domain, in file order.
    pub fn operations(&self) -> impl ExactSizeIterator<Item = (&[String], Option<&Policy>)> {
        let policy = |index| self.policy(index);
        self.operations
            .iter()
            .map(move |operation| (&*operation.selectors, policy(operation.policy)))
    }

    /// All resource entries, in load order.
    #[must_use]
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }
}
