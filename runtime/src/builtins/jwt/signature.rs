//! Signatures of tokens under one key.

use super::digest::Hash;
use super::modulus::{BITS_MAX, RsaKey};
use super::p224;
use super::padding::{verifies_pkcs1, verifies_pss};
use crate::builtins::Failure;
use crate::builtins::crypto::constant_time_equal;
use crate::error::EvalErrorKind;
use ed25519_dalek::Verifier;

/// Bytes of a number below the order of the largest curve.
const FIELD_BYTES_MAX: usize = 66;

/// The curves of elliptic-curve keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::builtins) enum Curve {
    P224,
    P256,
    P384,
    P521,
}

impl Curve {
    /// Bytes of one coordinate, and of a secret number.
    pub(in crate::builtins) fn field_bytes(self) -> usize {
        match self {
            Curve::P224 => 28,
            Curve::P256 => 32,
            Curve::P384 => 48,
            Curve::P521 => FIELD_BYTES_MAX,
        }
    }

    /// The curve of a JWK, which may not be P-224.
    pub(in crate::builtins) fn of_name(name: &str) -> Option<Curve> {
        match name {
            "P-256" => Some(Curve::P256),
            "P-384" => Some(Curve::P384),
            "P-521" => Some(Curve::P521),
            _ => None,
        }
    }

    /// The name of a JWK's curve.
    pub(in crate::builtins) fn name(self) -> Option<&'static str> {
        match self {
            Curve::P224 => None,
            Curve::P256 => Some("P-256"),
            Curve::P384 => Some("P-384"),
            Curve::P521 => Some("P-521"),
        }
    }
}

/// A key.
#[derive(Debug)]
pub(in crate::builtins) enum Key {
    Rsa(RsaKey),
    P224(Box<p224::Point>),
    P256(Box<p256::ecdsa::VerifyingKey>),
    P384(Box<p384::ecdsa::VerifyingKey>),
    P521(Box<p521::ecdsa::VerifyingKey>),
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
    Secret(Vec<u8>),
    /// No signature is valid under it.
    Other,
}

/// The family of an algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::builtins) enum Scheme {
    Hmac(Hash),
    /// RSA with PKCS #1 v1.5 padding.
    Rsa(Hash),
    /// RSA with PSS padding.
    Pss(Hash),
    Ecdsa(Hash),
    EdDsa,
}

impl Scheme {
    /// The algorithm of a token header.
    pub(in crate::builtins) fn of_name(alg: &str) -> Option<Scheme> {
        if matches!(alg, "EdDSA" | "Ed25519") {
            return Some(Scheme::EdDsa);
        }
        let hash = match alg.get(2..)? {
            "256" => Hash::Sha256,
            "384" => Hash::Sha384,
            "512" => Hash::Sha512,
            _ => return None,
        };
        match alg.get(..2)? {
            "HS" => Some(Scheme::Hmac(hash)),
            "RS" => Some(Scheme::Rsa(hash)),
            "PS" => Some(Scheme::Pss(hash)),
            "ES" => Some(Scheme::Ecdsa(hash)),
            _ => None,
        }
    }
}

impl Key {
    /// An RSA key from big-endian numbers.
    pub(in crate::builtins) fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Key, Failure> {
        let bits = 8 * modulus.iter().skip_while(|byte| **byte == 0).count();
        if bits > BITS_MAX {
            return Err(Failure::Abort(EvalErrorKind::StrictBuiltin));
        }
        Ok(RsaKey::new(modulus, exponent).map_or(Key::Other, Key::Rsa))
    }

    /// A point of a curve, not compressed.
    pub(in crate::builtins) fn ecdsa(curve: Curve, point: &[u8]) -> Result<Key, Failure> {
        if point.first() != Some(&4) {
            return Err(Failure::BUILTIN);
        }
        let key = match curve {
            Curve::P224 => {
                let point = p224::Point::read(point).ok_or(Failure::BUILTIN)?;
                return Ok(Key::P224(Box::new(point)));
            }
            Curve::P256 => {
                p256::ecdsa::VerifyingKey::from_sec1_bytes(point).map(|key| Key::P256(Box::new(key)))
            }
            Curve::P384 => {
                p384::ecdsa::VerifyingKey::from_sec1_bytes(point).map(|key| Key::P384(Box::new(key)))
            }
            Curve::P521 => {
                p521::ecdsa::VerifyingKey::from_sec1_bytes(point).map(|key| Key::P521(Box::new(key)))
            }
        };
        key.map_err(|_| Failure::BUILTIN)
    }

