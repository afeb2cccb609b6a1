//! Certificates, read as Go's `crypto/x509` reads them.

use super::algorithm::{Algorithm, SignatureAlgorithm};
use super::der::{Read, Reader, SEQUENCE, constructed, context};
use super::extensions::Extensions;
use super::moment::Moment;
use super::name::{self, Attribute};
use super::oid::Oid;
use super::public_key::{KeyInfo, PublicKey};
use crate::arena::Arena;
use crate::builtins::Failure;
use crate::builtins::call::charge;
use std::collections::HashSet;

/// Fuel of looking whether a key is one, about what its time is worth.
const KEY_FUEL: usize = 2_000;

/// A certificate.
#[derive(Debug)]
pub(super) struct Certificate<'r> {
    /// All of it.
    pub(super) raw: &'r [u8],
    /// What is signed.
    pub(super) raw_signed: &'r [u8],
    pub(super) raw_key: &'r [u8],
    pub(super) raw_subject: &'r [u8],
    pub(super) raw_issuer: &'r [u8],
    pub(super) signature: &'r [u8],
    pub(super) signature_algorithm: SignatureAlgorithm,
    pub(super) key: PublicKey<'r>,
    /// 1 to 3.
    pub(super) version: i64,
    /// Digits of the serial number, which is not negative.
    pub(super) serial: &'r [u8],
    pub(super) issuer: Vec<Attribute<'r>>,
    pub(super) subject: Vec<Attribute<'r>>,
    pub(super) not_before: Moment,
    pub(super) not_after: Moment,
    /// Extensions in the order of the certificate.
    pub(super) raw_extensions: Vec<Extension<'r>>,
    /// What those say that are known.
    pub(super) extensions: Extensions<'r>,
}

/// An extension.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extension<'r> {
    pub(super) oid: Oid<'r>,
    pub(super) is_critical: bool,
    pub(super) value: &'r [u8],
}

/// Certificates one after another.
pub(super) fn parse_all<'r>(arena: &'r Arena, fuel: &mut u64, der: &'r [u8]) -> Read<Vec<Certificate<'r>>> {
    let mut reader = Reader::new(der);
    let mut certificates = Vec::new();
    while !reader.is_empty() {
        charge(fuel, KEY_FUEL)?;
        certificates.push(Certificate::read(arena, &mut reader)?);
    }
    Ok(certificates)
}

/// The public key of a certificate.
pub(in crate::builtins) fn key_of_certificate<'r>(arena: &'r Arena, der: &'r [u8]) -> Read<PublicKey<'r>> {
    Ok(Certificate::parse(arena, der)?.key)
}

impl<'r> Certificate<'r> {
    /// A certificate that nothing follows.
    pub(super) fn parse(arena: &'r Arena, der: &'r [u8]) -> Read<Certificate<'r>> {
        let mut reader = Reader::new(der);
        let certificate = Certificate::read(arena, &mut reader)?;
        reader.end()?;
        Ok(certificate)
    }

    fn read(arena: &'r Arena, reader: &mut Reader<'r>) -> Read<Certificate<'r>> {
        let outer = reader.element(SEQUENCE)?;
        let mut rest = Reader::new(outer.content);
        let signed = rest.element(SEQUENCE)?;
        let mut fields = Reader::new(signed.content);
        let version = version(&mut fields)?;
        let serial = fields.integer()?;
        if serial.first().is_some_and(|first| first & 0x80 != 0) {
            return Err(Failure::BUILTIN);
        }
        let algorithm = fields.content(SEQUENCE)?;
        if rest.content(SEQUENCE)? != algorithm {
            return Err(Failure::BUILTIN);
        }
        let algorithm = Algorithm::read(Reader::new(algorithm))?;
        let raw_issuer = fields.element(SEQUENCE)?.whole;
        let issuer = name::of_certificate(arena, raw_issuer)?;
        let mut validity = fields.sequence()?;
        let not_before = Moment::read(&mut validity)?;
        let not_after = Moment::read(&mut validity)?;
        let raw_subject = fields.element(SEQUENCE)?.whole;
        let subject = name::of_certificate(arena, raw_subject)?;
        let key = fields.element(SEQUENCE)?;
        let raw_extensions = raw_extensions(&mut fields, version)?;
        Ok(Certificate {
            raw: outer.whole,
            raw_signed: signed.whole,
            raw_key: key.whole,
            raw_subject,
            raw_issuer,
            signature: rest.bits()?.right_aligned(arena)?,
            signature_algorithm: algorithm.signature(),
            key: KeyInfo::read(Reader::new(key.content))?.key_of_certificate(arena)?,
            version,
            serial,
            issuer,
            subject,
            not_before,
            not_after,
            extensions: Extensions::read(arena, &raw_extensions)?,
            raw_extensions,
        })
    }

    /// The value of an extension, if the certificate has it.
    pub(super) fn extension(&self, oid: Oid<'_>) -> Option<&'r [u8]> {
        let found = self.raw_extensions.iter().find(|one| one.oid == oid);
        found.map(|one| one.value)
    }
}

/// The version, which is 1 where none is said.
fn version(fields: &mut Reader<'_>) -> Read<i64> {
    let Some(explicit) = fields.optional(constructed(0))? else {
        return Ok(1);
    };
    let mut explicit = Reader::new(explicit);
    let version = explicit.int()?;
    explicit.end()?;
    match version {
        0..=2 => Ok(version + 1),
        _ => Err(Failure::BUILTIN),
    }
}

/// The extensions; only certificates of version 3 have some.
fn raw_extensions<'r>(fields: &mut Reader<'r>, version: i64) -> Read<Vec<Extension<'r>>> {
    let mut found = Vec::new();
    if version == 1 {
        return Ok(found);
    }
    // Identifiers of issuer and subject, which nobody uses.
    fields.optional(context(1))?;
    fields.optional(context(2))?;
    if version == 2 {
        return Ok(found);
    }
    let Some(list) = fields.optional(constructed(3))? else {
        return Ok(found);
    };
    let mut list = Reader::new(list).sequence()?;
    let mut seen = HashSet::new();
    while !list.is_empty() {
        let extension = Extension::read(list.sequence()?)?;
        if !seen.insert(extension.oid) {
            return Err(Failure::BUILTIN);
        }
        found.push(extension);
    }
    Ok(found)
}

impl<'r> Extension<'r> {
    pub(super) fn read(mut fields: Reader<'r>) -> Read<Extension<'r>> {
        Ok(Extension {
            oid: fields.oid()?,
            is_critical: fields.optional_boolean()?,
            value: fields.content(super::der::OCTET_STRING)?,
        })
    }
}
