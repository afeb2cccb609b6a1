//! A compiled schema: its parts in one list, which refer to each other by number.

use super::formats::Format;
use crate::re2::Pattern;
use regex_automata::meta;

/// A whole schema.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) nodes: Vec<Node>,
    pub(super) root: NodeId,
    pub(super) patterns: Vec<Searcher>,
}

/// Index into [`Schema::nodes`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct NodeId(pub(super) u32);

/// Index into [`Schema::patterns`].
#[derive(Clone, Copy, Debug)]
pub(super) struct PatternId(pub(super) u32);

/// A regular expression with the memory that searching needs.
#[derive(Debug)]
pub(super) struct Searcher {
    pub(super) pattern: Pattern,
    pub(super) cache: meta::Cache,
}

/// One schema among the parts.
#[derive(Debug, Default)]
pub(super) enum Node {
    /// Not read yet; only while the schema is compiled.
    #[default]
    Pending,
    /// `true`, `false`
    Boolean(bool),
    /// `$ref`: nothing beside it counts.
    Reference(NodeId),
    /// Keywords.
    Rules(Box<Rules>),
}

/// The keywords of one schema.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) types: Types,
    pub(super) combined: Option<Box<Combined>>,
    pub(super) numbers: Option<Box<Numbers>>,
    pub(super) common: Option<Box<Common>>,
    pub(super) strings: Option<Box<Strings>>,
    pub(super) arrays: Option<Box<Arrays>>,
    pub(super) objects: Option<Box<Objects>>,
}

/// `type`
#[derive(Debug, Default)]
pub(super) struct Types {
    pub(super) names: Vec<TypeName>,
    /// As it appears in errors.
    pub(super) shown: Box<str>,
}

/// A type of JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TypeName {
    Array,
    Boolean,
    Integer,
    Number,
    Null,
    Object,
    String,
}

/// Keywords that combine schemas, for values of all types.
#[derive(Debug, Default)]
pub(super) struct Combined {
    pub(super) any_of: Vec<NodeId>,
    pub(super) one_of: Vec<NodeId>,
    pub(super) all_of: Vec<NodeId>,
    pub(super) not: Option<NodeId>,
    /// Sorted by name.
    pub(super) dependencies: Vec<(Box<str>, Dependency)>,
    pub(super) condition: Option<NodeId>,
    pub(super) then: Option<NodeId>,
    pub(super) otherwise: Option<NodeId>,
}

/// What the presence of a member asks for.
#[derive(Debug)]
pub(super) enum Dependency {
    Members(Vec<Box<str>>),
    Schema(NodeId),
}

/// A number in a schema.
#[derive(Debug)]
pub(super) struct Bound {
    /// As it was written.
    pub(super) text: Box<str>,
    /// As it appears in errors.
    pub(super) shown: Box<str>,
}

#[derive(Debug, Default)]
pub(super) struct Numbers {
    pub(super) multiple_of: Option<Bound>,
    pub(super) maximum: Option<Bound>,
    pub(super) exclusive_maximum: Option<Bound>,
    pub(super) minimum: Option<Bound>,
    pub(super) exclusive_minimum: Option<Bound>,
}

/// Keywords for values of all types.
#[derive(Debug, Default)]
pub(super) struct Common {
    /// Normal text of the only value (see `values.rs`).
    pub(super) constant: Option<Box<str>>,
    pub(super) choices: Option<Choices>,
    pub(super) format: Option<(Format, Box<str>)>,
}

/// `enum`
#[derive(Debug)]
pub(super) struct Choices {
    /// Normal texts of the values.
    pub(super) texts: Vec<Box<str>>,
    /// As they appear in errors.
    pub(super) shown: Box<str>,
}

#[derive(Debug, Default)]
pub(super) struct Strings {
    pub(super) min_length: Option<i64>,
    pub(super) max_length: Option<i64>,
    pub(super) pattern: Option<(PatternId, Box<str>)>,
}

#[derive(Debug, Default)]
pub(super) struct Arrays {
    pub(super) items: Items,
    pub(super) additional: Rest,
    pub(super) min_items: Option<i64>,
    pub(super) max_items: Option<i64>,
    pub(super) unique: bool,
    pub(super) contains: Option<NodeId>,
}

/// `items`
#[derive(Debug)]
pub(super) enum Items {
    /// One schema for all.
    Each(NodeId),
    /// A schema for each of the first ones.
    First(Vec<NodeId>),
}

impl Default for Items {
    fn default() -> Items {
        Items::First(Vec::new())
    }
}

/// What holds for items and members that no other keyword names.
#[derive(Debug, Default)]
pub(super) enum Rest {
    #[default]
    Unsaid,
    Allowed(bool),
    Schema(NodeId),
}

#[derive(Debug, Default)]
pub(super) struct Objects {
    /// Sorted by name.
    pub(super) properties: Vec<(Box<str>, NodeId)>,
    pub(super) patterns: Vec<(PatternId, NodeId)>,
    pub(super) additional: Rest,
    pub(super) names: Option<NodeId>,
    pub(super) min_properties: Option<i64>,
    pub(super) max_properties: Option<i64>,
    pub(super) required: Vec<Box<str>>,
}

impl TypeName {
    pub(super) const ALL: [TypeName; 7] = [
        TypeName::Array,
        TypeName::Boolean,
        TypeName::Integer,
        TypeName::Number,
        TypeName::Null,
        TypeName::Object,
        TypeName::String,
    ];

    pub(super) fn text(self) -> &'static str {
        match self {
            TypeName::Array => "array",
            TypeName::Boolean => "boolean",
            TypeName::Integer => "integer",
            TypeName::Number => "number",
            TypeName::Null => "null",
            TypeName::Object => "object",
            TypeName::String => "string",
        }
    }
}
