//! Members as written to members that mean something; the wording of refusals is OPA's.

use super::annotation::{Author, Definition, Fields, Free, Resource, Schema};
use super::decode::{Members, Raw};
use super::path;
use gavel_runtime::builtins::normal_url;
use gavel_runtime::value::Constant;

/// Checks what a block says.
///
/// # Errors
/// The first thing that is wrong.
pub(super) fn fields(raw: Raw) -> Result<Fields, String> {
    let related_resources = raw.related_resources.iter().map(resource);
    let related_resources = related_resources.collect::<Result<_, _>>()?;
    check_compile(&raw.compile)?;
    let schemas = raw.schemas.into_iter().map(schema).collect::<Result<_, _>>()?;
    let authors = raw.authors.iter().map(author).collect::<Result<_, _>>()?;
    Ok(Fields {
        title: raw.title,
        description: raw.description,
        entrypoint: raw.entrypoint,
        organizations: raw.organizations,
        related_resources,
        authors,
        schemas,
        custom: free(raw.custom)?,
        labels: free(raw.labels)?,
    })
}

/// Keys must be texts, but OPA looks no further than the first mapping that has only such keys.
fn check_keys(value: &Constant) -> Result<(), String> {
    match value {
        Constant::Object(entries) if entries.iter().any(|(key, _)| !matches!(key, Constant::String(_))) => {
            Err("invalid map key type(s)".to_owned())
        }
        Constant::Array(items) => items.iter().try_for_each(check_keys),
        _ => Ok(()),
    }
}

fn free(members: Members) -> Result<Free, String> {
    members.iter().try_for_each(|(_, value)| check_keys(value))?;
    Ok(Free(members))
}

fn resource(value: &Constant) -> Result<Resource, String> {
    let refused = |reason: &str| format!("invalid related-resource definition: {reason}");
    check_keys(value).map_err(|reason| refused(&reason))?;
    let (reference, description) = match value {
        Constant::String(reference) if reference.is_empty() => {
            return Err(refused("ref URL may not be empty string"));
        }
        Constant::String(reference) => (reference.as_str(), String::new()),
        Constant::Object(_) => match trimmed(value, "ref") {
            "" => return Err(refused("'ref' value required in object")),
            reference => (reference, trimmed(value, "description").to_owned()),
        },
        _ => return Err(refused("invalid value type, must be string or map")),
    };
    let reference = normal_url(reference).ok_or_else(|| refused(&format!("parse {reference:?}: no URL")))?;
    Ok(Resource {
        reference,
        description,
    })
}

/// The text of a member, empty if there is none.
fn trimmed<'v>(object: &'v Constant, key: &str) -> &'v str {
    match object.get(key) {
        Some(Constant::String(text)) => text.trim(),
        _ => "",
    }
}

fn author(value: &Constant) -> Result<Author, String> {
    let refused = |reason: &str| format!("invalid author definition: {reason}");
    check_keys(value).map_err(|reason| refused(&reason))?;
    match value {
        Constant::String(text) => author_of(text).ok_or_else(|| refused("author is an empty string")),
        Constant::Object(_) => {
            let (name, email) = (trimmed(value, "name"), trimmed(value, "email"));
            if name.is_empty() && email.is_empty() {
                return Err(refused("'name' and/or 'email' values required in object"));
            }
            Ok(Author {
                name: name.to_owned(),
                email: email.to_owned(),
            })
        }
        _ => Err(refused("invalid value type, must be string or map")),
    }
}

/// `First Last <address>`; nothing for a blank text.
fn author_of(text: &str) -> Option<Author> {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    let address = words
        .last()?
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'));
    if address.is_some() {
        words.pop();
    }
    Some(Author {
        name: words.join(" "),
        email: address.unwrap_or("").to_owned(),
    })
}

/// `compile` is for tools that evaluate partially; here it only must be right.
fn check_compile(members: &Members) -> Result<(), String> {
    let member = |name: &str| {
        members
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    };
    if let Some(Constant::Array(unknowns)) = member("unknowns") {
        for unknown in unknowns {
            if let Constant::String(text) = unknown
                && path::reference(text).is_none()
            {
                return Err(format!("invalid unknowns element {text:?}"));
            }
        }
    }
    match member("mask_rule") {
        Some(Constant::String(text)) if !path::names_a_rule(text) => {
            Err(format!("invalid mask_rule annotation {text:?}"))
        }
        _ => Ok(()),
    }
}

/// One `path: schema`.
fn schema(members: Members) -> Result<Schema, String> {
    let (key, value) = members
        .into_iter()
        .next()
        .ok_or_else(|| "invalid document reference".to_owned())?;
    let path = path::reference(&key).ok_or_else(|| "invalid document reference".to_owned())?;
    let definition = match value {
        Constant::String(text) => {
            let path = path::schema(&text).ok_or_else(|| "invalid schema reference".to_owned())?;
            Definition::Named(path)
        }
        Constant::Object(entries) if entries.iter().all(|(key, _)| matches!(key, Constant::String(_))) => {
            Definition::Inline(Constant::Object(entries))
        }
        _ => return Err(format!("invalid schema declaration for path {key:?}")),
    };
    Ok(Schema { path, definition })
}
