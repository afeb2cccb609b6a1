//! What queries and schemas have in common: values, arguments, directives, types.

use super::cursor::Cursor;
use super::lexer::Token;
use super::tree::{Checked, WRONG, array, kind, object};
use crate::value::Value;

impl<'r> Cursor<'_, 'r> {
    /// A value; constant ones hold no variables.
    pub(super) fn value(&mut self, constant: bool) -> Checked<Value<'r>> {
        self.nested(|cursor| cursor.value_within(constant))
    }

    fn value_within(&mut self, constant: bool) -> Checked<Value<'r>> {
        let (number, raw) = match self.peek() {
            Token::Mark('[') => return self.list_value(constant),
            Token::Mark('{') => return self.object_value(constant),
            Token::Mark('$') if !constant => {
                let raw = self.variable()?;
                return self.value_node(kind::VARIABLE, raw, (Value::UNSET, Value::UNSET));
            }
            Token::Int(raw) => (kind::INT, raw),
            Token::Float(raw) => (kind::FLOAT, raw),
            Token::String(raw) => (kind::STRING, raw),
            Token::Block(raw) => (kind::BLOCK, raw),
            Token::Name(raw @ ("true" | "false")) => (kind::BOOLEAN, raw),
            Token::Name(raw @ "null") => (kind::NULL, raw),
            Token::Name(raw) => (kind::ENUM, raw),
            Token::Mark(_) | Token::Spread | Token::End => return Err(WRONG),
        };
        self.next()?;
        self.value_node(number, raw, (Value::UNSET, Value::UNSET))
    }

    fn value_node(
        &self,
        kind: i64,
        raw: &'r str,
        (children, comment): (Value<'r>, Value<'r>),
    ) -> Checked<Value<'r>> {
        object(
            self.arena,
            &[
                ("Children", children),
                ("Comment", comment),
                ("ExpectedTypeHasDefault", Value::FALSE),
                ("Kind", Value::int(kind)),
                ("Raw", Value::string(raw)),
            ],
        )
    }

    fn list_value(&mut self, constant: bool) -> Checked<Value<'r>> {
        let comment = self.comment();
        self.expect('[')?;
        let mut children = Vec::new();
        while !self.skip(']')? {
            let value = self.value(constant)?;
            children.push(object(
                self.arena,
                &[("Name", Value::string("")), ("Value", value)],
            )?);
        }
        let children = array(self.arena, &children)?;
        self.value_node(kind::LIST, "", (children, comment))
    }

    fn object_value(&mut self, constant: bool) -> Checked<Value<'r>> {
        let comment = self.comment();
        self.expect('{')?;
        let mut children = Vec::new();
        while !self.skip('}')? {
            children.push(self.argument(constant)?);
        }
        let children = array(self.arena, &children)?;
        self.value_node(kind::OBJECT, "", (children, comment))
    }

    /// `name: value`
    fn argument(&mut self, constant: bool) -> Checked<Value<'r>> {
        let comment = self.comment();
        let name = self.name()?;
        self.expect(':')?;
        let value = self.value(constant)?;
        object(
            self.arena,
            &[
                ("Comment", comment),
                ("Name", Value::string(name)),
                ("Value", value),
            ],
        )
    }

    /// `$name`
    pub(super) fn variable(&mut self) -> Checked<&'r str> {
        self.expect('$')?;
        self.name()
    }

    pub(super) fn arguments(&mut self, constant: bool) -> Checked<Value<'r>> {
        let (arguments, _) = self.some(('(', ')'), |cursor| cursor.argument(constant))?;
        Ok(array(self.arena, &arguments)?)
    }

    pub(super) fn directives(&mut self, constant: bool) -> Checked<Value<'r>> {
        let mut directives = Vec::new();
        while self.skip('@')? {
            let name = self.name()?;
            let arguments = self.arguments(constant)?;
            directives.push(object(
                self.arena,
                &[
                    ("Arguments", arguments),
                    ("Location", Value::string("")),
                    ("Name", Value::string(name)),
                ],
            )?);
        }
        Ok(array(self.arena, &directives)?)
    }

    /// `T`, `[T]`, with `!` or without.
    pub(super) fn type_reference(&mut self) -> Checked<Value<'r>> {
        let (element, name) = if self.skip('[')? {
            let element = self.nested(Cursor::type_reference)?;
            self.expect(']')?;
            (element, "")
        } else {
            (Value::UNSET, self.name()?)
        };
        let required = self.skip('!')?;
        object(
            self.arena,
            &[
                ("Elem", element),
                ("NamedType", Value::string(name)),
                ("NonNull", Value::bool(required)),
            ],
        )
    }
}
