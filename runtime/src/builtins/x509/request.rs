//! Certificate requests (PKCS #10).

use super::algorithm::{Algorithm, SignatureAlgorithm};
use super::certificate::Extension;
use super::der::{Element, Read, Reader, SEQUENCE, SET, constructed};
use super::name::{self, Attribute};
use super::names::AlternativeNames;
use super::oid::{EXTENSION_REQUEST, Oid, SUBJECT_ALT_NAME};
use super::public_key::{KeyInfo, PublicKey};
use crate::arena::Arena;
use crate::builtins::Failure;
use std::collections::HashSet;

/// A request.
#[derive(Debug)]
pub(super) struct Request<'r> {
    /// All of it.
    pub(super) raw: &'r [u8],
    /// What is signed.
    pub(super) raw_signed: &'r [u8],
    pub(super) raw_key: &'r [u8],
    pub(super) raw_subject: &'r [u8],
    pub(super) version: i64,
    pub(super) signature: &'r [u8],
    pub(super) signature_algorithm: SignatureAlgorithm,
    pub(super) key: PublicKey<'r>,
    pub(super) subject: Vec<Attribute<'r>>,
    /// Attributes whose values are lists of pairs, as those of requested extensions are; others are left out.
    pub(super) attributes: Vec<(Oid<'r>, Vec<Vec<Attribute<'r>>>)>,
    /// Extensions that are asked for.
    pub(super) extensions: Vec<Extension<'r>>,
    pub(super) names: AlternativeNames<'r>,
}

impl<'r> Request<'r> {
    /// A request that nothing follows.
    pub(super) fn parse(arena: &'r Arena, der: &'r [u8]) -> Read<Request<'r>> {
        let mut reader = Reader::new(der);
        let outer = reader.element(SEQUENCE)?;
        reader.end()?;
        let mut rest = Reader::new(outer.content);
        let signed = rest.element(SEQUENCE)?;
        let algorithm = Algorithm::read(rest.sequence()?)?;
        let signature = rest.bits()?.right_aligned(arena)?;
        let mut fields = Reader::new(signed.content);
        let version = fields.int()?;
        let subject = fields.any()?;
        let key = fields.element(SEQUENCE)?;
        let raw_attributes = raw_attributes(fields.inside(constructed(0))?)?;
        let mut extensions = Vec::new();
        let mut seen = HashSet::new();
        for attribute in &raw_attributes {
            requested(*attribute, &mut extensions, &mut seen)?;
        }
        let mut names = AlternativeNames::default();
        for extension in &extensions {
            if extension.oid == SUBJECT_ALT_NAME {
                names = AlternativeNames::read(arena, Reader::new(extension.value))?;
            }
        }
        Ok(Request {
            raw: outer.whole,
            raw_signed: signed.whole,
            raw_key: key.whole,
            raw_subject: subject.whole,
            version,
            signature,
            signature_algorithm: algorithm.signature(),
            key: KeyInfo::read(Reader::new(key.content))?.key_of_certificate(arena)?,
            subject: name::with_texts(arena, name::of_request(subject.whole)?),
            attributes: raw_attributes
                .iter()
                .filter_map(|attribute| pairs(*attribute).ok())
                .collect(),
            extensions,
            names,
        })
    }
}

fn raw_attributes(mut list: Reader<'_>) -> Read<Vec<Element<'_>>> {
    let mut attributes = Vec::new();
    while !list.is_empty() {
        attributes.push(list.raw()?);
    }
    Ok(attributes)
}

/// An attribute with its values, where those are sequences of pairs.
fn pairs(attribute: Element<'_>) -> Read<(Oid<'_>, Vec<Vec<Attribute<'_>>>)> {
    let mut fields = Reader::new(attribute.whole).sequence()?;
    let kind = fields.oid()?;
    let mut values = fields.inside(SET)?;
    let mut lists = Vec::new();
    while !values.is_empty() {
        let mut list = Vec::new();
        name::attributes_of(&mut values.sequence()?, &mut list)?;
        lists.push(list);
    }
    Ok((kind, lists))
}

/// Collects the extensions that an attribute asks for, none of them twice. Attributes of other shapes ask for none.
fn requested<'r>(
    attribute: Element<'r>,
    extensions: &mut Vec<Extension<'r>>,
    seen: &mut HashSet<Oid<'r>>,
) -> Read<()> {
    let first_value = |attribute: Element<'r>| {
        let mut fields = Reader::new(attribute.whole).sequence()?;
        let kind = fields.oid()?;
        let mut values = fields.inside(SET)?;
        let first = values.raw()?;
        Ok::<_, Failure>((kind, first))
    };
    let Ok((EXTENSION_REQUEST, value)) = first_value(attribute) else {
        return Ok(());
    };
    let mut list = Reader::new(value.whole).sequence()?;
    while !list.is_empty() {
        let extension = Extension::read(list.sequence()?)?;
        if !seen.insert(extension.oid) {
            return Err(Failure::BUILTIN);
        }
        extensions.push(extension);
    }
    Ok(())
}
