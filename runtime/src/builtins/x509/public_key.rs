//! Public keys.

use super::algorithm::Algorithm;
use super::der::{Bits, NULL, Read, Reader, int_of};
use super::oid::{self, Oid};
use crate::arena::Arena;
use crate::builtins::Failure;
use crate::builtins::jwt::{Curve, Key};

/// A public key as it is written.
#[derive(Clone, Copy, Debug)]
pub(in crate::builtins) enum PublicKey<'r> {
    Rsa {
        modulus: &'r [u8],
        exponent: i64,
    },
    /// A point that is not compressed.
    Ecdsa {
        curve: Curve,
        point: &'r [u8],
    },
    Ed25519(&'r [u8]),
    Dsa {
        p: &'r [u8],
        q: &'r [u8],
        g: &'r [u8],
        y: &'r [u8],
    },
    /// For key agreement only.
    X25519,
    /// Of an algorithm that certificates may name and nobody here knows.
    Unknown,
}

/// A subject's public key.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyInfo<'r> {
    algorithm: Algorithm<'r>,
    bits: Bits<'r>,
}

impl<'r> KeyInfo<'r> {
    /// What the element of a key holds.
    pub(super) fn read(mut reader: Reader<'r>) -> Read<KeyInfo<'r>> {
        Ok(KeyInfo {
            algorithm: Algorithm::read(reader.sequence()?)?,
            bits: reader.bits()?,
        })
    }

    /// The key of a certificate or a request, where unknown algorithms are fine, and those for key agreement unknown.
    pub(super) fn key_of_certificate(&self, arena: &'r Arena) -> Read<PublicKey<'r>> {
        match self.algorithm.oid {
            oid::RSA | oid::DSA | oid::ECDSA | oid::ED25519 => self.key(arena),
            _ => Ok(PublicKey::Unknown),
        }
    }

    /// The key, of an algorithm that is known.
    fn key(&self, arena: &'r Arena) -> Read<PublicKey<'r>> {
        let bytes = self.bits.right_aligned(arena)?;
        let parameters = self.algorithm.parameters.whole;
        match self.algorithm.oid {
            oid::RSA if parameters == NULL => rsa(bytes),
            oid::ECDSA => {
                let curve = curve_of(Reader::new(parameters).oid()?).ok_or(Failure::BUILTIN)?;
                Key::ecdsa(curve, bytes)?;
                Ok(PublicKey::Ecdsa { curve, point: bytes })
            }
            oid::ED25519 if parameters.is_empty() && bytes.len() == 32 => Ok(PublicKey::Ed25519(bytes)),
            oid::X25519 if parameters.is_empty() && bytes.len() == 32 => Ok(PublicKey::X25519),
            oid::DSA => {
                let mut numbers = Reader::new(parameters).sequence()?;
                Ok(PublicKey::Dsa {
                    y: Reader::new(bytes).positive()?,
                    p: numbers.positive()?,
                    q: numbers.positive()?,
                    g: numbers.positive()?,
                })
            }
            _ => Err(Failure::BUILTIN),
        }
    }
}

/// The key of a PEM block `PUBLIC KEY`.
pub(in crate::builtins) fn of_info<'r>(arena: &'r Arena, der: &'r [u8]) -> Read<PublicKey<'r>> {
    let mut reader = Reader::new(der);
    let info = KeyInfo::read(reader.sequence()?)?;
    reader.end()?;
    info.key(arena)
}

fn rsa(bytes: &[u8]) -> Read<PublicKey<'_>> {
    let mut numbers = Reader::new(bytes).sequence()?;
    let modulus = numbers.positive()?;
    let exponent = int_of(numbers.integer()?)?;
    if exponent <= 0 {
        return Err(Failure::BUILTIN);
    }
    Ok(PublicKey::Rsa { modulus, exponent })
}

pub(super) fn curve_of(oid: Oid<'_>) -> Option<Curve> {
    match oid {
        oid::P224 => Some(Curve::P224),
        oid::P256 => Some(Curve::P256),
        oid::P384 => Some(Curve::P384),
        oid::P521 => Some(Curve::P521),
        _ => None,
    }
}

impl PublicKey<'_> {
    /// Go's number of the key's algorithm.
    pub(super) fn algorithm(&self) -> i64 {
        match self {
            PublicKey::Rsa { .. } => 1,
            PublicKey::Dsa { .. } => 2,
            PublicKey::Ecdsa { .. } => 3,
            PublicKey::Ed25519(_) => 4,
            PublicKey::X25519 | PublicKey::Unknown => 0,
        }
    }

    /// The key to verify with.
    pub(in crate::builtins) fn verifier(&self) -> Read<Key> {
        match self {
            PublicKey::Rsa { modulus, exponent } => Key::rsa(modulus, &exponent.to_be_bytes()),
            PublicKey::Ecdsa { curve, point } => Key::ecdsa(*curve, point),
            PublicKey::Ed25519(bytes) => Key::ed25519(bytes),
            PublicKey::Dsa { .. } | PublicKey::X25519 | PublicKey::Unknown => Ok(Key::Other),
        }
    }
}
