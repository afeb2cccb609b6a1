//! The names of issuers and subjects.

use super::der::{Element, Read, Reader, SET};
use super::oid::Oid;
use super::strings::decoded;
use crate::arena::Arena;

/// One attribute of a name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attribute<'r> {
    pub(super) kind: Oid<'r>,
    pub(super) value: AttributeValue<'r>,
}

/// What an attribute says.
#[derive(Clone, Copy, Debug)]
pub(super) enum AttributeValue<'r> {
    /// A text in a string type.
    Text(&'r str),
    /// An element that may be of any type.
    Other(Element<'r>),
}

/// The attributes of a certificate's name; all are texts.
pub(super) fn of_certificate<'r>(arena: &'r Arena, name: &'r [u8]) -> Read<Vec<Attribute<'r>>> {
    let mut sets = Reader::new(name).sequence()?;
    let mut attributes = Vec::new();
    while !sets.is_empty() {
        let mut set = sets.inside(SET)?;
        while !set.is_empty() {
            let mut pair = set.sequence()?;
            let kind = pair.oid()?;
            let value = pair.any()?;
            attributes.push(Attribute {
                kind,
                value: AttributeValue::Text(decoded(arena, value.tag, value.content)?),
            });
        }
    }
    Ok(attributes)
}

/// The attributes of a request's name, where they may be of any type.
pub(super) fn of_request(name: &[u8]) -> Read<Vec<Attribute<'_>>> {
    let mut name = Reader::new(name);
    let mut sets = name.sequence()?;
    name.end()?;
    let mut attributes = Vec::new();
    while !sets.is_empty() {
        attributes_of(&mut sets.inside(SET)?, &mut attributes)?;
    }
    Ok(attributes)
}

/// Pairs of an identifier and anything.
pub(super) fn attributes_of<'r>(pairs: &mut Reader<'r>, attributes: &mut Vec<Attribute<'r>>) -> Read<()> {
    while !pairs.is_empty() {
        let mut pair = pairs.sequence()?;
        attributes.push(Attribute {
            kind: pair.oid()?,
            value: AttributeValue::Other(pair.raw()?),
        });
    }
    Ok(())
}

/// Attributes of any type, with texts read as such.
pub(super) fn with_texts<'r>(arena: &'r Arena, attributes: Vec<Attribute<'r>>) -> Vec<Attribute<'r>> {
    let read = |attribute: Attribute<'r>| match attribute.value {
        AttributeValue::Other(element) => match decoded(arena, element.tag, element.content) {
            Ok(text) => Attribute {
                value: AttributeValue::Text(text),
                ..attribute
            },
            Err(_) => attribute,
        },
        AttributeValue::Text(_) => attribute,
    };
    attributes.into_iter().map(read).collect()
}
