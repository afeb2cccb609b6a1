//! Annotations as the values that `rego.metadata.*` gives.

use super::annotation::{Annotation, Author, Definition, Free, Path, Resource, Schema, Step};
use gavel_runtime::value::Constant;

/// The object of an annotation.
///
/// # Errors
/// Why a value of any type has no JSON.
pub fn of_annotation(annotation: &Annotation) -> Result<Constant, String> {
    let fields = &annotation.fields;
    let mut entries = Vec::new();
    let mut add = |key: &str, value: Constant| entries.push((text(key), value));
    add("scope", text(annotation.scope.as_str()));
    if !fields.title.is_empty() {
        add("title", text(&fields.title));
    }
    if fields.entrypoint {
        add("entrypoint", Constant::Bool(true));
    }
    if !fields.description.is_empty() {
        add("description", text(&fields.description));
    }
    if !fields.organizations.is_empty() {
        add("organizations", list(&fields.organizations, |name| text(name)));
    }
    if !fields.related_resources.is_empty() {
        add("related_resources", list(&fields.related_resources, resource));
    }
    if !fields.authors.is_empty() {
        add("authors", list(&fields.authors, author));
    }
    if !fields.schemas.is_empty() {
        let schemas = fields.schemas.iter().map(schema).collect::<Result<_, _>>();
        let schemas = schemas.map_err(|reason| format!("invalid schema annotation {reason}"))?;
        add("schemas", Constant::Array(schemas));
    }
    if !fields.custom.0.is_empty() {
        let value = free(&fields.custom).map_err(|reason| format!("invalid custom annotation {reason}"))?;
        add("custom", value);
    }
    if !fields.labels.0.is_empty() {
        let value = free(&fields.labels).map_err(|reason| format!("invalid labels annotation {reason}"))?;
        add("labels", value);
    }
    Ok(Constant::object(entries))
}

/// The elements of a path as texts.
#[must_use]
pub(super) fn steps(path: &Path) -> Constant {
    let mut elements = vec![text(&path.head)];
    elements.extend(path.steps.iter().map(|step| match step {
        Step::Key(key) => step_text(key),
        Step::Other(other) => text(other),
    }));
    Constant::Array(elements)
}

/// A scalar of a path as a text.
#[must_use]
pub(super) fn step_text(key: &Constant) -> Constant {
    match key {
        Constant::String(name) | Constant::Number(name) => text(name),
        Constant::Int(number) => text(&number.to_string()),
        Constant::Bool(value) => text(if *value { "true" } else { "false" }),
        _ => text("null"),
    }
}

fn text(text: &str) -> Constant {
    Constant::String(text.to_owned())
}

fn list<T>(items: &[T], of: impl Fn(&T) -> Constant) -> Constant {
    Constant::Array(items.iter().map(of).collect())
}

/// An object of the texts that are not empty.
fn texts(entries: &[(&str, &str)]) -> Constant {
    let entries = entries.iter().filter(|(_, value)| !value.is_empty());
    Constant::object(entries.map(|(key, value)| (text(key), text(value))).collect())
}

fn resource(resource: &Resource) -> Constant {
    texts(&[
        ("ref", &resource.reference),
        ("description", &resource.description),
    ])
}

fn author(author: &Author) -> Constant {
    texts(&[("name", &author.name), ("email", &author.email)])
}

fn schema(schema: &Schema) -> Result<Constant, String> {
    let mut entries = vec![(text("path"), steps(&schema.path))];
    match &schema.definition {
        Definition::Named(path) => entries.push((text("schema"), steps(path))),
        Definition::Inline(definition) => {
            check(definition)?;
            entries.push((text("definition"), definition.clone()));
        }
    }
    Ok(Constant::object(entries))
}

fn free(members: &Free) -> Result<Constant, String> {
    let entries = members.0.iter().map(|(key, value)| {
        check(value)?;
        Ok((text(key), value.clone()))
    });
    Ok(Constant::object(entries.collect::<Result<_, String>>()?))
}

/// Whether Go can write a value as JSON.
fn check(value: &Constant) -> Result<(), String> {
    match value {
        Constant::Number(text) if text.contains(['I', 'N']) => {
            Err(format!("json: unsupported value: {text}"))
        }
        Constant::Array(items) => items.iter().try_for_each(check),
        Constant::Object(entries) => entries.iter().try_for_each(|(key, value)| match key {
            Constant::String(_) => check(value),
            _ => Err(
                "ast: interface conversion: json: unsupported type: map[interface {}]interface {}".to_owned(),
            ),
        }),
        _ => Ok(()),
    }
}
