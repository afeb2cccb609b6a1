//! Signatures of builtins in the language of the checker.

use super::ty::{FunctionType, Type};
use gavel_runtime::builtins::{self, BuiltinId};
use gavel_runtime::value::Constant;
use std::collections::HashMap;
use std::rc::Rc;

/// Signatures, made at their first use.
#[derive(Debug, Default)]
pub(super) struct Signatures {
    made: HashMap<BuiltinId, Rc<FunctionType>>,
}

impl Signatures {
    /// The signature of a builtin.
    pub(super) fn get(&mut self, id: BuiltinId) -> Rc<FunctionType> {
        let made = self.made.entry(id).or_insert_with(|| {
            let row = id.get();
            Rc::new(FunctionType {
                args: row.args.iter().map(convert).collect(),
                result: convert(&row.result),
            })
        });
        Rc::clone(made)
    }
}

fn convert(declared: &builtins::Type) -> Type {
    match declared {
        builtins::Type::Any => Type::Any,
        builtins::Type::Null => Type::Null,
        builtins::Type::Boolean => Type::Boolean,
        builtins::Type::Number => Type::Number,
        builtins::Type::String => Type::String,
        builtins::Type::Array(items, rest) => {
            Type::array(items.iter().map(convert).collect(), rest.map(convert))
        }
        builtins::Type::Object(members, rest) => Type::object(
            members
                .iter()
                .map(|(key, value)| (Constant::String((*key).to_owned()), convert(value)))
                .collect(),
            rest.map(|(key, value)| (convert(key), convert(value))),
        ),
        builtins::Type::Set(member) => Type::set(convert(member)),
        builtins::Type::Or(options) => Type::one_of(options.iter().map(convert)),
    }
}
