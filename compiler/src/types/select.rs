//! What can be reached from a type: its keys, its values, one member, the type at the end of a path.

use super::ty::{ObjectType, Type};
use gavel_runtime::value::Constant;

impl Type {
    /// The type of a constant.
    pub(super) fn of_constant(value: &Constant) -> Type {
        match value {
            Constant::Null => Type::Null,
            Constant::Bool(_) => Type::Boolean,
            Constant::Int(_) | Constant::Number(_) => Type::Number,
            Constant::String(_) => Type::String,
            Constant::Array(items) => Type::array(items.iter().map(Type::of_constant).collect(), None),
            Constant::Object(entries) => Type::object(
                entries
                    .iter()
                    .map(|(k, v)| (property(k), Type::of_constant(v)))
                    .collect(),
                None,
            ),
            Constant::Set(members) => Type::set(Type::one_of(members.iter().map(Type::of_constant))),
        }
    }

    /// What an index or key of the type may be; unknown for what has none.
    pub(super) fn keys(&self) -> Type {
        match self {
            Type::Any => Type::Any,
            Type::Array(_) => Type::Number,
            Type::Object(t) => {
                let fixed = t.members.iter().map(|(k, _)| Type::of_constant(k));
                Type::one_of(fixed.chain(t.rest.iter().map(|(k, _)| k.clone())))
            }
            Type::Set(t) => t.member.clone(),
            Type::OneOf(t) => Type::one_of(t.options.iter().map(Type::keys)),
            Type::Unknown | Type::Null | Type::Boolean | Type::Number | Type::String | Type::Function(_) => {
                Type::Unknown
            }
        }
    }

    /// What an element of the type may be; unknown for what has none.
    pub(super) fn values(&self) -> Type {
        match self {
            Type::Any => Type::Any,
            Type::Array(t) => Type::one_of(t.items.iter().chain(&t.rest).cloned()),
            Type::Object(t) => {
                let members = t.members.iter().map(|(_, v)| v);
                let all = members.chain(t.rest.iter().map(|(_, v)| v));
                if all.clone().any(|v| matches!(v, Type::Function(_))) {
                    // A package: a function takes away what was known before it, as in OPA.
                    all.fold(Type::Unknown, |known, v| known.or(v))
                } else {
                    Type::one_of(all.cloned())
                }
            }
            Type::Set(t) => t.member.clone(),
            Type::OneOf(t) => Type::one_of(t.options.iter().map(Type::values)),
            Type::Unknown | Type::Null | Type::Boolean | Type::Number | Type::String | Type::Function(_) => {
                Type::Unknown
            }
        }
    }

    /// The type of the member at a constant key; unknown when there can be none.
    pub(super) fn member(&self, key: &Constant) -> Type {
        match self {
            Type::Any => Type::Any,
            Type::Array(t) => {
                let Some(at) = array_index(key) else {
                    return Type::Unknown;
                };
                t.items
                    .get(at)
                    .or(t.rest.as_ref())
                    .cloned()
                    .unwrap_or(Type::Unknown)
            }
            Type::Object(t) => t.member(key),
            Type::Set(t) => {
                let key = Type::of_constant(key);
                if t.member.contains(&key) {
                    key
                } else {
                    Type::Unknown
                }
            }
            Type::OneOf(t) => {
                let members = t.options.iter().map(|option| option.member(key));
                if members.clone().any(|member| matches!(member, Type::Function(_))) {
                    // A package that `with` may have replaced.
                    members.fold(Type::Unknown, |known, member| member.or(&known))
                } else {
                    Type::one_of(members)
                }
            }
            Type::Unknown | Type::Null | Type::Boolean | Type::Number | Type::String | Type::Function(_) => {
                Type::Unknown
            }
        }
    }

    /// Whether the other type is this one or one of its alternatives.
    fn contains(&self, other: &Type) -> bool {
        match self {
            Type::Any => true,
            Type::OneOf(t) => t.options.binary_search_by(|option| option.compare(other)).is_ok(),
            _ => self.compare(other).is_eq(),
        }
    }
}

impl ObjectType {
    /// The type of a member that is known by its key.
    pub(super) fn fixed(&self, key: &Constant) -> Option<&Type> {
        let at = self.members.partition_point(|(k, _)| k.compare(key).is_lt());
        let (found, value) = self.members.get(at)?;
        (found == key).then_some(value)
    }

    /// The type of the member at a constant key; unknown when there can be none.
    pub(super) fn member(&self, key: &Constant) -> Type {
        let filed;
        let key = match key {
            Constant::Array(_) | Constant::Set(_) => {
                filed = property(key);
                &filed
            }
            scalar_or_object => scalar_or_object,
        };
        if let Some(value) = self.fixed(key) {
            return value.clone();
        }
        match &self.rest {
            Some((keys, value)) if keys.contains(&Type::of_constant(key)) => value.clone(),
            _ => Type::Unknown,
        }
    }
}

/// A constant as the key of an object type. Sets are filed as arrays: such a member is found by iterating only.
pub(super) fn property(key: &Constant) -> Constant {
    match key {
        Constant::Set(members) | Constant::Array(members) => {
            Constant::Array(members.iter().map(property).collect())
        }
        other => other.clone(),
    }
}

/// The position that a number in its own spelling names: `1`, not `1.0`.
fn array_index(key: &Constant) -> Option<usize> {
    match key {
        Constant::Int(at) => usize::try_from(*at).ok(),
        // `-0` is spelled unlike the integer that it is.
        Constant::Number(text) => text.parse::<i64>().ok().and_then(|at| usize::try_from(at).ok()),
        _ => None,
    }
}
