//! What an image holds, for whoever lists it; decisions look things up by name.

use super::Image;
use super::tables::{Group, Subject};

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

    /// Number of operations that have selectors.
    #[must_use]
    pub fn operation_count(&self) -> usize {
        self.operations.len()
    }

    /// Number of resources that have selectors.
    #[must_use]
    pub fn resource_count(&self) -> usize {
        self.resources.len()
    }
}
