//! The documents of one compilation: which parts have an address (`$id`), and what each `$ref` means where it stands.

use super::reference::Reference;
use crate::arena::Arena;
use crate::builtins::Failure;
use crate::builtins::call::charge;
use crate::error::EvalErrorKind;
use crate::json::{self, Numbers};
use crate::limits::BUILTIN_DEPTH_MAX;
use crate::value::{Entry, Kind, Value};
use std::collections::HashMap;

/// Which keywords count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Draft {
    Draft4,
    Draft6,
    Draft7,
    /// No draft was named: the keywords of all.
    Hybrid,
}

/// The drafts' own schemas, as json-schema.org publishes them (AFL-2.1 or BSD-3-Clause), by address.
const META: [(&str, Draft, &str); 3] = [
    (
        "http://json-schema.org/draft-04/schema",
        Draft::Draft4,
        include_str!("draft-04.json"),
    ),
    (
        "http://json-schema.org/draft-06/schema",
        Draft::Draft6,
        include_str!("draft-06.json"),
    ),
    (
        "http://json-schema.org/draft-07/schema",
        Draft::Draft7,
        include_str!("draft-07.json"),
    ),
];

/// Why a schema is refused.
#[derive(Debug)]
pub(super) enum Fault {
    /// It is wrong; gojsonschema's text.
    Schema(String),
    /// A budget ran out.
    Failure(Failure),
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Fault {
        Fault::Failure(failure)
    }
}

impl From<EvalErrorKind> for Fault {
    fn from(kind: EvalErrorKind) -> Fault {
        Fault::Failure(kind.into())
    }
}

impl From<String> for Fault {
    fn from(text: String) -> Fault {
        Fault::Schema(text)
    }
}

/// A document or a part of one, with the draft of its document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Document<'r> {
    pub(super) value: Value<'r>,
    pub(super) draft: Option<Draft>,
}

/// All documents that were met.
pub(super) struct Documents<'c, 'r> {
    pub(super) arena: &'r Arena,
    pub(super) fuel: &'c mut u64,
    by_address: HashMap<String, Document<'r>>,
    /// What the `$ref` of an object means, by the place of its members in memory: every object of a parsed document has
    /// members of its own.
    references: HashMap<*const Entry<'r>, String>,
}

impl<'c, 'r> Documents<'c, 'r> {
    /// The documents of a schema that was just parsed, so that no two objects of it share their members.
    pub(super) fn of(
        arena: &'r Arena,
        fuel: &'c mut u64,
        root: Value<'r>,
    ) -> Result<Documents<'c, 'r>, Fault> {
        let mut documents = Documents {
            arena,
            fuel,
            by_address: HashMap::new(),
            references: HashMap::new(),
        };
        documents.add(root, &Reference::default())?;
        Ok(documents)
    }

    /// What the `$ref` of an object means.
    pub(super) fn meaning(&self, members: &'r [Entry<'r>], written: &str) -> Result<Reference, Fault> {
        let text = self.references.get(&members.as_ptr());
        Ok(Reference::parse(text.map_or(written, String::as_str))?)
    }

    /// What a reference refers to.
    pub(super) fn get(&mut self, reference: &Reference) -> Result<Document<'r>, Fault> {
        let text = reference.text();
        if let Some(document) = self.by_address.get(&text) {
            return Ok(*document);
        }
        let address = reference.document();
        let document = match self.by_address.get(&address) {
            Some(document) => *document,
            None if !reference.is_canonical() => {
                return Err(format!("Reference {text} must be canonical").into());
            }
            None => {
                let Some((_, _, schema)) = META.iter().find(|(of, _, _)| *of == address) else {
                    return Err(format!("remote reference loading disabled: {address}").into());
                };
                let value = json::parse(self.arena, schema.as_bytes(), Numbers::Text)
                    .map_err(|_| EvalErrorKind::ArenaExhausted)?;
                self.add(value, &Reference::parse(&address)?)?
            }
        };
        let part = Document {
            value: reference.find(document.value)?,
            draft: document.draft,
        };
        self.by_address.insert(text, part);
        Ok(part)
    }

    fn add(&mut self, value: Value<'r>, address: &Reference) -> Result<Document<'r>, Fault> {
        let draft = draft_of(value)?;
        self.scan(Document { value, draft }, address, 0)?;
        let document = Document { value, draft };
        self.by_address.insert(address.text(), document);
        Ok(document)
    }

    /// Notes the addresses and references in a part. What is wrong with them is found when the part is compiled.
    fn scan(&mut self, part: Document<'r>, base: &Reference, depth: usize) -> Result<(), Fault> {
        charge(self.fuel, 1)?;
        if depth > BUILTIN_DEPTH_MAX {
            return Err(EvalErrorKind::DepthExceeded.into());
        }
        let Kind::Object(members) = part.value.kind() else {
            if let Kind::Array(items) = part.value.kind() {
                for value in items {
                    self.scan(
                        Document {
                            value: *value,
                            ..part
                        },
                        base,
                        depth + 1,
                    )?;
                }
            }
            return Ok(());
        };
        let own = self.own_address(part, base)?;
        let base = own.as_ref().unwrap_or(base);
        if let Some(written) = part.value.field("$ref").and_then(Value::as_str)
            && let Ok(meant) = Reference::parse(written).and_then(|written| base.resolve(&written))
        {
            self.references.insert(members.as_ptr(), meant.text());
        }
        for member in members {
            let within = Document {
                value: member.value,
                ..part
            };
            match member.key.as_str().unwrap_or_default() {
                // Taken literally.
                "const" | "enum" => {}
                // Names that are no keywords.
                "properties" | "dependencies" | "patternProperties" => {
                    if let Kind::Object(schemas) = member.value.kind() {
                        for schema in schemas {
                            let value = schema.value;
                            self.scan(Document { value, ..part }, base, depth + 2)?;
                        }
                    }
                }
                _ => self.scan(within, base, depth + 1)?,
            }
        }
        Ok(())
    }

    /// The address that an object gives itself.
    fn own_address(&mut self, part: Document<'r>, base: &Reference) -> Result<Option<Reference>, Fault> {
        let id = part.value.field("id").or_else(|| part.value.field("$id"));
        let Some(id) = id.and_then(Value::as_str) else {
            return Ok(None);
        };
        let Ok(own) = Reference::parse(id).and_then(|id| base.resolve(&id)) else {
            return Ok(None);
        };
        let text = own.text();
        if self.by_address.contains_key(&text) {
            return Err(format!("Reference already exists: \"{text}\"").into());
        }
        self.by_address.insert(text, part);
        Ok(Some(own))
    }
}

/// The draft that `$schema` names; `None` for none, or for one that is not known.
pub(super) fn draft_of(document: Value<'_>) -> Result<Option<Draft>, Fault> {
    match document.kind() {
        Kind::Bool(_) => return Ok(None),
        Kind::Object(_) => {}
        _ => return Err("schema is invalid".to_owned().into()),
    }
    let Some(schema) = document.field("$schema") else {
        return Ok(None);
    };
    let Some(text) = schema.as_str() else {
        return Err("$schema must be of type string".to_owned().into());
    };
    let named = Reference::parse(text)?.text();
    Ok(META
        .iter()
        .find(|(address, _, _)| *address == named)
        .map(|(_, draft, _)| *draft))
}
