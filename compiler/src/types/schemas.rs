//! Schemas of annotations as types: what a rule may take for granted about documents.
//!
//! A schema that refers to itself is followed a few times and then says nothing, which only accepts more programs.

use super::documents::{Documents, Key};
use super::infer::{Env, Layer};
use super::ty::Type;
use crate::metadata::{self, Compiled, Definition, Path, Schema, Shape, Step};
use gavel_runtime::value::Constant;
use std::collections::BTreeMap;
use std::rc::Rc;

/// How often a reference is followed inside of itself.
const RECURSION_MAX: usize = 3;

/// Parts of one schema's type; beyond them it says nothing more.
const PARTS_MAX: usize = 4096;

/// Puts the documents of schemas in front of what is known; tells what is wrong with the schemas.
pub(super) fn apply<'s>(
    env: &mut Env<'_>,
    documents: &Documents,
    schemas: impl Iterator<Item = &'s Schema>,
) -> Vec<String> {
    let mut problems = Vec::new();
    let (mut input, mut data) = (None, None);
    for schema in schemas {
        // Names stand for schemas that a caller has; here none has any, and then OPA takes nothing for granted.
        let Definition::Inline(definition) = &schema.definition else {
            continue;
        };
        let found = metadata::compile(definition)
            .map_err(|reason| format!("unable to compile the schema: {reason}"))
            .and_then(|compiled| {
                let found = Maker::new(&compiled).make(&compiled.root);
                found.map_err(|reason| format!("type checking: {reason}"))
            });
        let (root, known) = match schema.path.head.as_str() {
            "input" => (&mut input, Type::Any),
            "data" if documents.is_empty() => (&mut data, Type::Any),
            "data" => (&mut data, documents.type_at(&[]).unwrap_or(Type::Any)),
            _ => continue,
        };
        let whole = found.and_then(|of| {
            let before = root.take().unwrap_or(known);
            with_member(&before, &keys(&schema.path)?, of)
        });
        match whole {
            Ok(whole) => *root = Some(whole),
            Err(reason) => problems.push(reason),
        }
    }
    if let Some(input) = input {
        env.push_layer(Layer::Input(tree(input)));
    }
    if let Some(data) = data {
        env.push_layer(Layer::Data(Rc::new(tree(data))));
    }
    problems
}

fn tree(whole: Type) -> Documents {
    let mut tree = Documents::new();
    tree.put(std::iter::empty::<Key>(), whole);
    tree
}

/// The constant elements of a path.
fn keys(path: &Path) -> Result<Vec<&Constant>, String> {
    let mut found = Vec::new();
    for step in &path.steps {
        match step {
            Step::Key(key) => found.push(key),
            Step::Other(text) => return Err(format!("error getting key from value: {text}")),
        }
    }
    Ok(found)
}

/// A type in which the member at a path has another one.
fn with_member(of: &Type, path: &[&Constant], member: Type) -> Result<Type, String> {
    let Some((key, rest)) = path.split_first() else {
        return Ok(member);
    };
    let Type::Object(object) = of else {
        return Ok(nested(path, member, &(Type::Any, Type::Any)));
    };
    let mut members = Vec::new();
    let mut found = false;
    for (name, value) in &object.members {
        let value = if name == *key {
            found = true;
            with_member(value, rest, member.clone())?
        } else {
            value.clone()
        };
        members.push((name.clone(), value));
    }
    if !found {
        let value = match (rest, &object.rest) {
            ([], _) => member,
            (rest, Some(dynamic)) => nested(rest, member, dynamic),
            (rest, None) => closed(rest, member),
        };
        members.push(((*key).clone(), value));
    }
    Ok(Type::object(members, object.rest.clone()))
}

/// Objects around a member, each with the same further members.
fn nested(path: &[&Constant], member: Type, rest: &(Type, Type)) -> Type {
    path.iter().rev().fold(member, |inner, key| {
        Type::object(vec![((*key).clone(), inner)], Some(rest.clone()))
    })
}

/// Objects around a member, without further members.
fn closed(path: &[&Constant], member: Type) -> Type {
    path.iter().rev().fold(member, |inner, key| {
        Type::object(vec![((*key).clone(), inner)], None)
    })
}

struct Maker<'c> {
    schema: &'c Compiled,
    /// How often each reference is being followed.
    following: BTreeMap<String, usize>,
    parts: usize,
}

