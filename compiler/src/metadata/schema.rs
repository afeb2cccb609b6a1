//! Inline JSON schemas as far as types need them, checked keyword by keyword as OPA's schema compiler does.
//!
//! References lead to places of the same document. Those that lead elsewhere would be fetched by OPA; here they are refused.

use gavel_runtime::re2;
use gavel_runtime::value::Constant;
use std::collections::BTreeMap;

/// A schema and what it refers to.
#[derive(Clone, Debug, Default)]
pub struct Compiled {
    /// The whole document.
    pub root: Shape,
    /// What each `$ref` stands for.
    pub references: BTreeMap<String, Shape>,
}

/// What one schema says about types.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    /// `$ref`: nothing else counts then.
    pub reference: Option<String>,
    /// `type`, in the order of the text.
    pub types: Vec<String>,
    /// `properties`.
    pub properties: Vec<(String, Shape)>,
    /// `items`.
    pub items: Vec<Shape>,
    /// `items` is one schema for all.
    pub is_single: bool,
    /// `anyOf`, if it is not empty.
    pub any_of: Vec<Shape>,
    /// `allOf`, if it is not empty.
    pub all_of: Vec<Shape>,
}

const TYPES: [&str; 7] = [
    "array", "boolean", "integer", "number", "null", "object", "string",
];

/// Deepest nesting of schemas.
const DEPTH_MAX: usize = 100;

/// Reads a schema.
///
/// # Errors
/// Why it is none.
pub fn compile(definition: &Constant) -> Result<Compiled, String> {
    if has_other_keys(definition) {
        return Err("json: unsupported type: map[interface {}]interface {}".to_owned());
    }
    let mut reader = Reader {
        document: definition,
        references: BTreeMap::new(),
        depth: 0,
    };
    let root = reader.shape(definition)?;
    Ok(Compiled {
        root,
        references: reader.references,
    })
}

/// Whether a mapping inside has keys that are no texts.
fn has_other_keys(value: &Constant) -> bool {
    match value {
        Constant::Object(entries) => entries
            .iter()
            .any(|(key, value)| !matches!(key, Constant::String(_)) || has_other_keys(value)),
        Constant::Array(items) => items.iter().any(has_other_keys),
        _ => false,
    }
}

struct Reader<'d> {
    document: &'d Constant,
    references: BTreeMap<String, Shape>,
    depth: usize,
}

impl Reader<'_> {
    fn shape(&mut self, schema: &Constant) -> Result<Shape, String> {
        if matches!(schema, Constant::Bool(_)) {
            return Ok(Shape::default());
        }
        let Constant::Object(_) = schema else {
            return Err("a schema must be an object or a boolean".to_owned());
        };
        if self.depth >= DEPTH_MAX {
            return Err(format!("schemas are nested more than {DEPTH_MAX} levels deep"));
        }
        self.depth += 1;
        let shape = self.object(schema);
        self.depth -= 1;
        shape
    }

    fn object(&mut self, schema: &Constant) -> Result<Shape, String> {
        for key in ["$id", "title", "description"] {
            text(schema, key)?;
        }
        self.named(schema, "definitions")?;
        let mut shape = Shape::default();
        if let Some(target) = text(schema, "$ref")? {
            self.refer(target)?;
            shape.reference = Some(target.to_owned());
            return Ok(shape);
        }
        shape.types = types(schema)?;
        shape.properties = self.named(schema, "properties")?;
        for (pattern, _) in self.named(schema, "patternProperties")? {
            check_pattern(&pattern)?;
        }
        for key in [
            "additionalProperties",
            "propertyNames",
            "additionalItems",
            "contains",
            "not",
            "if",
            "then",
            "else",
        ] {
            if let Some(inner) = schema.get(key) {
                self.shape(inner)?;
            }
        }
        self.dependencies(schema)?;
        match schema.get("items") {
            None => {}
            Some(Constant::Array(items)) => {
                shape.items = items
                    .iter()
                    .map(|item| self.shape(item))
                    .collect::<Result<_, _>>()?;
            }
            Some(item) => {
                shape.items = vec![self.shape(item)?];
                shape.is_single = true;
            }
        }
        check_bounds(schema)?;
        check_lists(schema)?;
        self.list(schema, "oneOf")?;
        shape.any_of = self.list(schema, "anyOf")?;
        shape.all_of = self.list(schema, "allOf")?;
        Ok(shape)
    }

    fn named(&mut self, schema: &Constant, key: &str) -> Result<Vec<(String, Shape)>, String> {
        let mut found = Vec::new();
        match schema.get(key) {
            None => {}
            Some(Constant::Object(entries)) => {
                for (name, inner) in entries {
                    if let Constant::String(name) = name {
                        found.push((name.clone(), self.shape(inner)?));
                    }
                }
            }
            Some(_) => return Err(format!("{key} must be an object")),
        }
        Ok(found)
    }

    fn list(&mut self, schema: &Constant, key: &str) -> Result<Vec<Shape>, String> {
        match schema.get(key) {
            None => Ok(Vec::new()),
            Some(Constant::Array(items)) => items.iter().map(|item| self.shape(item)).collect(),
            Some(_) => Err(format!("{key} must be an array")),
        }
    }

    fn dependencies(&mut self, schema: &Constant) -> Result<(), String> {
        let wrong = || "dependencies must be an object of schemas and lists of texts".to_owned();
        let Some(found) = schema.get("dependencies") else {
            return Ok(());
        };
        let Constant::Object(entries) = found else {
            return Err(wrong());
        };
        for (_, dependency) in entries {
            match dependency {
                Constant::Array(names) if names.iter().all(|name| matches!(name, Constant::String(_))) => {}
                Constant::Array(_) => return Err(wrong()),
                inner => {
                    self.shape(inner)?;
                }
            }
        }
        Ok(())
    }

    /// Reads what a reference leads to, once.
    fn refer(&mut self, target: &str) -> Result<(), String> {
        if self.references.contains_key(target) {
            return Ok(());
        }
        let document = self.document;
        let Some(pointer) = target.strip_prefix('#') else {
            return Err(format!(
                "the reference {target:?} leads out of the schema, which is not supported"
            ));
        };
        let mut found = document;
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            let next = match found {
                Constant::Array(items) => step.parse().ok().and_then(|at: usize| items.get(at)),
                object => object.get(&step),
            };
            found = next.ok_or_else(|| format!("the reference {target:?} leads nowhere"))?;
        }
        // In its place while it is read, so that it may refer to itself.
        self.references.insert(target.to_owned(), Shape::default());
        let shape = self.shape(found)?;
        self.references.insert(target.to_owned(), shape);
        Ok(())
    }
}

