//! Values where a type is expected.

use super::tree::{Checked, WRONG, flag, kind, list, named, text, type_name, value_kind};
use super::types::TypeDefinition;
use super::walk::{Walker, ensure, has_default};
use crate::builtins::call::charge;
use crate::error::EvalErrorKind;
use crate::limits::BUILTIN_DEPTH_MAX;
use crate::value::Value;
use std::collections::HashSet;

impl<'s, 'r> Walker<'s, '_, 'r> {
    /// Checks a value. `expected`: the type, and whether its place has a default; `definition`: the type at its heart.
    pub(super) fn value(
        &mut self,
        value: Value<'r>,
        expected: Option<(Value<'r>, bool)>,
        definition: Option<&'s TypeDefinition<'r>>,
    ) -> Checked {
        charge(self.fuel, 2)?;
        if self.depth >= BUILTIN_DEPTH_MAX {
            return Err(EvalErrorKind::DepthExceeded.into());
        }
        self.depth += 1;
        match value_kind(value) {
            kind::VARIABLE => self.use_variable(value, expected)?,
            kind::OBJECT => self.object_children(value, definition)?,
            kind::LIST => {
                let element = expected.and_then(|(node, _)| node.field("Elem"));
                for child in list(value, "Children") {
                    let child = child.field("Value").ok_or(WRONG)?;
                    let had = flag(child, "ExpectedTypeHasDefault");
                    let expected = element.map(|element| (element, had));
                    self.value(child, expected, definition.filter(|_| element.is_some()))?;
                }
            }
            _ => {}
        }
        self.depth -= 1;
        match (expected, definition) {
            (Some((expected, _)), Some(definition)) => self.fits(value, expected, definition),
            _ => Ok(()),
        }
    }

    fn object_children(&mut self, value: Value<'r>, definition: Option<&'s TypeDefinition<'r>>) -> Checked {
        let mut seen = HashSet::new();
        let one_of = definition.is_some_and(|definition| named(&definition.directives, "oneOf").is_some());
        for child in list(value, "Children") {
            let name = text(*child, "Name");
            ensure(seen.insert(name))?;
            let node = child.field("Value").ok_or(WRONG)?;
            let declared = definition.and_then(|definition| definition.field(name));
            match declared {
                Some(declared) => {
                    let expected = declared.field("Type").ok_or(WRONG)?;
                    let inner = self.schema.named(type_name(expected));
                    self.value(node, Some((expected, has_default(declared))), inner)?;
                }
                None => self.value(node, None, None)?,
            }
            if one_of
                && value_kind(node) == kind::VARIABLE
                && let Some(variable) = self.variable(text(node, "Raw"))
            {
                ensure(variable.field("Type").is_some_and(|node| flag(node, "NonNull")))?;
            }
        }
        Ok(())
    }

    /// Whether a value has the shape that its type asks for.
    fn fits(&mut self, value: Value<'r>, expected: Value<'r>, definition: &TypeDefinition<'r>) -> Checked {
        let number = value_kind(value);
        ensure(number != kind::NULL || !flag(expected, "NonNull"))?;
        let name = definition.name;
        if definition.kind == "SCALAR" && !matches!(name, "Int" | "Float" | "String" | "Boolean" | "ID") {
            return Ok(());
        }
        self.is_readable(value, 0)?;
        match number {
            kind::NULL | kind::VARIABLE => Ok(()),
            kind::LIST => ensure(expected.field("Elem").is_some()),
            kind::INT => ensure(matches!(name, "Int" | "Float" | "ID")),
            kind::FLOAT => ensure(name == "Float"),
            kind::STRING | kind::BLOCK => {
                ensure(definition.kind != "ENUM" && matches!(name, "String" | "ID"))
            }
            kind::BOOLEAN => ensure(name == "Boolean"),
            kind::ENUM => ensure(
                definition.kind == "ENUM" && named(&definition.enum_values, text(value, "Raw")).is_some(),
            ),
            kind::OBJECT => object_fits(value, definition),
            _ => Err(WRONG),
        }
    }

    /// Whether the numbers in a value can be read, and those in the defaults of its variables.
    fn is_readable(&mut self, value: Value<'r>, depth: usize) -> Checked {
        charge(self.fuel, 1 + self.variables.map_or(0, |all| all.len() / 4))?;
        if depth >= BUILTIN_DEPTH_MAX {
            return Err(EvalErrorKind::DepthExceeded.into());
        }
        let raw = text(value, "Raw");
        match value_kind(value) {
            kind::INT => ensure(raw.parse::<i64>().is_ok()),
            kind::FLOAT => ensure(raw.parse::<f64>().is_ok_and(f64::is_finite)),
            kind::BOOLEAN => ensure(matches!(
                raw,
                "1" | "t" | "T" | "TRUE" | "true" | "True" | "0" | "f" | "F" | "FALSE" | "false" | "False"
            )),
            kind::LIST | kind::OBJECT => {
                for child in list(value, "Children") {
                    if let Some(child) = child.field("Value") {
                        self.is_readable(child, depth + 1)?;
                    }
                }
                Ok(())
            }
            kind::VARIABLE => match self
                .variable(raw)
                .and_then(|variable| variable.field("DefaultValue"))
            {
                Some(default) => self.is_readable(default, depth + 1),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

fn object_fits(value: Value<'_>, definition: &TypeDefinition<'_>) -> Checked {
    let children = list(value, "Children");
    for field in &definition.fields {
        let is_required = field.field("Type").is_some_and(|node| flag(node, "NonNull"));
        if is_required && field.field("DefaultValue").is_none() {
            ensure(named(children, text(*field, "Name")).is_some())?;
        }
    }
    if named(&definition.directives, "oneOf").is_some() {
        let [only] = children else {
            return Err(WRONG);
        };
        let value = only.field("Value").ok_or(WRONG)?;
        ensure(value_kind(value) != kind::NULL)?;
    }
    let is_known = |child: &Value<'_>| definition.field(text(*child, "Name")).is_some();
    ensure(children.iter().all(is_known))
}
