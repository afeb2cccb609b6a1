//! Trees as values: making objects without empty members, and looking at their members.

use crate::arena::Arena;
use crate::builtins::Failure;
use crate::error::EvalErrorKind;
use crate::value::{Entry, Kind, Value, sort_entries};

/// Why a document is refused: it is wrong, or a budget ran out.
pub(super) type Checked<T = ()> = Result<T, Failure>;

/// The document is wrong.
pub(super) const WRONG: Failure = Failure::BUILTIN;

/// The kinds of values in gqlparser's numbers.
pub(super) mod kind {
    pub(crate) const VARIABLE: i64 = 0;
    pub(crate) const INT: i64 = 1;
    pub(crate) const FLOAT: i64 = 2;
    pub(crate) const STRING: i64 = 3;
    pub(crate) const BLOCK: i64 = 4;
    pub(crate) const BOOLEAN: i64 = 5;
    pub(crate) const NULL: i64 = 6;
    pub(crate) const ENUM: i64 = 7;
    pub(crate) const LIST: i64 = 8;
    pub(crate) const OBJECT: i64 = 9;
}

/// An object of members of which unset values, nulls and empty collections are left out.
pub(super) fn object<'r>(arena: &'r Arena, members: &[(&'static str, Value<'r>)]) -> Checked<Value<'r>> {
    let mut entries = arena.list(members.len()).map_err(Failure::Abort)?;
    for (key, value) in members {
        if !is_nothing(*value) {
            entries.push(Entry {
                key: Value::string(key),
                value: *value,
            });
        }
    }
    let entries = arena.entries_mut(&entries).map_err(Failure::Abort)?;
    sort_entries(arena, entries).map_err(Failure::Abort)?;
    Ok(Value::object(entries))
}

/// An array; unset for an empty one.
pub(super) fn array<'r>(arena: &'r Arena, items: &[Value<'r>]) -> Result<Value<'r>, EvalErrorKind> {
    Ok(match items {
        [] => Value::UNSET,
        items => Value::array(arena.values(items)?),
    })
}

/// What gqlparser's trees lose on their way to the policy.
pub(super) fn is_nothing(value: Value<'_>) -> bool {
    match value.kind() {
        Kind::Undefined | Kind::Null => true,
        Kind::Array(items) => items.is_empty(),
        Kind::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// A text member; empty when it is not there.
pub(super) fn text<'r>(node: Value<'r>, key: &str) -> &'r str {
    node.field(key).and_then(Value::as_str).unwrap_or_default()
}

/// A boolean member; false when it is not there.
pub(super) fn flag(node: Value<'_>, key: &str) -> bool {
    matches!(node.field(key).map(Value::kind), Some(Kind::Bool(true)))
}

/// The elements of a member; none when it is not there.
pub(super) fn list<'r>(node: Value<'r>, key: &str) -> &'r [Value<'r>] {
    match node.field(key).map(Value::kind) {
        Some(Kind::Array(items)) => items,
        _ => &[],
    }
}

/// The first of some nodes that has a name.
pub(super) fn named<'r>(nodes: &[Value<'r>], name: &str) -> Option<Value<'r>> {
    nodes.iter().copied().find(|node| text(*node, "Name") == name)
}

/// The kind of a value node.
pub(super) fn value_kind(node: Value<'_>) -> i64 {
    node.field("Kind").and_then(Value::as_int).unwrap_or(0)
}

/// The name at the heart of a type: `T` of `[T!]!`.
pub(super) fn type_name(node: Value<'_>) -> &str {
    let mut node = node;
    loop {
        match (text(node, "NamedType"), node.field("Elem")) {
            ("", Some(element)) => node = element,
            (name, _) => return name,
        }
    }
}