fn text<'s>(schema: &'s Constant, key: &str) -> Result<Option<&'s str>, String> {
    match schema.get(key) {
        None => Ok(None),
        Some(Constant::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("{key} must be a string")),
    }
}

fn types(schema: &Constant) -> Result<Vec<String>, String> {
    let wrong = || "type must be a string or a list of strings".to_owned();
    let written = match schema.get("type") {
        None => return Ok(Vec::new()),
        Some(Constant::Array(items)) => items.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    let mut found: Vec<String> = Vec::new();
    for item in written {
        let Constant::String(name) = item else {
            return Err(wrong());
        };
        if !TYPES.contains(&name.as_str()) || found.contains(name) {
            return Err(format!("{name:?} is no type, or stands twice"));
        }
        found.push(name.clone());
    }
    Ok(found)
}

fn check_pattern(pattern: &str) -> Result<(), String> {
    re2::compile(pattern)
        .map(|_| ())
        .map_err(|_| format!("{pattern:?} is no regular expression"))
}

/// Keywords that are numbers.
fn check_bounds(schema: &Constant) -> Result<(), String> {
    let is_number = |value: &Constant| matches!(value, Constant::Int(_) | Constant::Number(_));
    for key in ["multipleOf", "minimum", "maximum"] {
        if schema.get(key).is_some_and(|value| !is_number(value)) {
            return Err(format!("{key} must be a number"));
        }
    }
    if let Some(value) = schema.get("multipleOf")
        && value.compare(&Constant::Int(0)).is_le()
    {
        return Err("multipleOf must be above 0".to_owned());
    }
    for (key, of) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        let fits = match schema.get(key) {
            Some(Constant::Bool(_)) => schema.get(of).is_some(),
            Some(value) => is_number(value),
            None => true,
        };
        if !fits {
            return Err(format!("{key} must be a number, or a boolean beside {of}"));
        }
    }
    for (from, to) in [
        ("minLength", "maxLength"),
        ("minProperties", "maxProperties"),
        ("minItems", "maxItems"),
    ] {
        for key in [from, to] {
            let is_count = |value: &Constant| matches!(value, Constant::Int(count) if *count >= 0);
            if schema.get(key).is_some_and(|value| !is_count(value)) {
                return Err(format!("{key} must be a whole number from 0"));
            }
        }
        if let (Some(least), Some(most)) = (schema.get(from), schema.get(to))
            && from != "minItems"
            && least.compare(most).is_gt()
        {
            return Err(format!("{from} is above {to}"));
        }
    }
    match schema.get("uniqueItems") {
        None | Some(Constant::Bool(_)) => Ok(()),
        Some(_) => Err("uniqueItems must be a boolean".to_owned()),
    }
}

/// Keywords that are lists without schemas.
fn check_lists(schema: &Constant) -> Result<(), String> {
    for key in ["required", "enum"] {
        let Some(value) = schema.get(key) else { continue };
        let Constant::Array(items) = value else {
            return Err(format!("{key} must be an array"));
        };
        let is_text = |item: &Constant| matches!(item, Constant::String(_));
        if key == "required" && !items.iter().all(is_text) {
            return Err("required must be a list of strings".to_owned());
        }
        if matches!(Constant::set(items.clone()), Constant::Set(unique) if unique.len() < items.len()) {
            return Err(format!("{key} lists something twice"));
        }
    }
    text(schema, "format")?;
    // The expression itself is not looked at before a value is checked.
    text(schema, "pattern")?;
    Ok(())
}
