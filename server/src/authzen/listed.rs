//! What searches may find: the names that domains list, sorted once for each revision.

use std::collections::BTreeMap;

use gavel_runtime::image::Image;

/// Names in order.
#[derive(Debug, Default)]
pub struct Listed {
    actions: Vec<String>,
    /// By their type.
    resources: BTreeMap<String, Vec<String>>,
}

impl Listed {
    /// Of an image.
    #[must_use]
    pub fn of(image: &Image) -> Listed {
        let mut listed = Listed {
            actions: image.listed_operations().map(str::to_owned).collect(),
            resources: BTreeMap::new(),
        };
        for (name, kind) in image.listed_resources(super::TYPE_ANNOTATION) {
            match listed.resources.get_mut(kind) {
                Some(names) => names.push(name.to_owned()),
                None => {
                    listed.resources.insert(kind.to_owned(), vec![name.to_owned()]);
                }
            }
        }
        for names in listed.resources.values_mut().chain([&mut listed.actions]) {
            names.sort_unstable();
            names.dedup();
        }
        listed
    }

    /// All actions.
    #[must_use]
    pub fn actions(&self) -> &[String] {
        &self.actions
    }

    /// All resources of a type.
    #[must_use]
    pub fn resources(&self, kind: &str) -> &[String] {
        self.resources.get(kind).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether there are resources of any type.
    #[must_use]
    pub fn has_resources(&self) -> bool {
        !self.resources.is_empty()
    }
}
