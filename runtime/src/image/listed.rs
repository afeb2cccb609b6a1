//! What the domains list by name: operations and resources whose selectors are texts and not patterns.

use super::Image;

impl Image {
    /// Operations that are selected by their whole name, in no order. A name that several domains list is there once.
    pub fn listed_operations(&self) -> impl Iterator<Item = &str> {
        self.operation_selectors.exact_texts().map(|(name, _)| name)
    }

    /// MRNs of resources that are selected by their whole name and have a text as the annotation `kind`, with that text; in
    /// no order. Whether an earlier pattern selects the same MRN is not looked at: asking about it finds out.
    pub fn listed_resources<'i>(&'i self, kind: &'i str) -> impl Iterator<Item = (&'i str, &'i str)> {
        self.resource_selectors
            .exact_texts()
            .filter_map(move |(name, entry)| {
                let layer = self.resources.get(entry as usize)?.layer;
                let annotation = self
                    .annotations(layer)
                    .find(|annotation| annotation.name.as_str() == Some(kind))?;
                Some((name, annotation.value.as_str()?))
            })
    }
}
