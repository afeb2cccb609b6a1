//! Types that several builtins have in common.

use super::Type;

/// Anything.
pub(super) const ANY: Type = Type::Any;
/// Null.
pub(super) const NULL: Type = Type::Null;
/// A boolean.
pub(super) const BOOLEAN: Type = Type::Boolean;
/// A number.
pub(super) const NUMBER: Type = Type::Number;
/// A string.
pub(super) const STRING: Type = Type::String;
/// Any array.
pub(super) const ARRAY: Type = Type::Array(&[], Some(&ANY));
/// Any object.
pub(super) const OBJECT: Type = Type::Object(&[], Some((&ANY, &ANY)));
/// Objects with string keys.
pub(super) const DICT: Type = Type::Object(&[], Some((&STRING, &ANY)));
/// Strings by string.
pub(super) const STRING_DICT: Type = Type::Object(&[], Some((&STRING, &STRING)));
/// Any set.
pub(super) const SET: Type = Type::Set(&ANY);
/// Sets of sets.
pub(super) const SETS: Type = Type::Set(&SET);
/// Sets of strings.
pub(super) const STRING_SET: Type = Type::Set(&STRING);
/// Arrays of strings.
pub(super) const STRINGS: Type = Type::Array(&[], Some(&STRING));
/// Arrays of numbers.
pub(super) const NUMBERS: Type = Type::Array(&[], Some(&NUMBER));
/// Arrays of objects.
pub(super) const DICTS: Type = Type::Array(&[], Some(&DICT));
/// Three numbers.
pub(super) const TRIPLE: Type = Type::Array(&[NUMBER, NUMBER, NUMBER], None);
/// Arrays and sets.
pub(super) const LIST_OR_SET: Type = Type::Or(&[ARRAY, SET]);
/// Arrays, objects and sets.
pub(super) const COLLECTION: Type = Type::Or(&[ARRAY, OBJECT, SET]);
/// What `minus` takes.
pub(super) const NUMBER_OR_SET: Type = Type::Or(&[NUMBER, SET]);
/// What `sum` takes.
pub(super) const NUMBERS_OR_SET: Type = Type::Or(&[NUMBERS, Type::Set(&NUMBER)]);
/// A document or its parsed form.
pub(super) const STRING_OR_OBJECT: Type = Type::Or(&[STRING, OBJECT]);
/// One string or several.
pub(super) const STRING_OR_STRINGS: Type = Type::Or(&[STRING, STRINGS, STRING_SET]);
/// Nanoseconds, or nanoseconds and a time zone.
pub(super) const MOMENT: Type = Type::Or(&[NUMBER, Type::Array(&[NUMBER, STRING], None)]);
/// A path as `a/b` or as an array.
pub(super) const PATH: Type = Type::Or(&[STRING, ARRAY]);
/// Paths.
pub(super) const PATHS: Type = Type::Or(&[Type::Array(&[], Some(&PATH)), Type::Set(&PATH)]);
/// Neighbours by node.
pub(super) const GRAPH: Type = Type::Object(&[], Some((&ANY, &LIST_OR_SET)));
/// A network, or an array that begins with one.
pub(super) const CIDR: Type = PATH;
/// Networks, alone or in collections.
pub(super) const CIDRS: Type = Type::Or(&[
    STRING,
    Type::Array(&[], Some(&CIDR)),
    Type::Object(&[], Some((&STRING, &CIDR))),
    Type::Set(&CIDR),
]);
/// Whether a chain is valid, and the chain.
pub(super) const CERTIFICATES: Type = Type::Array(&[BOOLEAN, DICTS], None);
/// Whether something holds, and two parts of it.
pub(super) const VERIFIED: Type = Type::Array(&[BOOLEAN, OBJECT, OBJECT], None);
