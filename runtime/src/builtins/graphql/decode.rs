//! Trees out of the objects of a policy, as Go's JSON decoder fills gqlparser's structures: what is not there gets its zero,
//! what is unknown is ignored, what has a wrong type is an error.
//!
//! gqlparser's own decoders take any object among selections for a field, whatever it was.

use super::tree::{Checked, WRONG, array, is_nothing, object};
use crate::arena::Arena;
use crate::builtins::call::charge;
use crate::error::EvalErrorKind;
use crate::limits::BUILTIN_DEPTH_MAX;
use crate::value::{Kind, Value};

/// What a member holds.
#[derive(Clone, Copy, Debug)]
enum Member {
    Text,
    Flag,
    Number,
    Texts,
    One(&'static Shape),
    Many(&'static Shape),
    Selections,
    /// What only the validator fills in; nobody writes it by hand.
    Filled,
}

/// A structure of gqlparser.
#[derive(Debug)]
pub(super) struct Shape {
    members: &'static [(&'static str, Member)],
    /// Names must be spelled exactly.
    exact: bool,
}

const fn shape(members: &'static [(&'static str, Member)]) -> Shape {
    Shape {
        members,
        exact: false,
    }
}

const fn exact(members: &'static [(&'static str, Member)]) -> Shape {
    Shape { members, exact: true }
}

use Member::{Filled, Flag, Many, Number, One, Selections, Text, Texts};

static COMMENT: Shape = shape(&[("Value", Text)]);
static COMMENTS: Shape = shape(&[("List", Many(&COMMENT))]);

static TYPE: Shape = shape(&[("NamedType", Text), ("Elem", One(&TYPE)), ("NonNull", Flag)]);

static VALUE: Shape = shape(&[
    ("Raw", Text),
    ("Children", Many(&CHILD)),
    ("Kind", Number),
    ("Comment", One(&COMMENTS)),
    ("Definition", Filled),
    ("VariableDefinition", Filled),
    ("ExpectedType", Filled),
    ("ExpectedTypeHasDefault", Flag),
]);

/// An argument, a field of an object value, an item of a list value.
static CHILD: Shape = shape(&[
    ("Name", Text),
    ("Value", One(&VALUE)),
    ("Comment", One(&COMMENTS)),
]);

static DIRECTIVE: Shape = shape(&[
    ("Name", Text),
    ("Arguments", Many(&CHILD)),
    ("ParentDefinition", Filled),
    ("Definition", Filled),
    ("Location", Text),
]);

static VARIABLE: Shape = shape(&[
    ("Variable", Text),
    ("Type", One(&TYPE)),
    ("DefaultValue", One(&VALUE)),
    ("Directives", Many(&DIRECTIVE)),
    ("Comment", One(&COMMENTS)),
    ("Definition", Filled),
    ("Used", Flag),
]);

static OPERATION: Shape = exact(&[
    ("Operation", Text),
    ("Name", Text),
    ("VariableDefinitions", Many(&VARIABLE)),
    ("Directives", Many(&DIRECTIVE)),
    ("SelectionSet", Selections),
]);

static FRAGMENT: Shape = exact(&[
    ("Name", Text),
    ("VariableDefinition", Many(&VARIABLE)),
    ("TypeCondition", Text),
    ("Directives", Many(&DIRECTIVE)),
    ("SelectionSet", Selections),
    ("Definition", Filled),
]);

static FIELD: Shape = exact(&[
    ("Alias", Text),
    ("Name", Text),
    ("Arguments", Many(&CHILD)),
    ("Directives", Many(&DIRECTIVE)),
    ("SelectionSet", Selections),
    ("Definition", Filled),
    ("ObjectDefinition", Filled),
]);

static SPREAD: Shape = shape(&[
    ("Name", Text),
    ("Directives", Many(&DIRECTIVE)),
    ("ObjectDefinition", Filled),
    ("Definition", Filled),
    ("Comment", One(&COMMENTS)),
]);

static INLINE: Shape = exact(&[
    ("TypeCondition", Text),
    ("Directives", Many(&DIRECTIVE)),
    ("SelectionSet", Selections),
    ("ObjectDefinition", Filled),
]);

/// A document of operations and fragments.
pub(super) static QUERY: Shape = shape(&[
    ("Operations", Many(&OPERATION)),
    ("Fragments", Many(&FRAGMENT)),
    ("Comment", One(&COMMENTS)),
]);

static OPERATION_TYPE: Shape = shape(&[("Operation", Text), ("Type", Text), ("Comment", One(&COMMENTS))]);

static SCHEMA_DEFINITION: Shape = shape(&[
    ("Description", Text),
    ("Directives", Many(&DIRECTIVE)),
    ("OperationTypes", Many(&OPERATION_TYPE)),
    ("BeforeDescriptionComment", One(&COMMENTS)),
    ("AfterDescriptionComment", One(&COMMENTS)),
    ("EndOfDefinitionComment", One(&COMMENTS)),
]);

static INPUT_VALUE: Shape = shape(&[
    ("Description", Text),
    ("Name", Text),
    ("DefaultValue", One(&VALUE)),
    ("Type", One(&TYPE)),
    ("Directives", Many(&DIRECTIVE)),
    ("BeforeDescriptionComment", One(&COMMENTS)),
    ("AfterDescriptionComment", One(&COMMENTS)),
]);

static FIELD_DEFINITION: Shape = shape(&[
    ("Description", Text),
    ("Name", Text),
    ("Arguments", Many(&INPUT_VALUE)),
    ("DefaultValue", One(&VALUE)),
    ("Type", One(&TYPE)),
    ("Directives", Many(&DIRECTIVE)),
    ("BeforeDescriptionComment", One(&COMMENTS)),
    ("AfterDescriptionComment", One(&COMMENTS)),
]);

