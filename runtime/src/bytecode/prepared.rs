//! Patterns that the compiler found constant and that are compiled once, when the image is made.

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
    /// The pattern is wrong: the builtin fails.
    Bad,
}
