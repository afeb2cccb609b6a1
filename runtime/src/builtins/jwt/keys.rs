//! Keys that verify tokens: PEM certificates and public keys, and JSON Web Keys.

use super::signature::Key;
use crate::builtins::base64::{standard_bytes, url_bytes};
use crate::builtins::json_text::parse;
use crate::builtins::{Call, Failure};
use crate::error::EvalErrorKind;
use crate::value::{Kind, Value};
use rsa::pkcs1::RsaPublicKeyRef;
use rsa::pkcs1::der::Decode;
use std::sync::Arc;
use x509_cert::Certificate;
use x509_cert::spki::SubjectPublicKeyInfoOwned;

/// How a key ends the evaluation that OPA verifies with and we do not.
const UNSUPPORTED: EvalErrorKind = EvalErrorKind::StrictBuiltin;

/// How a PEM block begins.
const BEGIN: &str = "-----BEGIN ";

/// Algorithms of keys that OPA takes for tokens; keys for others are left out.
const ALGORITHMS: [&str; 13] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "HS256", "HS384",
    "HS512", "EdDSA",
];

/// Algorithms of keys for other uses, which OPA knows of.
const OTHER_ALGORITHMS: [&str; 22] = [
    "none",
    "ES256K",
    "Ed25519",
    "RSA1_5",
    "RSA-OAEP",
    "RSA-OAEP-256",
    "RSA-OAEP-384",
    "RSA-OAEP-512",
    "A128KW",
    "A192KW",
    "A256KW",
    "A128GCMKW",
    "A192GCMKW",
    "A256GCMKW",
    "dir",
    "ECDH-ES",
    "ECDH-ES+A128KW",
    "ECDH-ES+A192KW",
    "ECDH-ES+A256KW",
    "PBES2-HS256+A128KW",
    "PBES2-HS384+A192KW",
    "PBES2-HS512+A256KW",
];

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
    if text.starts_with(BEGIN) || text.contains("\n-----BEGIN ") {
        let key = pem_key(call, text)?;
        return Ok(vec![TokenKey {
            alg: Box::default(),
            kid: Box::default(),
            is_private: false,
            key,
        }]);
    }
    let document = parse(call.arena, text.as_bytes())?;
    let alone = [document];
    let members = match document.field("keys").map(Value::kind) {
        Some(Kind::Array(keys)) => keys,
        Some(_) => return Err(Failure::BUILTIN),
        None => &alone,
    };
    let mut keys = Vec::new();
    for member in members {
        let key = jwk(call, *member)?;
        if key.alg.is_empty() || ALGORITHMS.contains(&&*key.alg) {
            keys.push(key);
        } else if !OTHER_ALGORITHMS.contains(&&*key.alg) {
            return Err(Failure::BUILTIN);
        }
    }
    Ok(keys)
}

/// The key of the one block of a text.
fn pem_key(call: &mut Call<'_, '_>, text: &str) -> Result<Key, Failure> {
    let block = match text.strip_prefix(BEGIN) {
        Some(block) => block,
        None => text.split_once("\n-----BEGIN ").ok_or(Failure::BUILTIN)?.1,
    };
    let (label, block) = block.split_once("-----").ok_or(Failure::BUILTIN)?;
    let (body, rest) = block.split_once("\n-----END ").ok_or(Failure::BUILTIN)?;
    if body.lines().next().is_some_and(|line| !line.trim().is_empty()) {
        return Err(Failure::BUILTIN);
    }
    let rest = rest
        .strip_prefix(label)
        .and_then(|rest| rest.strip_prefix("-----"));
    let rest = rest
        .ok_or(Failure::BUILTIN)?
        .trim_start_matches([' ', '\t', '\r']);
    if !matches!(rest, "" | "\n") {
        return Err(Failure::BUILTIN);
    }
    let body: String = body
        .lines()
        .filter(|line| !line.contains(':'))
        .flat_map(str::chars)
        .filter(|c| !c.is_ascii_whitespace())
        .collect();
    let bytes = standard_bytes(call.arena, &body)?;
    let info = match label {
        "CERTIFICATE" => {
            let certificate = Certificate::from_der(bytes).map_err(|_| Failure::BUILTIN)?;
            certificate.tbs_certificate().subject_public_key_info().clone()
        }
        "PUBLIC KEY" => SubjectPublicKeyInfoOwned::from_der(bytes).map_err(|_| Failure::BUILTIN)?,
        _ => return Err(Failure::BUILTIN),
    };
    key_of_info(&info, label == "CERTIFICATE")
}

