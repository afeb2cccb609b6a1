//! What is wrong with a document, as facts; OPA's error objects are made of those that are left in the end.

use super::schema::TypeName;
use crate::arena::Arena;
use crate::builtins::Failure;
use crate::builtins::output::Text;
use crate::error::EvalErrorKind;
use crate::value::{Entry, Value};
use std::cell::Cell;

/// The way from the root to a part of the document. Lives on the stack of the walk; its text is made when it is asked for.
pub(super) struct Place<'p, 'r> {
    step: Step<'r>,
    above: Option<&'p Place<'p, 'r>>,
    text: Cell<Option<&'r str>>,
}

/// One step of a way.
#[derive(Clone, Copy)]
pub(super) enum Step<'r> {
    Root,
    Member(&'r str),
    Item(usize),
}

/// A problem at a place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Problem<'s, 'r> {
    pub(super) what: What<'s, 'r>,
    /// The place, without the root.
    pub(super) field: &'r str,
}

/// Kinds of problems with what their texts need.
#[derive(Clone, Copy, Debug)]
pub(super) enum What<'s, 'r> {
    False,
    Required(&'s str),
    InvalidType { expected: &'s str, given: TypeName },
    AnyOf,
    OneOf,
    AllOf,
    Not,
    MissingDependency(&'s str),
    Const(&'s str),
    Enum(&'s str),
    AdditionalItems,
    MinItems(i64),
    MaxItems(i64),
    Unique(usize, usize),
    Contains,
    MinProperties(i64),
    MaxProperties(i64),
    AdditionalProperty(&'r str),
    PropertyName(&'r str),
    MinLength(i64),
    MaxLength(i64),
    Pattern(&'s str),
    Format(&'s str),
    MultipleOf(&'s str),
    BelowMinimum(&'s str),
    NotAbove(&'s str),
    AboveMaximum(&'s str),
    NotBelow(&'s str),
    Then,
    Else,
}

impl<'p, 'r> Place<'p, 'r> {
    pub(super) fn root() -> Place<'p, 'r> {
        Place {
            step: Step::Root,
            above: None,
            text: Cell::new(None),
        }
    }

    pub(super) fn below(&'p self, step: Step<'r>) -> Place<'p, 'r> {
        Place {
            step,
            above: Some(self),
            text: Cell::new(None),
        }
    }

    /// The place in errors: `(Root)`, or the steps from there with points between them.
    pub(super) fn field(&self, arena: &'r Arena) -> Result<&'r str, Failure> {
        if let Some(text) = self.text.get() {
            return Ok(text);
        }
        let mut out = Text::new(arena);
        self.write(&mut out)?;
        let text = out.finish()?;
        self.text.set(Some(text));
        Ok(text)
    }

    fn write(&self, out: &mut Text<'_>) -> Result<(), Failure> {
        let Some(above) = self.above else {
            return out.push_str("(Root)");
        };
        if above.above.is_some() {
            above.write(out)?;
            out.push('.')?;
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Member(name) => out.push_str(name),
            Step::Item(index) => out.format(format_args!("{index}")),
        }
    }
}

impl<'r> Problem<'_, 'r> {
    /// OPA's error object.
    pub(super) fn describe(&self, arena: &'r Arena) -> Result<Value<'r>, Failure> {
        let mut out = Text::new(arena);
        out.push_str(self.field)?;
        out.push_str(": ")?;
        let start = out.len();
        self.what.write(&mut out, self.field)?;
        let error = out.finish()?;
        let desc = error.get(start..).unwrap_or_default();
        let entry = |key, text| Entry {
            key: Value::string(key),
            value: Value::string(text),
        };
        let entries = arena
            .entries_mut(&[
                entry("desc", desc),
                entry("error", error),
                entry("field", self.field),
                entry("type", self.what.name()),
            ])
            .map_err(|_| EvalErrorKind::ArenaExhausted)?;
        Ok(Value::object(entries))
    }
}

impl What<'_, '_> {
    /// gojsonschema's name of the kind.
    fn name(&self) -> &'static str {
        match self {
            What::False => "false",
            What::Required(_) => "required",
            What::InvalidType { .. } => "invalid_type",
            What::AnyOf => "number_any_of",
            What::OneOf => "number_one_of",
            What::AllOf => "number_all_of",
            What::Not => "number_not",
            What::MissingDependency(_) => "missing_dependency",
            What::Const(_) => "const",
            What::Enum(_) => "enum",
            What::AdditionalItems => "array_no_additional_items",
            What::MinItems(_) => "array_min_items",
            What::MaxItems(_) => "array_max_items",
            What::Unique(..) => "unique",
            What::Contains => "contains",
            What::MinProperties(_) => "array_min_properties",
            What::MaxProperties(_) => "array_max_properties",
            What::AdditionalProperty(_) => "additional_property_not_allowed",
            What::PropertyName(_) => "invalid_property_name",
            What::MinLength(_) => "string_gte",
            What::MaxLength(_) => "string_lte",
            What::Pattern(_) => "pattern",
            What::Format(_) => "format",
            What::MultipleOf(_) => "multiple_of",
            What::BelowMinimum(_) => "number_gte",
            What::NotAbove(_) => "number_gt",
            What::AboveMaximum(_) => "number_lte",
            What::NotBelow(_) => "number_lt",
            What::Then => "condition_then",
            What::Else => "condition_else",
        }
    }

    fn write(&self, out: &mut Text<'_>, field: &str) -> Result<(), Failure> {
        match *self {
            What::False => out.push_str("False always fails validation"),
            What::Required(name) => out.format(format_args!("{name} is required")),
            What::InvalidType { expected, given } => {
                let given = given.text();
                out.format(format_args!("Invalid type. Expected: {expected}, given: {given}"))
            }
            What::AnyOf => out.push_str("Must validate at least one schema (anyOf)"),
            What::OneOf => out.push_str("Must validate one and only one schema (oneOf)"),
            What::AllOf => out.push_str("Must validate all the schemas (allOf)"),
            What::Not => out.push_str("Must not validate the schema (not)"),
            What::MissingDependency(name) => out.format(format_args!("Has a dependency on {name}")),
            What::Const(allowed) => out.format(format_args!("{field} does not match: {allowed}")),
            What::Enum(allowed) => {
                out.format(format_args!("{field} must be one of the following: {allowed}"))
            }
            What::AdditionalItems => out.push_str("No additional items allowed on array"),
            What::MinItems(min) => out.format(format_args!("Array must have at least {min} items")),
            What::MaxItems(max) => out.format(format_args!("Array must have at most {max} items")),
            What::Unique(i, j) => out.format(format_args!("array items[{i},{j}] must be unique")),
            What::Contains => out.push_str("At least one of the items must match"),
            What::MinProperties(min) => out.format(format_args!("Must have at least {min} properties")),
            What::MaxProperties(max) => out.format(format_args!("Must have at most {max} properties")),
            What::AdditionalProperty(name) => {
                out.format(format_args!("Additional property {name} is not allowed"))
            }
            What::PropertyName(name) => {
                out.format(format_args!("Property name of \"{name}\" does not match"))
            }
            What::MinLength(min) => out.format(format_args!(
                "String length must be greater than or equal to {min}"
            )),
            What::MaxLength(max) => {
                out.format(format_args!("String length must be less than or equal to {max}"))
            }
            What::Pattern(pattern) => out.format(format_args!("Does not match pattern '{pattern}'")),
            What::Format(format) => out.format(format_args!("Does not match format '{format}'")),
            What::MultipleOf(unit) => out.format(format_args!("Must be a multiple of {unit}")),
            What::BelowMinimum(min) => out.format(format_args!("Must be greater than or equal to {min}")),
            What::NotAbove(min) => out.format(format_args!("Must be greater than {min}")),
            What::AboveMaximum(max) => out.format(format_args!("Must be less than or equal to {max}")),
            What::NotBelow(max) => out.format(format_args!("Must be less than {max}")),
            What::Then => out.push_str("Must validate \"then\" as \"if\" was valid"),
            What::Else => out.push_str("Must validate \"else\" as \"if\" was not valid"),
        }
    }
}
