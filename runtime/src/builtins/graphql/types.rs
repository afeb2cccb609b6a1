//! A schema by its names: types with their extensions merged, directives, the roots of the three operations.

use super::cursor::Cursor;
use super::parse_schema;
use super::prelude::{PRELUDE, ROOT_FIELDS};
use super::schema_rules;
use super::tree::{Checked, WRONG, flag, list, text};
use crate::arena::Arena;
use crate::value::Value;
use std::collections::HashMap;

/// The directives of the specification: defining one again is not an error.
const KNOWN_DIRECTIVES: [&str; 6] = ["include", "skip", "deprecated", "specifiedBy", "defer", "oneOf"];

/// Index into [`Schema::types`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TypeId(usize);

/// A type with what extensions add to it.
#[derive(Debug)]
pub(super) struct TypeDefinition<'r> {
    pub(super) kind: &'r str,
    pub(super) name: &'r str,
    pub(super) built_in: bool,
    pub(super) directives: Vec<Value<'r>>,
    pub(super) interfaces: Vec<&'r str>,
    pub(super) fields: Vec<Value<'r>>,
    /// The first field of each name, once all fields are known.
    field_at: HashMap<&'r str, usize>,
    pub(super) types: Vec<&'r str>,
    pub(super) enum_values: Vec<Value<'r>>,
}

/// A schema that was checked.
#[derive(Debug, Default)]
pub(super) struct Schema<'r> {
    types: Vec<TypeDefinition<'r>>,
    by_name: HashMap<&'r str, TypeId>,
    pub(super) directives: HashMap<&'r str, Value<'r>>,
    /// Names of the types that a value of an abstract type may have.
    possible: HashMap<&'r str, Vec<&'r str>>,
    pub(super) query: Option<TypeId>,
    pub(super) mutation: Option<TypeId>,
    pub(super) subscription: Option<TypeId>,
}

impl<'r> TypeDefinition<'r> {
    fn of(node: Value<'r>) -> TypeDefinition<'r> {
        TypeDefinition {
            kind: text(node, "Kind"),
            name: text(node, "Name"),
            built_in: flag(node, "BuiltIn"),
            directives: list(node, "Directives").to_vec(),
            interfaces: texts(node, "Interfaces"),
            fields: list(node, "Fields").to_vec(),
            field_at: HashMap::new(),
            types: texts(node, "Types"),
            enum_values: list(node, "EnumValues").to_vec(),
        }
    }

    fn index_fields(&mut self) {
        for (at, field) in self.fields.iter().enumerate() {
            self.field_at.entry(text(*field, "Name")).or_insert(at);
        }
    }

    pub(super) fn field(&self, name: &str) -> Option<Value<'r>> {
        self.fields.get(*self.field_at.get(name)?).copied()
    }

    pub(super) fn is_leaf(&self) -> bool {
        matches!(self.kind, "ENUM" | "SCALAR")
    }

    pub(super) fn is_composite(&self) -> bool {
        matches!(self.kind, "OBJECT" | "INTERFACE" | "UNION")
    }

    pub(super) fn is_input(&self) -> bool {
        matches!(self.kind, "SCALAR" | "ENUM" | "INPUT_OBJECT")
    }
}

fn texts<'r>(node: Value<'r>, key: &str) -> Vec<&'r str> {
    list(node, key).iter().filter_map(|item| item.as_str()).collect()
}

