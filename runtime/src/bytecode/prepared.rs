//! Patterns that the compiler found constant and that are compiled once, when the image is made.

use crate::builtins::Glob;

/// What to prepare.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PreparedSpec {
    /// A pattern of the `regex.*` builtins.
    Regex(String),
    /// Pattern and delimiters of `glob.match`; `None`: `null`.
    Glob(String, Option<Vec<String>>),
}

/// What was prepared.
#[derive(Debug)]
pub enum Prepared {
    /// A compiled pattern of `glob.match`.
    Glob(Glob),
    /// The pattern is wrong: the builtin finds the same when it runs, and fails.
    Bad,
}

impl Prepared {
    /// Compiles what the specification asks for.
    #[must_use]
    pub fn new(spec: &PreparedSpec) -> Prepared {
        match spec {
            PreparedSpec::Regex(_) => Prepared::Bad,
            PreparedSpec::Glob(pattern, delimiters) => {
                let single = |text: &String| text.chars().count() == 1;
                let fit = delimiters.as_ref().is_none_or(|list| list.iter().all(single));
                let chars = delimiters.as_ref().map(|list| list.concat());
                let glob = fit.then(|| Glob::new(pattern, chars.as_deref())).flatten();
                glob.map_or(Prepared::Bad, Prepared::Glob)
            }
        }
    }
}
