//! The list of known failures: a case that is on it may fail, one that passes must leave it.
//!
//! One line a case: `FILE NOTE` separated by a tab, sorted; `#` starts a comment. Lines are only ever taken out.

use std::collections::BTreeSet;

/// The list.
#[derive(Clone, Debug, Default)]
pub struct Ratchet {
    known: BTreeSet<String>,
}

impl Ratchet {
    /// Reads the list.
    #[must_use]
    pub fn parse(text: &str) -> Ratchet {
        let lines = text
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        Ratchet {
            known: lines.map(str::to_owned).collect(),
        }
    }

    /// Failures that are not on the list, and entries of the list that no longer fail, in order.
    #[must_use]
    pub fn compare(&self, failures: &BTreeSet<String>) -> (Vec<String>, Vec<String>) {
        let new = failures.difference(&self.known).cloned().collect();
        let gone = self.known.difference(failures).cloned().collect();
        (new, gone)
    }
}