static ENUM_VALUE: Shape = shape(&[
    ("Description", Text),
    ("Name", Text),
    ("Directives", Many(&DIRECTIVE)),
    ("BeforeDescriptionComment", One(&COMMENTS)),
    ("AfterDescriptionComment", One(&COMMENTS)),
]);

static DIRECTIVE_DEFINITION: Shape = shape(&[
    ("Description", Text),
    ("Name", Text),
    ("Arguments", Many(&INPUT_VALUE)),
    ("Locations", Texts),
    ("IsRepeatable", Flag),
    ("BeforeDescriptionComment", One(&COMMENTS)),
    ("AfterDescriptionComment", One(&COMMENTS)),
]);

static DEFINITION: Shape = shape(&[
    ("Kind", Text),
    ("Description", Text),
    ("Name", Text),
    ("Directives", Many(&DIRECTIVE)),
    ("Interfaces", Texts),
    ("Fields", Many(&FIELD_DEFINITION)),
    ("Types", Texts),
    ("EnumValues", Many(&ENUM_VALUE)),
    ("BuiltIn", Flag),
    ("BeforeDescriptionComment", One(&COMMENTS)),
    ("AfterDescriptionComment", One(&COMMENTS)),
    ("EndOfDefinitionComment", One(&COMMENTS)),
]);

/// A document of type definitions.
pub(super) static SCHEMA: Shape = shape(&[
    ("Schema", Many(&SCHEMA_DEFINITION)),
    ("SchemaExtension", Many(&SCHEMA_DEFINITION)),
    ("Directives", Many(&DIRECTIVE_DEFINITION)),
    ("Definitions", Many(&DEFINITION)),
    ("Extensions", Many(&DEFINITION)),
    ("Comment", One(&COMMENTS)),
]);

/// Decodes objects.
pub(super) struct Decoder<'c, 'r> {
    pub(super) arena: &'r Arena,
    pub(super) fuel: &'c mut u64,
    pub(super) depth: usize,
}

impl<'r> Decoder<'_, 'r> {
    /// The tree of an object (or of null, which is all zeros).
    pub(super) fn node(&mut self, shape: &'static Shape, value: Value<'r>) -> Checked<Value<'r>> {
        charge(self.fuel, 8)?;
        if self.depth >= BUILTIN_DEPTH_MAX {
            return Err(EvalErrorKind::DepthExceeded.into());
        }
        self.depth += 1;
        let entries = match value.kind() {
            Kind::Object(entries) => entries,
            Kind::Null => &[],
            _ => return Err(WRONG),
        };
        let mut members = Vec::with_capacity(shape.members.len());
        for (name, member) in shape.members {
            let mut decoded = member.zero();
            for entry in entries {
                let key = entry.key.as_str().unwrap_or_default();
                if key == *name || (!shape.exact && key.eq_ignore_ascii_case(name)) {
                    let given = self.member(*member, entry.value)?;
                    if !given.is_unset() {
                        decoded = given;
                    }
                }
            }
            members.push((*name, decoded));
        }
        self.depth -= 1;
        object(self.arena, &members)
    }

    /// A member; unset for null, which changes nothing.
    fn member(&mut self, member: Member, value: Value<'r>) -> Checked<Value<'r>> {
        match (member, value.kind()) {
            (Selections, _) => self.selections(value),
            (_, Kind::Null) => Ok(Value::UNSET),
            (Text, Kind::String(_)) | (Flag, Kind::Bool(_)) | (Number, Kind::Int(_)) => Ok(value),
            (Texts, Kind::Array(items) | Kind::Set(items)) => {
                let mut texts = Vec::with_capacity(items.len());
                for item in items {
                    texts.push(match item.kind() {
                        Kind::String(_) => *item,
                        Kind::Null => Value::string(""),
                        _ => return Err(WRONG),
                    });
                }
                Ok(array(self.arena, &texts)?)
            }
            (One(shape), _) => self.node(shape, value),
            (Many(shape), Kind::Array(items) | Kind::Set(items)) => {
                let mut nodes = Vec::with_capacity(items.len());
                for item in items {
                    // OPA dies of a null here.
                    if matches!(item.kind(), Kind::Null) {
                        return Err(WRONG);
                    }
                    nodes.push(self.node(shape, *item)?);
                }
                Ok(array(self.arena, &nodes)?)
            }
            (Filled, _) if is_nothing(value) => Ok(Value::UNSET),
            _ => Err(WRONG),
        }
    }

    /// Each item becomes what it first fits; one that fits nothing is dropped.
    fn selections(&mut self, value: Value<'r>) -> Checked<Value<'r>> {
        let items = match value.kind() {
            Kind::Array(items) | Kind::Set(items) => items,
            Kind::Null => &[],
            _ => return Err(WRONG),
        };
        let mut selections = Vec::with_capacity(items.len());
        for item in items {
            for shape in [&FIELD, &SPREAD, &INLINE] {
                let depth = self.depth;
                match self.node(shape, *item) {
                    Ok(node) => {
                        selections.push(node);
                        break;
                    }
                    Err(WRONG) => self.depth = depth,
                    Err(budget) => return Err(budget),
                }
            }
        }
        Ok(array(self.arena, &selections)?)
    }
}

impl Member {
    fn zero(self) -> Value<'static> {
        match self {
            Text => Value::string(""),
            Flag => Value::FALSE,
            Number => Value::int(0),
            Texts | One(_) | Many(_) | Selections | Filled => Value::UNSET,
        }
    }
}
