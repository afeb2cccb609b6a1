//! Documents of type definitions.

use super::cursor::Cursor;
use super::lexer::Token;
use super::tree::{Checked, WRONG, array, object};
use crate::value::Value;

/// Where a directive may stand.
const LOCATIONS: [&str; 19] = [
    "QUERY",
    "MUTATION",
    "SUBSCRIPTION",
    "FIELD",
    "FRAGMENT_DEFINITION",
    "FRAGMENT_SPREAD",
    "INLINE_FRAGMENT",
    "VARIABLE_DEFINITION",
    "SCHEMA",
    "SCALAR",
    "OBJECT",
    "FIELD_DEFINITION",
    "ARGUMENT_DEFINITION",
    "INTERFACE",
    "UNION",
    "ENUM",
    "ENUM_VALUE",
    "INPUT_OBJECT",
    "INPUT_FIELD_DEFINITION",
];

/// What stands before a definition: a text and the comments around it.
#[derive(Clone, Copy)]
struct Heading<'r> {
    description: &'r str,
    before: Value<'r>,
}

const NO_HEADING: Heading<'static> = Heading {
    description: "",
    before: Value::UNSET,
};

/// The parts of a type definition that may stand behind its name.
#[derive(Clone, Copy)]
struct Body<'r> {
    interfaces: Value<'r>,
    directives: Value<'r>,
    fields: Value<'r>,
    types: Value<'r>,
    enum_values: Value<'r>,
    end_comment: Value<'r>,
}

/// The tree of a text.
pub(super) fn document<'r>(mut cursor: Cursor<'_, 'r>) -> Checked<Value<'r>> {
    let mut schemas = Vec::new();
    let mut schema_extensions = Vec::new();
    let (mut directives, mut definitions, mut extensions) = (Vec::new(), Vec::new(), Vec::new());
    while cursor.peek() != Token::End {
        let heading = cursor.heading()?;
        match cursor.peek() {
            Token::Name("schema") => schemas.push(cursor.schema(heading, None)?),
            Token::Name("directive") => directives.push(cursor.directive_definition(heading)?),
            Token::Name("extend") if heading.description.is_empty() => {
                let comment = cursor.word("extend")?;
                match cursor.is_word("schema") {
                    true => schema_extensions.push(cursor.schema(NO_HEADING, Some(comment))?),
                    false => extensions.push(cursor.definition(NO_HEADING, Some(comment))?),
                }
            }
            _ => definitions.push(cursor.definition(heading, None)?),
        }
    }
    let (arena, comment) = (cursor.arena, cursor.comment());
    object(
        arena,
        &[
            ("Comment", comment),
            ("Definitions", array(arena, &definitions)?),
            ("Directives", array(arena, &directives)?),
            ("Extensions", array(arena, &extensions)?),
            ("Schema", array(arena, &schemas)?),
            ("SchemaExtension", array(arena, &schema_extensions)?),
        ],
    )
}

