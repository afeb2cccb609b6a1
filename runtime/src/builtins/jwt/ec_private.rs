//! Private keys on elliptic curves.

use super::p224::Point;
use super::signature::Curve;
use crate::builtins::Failure;
use p256::ecdsa::signature::hazmat::PrehashSigner;

/// A secret number on a curve, and its public point.
#[derive(Clone)]
pub(in crate::builtins) struct EcPrivate {
    pub(in crate::builtins) curve: Curve,
    /// As long as the field.
    pub(in crate::builtins) secret: Vec<u8>,
    /// Not compressed.
    pub(in crate::builtins) point: Vec<u8>,
}

impl std::fmt::Debug for EcPrivate {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EcPrivate")
            .field("curve", &self.curve)
            .finish_non_exhaustive()
    }
}

impl EcPrivate {
    /// The key of a secret, which has as many bytes as the field; an error for numbers that are none of the curve's.
    pub(in crate::builtins) fn new(curve: Curve, secret: Vec<u8>) -> Result<EcPrivate, Failure> {
        let point = match curve {
            Curve::P224 => Point::of_secret(&secret).map(|point| point.to_vec()),
            Curve::P256 => p256::ecdsa::SigningKey::from_slice(&secret)
                .ok()
                .map(|key| key.verifying_key().to_sec1_point(false).as_bytes().to_vec()),
            Curve::P384 => p384::ecdsa::SigningKey::from_slice(&secret)
                .ok()
                .map(|key| key.verifying_key().to_sec1_point(false).as_bytes().to_vec()),
            Curve::P521 => p521::ecdsa::SigningKey::from_slice(&secret)
                .ok()
                .map(|key| key.verifying_key().to_sec1_point(false).as_bytes().to_vec()),
        };
        point
            .map(|point| EcPrivate { curve, secret, point })
            .ok_or(Failure::BUILTIN)
    }

    /// Both halves of the signature of a digest. The nonce follows from key and digest (RFC 6979), so that no two digests
    /// share one, and no bad source of randomness gives the key away.
    pub(super) fn sign(&self, digest: &[u8]) -> Result<Vec<u8>, Failure> {
        let failed = |_| Failure::BUILTIN;
        match self.curve {
            // Tokens have no keys of this curve.
            Curve::P224 => Err(Failure::BUILTIN),
            Curve::P256 => {
                let key = p256::ecdsa::SigningKey::from_slice(&self.secret).map_err(failed)?;
                let signature: p256::ecdsa::Signature =
                    key.sign_prehash(&digest_for(digest, 32)).map_err(failed)?;
                Ok(signature.to_bytes().to_vec())
            }
            Curve::P384 => {
                let key = p384::ecdsa::SigningKey::from_slice(&self.secret).map_err(failed)?;
                let signature: p384::ecdsa::Signature =
                    key.sign_prehash(&digest_for(digest, 48)).map_err(failed)?;
                Ok(signature.to_bytes().to_vec())
            }
            Curve::P521 => {
                let key = p521::ecdsa::SigningKey::from_slice(&self.secret).map_err(failed)?;
                let signature: p521::ecdsa::Signature =
                    key.sign_prehash(&digest_for(digest, 66)).map_err(failed)?;
                Ok(signature.to_bytes().to_vec())
            }
        }
    }
}

/// The same number with as many bytes as the field has, since the crates refuse digests that are much shorter.
fn digest_for(digest: &[u8], field_bytes: usize) -> Vec<u8> {
    let mut number = vec![0; field_bytes.saturating_sub(digest.len())];
    number.extend(digest);
    number
}
