//! Schemas by their text, compiled once: each at the one place that its hash gives.

use super::schema::Schema;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Schemas that are kept.
const PLACES: usize = 32;
/// Parts of a schema that is kept; a larger one is compiled for each call, which its caller pays for.
const NODES_KEPT_MAX: usize = 8192;
/// Patterns of all kept schemas: each has search memory that may grow to some megabytes.
const PATTERNS_KEPT_MAX: usize = 128;

/// The schemas of one VM.
#[derive(Debug, Default)]
pub(in crate::builtins) struct Schemas {
    places: Vec<Option<Kept>>,
}

/// A schema's text and what became of it: gojsonschema's text for a wrong one.
#[derive(Debug)]
pub(super) struct Kept {
    text: Box<str>,
    pub(super) schema: Result<Schema, Box<str>>,
}

impl Kept {
    pub(super) fn new(text: &str, schema: Result<Schema, Box<str>>) -> Kept {
        Kept {
            text: text.into(),
            schema,
        }
    }

    fn patterns(&self) -> usize {
        self.schema.as_ref().map_or(0, |schema| schema.patterns.len())
    }

    fn nodes(&self) -> usize {
        self.schema.as_ref().map_or(0, |schema| schema.nodes.len())
    }
}

impl Schemas {
    /// Takes out the schema of a text; the caller puts it back.
    pub(super) fn take(&mut self, text: &str) -> Option<Kept> {
        let place = self.place(text)?;
        match place {
            Some(kept) if *kept.text == *text => place.take(),
            _ => None,
        }
    }

    /// Keeps a schema, unless it is large.
    pub(super) fn put(&mut self, kept: Kept) {
        if kept.nodes() > NODES_KEPT_MAX || kept.patterns() > PATTERNS_KEPT_MAX {
            return;
        }
        if let Some(place) = self.place(&kept.text) {
            *place = None;
        }
        let others: usize = self.places.iter().flatten().map(Kept::patterns).sum();
        if others + kept.patterns() > PATTERNS_KEPT_MAX {
            self.places.iter_mut().for_each(|place| *place = None);
        }
        if let Some(place) = self.place(&kept.text) {
            *place = Some(kept);
        }
    }

    fn place(&mut self, text: &str) -> Option<&mut Option<Kept>> {
        if self.places.is_empty() {
            self.places.resize_with(PLACES, || None);
        }
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        self.places.get_mut((hasher.finish() % PLACES as u64) as usize)
    }
}