    /// An Edwards point. One that is none makes a key under which nothing is valid.
    pub(in crate::builtins) fn ed25519(bytes: &[u8]) -> Result<Key, Failure> {
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| Failure::BUILTIN)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes);
        Ok(key.map_or(Key::Other, |key| Key::Ed25519(Box::new(key))))
    }

    /// Whether a signature of a text is valid. `lenient`: the salt of PSS and the halves of an ECDSA signature may have
    /// any length.
    pub(in crate::builtins) fn verifies(
        &self,
        scheme: Scheme,
        text: &[u8],
        signature: &[u8],
        lenient: bool,
    ) -> bool {
        match (self, scheme) {
            (Key::Secret(key), Scheme::Hmac(hash)) => verifies_keyed(key, hash, text, signature),
            (Key::Rsa(key), Scheme::Rsa(hash)) => verifies_pkcs1(key, hash, &hash.of(&[text]), signature),
            (Key::Rsa(key), Scheme::Pss(hash)) => {
                let salt_len = (!lenient).then(|| hash.len());
                verifies_pss(key, hash, &hash.of(&[text]), signature, salt_len)
            }
            (Key::Ed25519(key), Scheme::EdDsa) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(text, &signature).is_ok()),
            (_, Scheme::Ecdsa(hash)) => self.verifies_ecdsa(hash.of(&[text]).get(), signature, lenient),
            _ => false,
        }
    }

    fn verifies_ecdsa(&self, digest: &[u8], signature: &[u8], lenient: bool) -> bool {
        use p256::ecdsa::signature::hazmat::PrehashVerifier;
        let curve = match self {
            Key::P224(_) => Curve::P224,
            Key::P256(_) => Curve::P256,
            Key::P384(_) => Curve::P384,
            Key::P521(_) => Curve::P521,
            _ => return false,
        };
        let mut buffer = [0; 2 * FIELD_BYTES_MAX];
        let Some(signature) = halves(signature, curve.field_bytes(), lenient, &mut buffer) else {
            return false;
        };
        match self {
            Key::P224(key) => key.verifies(digest, signature),
            Key::P256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok()),
            Key::P384(key) => p384::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok()),
            Key::P521(key) => {
                // The same number; the crate refuses digests shorter than half a field.
                let mut number = [0; FIELD_BYTES_MAX];
                for (place, byte) in number.iter_mut().rev().zip(digest.iter().rev()) {
                    *place = *byte;
                }
                p521::ecdsa::Signature::from_slice(signature)
                    .is_ok_and(|signature| key.verify_prehash(&number, &signature).is_ok())
            }
            _ => false,
        }
    }
}

/// Whether a signature is the keyed digest of a text.
pub(super) fn verifies_keyed(key: &[u8], hash: Hash, text: &[u8], signature: &[u8]) -> bool {
    constant_time_equal(signature, hash.keyed(key, text).get())
}

/// Both numbers of a signature with as many bytes as the field has.
fn halves<'b>(
    signature: &[u8],
    field_bytes: usize,
    lenient: bool,
    buffer: &'b mut [u8; 2 * FIELD_BYTES_MAX],
) -> Option<&'b [u8]> {
    if !lenient && signature.len() != 2 * field_bytes {
        return None;
    }
    let whole = buffer.get_mut(..2 * field_bytes)?;
    let (r, s) = signature.split_at_checked(signature.len() / 2)?;
    for (half, places) in [r, s].into_iter().zip(whole.chunks_mut(field_bytes)) {
        let zeros = half.iter().take_while(|byte| **byte == 0).count();
        let digits = half.get(zeros..)?;
        let first = field_bytes.checked_sub(digits.len())?;
        places.get_mut(first..)?.copy_from_slice(digits);
    }
    Some(whole)
}
