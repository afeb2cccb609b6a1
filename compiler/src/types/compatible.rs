//! Whether two types can have a value in common.

use super::ty::{ArrayType, ObjectType, Type};

/// Comparisons of one question; a question that needs more is answered with yes.
const STEPS_MAX: u32 = 1 << 20;

/// Whether a value can be of both types. Unknown is compatible with nothing: ask only what is known.
pub(super) fn compatible(a: &Type, b: &Type) -> bool {
    Comparison { steps: STEPS_MAX }.types(a, b)
}

struct Comparison {
    steps: u32,
}

impl Comparison {
    fn types(&mut self, a: &Type, b: &Type) -> bool {
        let Some(left) = self.steps.checked_sub(1) else {
            return true;
        };
        self.steps = left;
        match (a, b) {
            (Type::Unknown, _) | (_, Type::Unknown) => false,
            (Type::Function(a), Type::Function(b)) => {
                a.args.len() == b.args.len() && a.args.iter().zip(&b.args).all(|(a, b)| self.types(a, b))
            }
            (Type::Function(_), _) | (_, Type::Function(_)) => false,
            (Type::Any, _) | (_, Type::Any) => true,
            (Type::OneOf(t), other) | (other, Type::OneOf(t)) => {
                t.options.iter().any(|option| self.types(option, other))
            }
            (Type::Array(a), Type::Array(b)) => self.arrays(a, b),
            (Type::Object(a), Type::Object(b)) => self.objects(a, b),
            (Type::Set(a), Type::Set(b)) => {
                // The empty set is a member of every set type.
                matches!(a.member, Type::Unknown)
                    || matches!(b.member, Type::Unknown)
                    || self.types(&a.member, &b.member)
            }
            (Type::Null, Type::Null)
            | (Type::Boolean, Type::Boolean)
            | (Type::Number, Type::Number)
            | (Type::String, Type::String) => true,
            (
                Type::Null
                | Type::Boolean
                | Type::Number
                | Type::String
                | Type::Array(_)
                | Type::Object(_)
                | Type::Set(_),
                _,
            ) => false,
        }
    }

    fn arrays(&mut self, a: &ArrayType, b: &ArrayType) -> bool {
        let fixed = a.items.len().max(b.items.len());
        for at in 0..fixed {
            let (Some(x), Some(y)) = (
                a.items.get(at).or(a.rest.as_ref()),
                b.items.get(at).or(b.rest.as_ref()),
            ) else {
                return false;
            };
            if !self.types(x, y) {
                return false;
            }
        }
        match (&a.rest, &b.rest) {
            (Some(x), Some(y)) => self.types(x, y),
            _ => true,
        }
    }

    fn objects(&mut self, a: &ObjectType, b: &ObjectType) -> bool {
        self.members(a, b, true)
            && self.members(b, a, false)
            && match (&a.rest, &b.rest) {
                (Some((_, x)), Some((_, y)))
                    if !matches!((x, y), (Type::Unknown, _) | (_, Type::Unknown)) =>
                {
                    self.types(x, y)
                }
                _ => true,
            }
    }

    /// The fixed members of `a` against `b`; those that `b` has fixed as well only when `shared`.
    fn members(&mut self, a: &ObjectType, b: &ObjectType, shared: bool) -> bool {
        let open = [a, b]
            .iter()
            .any(|t| t.rest.as_ref().is_some_and(|(_, v)| !matches!(v, Type::Unknown)));
        a.members.iter().all(|(key, _)| {
            if !shared && b.fixed(key).is_some() {
                return true;
            }
            match b.member(key) {
                Type::Unknown => open,
                // By key, because of keys that occur twice.
                other => a.fixed(key).is_some_and(|value| self.types(value, &other)),
            }
        })
    }
}