impl<'r> Schema<'r> {
    /// The schema of a tree, checked.
    pub(super) fn of(arena: &'r Arena, fuel: &mut u64, tree: Value<'r>) -> Checked<Schema<'r>> {
        let prelude = parse_schema::document(Cursor::new(arena, fuel, PRELUDE)?)?;
        let mut schema = Schema::default();
        for node in list(prelude, "Definitions") {
            let built_in = true;
            schema.define(TypeDefinition {
                built_in,
                ..TypeDefinition::of(*node)
            })?;
        }
        for node in list(tree, "Definitions") {
            schema.define(TypeDefinition::of(*node))?;
        }
        for node in list(tree, "Extensions") {
            schema.extend(*node)?;
        }
        schema.types.iter_mut().for_each(TypeDefinition::index_fields);
        schema.relate();
        for node in list(prelude, "Directives").iter().chain(list(tree, "Directives")) {
            let name = text(*node, "Name");
            let replaced = schema.directives.insert(name, *node);
            if replaced.is_some() && !KNOWN_DIRECTIVES.contains(&name) {
                return Err(WRONG);
            }
        }
        let definitions = list(tree, "Schema");
        if definitions.len() > 1 {
            return Err(WRONG);
        }
        for node in definitions.iter().chain(list(tree, "SchemaExtension")) {
            schema.set_roots(*node)?;
            schema_rules::schema_directives(&schema, *node)?;
        }
        schema_rules::check(&schema, fuel)?;
        if definitions.is_empty() {
            schema.query = schema.query.or(schema.id("Query"));
            schema.mutation = schema.mutation.or(schema.id("Mutation"));
            schema.subscription = schema.subscription.or(schema.id("Subscription"));
        }
        schema.add_root_fields(arena, fuel)?;
        Ok(schema)
    }

    fn define(&mut self, definition: TypeDefinition<'r>) -> Checked {
        if self.by_name.contains_key(definition.name) {
            return Err(WRONG);
        }
        self.by_name.insert(definition.name, TypeId(self.types.len()));
        self.types.push(definition);
        Ok(())
    }

    fn extend(&mut self, node: Value<'r>) -> Checked {
        let extension = TypeDefinition::of(node);
        let Some(id) = self.id(extension.name) else {
            // The first extension of a type that is not defined defines it.
            let built_in = false;
            return self.define(TypeDefinition {
                built_in,
                ..extension
            });
        };
        let base = self.types.get_mut(id.0).ok_or(WRONG)?;
        if base.kind != extension.kind {
            return Err(WRONG);
        }
        base.directives.extend(extension.directives);
        base.interfaces.extend(extension.interfaces);
        base.fields.extend(extension.fields);
        base.types.extend(extension.types);
        base.enum_values.extend(extension.enum_values);
        Ok(())
    }

    /// Which types stand for which.
    fn relate(&mut self) {
        for definition in &self.types {
            let name = definition.name;
            match definition.kind {
                "UNION" => {
                    let members = self.possible.entry(name).or_default();
                    members.extend(&definition.types);
                }
                "OBJECT" | "INPUT_OBJECT" | "INTERFACE" => {
                    for interface in &definition.interfaces {
                        self.possible.entry(interface).or_default().push(name);
                    }
                    if definition.kind != "INTERFACE" {
                        self.possible.entry(name).or_default().push(name);
                    }
                }
                _ => {}
            }
        }
    }

    fn set_roots(&mut self, node: Value<'r>) -> Checked {
        for root in list(node, "OperationTypes") {
            let id = Some(self.id(text(*root, "Type")).ok_or(WRONG)?);
            match text(*root, "Operation") {
                "query" => self.query = id,
                "mutation" => self.mutation = id,
                "subscription" => self.subscription = id,
                _ => {}
            }
        }
        Ok(())
    }

    fn add_root_fields(&mut self, arena: &'r Arena, fuel: &mut u64) -> Checked {
        let Some(query) = self.query else {
            return Ok(());
        };
        let tree = parse_schema::document(Cursor::new(arena, fuel, ROOT_FIELDS)?)?;
        for definition in list(tree, "Definitions") {
            let root = self.types.get_mut(query.0).ok_or(WRONG)?;
            root.fields.extend(list(*definition, "Fields"));
            root.index_fields();
        }
        Ok(())
    }

    pub(super) fn id(&self, name: &str) -> Option<TypeId> {
        self.by_name.get(name).copied()
    }

    pub(super) fn get(&self, id: TypeId) -> Option<&TypeDefinition<'r>> {
        self.types.get(id.0)
    }

    pub(super) fn named(&self, name: &str) -> Option<&TypeDefinition<'r>> {
        self.get(self.id(name)?)
    }

    pub(super) fn types(&self) -> &[TypeDefinition<'r>] {
        &self.types
    }

    /// Names of the types that may stand for a type.
    pub(super) fn possible(&self, name: &str) -> &[&'r str] {
        self.possible.get(name).map_or(&[], Vec::as_slice)
    }
}