fn key_of_info(info: &SubjectPublicKeyInfoOwned, is_certificate: bool) -> Result<Key, Failure> {
    let bytes = info.subject_public_key.as_bytes().ok_or(Failure::BUILTIN)?;
    match info.algorithm.oid.to_string().as_str() {
        "1.2.840.113549.1.1.1" => {
            let key = RsaPublicKeyRef::from_der(bytes).map_err(|_| Failure::BUILTIN)?;
            Key::rsa(key.modulus.as_bytes(), key.public_exponent.as_bytes())
        }
        "1.2.840.10045.2.1" => {
            let curve = info.algorithm.parameters.as_ref().ok_or(Failure::BUILTIN)?;
            let curve: x509_cert::spki::ObjectIdentifier = curve.decode_as().map_err(|_| Failure::BUILTIN)?;
            match curve.to_string().as_str() {
                "1.2.840.10045.3.1.7" => Key::ecdsa("P-256", bytes),
                "1.3.132.0.34" => Key::ecdsa("P-384", bytes),
                "1.3.132.0.35" => Key::ecdsa("P-521", bytes),
                // A curve that OPA verifies with and we do not.
                "1.3.132.0.33" => Err(Failure::Abort(UNSUPPORTED)),
                _ => Err(Failure::BUILTIN),
            }
        }
        "1.3.101.112" => Key::ed25519(bytes),
        // Keys that are no signature keys: X25519, DSA, and whatever a certificate holds.
        "1.3.101.110" | "1.2.840.10040.4.1" => Ok(Key::Other),
        _ if is_certificate => Ok(Key::Other),
        _ => Err(Failure::BUILTIN),
    }
}

fn jwk<'r>(call: &mut Call<'_, 'r>, jwk: Value<'r>) -> Result<TokenKey, Failure> {
    let key = match text(jwk, "kty")?.ok_or(Failure::BUILTIN)? {
        "RSA" => {
            let (modulus, exponent) = (bytes(call, jwk, "n")?, bytes(call, jwk, "e")?);
            Key::rsa(modulus, exponent)?
        }
        "EC" => {
            let (x, y) = (bytes(call, jwk, "x")?, bytes(call, jwk, "y")?);
            let curve = text(jwk, "crv")?.ok_or(Failure::BUILTIN)?;
            let field_bytes: usize = match curve {
                "P-256" => 32,
                "P-384" => 48,
                "P-521" => 66,
                _ => return Err(Failure::BUILTIN),
            };
            let mut point = vec![4];
            for coordinate in [x, y] {
                let missing = field_bytes.checked_sub(coordinate.len());
                point.extend(std::iter::repeat_n(0, missing.ok_or(Failure::BUILTIN)?));
                point.extend(coordinate);
            }
            Key::ecdsa(curve, &point)?
        }
        "OKP" => match text(jwk, "crv")?.ok_or(Failure::BUILTIN)? {
            "Ed25519" => Key::ed25519(bytes(call, jwk, "x")?)?,
            "X25519" => Key::Other,
            _ => return Err(Failure::BUILTIN),
        },
        "oct" => Key::Secret(bytes(call, jwk, "k")?.to_vec()),
        _ => return Err(Failure::BUILTIN),
    };
    Ok(TokenKey {
        alg: text(jwk, "alg")?.unwrap_or_default().into(),
        kid: text(jwk, "kid")?.unwrap_or_default().into(),
        is_private: jwk.field("d").is_some() || matches!(key, Key::Secret(_)),
        key,
    })
}

fn text<'r>(jwk: Value<'r>, field: &str) -> Result<Option<&'r str>, Failure> {
    jwk.field(field)
        .map(|value| value.as_str().ok_or(Failure::BUILTIN))
        .transpose()
}

fn bytes<'r>(call: &mut Call<'_, 'r>, jwk: Value<'r>, field: &str) -> Result<&'r [u8], Failure> {
    let text = text(jwk, field)?.ok_or(Failure::BUILTIN)?;
    match url_bytes(call, text)? {
        [] => Err(Failure::BUILTIN),
        bytes => Ok(bytes),
    }
}
