//! Keys that verify tokens: PEM certificates and public keys, and JSON Web Keys.

use super::jwk::{self, Jwk, Material, TOKEN_ALGORITHMS};
use super::signature::Key;
use crate::builtins::x509::pem::{self, Block};
use crate::builtins::x509::{key_of_certificate, of_info};
use crate::builtins::{Call, Failure};
use crate::error::EvalErrorKind;
use std::sync::Arc;

/// How a key ends the evaluation that OPA verifies with and we do not.
const UNSUPPORTED: EvalErrorKind = EvalErrorKind::StrictBuiltin;

/// Keys that were read from a text; kept from request to request.
pub(in crate::builtins) type KeySet = Arc<[TokenKey]>;

/// A key with what its set says about it.
#[derive(Debug)]
pub(in crate::builtins) struct TokenKey {
    /// Empty: any.
    pub(super) alg: Box<str>,
    /// Empty: none.
    pub(super) kid: Box<str>,
    /// The key came with its private part, or is a secret.
    pub(super) is_private: bool,
    pub(super) key: Key,
}

/// The keys of a PEM block or of a JWK or JWK set.
pub(super) fn keys<'r>(call: &mut Call<'_, 'r>, text: &'r str) -> Result<KeySet, Failure> {
    call.charge(1 + text.len() / 8)?;
    if let Some(known) = call.caches.keys(text) {
        return known;
    }
    let keys: Result<KeySet, Failure> = read(call, text).map(Arc::from);
    // A budget that ran out says nothing about the text.
    if !matches!(keys, Err(Failure::Abort(kind)) if kind != UNSUPPORTED) {
        call.caches.keep_keys(text, &keys);
    }
    keys
}

fn read<'r>(call: &mut Call<'_, 'r>, text: &'r str) -> Result<Vec<TokenKey>, Failure> {
    call.charge(text.len())?;
    if let Some((block, rest)) = pem::next(call.arena, text)? {
        return Ok(vec![TokenKey {
            alg: Box::default(),
            kid: Box::default(),
            is_private: false,
            key: pem_key(call, block, rest)?,
        }]);
    }
    let keys = jwk::keys(call, text.as_bytes())?;
    let keys = keys.into_iter().map(token_key).collect::<Result<Vec<_>, _>>()?;
    // Keys for other uses are left out.
    let is_for_tokens = |key: &TokenKey| key.alg.is_empty() || TOKEN_ALGORITHMS.contains(&&*key.alg);
    Ok(keys.into_iter().filter(is_for_tokens).collect())
}

/// The key of the only block of a text.
fn pem_key(call: &Call<'_, '_>, block: Block<'_>, rest: &str) -> Result<Key, Failure> {
    if !rest.is_empty() {
        return Err(Failure::BUILTIN);
    }
    match block.label {
        "CERTIFICATE" => key_of_certificate(call.arena, block.bytes)?.verifier(),
        "PUBLIC KEY" => of_info(call.arena, block.bytes)?.verifier(),
        _ => Err(Failure::BUILTIN),
    }
}

fn token_key(jwk: Jwk<'_>) -> Result<TokenKey, Failure> {
    let (is_private, key) = match jwk.key {
        Material::Public(key) => (false, key.verifier()?),
        // A private key without its primes cannot be used at all.
        Material::Rsa(_, None) => return Err(Failure::BUILTIN),
        Material::Rsa(key, Some(_)) | Material::Ecdsa(key, _) | Material::Ed25519(key, _) => {
            (true, key.verifier()?)
        }
        Material::Secret(bytes) => (true, Key::Secret(bytes.to_vec())),
    };
    Ok(TokenKey {
        alg: jwk.alg.into(),
        kid: jwk.kid.into(),
        is_private,
        key,
    })
}
