//! Annotations as values.

use crate::source::Span;
use gavel_runtime::value::Constant;

/// A METADATA block and what it belongs to.
#[derive(Clone, Debug)]
pub struct Annotation {
    /// The comment `# METADATA`.
    pub span: Span,
    /// How far it reaches.
    pub scope: Scope,
    /// The statement below it.
    pub target: Target,
    /// What it says.
    pub fields: Fields,
}

/// How far an annotation reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// One rule.
    Rule,
    /// All rules of one name.
    Document,
    /// One package.
    Package,
    /// A package and those below it.
    Subpackages,
}

impl Scope {
    /// The word of a METADATA block.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Rule => "rule",
            Scope::Document => "document",
            Scope::Package => "package",
            Scope::Subpackages => "subpackages",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Scope> {
        [Scope::Rule, Scope::Document, Scope::Package, Scope::Subpackages]
            .into_iter()
            .find(|scope| scope.as_str() == word)
    }
}

/// The statement that an annotation stands above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// The package clause.
    Package,
    /// A rule, by its place in the module.
    Rule(usize),
}

/// The members of a block. Texts are empty where nothing was written.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    /// `title`
    pub title: String,
    /// `description`
    pub description: String,
    /// `entrypoint`
    pub entrypoint: bool,
    /// `organizations`
    pub organizations: Vec<String>,
    /// `related_resources`
    pub related_resources: Vec<Resource>,
    /// `authors`
    pub authors: Vec<Author>,
    /// `schemas`
    pub schemas: Vec<Schema>,
    /// `custom`
    pub custom: Free,
    /// `labels`
    pub labels: Free,
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The URL in its normal form.
    pub reference: String,
    /// May be empty.
    pub description: String,
}

/// A person; one of the two is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// May be empty.
    pub name: String,
    /// May be empty.
    pub email: String,
}

/// What is known about a document.
#[derive(Clone, Debug)]
pub struct Schema {
    /// The document.
    pub path: Path,
    /// Its schema.
    pub definition: Definition,
}

/// Where a schema stands.
#[derive(Clone, Debug)]
pub enum Definition {
    /// `schema.…`: a member of the set of schemas that a caller may have. There is none here.
    Named(Path),
    /// In the block.
    Inline(Constant),
}

/// A reference as a block names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// `input`, `data`, `schema` or a name.
    pub head: String,
    /// What follows.
    pub steps: Vec<Step>,
}

/// One element of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A scalar.
    Key(Constant),
    /// Anything else, as text.
    Other(String),
}

/// Members that mean nothing to the language.
#[derive(Clone, Debug, Default)]
pub struct Free(pub Vec<(String, Constant)>);
