//! `--trace-filter`: which policies and mappers are traced.

use gavel_runtime::re2::{self, Pattern};

use crate::error::Failure;

/// Patterns in Go's syntax, unanchored; one that matches is enough, and none at all means everything.
#[derive(Debug)]
pub struct Filter(Vec<Pattern>);

impl Filter {
    /// Reads the patterns.
    ///
    /// # Errors
    /// The first that is none.
    pub fn new(patterns: &[String]) -> Result<Filter, Failure> {
        let compiled = patterns.iter().map(|text| {
            re2::compile(text).map_err(|error| {
                Failure::Usage(format!(
                    "invalid pattern `{text}` for flag --trace-filter: {error}"
                ))
            })
        });
        compiled.collect::<Result<_, _>>().map(Filter)
    }

    /// Whether what has this name is traced.
    #[must_use]
    pub fn wants(&self, name: &str) -> bool {
        let matches = |pattern: &Pattern| pattern.is_match(&mut pattern.create_cache(), name);
        self.0.is_empty() || self.0.iter().any(matches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pattern_is_enough_and_none_is_all() {
        let filter = |texts: &[&str]| Filter::new(&texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>());
        let wants = |texts: &[&str], name: &str| filter(texts).unwrap().wants(name);
        assert!(wants(&[], "mrn:a"));
        assert!(wants(&["gate$", "cre"], "mrn:crew"));
        assert!(!wants(&["gate$", "^cre"], "mrn:crew"));
        assert!(filter(&["gate", "("]).is_err());
    }
}
