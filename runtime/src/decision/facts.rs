//! Where a decision gets what a request does not say: its resource's group and annotations, its principal's annotations.

use crate::value::Constant;

/// Where resource and annotations come from.
#[derive(Default)]
pub enum Facts<'f> {
    /// From the image: resources given by MRN are looked up by selector, the principal's annotations are merged from
    /// roles, groups and scopes.
    #[default]
    Image,
    /// From the request, which is the document of an access record: a resource that is an object and annotations that
    /// are there are taken as they are, since they were looked up when the record was written.
    Recorded,
    /// As from the image, but resources given by MRN are asked of a resolver first.
    Resolver(&'f mut dyn ResourceResolver),
}

/// Tells what is known of resources, in place of the selectors of the image.
pub trait ResourceResolver {
    /// What is known of the resource of an MRN.
    fn resolve(&mut self, mrn: &str) -> Resolution;
}

impl<F: FnMut(&str) -> Resolution> ResourceResolver for F {
    fn resolve(&mut self, mrn: &str) -> Resolution {
        self(mrn)
    }
}

/// What a resolver knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// This.
    Found(ResourceFacts),
    /// Nothing: the selectors of the image and its default group are asked.
    AskImage,
    /// There is no such resource, or nobody can say: denies, unless the operation policy settles the decision.
    Unknown,
}

/// A resource as policies see it, but for its MRN. What is empty is left out there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceFacts {
    /// MRN of its resource group, whose policy is asked.
    pub group: String,
    /// Its owner.
    pub owner: String,
    /// Its classification.
    pub classification: String,
    /// Its annotations; those of its group are not added.
    pub annotations: Vec<(String, Constant)>,
}

impl ResourceFacts {
    /// The annotations as an object; `None` where there are none.
    pub(super) fn annotation_object(&self) -> Option<Constant> {
        let members = self
            .annotations
            .iter()
            .map(|(name, value)| (Constant::String(name.clone()), value.clone()));
        (!self.annotations.is_empty()).then(|| Constant::object(members.collect()))
    }
}
