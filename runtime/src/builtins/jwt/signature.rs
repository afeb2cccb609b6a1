//! Signatures of tokens under one key.

use crate::builtins::Failure;
use crate::builtins::crypto::{constant_time_equal, hmac};
use crate::error::EvalErrorKind;
use ed25519_dalek::Verifier;
use rsa::{BoxedUint, Pkcs1v15Sign, Pss};
use sha2::digest::{Digest, DynDigest};
use sha2::{Sha256, Sha384, Sha512};

/// Sizes of RSA keys that are verified with, in bits. Go refuses smaller ones; larger ones take too long.
const RSA_BITS_MIN: usize = 1024;
const RSA_BITS_MAX: usize = 8192;

/// A key.
pub(super) enum Key {
    Rsa(Box<rsa::PublicKey>),
    P256(Box<p256::ecdsa::VerifyingKey>),
    P384(Box<p384::ecdsa::VerifyingKey>),
    P521(Box<p521::ecdsa::VerifyingKey>),
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
    Secret(Vec<u8>),
    /// No signature is valid under it.
    Other,
}

/// The hash of an algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// The family of an algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
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
    pub(super) fn of_name(alg: &str) -> Option<Scheme> {
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
    pub(super) fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Key, Failure> {
        let number = BoxedUint::from_be_slice_vartime;
        let bits = 8 * modulus.iter().skip_while(|byte| **byte == 0).count();
        if bits > RSA_BITS_MAX {
            return Err(Failure::Abort(EvalErrorKind::StrictBuiltin));
        }
        let sizes = RSA_BITS_MIN..=RSA_BITS_MAX;
        let key = rsa::PublicKey::new_with_size_limits(number(modulus), number(exponent), sizes);
        Ok(key.map_or(Key::Other, |key| Key::Rsa(Box::new(key))))
    }

    /// A point of a curve, not compressed.
    pub(super) fn ecdsa(curve: &str, point: &[u8]) -> Result<Key, Failure> {
        if point.first() != Some(&4) {
            return Err(Failure::BUILTIN);
        }
        let key = match curve {
            "P-256" => p256::ecdsa::VerifyingKey::from_sec1_bytes(point).map(|key| Key::P256(Box::new(key))),
            "P-384" => p384::ecdsa::VerifyingKey::from_sec1_bytes(point).map(|key| Key::P384(Box::new(key))),
            "P-521" => p521::ecdsa::VerifyingKey::from_sec1_bytes(point).map(|key| Key::P521(Box::new(key))),
            _ => return Err(Failure::BUILTIN),
        };
        key.map_err(|_| Failure::BUILTIN)
    }

    /// An Edwards point. One that is none makes a key under which nothing is valid.
    pub(super) fn ed25519(bytes: &[u8]) -> Result<Key, Failure> {
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| Failure::BUILTIN)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes);
        Ok(key.map_or(Key::Other, |key| Key::Ed25519(Box::new(key))))
    }

    /// Whether a signature of a text is valid. `lenient`: the salt of PSS and the halves of an ECDSA signature may have
    /// any length.
    pub(super) fn verifies(&self, scheme: Scheme, text: &[u8], signature: &[u8], lenient: bool) -> bool {
        match (self, scheme) {
            (Key::Secret(key), Scheme::Hmac(hash)) => {
                let expected = match hash {
                    Hash::Sha256 => hmac::<Sha256>(key, text).to_vec(),
                    Hash::Sha384 => hmac::<Sha384>(key, text).to_vec(),
                    Hash::Sha512 => hmac::<Sha512>(key, text).to_vec(),
                };
                constant_time_equal(signature, &expected)
            }
            (Key::Rsa(key), Scheme::Rsa(hash)) => {
                let padding = match hash {
                    Hash::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
                    Hash::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
                    Hash::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
                };
                key.verify(padding, &hash.of(text), signature).is_ok()
            }
            (Key::Rsa(key), Scheme::Pss(hash)) => {
                let digest = hash.of(text);
                match hash {
                    Hash::Sha256 => key.verify(pss::<Sha256>(lenient), &digest, signature),
                    Hash::Sha384 => key.verify(pss::<Sha384>(lenient), &digest, signature),
                    Hash::Sha512 => key.verify(pss::<Sha512>(lenient), &digest, signature),
                }
                .is_ok()
            }
            (Key::Ed25519(key), Scheme::EdDsa) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(text, &signature).is_ok()),
            (_, Scheme::Ecdsa(hash)) => self.verifies_ecdsa(&hash.of(text), signature, lenient),
            _ => false,
        }
    }

    fn verifies_ecdsa(&self, digest: &[u8], signature: &[u8], lenient: bool) -> bool {
        use p256::ecdsa::signature::hazmat::PrehashVerifier;
        let field_bytes = match self {
            Key::P256(_) => 32,
            Key::P384(_) => 48,
            Key::P521(_) => 66,
            _ => return false,
        };
        let Some(signature) = halves(signature, field_bytes, lenient) else {
            return false;
        };
        match self {
            Key::P256(key) => p256::ecdsa::Signature::from_slice(&signature)
                .is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok()),
            Key::P384(key) => p384::ecdsa::Signature::from_slice(&signature)
                .is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok()),
            Key::P521(key) => {
                // The same number; the crate refuses digests shorter than half a field.
                let mut number = vec![0; field_bytes.saturating_sub(digest.len())];
                number.extend(digest);
                p521::ecdsa::Signature::from_slice(&signature)
                    .is_ok_and(|signature| key.verify_prehash(&number, &signature).is_ok())
            }
            _ => false,
        }
    }
}

impl Hash {
    fn of(self, text: &[u8]) -> Vec<u8> {
        let mut hash: Box<dyn DynDigest> = match self {
            Hash::Sha256 => Box::new(Sha256::new()),
            Hash::Sha384 => Box::new(Sha384::new()),
            Hash::Sha512 => Box::new(Sha512::new()),
        };
        hash.update(text);
        hash.finalize().into_vec()
    }
}

/// PSS with a salt as long as the hash, or of any length.
fn pss<D: Digest>(lenient: bool) -> Pss<D> {
    Pss {
        blinded: false,
        digest: D::new(),
        salt_len: (!lenient).then(<D as Digest>::output_size),
    }
}

/// Both numbers of a signature with as many bytes as the field has.
fn halves(signature: &[u8], field_bytes: usize, lenient: bool) -> Option<Vec<u8>> {
    if !lenient && signature.len() != 2 * field_bytes {
        return None;
    }
    let (r, s) = signature.split_at_checked(signature.len() / 2)?;
    let mut whole = Vec::new();
    for half in [r, s] {
        let zeros = half.iter().take_while(|byte| **byte == 0).count();
        let digits = half.get(zeros..)?;
        whole.extend(std::iter::repeat_n(0, field_bytes.checked_sub(digits.len())?));
        whole.extend(digits);
    }
    Some(whole)
}
