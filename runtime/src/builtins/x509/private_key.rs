//! Private keys in the forms of PKCS #1, PKCS #8 and SEC 1.

use super::algorithm::Algorithm;
use super::der::{BIT_STRING, Bits, OBJECT_IDENTIFIER, OCTET_STRING, Read, Reader, constructed};
use super::oid::{self, Oid};
use super::pem::Block;
use super::public_key::{PublicKey, curve_of};
use super::rsa_private::RsaPrivate;
use crate::builtins::Failure;
use crate::builtins::call::charge;
use crate::builtins::jwt::{Curve, EcPrivate};

/// Fuel of making a public key from a secret.
const PUBLIC_KEY_FUEL: usize = 10_000;

/// A private key.
#[derive(Debug)]
pub(in crate::builtins) enum PrivateKey {
    Rsa(Box<RsaPrivate>),
    Ecdsa(EcPrivate),
    /// The seed of an Ed25519 key.
    Ed25519([u8; 32]),
    /// For key agreement only.
    X25519([u8; 32]),
}

/// The keys of the blocks of a PEM text; blocks of other kinds are left out.
pub(super) fn of_block(fuel: &mut u64, block: Block<'_>) -> Read<Option<PrivateKey>> {
    match block.label {
        "RSA PRIVATE KEY" => rsa(fuel, block.bytes).map(Some),
        "PRIVATE KEY" => pkcs8(fuel, block.bytes).map(Some),
        "EC PRIVATE KEY" => sec1(fuel, None, block.bytes).map(Some),
        _ => Ok(None),
    }
}

/// A key of any of the forms, as servers take it for their certificate.
pub(super) fn of_server(fuel: &mut u64, der: &[u8]) -> Read<PrivateKey> {
    let is_error = |key: &Read<PrivateKey>| matches!(key, Err(Failure::Error(_)));
    let key = rsa(fuel, der);
    if !is_error(&key) {
        return key;
    }
    match pkcs8(fuel, der) {
        Ok(PrivateKey::X25519(_)) => Err(Failure::BUILTIN),
        key if is_error(&key) => sec1(fuel, None, der),
        key => key,
    }
}

fn rsa(fuel: &mut u64, der: &[u8]) -> Read<PrivateKey> {
    RsaPrivate::parse(fuel, der).map(|key| PrivateKey::Rsa(Box::new(key)))
}

fn pkcs8(fuel: &mut u64, der: &[u8]) -> Read<PrivateKey> {
    let mut fields = Reader::new(der).sequence()?;
    fields.int()?;
    let algorithm = Algorithm::read(fields.sequence()?)?;
    let key = fields.content(OCTET_STRING)?;
    let has_parameters = !algorithm.parameters.whole.is_empty();
    match algorithm.oid {
        oid::RSA => rsa(fuel, key),
        oid::ECDSA => {
            let curve = Reader::new(algorithm.parameters.whole).oid().ok();
            sec1(fuel, curve, key)
        }
        oid::ED25519 if !has_parameters => Ok(PrivateKey::Ed25519(seed(key)?)),
        oid::X25519 if !has_parameters => Ok(PrivateKey::X25519(seed(key)?)),
        _ => Err(Failure::BUILTIN),
    }
}

fn seed(der: &[u8]) -> Read<[u8; 32]> {
    let seed = Reader::new(der).content(OCTET_STRING)?;
    seed.try_into().map_err(|_| Failure::BUILTIN)
}

/// A key of SEC 1; the curve may be known from elsewhere.
fn sec1(fuel: &mut u64, curve: Option<Oid<'_>>, der: &[u8]) -> Read<PrivateKey> {
    charge(fuel, PUBLIC_KEY_FUEL)?;
    let mut fields = Reader::new(der).sequence()?;
    let version = fields.int()?;
    let secret = fields.content(OCTET_STRING)?;
    let own_curve = fields.wrapped(constructed(0), OBJECT_IDENTIFIER)?;
    let own_curve = own_curve.map(Oid::new).transpose()?;
    if let Some(point) = fields.wrapped(constructed(1), BIT_STRING)? {
        Bits::new(point)?;
    }
    if version != 1 {
        return Err(Failure::BUILTIN);
    }
    let curve: Curve = curve.or(own_curve).and_then(curve_of).ok_or(Failure::BUILTIN)?;
    // Zeros before the secret may be missing, or more than belong there.
    let zeros = secret.iter().take_while(|byte| **byte == 0).count();
    let digits = secret.get(zeros..).unwrap_or_default();
    let missing = curve
        .field_bytes()
        .checked_sub(digits.len())
        .ok_or(Failure::BUILTIN)?;
    let mut padded = vec![0; missing];
    padded.extend(digits);
    EcPrivate::new(curve, padded).map(PrivateKey::Ecdsa)
}

impl PrivateKey {
    /// Whether a public key is the other half of this one.
    pub(in crate::builtins) fn belongs_to(&self, key: &PublicKey<'_>) -> bool {
        match (self, key) {
            (PrivateKey::Rsa(own), PublicKey::Rsa { modulus, exponent }) => {
                own.exponent == *exponent && own.modulus.to_bytes_be() == *modulus
            }
            (PrivateKey::Ecdsa(own), PublicKey::Ecdsa { curve, point }) => {
                own.curve == *curve && own.point == *point
            }
            (PrivateKey::Ed25519(seed), PublicKey::Ed25519(bytes)) => {
                ed25519_dalek::SigningKey::from_bytes(seed)
                    .verifying_key()
                    .as_bytes()
                    == bytes
            }
            _ => false,
        }
    }
}