impl<'c> Maker<'c> {
    fn new(schema: &'c Compiled) -> Maker<'c> {
        Maker {
            schema,
            following: BTreeMap::new(),
            parts: 0,
        }
    }

    fn make(&mut self, shape: &Shape) -> Result<Type, String> {
        self.parts += 1;
        if self.parts > PARTS_MAX {
            return Ok(Type::Any);
        }
        if let Some(target) = &shape.reference {
            return self.follow(target);
        }
        if !shape.any_of.is_empty() {
            return self.any_of(shape);
        }
        if !shape.all_of.is_empty() {
            return match self.all_of(shape)? {
                Some(merged) => self.make(&merged),
                None => Ok(Type::Any),
            };
        }
        self.plain(shape)
    }

    fn follow(&mut self, target: &str) -> Result<Type, String> {
        let schema = self.schema;
        let depth = self.following.get(target).copied().unwrap_or(0);
        let Some(shape) = schema.references.get(target).filter(|_| depth < RECURSION_MAX) else {
            return Ok(Type::Any);
        };
        self.following.insert(target.to_owned(), depth + 1);
        let found = self.make(shape);
        self.following.insert(target.to_owned(), depth);
        found
    }

    /// One of several; what stands beside them counts if it is an object with fixed members.
    fn any_of(&mut self, shape: &Shape) -> Result<Type, String> {
        let mut found = Type::Unknown;
        if !shape.types.is_empty() {
            let core = self.make(&Shape {
                any_of: Vec::new(),
                ..shape.clone()
            })?;
            if matches!(&core, Type::Object(object) if object.rest.is_none()) {
                found = core;
            }
        }
        for option in &shape.any_of {
            found = self.make(option)?.or(&found);
        }
        Ok(found)
    }

    /// All of several as one shape; nothing if none of them says anything about types.
    fn all_of(&self, shape: &Shape) -> Result<Option<Shape>, String> {
        let mut parts = Vec::new();
        for part in &shape.all_of {
            let mut part = part;
            let mut steps = 0;
            while let Some(target) = part.reference.as_ref().filter(|_| steps < PARTS_MAX) {
                let Some(next) = self.schema.references.get(target) else {
                    break;
                };
                part = next;
                steps += 1;
            }
            let says_nothing = part.types.is_empty()
                && !part.any_of.is_empty()
                && part.properties.is_empty()
                && part.items.is_empty();
            if !says_nothing {
                parts.push(part.clone());
            }
        }
        if parts.is_empty() {
            return Ok(None);
        }
        let merged = merge(parts)?;
        if shape.types.is_empty() {
            return Ok(Some(merged));
        }
        let both = |name: &str| has(shape, name) && has(&merged, name);
        if both("object") || both("array") {
            return merge(vec![merged, shape.clone()]).map(Some);
        }
        if shape.types != merged.types {
            return Err("unable to merge these schemas".to_owned());
        }
        Ok(Some(merged))
    }

    fn plain(&mut self, shape: &Shape) -> Result<Type, String> {
        if has(shape, "boolean") {
            return Ok(Type::Boolean);
        }
        if has(shape, "string") {
            return Ok(Type::String);
        }
        if has(shape, "integer") || has(shape, "number") {
            return Ok(Type::Number);
        }
        let is_object = has(shape, "object") || (!has(shape, "array") && !shape.properties.is_empty());
        if is_object {
            if shape.properties.is_empty() {
                return Ok(Type::object(Vec::new(), Some((Type::Any, Type::Any))));
            }
            let mut members = Vec::new();
            for (name, inner) in &shape.properties {
                members.push((Constant::String(name.clone()), self.make(inner)?));
            }
            return Ok(Type::object(members, None));
        }
        if !has(shape, "array") && shape.items.is_empty() {
            return Ok(Type::Any);
        }
        let mut items = Vec::new();
        for item in &shape.items {
            items.push(self.make(item)?);
        }
        Ok(match (shape.is_single, items.first()) {
            (_, None) => Type::array(Vec::new(), Some(Type::Any)),
            (true, Some(item)) => Type::array(Vec::new(), Some(item.clone())),
            (false, Some(_)) => Type::array(items, None),
        })
    }
}

fn has(shape: &Shape, name: &str) -> bool {
    shape.types.iter().any(|found| found == name)
}

/// Puts shapes of one type together: members of objects side by side, lists element by element.
fn merge(mut parts: Vec<Shape>) -> Result<Shape, String> {
    for part in &mut parts {
        let implied = match (part.properties.is_empty(), part.items.is_empty()) {
            (false, _) => "object",
            (true, false) => "array",
            (true, true) => continue,
        };
        if !has(part, implied) {
            part.types.push(implied.to_owned());
        }
    }
    let mut parts = parts.into_iter();
    let mut merged = parts.next().unwrap_or_default();
    for part in parts {
        if merged.types != part.types {
            return Err(format!(
                "unable to merge these schemas: type mismatch: {:?} and {:?}",
                merged.types, part.types
            ));
        }
        if has(&merged, "object") && !merged.properties.is_empty() && !part.properties.is_empty() {
            merged.properties.extend(part.properties);
        } else if has(&merged, "array") && !merged.items.is_empty() {
            for (at, item) in part.items.into_iter().enumerate() {
                match merged.items.get(at) {
                    None => merged.items.push(item),
                    Some(own) if own.types != item.types => {
                        return Err("unable to merge these schemas".to_owned());
                    }
                    Some(_) => {}
                }
            }
        }
    }
    Ok(merged)
}
