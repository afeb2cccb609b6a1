//! Documents of operations and fragments.

use super::cursor::Cursor;
use super::lexer::Token;
use super::tree::{Checked, WRONG, array, object};
use crate::value::Value;

/// The tree of a text.
pub(super) fn document<'r>(mut cursor: Cursor<'_, 'r>) -> Checked<Value<'r>> {
    let (mut operations, mut fragments) = (Vec::new(), Vec::new());
    loop {
        match cursor.peek() {
            Token::End => break,
            Token::Mark('{') | Token::Name("query" | "mutation" | "subscription") => {
                operations.push(cursor.operation()?);
            }
            Token::Name("fragment") => fragments.push(cursor.fragment_definition()?),
            _ => return Err(WRONG),
        }
    }
    let arena = cursor.arena;
    object(
        arena,
        &[
            ("Fragments", array(arena, &fragments)?),
            ("Operations", array(arena, &operations)?),
        ],
    )
}

impl<'r> Cursor<'_, 'r> {
    fn operation(&mut self) -> Checked<Value<'r>> {
        // Comments are lost where there is no keyword.
        let mut comment = Value::UNSET;
        let (mut operation, mut name) = ("query", "");
        let (mut variables, mut directives) = (Value::UNSET, Value::UNSET);
        if let Token::Name(word) = self.peek() {
            comment = self.comment();
            self.next()?;
            operation = word;
            if matches!(self.peek(), Token::Name(_)) {
                name = self.name()?;
            }
            variables = self.variable_definitions()?;
            directives = self.directives(false)?;
        }
        let selections = self.selections()?;
        object(
            self.arena,
            &[
                ("Comment", comment),
                ("Directives", directives),
                ("Name", Value::string(name)),
                ("Operation", Value::string(operation)),
                ("SelectionSet", selections),
                ("VariableDefinitions", variables),
            ],
        )
    }

    fn variable_definitions(&mut self) -> Checked<Value<'r>> {
        let (variables, _) = self.some(('(', ')'), |cursor| {
            let comment = cursor.comment();
            let variable = cursor.variable()?;
            cursor.expect(':')?;
            let variable_type = cursor.type_reference()?;
            let default = match cursor.skip('=')? {
                true => cursor.value(true)?,
                false => Value::UNSET,
            };
            let directives = cursor.directives(false)?;
            object(
                cursor.arena,
                &[
                    ("Comment", comment),
                    ("DefaultValue", default),
                    ("Directives", directives),
                    ("Type", variable_type),
                    ("Used", Value::FALSE),
                    ("Variable", Value::string(variable)),
                ],
            )
        })?;
        Ok(array(self.arena, &variables)?)
    }

    /// `{ … }`, which must be there.
    fn selections(&mut self) -> Checked<Value<'r>> {
        if self.peek() != Token::Mark('{') {
            return Err(WRONG);
        }
        let (selections, _) = self.nested(|cursor| cursor.some(('{', '}'), Cursor::selection))?;
        Ok(array(self.arena, &selections)?)
    }

    fn selection(&mut self) -> Checked<Value<'r>> {
        if self.peek() == Token::Spread {
            return self.spread();
        }
        let comment = self.comment();
        let alias = self.name()?;
        let name = match self.skip(':')? {
            true => self.name()?,
            false => alias,
        };
        let arguments = self.arguments(false)?;
        let directives = self.directives(false)?;
        let selections = match self.peek() {
            Token::Mark('{') => self.selections()?,
            _ => Value::UNSET,
        };
        object(
            self.arena,
            &[
                ("Alias", Value::string(alias)),
                ("Arguments", arguments),
                ("Comment", comment),
                ("Directives", directives),
                ("Name", Value::string(name)),
                ("SelectionSet", selections),
            ],
        )
    }

    /// A fragment by name, or one in its place.
    fn spread(&mut self) -> Checked<Value<'r>> {
        let comment = self.comment();
        self.next()?;
        if let Token::Name(name) = self.peek()
            && name != "on"
        {
            self.next()?;
            let directives = self.directives(false)?;
            return object(
                self.arena,
                &[
                    ("Comment", comment),
                    ("Directives", directives),
                    ("Name", Value::string(name)),
                ],
            );
        }
        let condition = match self.has_text("on") {
            true => {
                self.next()?;
                self.name()?
            }
            false => "",
        };
        let directives = self.directives(false)?;
        let selections = self.selections()?;
        object(
            self.arena,
            &[
                ("Comment", comment),
                ("Directives", directives),
                ("SelectionSet", selections),
                ("TypeCondition", Value::string(condition)),
            ],
        )
    }

    fn fragment_definition(&mut self) -> Checked<Value<'r>> {
        let comment = self.word("fragment")?;
        if self.is_word("on") {
            return Err(WRONG);
        }
        let name = self.name()?;
        let variables = self.variable_definitions()?;
        self.word("on")?;
        let condition = self.name()?;
        let directives = self.directives(false)?;
        let selections = self.selections()?;
        object(
            self.arena,
            &[
                ("Comment", comment),
                ("Directives", directives),
                ("Name", Value::string(name)),
                ("SelectionSet", selections),
                ("TypeCondition", Value::string(condition)),
                ("VariableDefinition", variables),
            ],
        )
    }
}
