//! Algorithm identifiers, and the signature algorithms that certificates name.

use super::der::{Element, INTEGER, NULL, Read, Reader, SEQUENCE, constructed, int_of};
use super::oid::{self, Oid};
use crate::builtins::Failure;
use crate::builtins::jwt::{Hash, Scheme};

/// An identifier with its parameters.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Algorithm<'a> {
    pub(super) oid: Oid<'a>,
    /// The element of the parameters; its `whole` is empty if there is none.
    pub(super) parameters: Element<'a>,
}

/// A signature algorithm, as Go numbers them; 0 is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SignatureAlgorithm(pub(super) i64);

const PSS_SHA256: i64 = 13;
const PSS_SHA384: i64 = 14;
const PSS_SHA512: i64 = 15;

impl<'a> Algorithm<'a> {
    /// What an algorithm identifier holds.
    pub(super) fn read(mut reader: Reader<'a>) -> Read<Algorithm<'a>> {
        let oid = reader.oid()?;
        let parameters = match reader.is_empty() {
            true => Element::default(),
            false => reader.any()?,
        };
        Ok(Algorithm { oid, parameters })
    }

    /// Whether there are no parameters, or none to speak of.
    fn has_no_parameters(&self) -> bool {
        self.parameters.whole.is_empty() || self.parameters.whole == NULL
    }

    /// The signature algorithm that is identified.
    pub(super) fn signature(&self) -> SignatureAlgorithm {
        if self.oid == oid::RSA_PSS {
            return SignatureAlgorithm(self.pss().unwrap_or(0));
        }
        if self.oid == oid::ED25519 && !self.parameters.whole.is_empty() {
            return SignatureAlgorithm(0);
        }
        let known = oid::SIGNATURES.iter().find(|(oid, _)| *oid == self.oid);
        SignatureAlgorithm(known.map_or(0, |(_, number)| *number))
    }

    /// The three kinds of PSS that are in use: the same hash everywhere, and a salt of its length.
    fn pss(&self) -> Read<i64> {
        let mut fields = Reader::new(self.parameters.whole).sequence()?;
        let mut field = |number: u8, tag: u8| fields.wrapped(constructed(number), tag);
        let hash = field(0, SEQUENCE)?.ok_or(Failure::BUILTIN)?;
        let hash = Algorithm::read(Reader::new(hash))?;
        let mask = field(1, SEQUENCE)?.ok_or(Failure::BUILTIN)?;
        let mask = Algorithm::read(Reader::new(mask))?;
        let salt_len = int_of(field(2, INTEGER)?.ok_or(Failure::BUILTIN)?)?;
        let trailer = field(3, INTEGER)?.map_or(Ok(1), int_of)?;
        let mask_hash = Algorithm::read(Reader::new(mask.parameters.whole).sequence()?)?;
        let is_usual = hash.has_no_parameters()
            && mask.oid == oid::MGF1
            && mask_hash.oid == hash.oid
            && mask_hash.has_no_parameters()
            && trailer == 1;
        Ok(match (hash.oid, salt_len) {
            (oid::SHA256, 32) if is_usual => PSS_SHA256,
            (oid::SHA384, 48) if is_usual => PSS_SHA384,
            (oid::SHA512, 64) if is_usual => PSS_SHA512,
            _ => 0,
        })
    }
}

impl SignatureAlgorithm {
    /// How a certificate's signature is verified; `None` for what is not safe any more, and for what nobody verifies.
    pub(super) fn scheme(self) -> Option<Scheme> {
        match self.0 {
            4 => Some(Scheme::Rsa(Hash::Sha256)),
            5 => Some(Scheme::Rsa(Hash::Sha384)),
            6 => Some(Scheme::Rsa(Hash::Sha512)),
            10 => Some(Scheme::Ecdsa(Hash::Sha256)),
            11 => Some(Scheme::Ecdsa(Hash::Sha384)),
            12 => Some(Scheme::Ecdsa(Hash::Sha512)),
            PSS_SHA256 => Some(Scheme::Pss(Hash::Sha256)),
            PSS_SHA384 => Some(Scheme::Pss(Hash::Sha384)),
            PSS_SHA512 => Some(Scheme::Pss(Hash::Sha512)),
            16 => Some(Scheme::EdDsa),
            _ => None,
        }
    }
}
