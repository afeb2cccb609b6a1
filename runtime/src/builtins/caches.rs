//! State of builtins that outlives a request: bounded caches of patterns that no compiler could prepare.

use super::glob::{Glob, Walk};
use super::time::Zones;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Patterns of one kind that are kept. A pattern out of the request displaces the one in its place; a policy uses few.
const PATTERNS_MAX: usize = 256;

/// One per VM.
#[derive(Debug, Default)]
pub struct Caches {
    globs: PatternCache<Glob>,
    /// Time zones by name.
    pub(super) zones: Zones,
    /// Bytes that are being written.
    pub(super) scratch: Vec<u8>,
    /// Scratch memory of the pattern walks.
    pub(super) glob_walk: Walk,
}

impl Caches {
    /// The compiled form of a glob pattern with its delimiters; `None` when it is malformed.
    pub(super) fn glob(&mut self, pattern: &str, delimiters: Option<&str>) -> Option<(&Glob, &mut Walk)> {
        let option = delimiters.map_or(('n', ""), |chars| ('d', chars));
        let glob = self
            .globs
            .get(pattern, option, || Glob::new(pattern, delimiters))?;
        Some((glob, &mut self.glob_walk))
    }
}

/// Compiled patterns, each at the one place that its hash gives.
#[derive(Debug)]
struct PatternCache<T> {
    places: Vec<Option<Kept<T>>>,
}

#[derive(Debug)]
struct Kept<T> {
    pattern: String,
    option: (char, String),
    compiled: Option<T>,
}

impl<T> Default for PatternCache<T> {
    fn default() -> Self {
        PatternCache { places: Vec::new() }
    }
}

impl<T> PatternCache<T> {
    fn get(
        &mut self,
        pattern: &str,
        option: (char, &str),
        compile: impl FnOnce() -> Option<T>,
    ) -> Option<&T> {
        if self.places.is_empty() {
            self.places.resize_with(PATTERNS_MAX, || None);
        }
        let mut hasher = DefaultHasher::new();
        (pattern, option).hash(&mut hasher);
        let at = (hasher.finish() % PATTERNS_MAX as u64) as usize;
        let place = self.places.get_mut(at)?;
        let is_kept = place.as_ref().is_some_and(|kept| {
            kept.pattern == pattern && kept.option.0 == option.0 && kept.option.1 == option.1
        });
        if !is_kept {
            *place = Some(Kept {
                pattern: pattern.to_owned(),
                option: (option.0, option.1.to_owned()),
                compiled: compile(),
            });
        }
        place.as_ref()?.compiled.as_ref()
    }
}
