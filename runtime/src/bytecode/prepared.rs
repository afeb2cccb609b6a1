//! Patterns that the compiler found constant, and indices of bodies: made ready once, when the image is.

use super::{Switch, SwitchSpec};
use crate::builtins::Glob;
use crate::limits::PREPARED_BYTES_MAX;
use crate::re2::{self, Pattern};
use borsh::{BorshDeserialize, BorshSerialize};
use std::sync::atomic::{AtomicU64, Ordering};

/// What to prepare.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum PreparedSpec {
    /// A pattern of the `regex.*` builtins.
    Regex(String),
    /// Pattern and delimiters of `glob.match`; `None`: `null`.
    Glob(String, Option<Vec<String>>),
    /// The index of a switch.
    Switch(SwitchSpec),
}

/// What was prepared.
#[derive(Debug)]
pub enum Prepared {
    /// A compiled pattern of the `regex.*` builtins.
    Regex(PreparedRegex),
    /// A compiled pattern of `glob.match`.
    Glob(Glob),
    /// The index of a switch.
    Switch(Switch),
    /// The pattern is wrong or needs too much: the builtin finds the same when it runs, and fails.
    Bad,
}

/// A compiled pattern with a number of its own, by which each core finds the memory for its searches.
#[derive(Debug)]
pub struct PreparedRegex {
    id: u64,
    pattern: Pattern,
}

impl PreparedRegex {
    fn new(pattern: Pattern) -> PreparedRegex {
        // Numbers are never used twice in a process, so that memory of a replaced image is not taken for that of a new one.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        PreparedRegex {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            pattern,
        }
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn pattern(&self) -> &Pattern {
        &self.pattern
    }
}

impl Prepared {
    /// Compiles what the specifications ask for, in order, as long as the program's share of memory lasts. What comes
    /// after is compiled by the builtin, within the bounds of a request.
    #[must_use]
    pub fn all(specs: &[PreparedSpec]) -> Box<[Prepared]> {
        let mut left = PREPARED_BYTES_MAX;
        specs
            .iter()
            .map(|spec| {
                let prepared = Prepared::new(spec, left);
                if let Prepared::Regex(regex) = &prepared {
                    left = left.saturating_sub(regex.pattern.memory_bytes());
                }
                prepared
            })
            .collect()
    }

    fn new(spec: &PreparedSpec, bytes_max: usize) -> Prepared {
        match spec {
            PreparedSpec::Regex(pattern) => {
                match re2::compile_within(pattern, bytes_max.min(re2::NFA_BYTES_MAX)) {
                    Ok(pattern) => Prepared::Regex(PreparedRegex::new(pattern)),
                    Err(_) => Prepared::Bad,
                }
            }
            PreparedSpec::Glob(pattern, delimiters) => {
                let single = |text: &String| text.chars().count() == 1;
                let fit = delimiters.as_ref().is_none_or(|list| list.iter().all(single));
                let chars = delimiters.as_ref().map(|list| list.concat());
                let glob = fit.then(|| Glob::new(pattern, chars.as_deref())).flatten();
                glob.map_or(Prepared::Bad, Prepared::Glob)
            }
            PreparedSpec::Switch(spec) => Prepared::Switch(Switch::new(spec)),
        }
    }
}