impl<'r> Cursor<'_, 'r> {
    fn heading(&mut self) -> Checked<Heading<'r>> {
        let before = self.comment();
        match self.peek() {
            Token::String(description) | Token::Block(description) => {
                self.next()?;
                Ok(Heading { description, before })
            }
            _ => Ok(NO_HEADING),
        }
    }

    /// The heading of a part of a definition: an empty text is as good as none.
    fn inner_heading(&mut self) -> Checked<Heading<'r>> {
        let heading = self.heading()?;
        Ok(match heading.description {
            "" => NO_HEADING,
            _ => heading,
        })
    }

    /// A schema definition, or an extension of it behind `extend` and its comment.
    fn schema(&mut self, heading: Heading<'r>, extends: Option<Value<'r>>) -> Checked<Value<'r>> {
        let own = self.word("schema")?;
        let directives = self.directives(true)?;
        let (operations, end_comment) = self.some(('{', '}'), |cursor| {
            let comment = cursor.comment();
            let operation = cursor.name()?;
            if !matches!(operation, "query" | "mutation" | "subscription") {
                return Err(WRONG);
            }
            cursor.expect(':')?;
            let name = cursor.name()?;
            object(
                cursor.arena,
                &[
                    ("Comment", comment),
                    ("Operation", Value::string(operation)),
                    ("Type", Value::string(name)),
                ],
            )
        })?;
        if extends.is_some() && directives.is_unset() && operations.is_empty() {
            return Err(WRONG);
        }
        object(
            self.arena,
            &[
                ("AfterDescriptionComment", extends.unwrap_or(own)),
                ("BeforeDescriptionComment", heading.before),
                ("Description", Value::string(heading.description)),
                ("Directives", directives),
                ("EndOfDefinitionComment", end_comment),
                ("OperationTypes", array(self.arena, &operations)?),
            ],
        )
    }

    /// A type definition, or an extension of one behind `extend` and its comment.
    fn definition(&mut self, heading: Heading<'r>, extends: Option<Value<'r>>) -> Checked<Value<'r>> {
        let own = self.comment();
        let word = self.name()?;
        let kind = match word {
            "scalar" => "SCALAR",
            "type" => "OBJECT",
            "interface" => "INTERFACE",
            "union" => "UNION",
            "enum" => "ENUM",
            "input" => "INPUT_OBJECT",
            _ => return Err(WRONG),
        };
        let name = self.name()?;
        let body = self.body(word, extends.is_some())?;
        if extends.is_some() && body.is_empty() {
            return Err(WRONG);
        }
        object(
            self.arena,
            &[
                ("AfterDescriptionComment", extends.unwrap_or(own)),
                ("BeforeDescriptionComment", heading.before),
                ("BuiltIn", Value::FALSE),
                ("Description", Value::string(heading.description)),
                ("Directives", body.directives),
                ("EndOfDefinitionComment", body.end_comment),
                ("EnumValues", body.enum_values),
                ("Fields", body.fields),
                ("Interfaces", body.interfaces),
                ("Kind", Value::string(kind)),
                ("Name", Value::string(name)),
                ("Types", body.types),
            ],
        )
    }

    fn body(&mut self, word: &str, is_extension: bool) -> Checked<Body<'r>> {
        let mut body = Body {
            interfaces: Value::UNSET,
            directives: Value::UNSET,
            fields: Value::UNSET,
            types: Value::UNSET,
            enum_values: Value::UNSET,
            end_comment: Value::UNSET,
        };
        // Extensions of interfaces implement nothing in gqlparser.
        if word == "type" || (word == "interface" && !is_extension) {
            body.interfaces = self.interfaces()?;
        }
        // Only there it takes variables.
        let constant = !(word == "input" && is_extension);
        body.directives = self.directives(constant)?;
        match word {
            "type" | "interface" | "input" => {
                let is_input = word == "input";
                let (fields, comment) = self.some(('{', '}'), |cursor| cursor.field(is_input))?;
                (body.fields, body.end_comment) = (array(self.arena, &fields)?, comment);
            }
            "enum" => {
                let (values, comment) = self.some(('{', '}'), Cursor::enum_value)?;
                (body.enum_values, body.end_comment) = (array(self.arena, &values)?, comment);
            }
            "union" => body.types = self.union_types()?,
            _ => {}
        }
        Ok(body)
    }

    fn interfaces(&mut self) -> Checked<Value<'r>> {
        let mut names = Vec::new();
        if self.has_text("implements") {
            self.next()?;
            self.skip('&')?;
            names.push(Value::string(self.name()?));
            while self.skip('&')? {
                names.push(Value::string(self.name()?));
            }
        }
        Ok(array(self.arena, &names)?)
    }

    fn union_types(&mut self) -> Checked<Value<'r>> {
        let mut names = Vec::new();
        if self.skip('=')? {
            self.skip('|')?;
            names.push(Value::string(self.name()?));
            while self.skip('|')? {
                names.push(Value::string(self.name()?));
            }
        }
        Ok(array(self.arena, &names)?)
    }

    /// A field of an object or interface (with arguments), or of an input object (with a default).
    fn field(&mut self, is_input: bool) -> Checked<Value<'r>> {
        if is_input {
            return self.input_value();
        }
        let heading = self.inner_heading()?;
        let after = self.comment();
        let name = self.name()?;
        let (arguments, _) = self.some(('(', ')'), Cursor::input_value)?;
        self.expect(':')?;
        let field_type = self.type_reference()?;
        let directives = self.directives(true)?;
        object(
            self.arena,
            &[
                ("AfterDescriptionComment", after),
                ("Arguments", array(self.arena, &arguments)?),
                ("BeforeDescriptionComment", heading.before),
                ("Description", Value::string(heading.description)),
                ("Directives", directives),
                ("Name", Value::string(name)),
                ("Type", field_type),
            ],
        )
    }

    /// An argument of a field, or a field of an input object.
    fn input_value(&mut self) -> Checked<Value<'r>> {
        let heading = self.inner_heading()?;
        let after = self.comment();
        let name = self.name()?;
        self.expect(':')?;
        let value_type = self.type_reference()?;
        let default = match self.skip('=')? {
            true => self.value(true)?,
            false => Value::UNSET,
        };
        let directives = self.directives(true)?;
        object(
            self.arena,
            &[
                ("AfterDescriptionComment", after),
                ("BeforeDescriptionComment", heading.before),
                ("DefaultValue", default),
                ("Description", Value::string(heading.description)),
                ("Directives", directives),
                ("Name", Value::string(name)),
                ("Type", value_type),
            ],
        )
    }

    fn enum_value(&mut self) -> Checked<Value<'r>> {
        let heading = self.inner_heading()?;
        let after = self.comment();
        let name = self.name()?;
        let directives = self.directives(true)?;
        object(
            self.arena,
            &[
                ("AfterDescriptionComment", after),
                ("BeforeDescriptionComment", heading.before),
                ("Description", Value::string(heading.description)),
                ("Directives", directives),
                ("Name", Value::string(name)),
            ],
        )
    }

    fn directive_definition(&mut self, heading: Heading<'r>) -> Checked<Value<'r>> {
        let after = self.word("directive")?;
        self.expect('@')?;
        let name = self.name()?;
        let (arguments, _) = self.some(('(', ')'), Cursor::input_value)?;
        let repeatable = self.is_word("repeatable");
        if repeatable {
            self.next()?;
        }
        self.word("on")?;
        self.skip('|')?;
        let mut locations = vec![self.location()?];
        while self.skip('|')? {
            locations.push(self.location()?);
        }
        object(
            self.arena,
            &[
                ("AfterDescriptionComment", after),
                ("Arguments", array(self.arena, &arguments)?),
                ("BeforeDescriptionComment", heading.before),
                ("Description", Value::string(heading.description)),
                ("IsRepeatable", Value::bool(repeatable)),
                ("Locations", array(self.arena, &locations)?),
                ("Name", Value::string(name)),
            ],
        )
    }

    fn location(&mut self) -> Checked<Value<'r>> {
        let name = self.name()?;
        match LOCATIONS.contains(&name) {
            true => Ok(Value::string(name)),
            false => Err(WRONG),
        }
    }
}

impl Body<'_> {
    fn is_empty(&self) -> bool {
        let parts = [
            self.interfaces,
            self.directives,
            self.fields,
            self.types,
            self.enum_values,
        ];
        parts.into_iter().all(Value::is_unset)
    }
}
