//! JSON Web Keys, one or a set, as OPA's library reads them.

use super::ec_private::EcPrivate;
use super::scan::first_value;
use super::signature::Curve;
use crate::builtins::base64::{any_bytes, standard_bytes};
use crate::builtins::json_text::parse;
use crate::builtins::x509::{PrivateKey, PublicKey, RsaPrivate, key_of_certificate};
use crate::builtins::{Call, Failure};
use crate::value::{Kind, Tag, Value};
use num_bigint::BigUint;

/// Keys of one set.
const KEYS_MAX: usize = 1000;

/// Fuel of looking whether a key is one, about what its time is worth.
const KEY_FUEL: usize = 2_000;

/// Certificates of one key.
const CERTIFICATES_MAX: usize = 10;

/// Algorithms of keys that OPA takes for tokens.
pub(super) const TOKEN_ALGORITHMS: [&str; 13] = [
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

/// A key with what its set says about it.
pub(super) struct Jwk<'r> {
    /// Empty: any.
    pub(super) alg: &'r str,
    /// Empty: none.
    pub(super) kid: &'r str,
    pub(super) key: Material<'r>,
}

/// What a key consists of.
pub(super) enum Material<'r> {
    Public(PublicKey<'r>),
    /// A private RSA key, whose numbers may not belong together; `None` without its primes.
    Rsa(PublicKey<'r>, Option<Box<RsaPrivate>>),
    /// A private key on a curve, with the point that it names.
    Ecdsa(PublicKey<'r>, EcSecret),
    /// A private Ed25519 key.
    Ed25519(PublicKey<'r>, [u8; 32]),
    Secret(&'r [u8]),
}

/// The secret number of a key on a curve.
pub(super) struct EcSecret {
    curve: Curve,
    secret: Vec<u8>,
}

impl EcSecret {
    /// The key to sign with.
    pub(super) fn key(self) -> Result<EcPrivate, Failure> {
        EcPrivate::new(self.curve, self.secret)
    }
}

/// The keys of a text: a set, or one alone.
pub(super) fn keys<'r>(call: &mut Call<'_, 'r>, text: &'r [u8]) -> Result<Vec<Jwk<'r>>, Failure> {
    let first = first_value(text);
    let document = parse(call.arena, first)?;
    // As in OPA, a set may have nothing behind it, and a key alone anything.
    let is_whole = text.trim_ascii().len() == first.len();
    let alone = [document];
    let members = match document.field("keys").filter(|_| is_whole).map(Value::kind) {
        Some(Kind::Array(keys)) if keys.len() <= KEYS_MAX => keys,
        Some(_) => return Err(Failure::BUILTIN),
        None => &alone,
    };
    members.iter().map(|member| jwk(call, *member)).collect()
}

fn jwk<'r>(call: &mut Call<'_, 'r>, jwk: Value<'r>) -> Result<Jwk<'r>, Failure> {
    call.charge(KEY_FUEL)?;
    if jwk.tag() != Tag::Object {
        return Err(Failure::BUILTIN);
    }
    let alg = jwk.field("alg").map(|alg| alg.as_str().ok_or(Failure::BUILTIN));
    let alg = alg.transpose()?;
    if alg.is_some_and(|alg| !TOKEN_ALGORITHMS.contains(&alg) && !OTHER_ALGORITHMS.contains(&alg)) {
        return Err(Failure::BUILTIN);
    }
    for note in ["use", "x5t", "x5t#S256", "x5u"] {
        text(jwk, note)?;
    }
    check_operations(jwk)?;
    check_certificates(call, jwk)?;
    let key = match text(jwk, "kty")?.ok_or(Failure::BUILTIN)? {
        "RSA" => rsa(call, jwk)?,
        "EC" => ecdsa(call, jwk)?,
        "OKP" => okp(call, jwk)?,
        "oct" => Material::Secret(needed(call, jwk, "k")?),
        _ => return Err(Failure::BUILTIN),
    };
    Ok(Jwk {
        alg: alg.unwrap_or_default(),
        kid: text(jwk, "kid")?.unwrap_or_default(),
        key,
    })
}

fn rsa<'r>(call: &mut Call<'_, 'r>, jwk: Value<'r>) -> Result<Material<'r>, Failure> {
    let modulus = trimmed(needed(call, jwk, "n")?);
    let exponent = trimmed(needed(call, jwk, "e")?);
    let is_odd = exponent.last().is_some_and(|last| last & 1 == 1);
    let exponent = exponent
        .iter()
        .try_fold(0_i64, |value, digit| {
            value.checked_mul(256)?.checked_add(i64::from(*digit))
        })
        .filter(|_| is_odd && !modulus.is_empty())
        .ok_or(Failure::BUILTIN)?;
    let public = PublicKey::Rsa { modulus, exponent };
    if jwk.field("d").is_none() {
        return Ok(Material::Public(public));
    }
    let secret = needed(call, jwk, "d")?;
    let mut numbers = [None; 5];
    for (place, field) in numbers.iter_mut().zip(["p", "q", "dp", "dq", "qi"]) {
        *place = bytes(call, jwk, field)?;
    }
    let number = BigUint::from_bytes_be;
    let private = match numbers {
        [Some(p), Some(q), dp, dq, qi] => Some(Box::new(RsaPrivate {
            modulus: number(modulus),
            exponent,
            secret: number(secret),
            primes: vec![number(p), number(q)],
            crt: match (dp, dq, qi) {
                (Some(dp), Some(dq), Some(qi)) => Some([dp, dq, qi].map(number)),
                _ => None,
            },
            more: Vec::new(),
        })),
        _ => None,
    };
    Ok(Material::Rsa(public, private))
}

fn ecdsa<'r>(call: &mut Call<'_, 'r>, jwk: Value<'r>) -> Result<Material<'r>, Failure> {
    let curve = text(jwk, "crv")?
        .and_then(Curve::of_name)
        .ok_or(Failure::BUILTIN)?;
    let (x, y) = (needed(call, jwk, "x")?, needed(call, jwk, "y")?);
    if x.len() != curve.field_bytes() || y.len() != curve.field_bytes() {
        return Err(Failure::BUILTIN);
    }
    let point = call.arena.bytes(&[&[4], x, y].concat())?;
    let public = PublicKey::Ecdsa { curve, point };
    public.verifier()?;
    if jwk.field("d").is_none() {
        return Ok(Material::Public(public));
    }
    let secret = needed(call, jwk, "d")?.to_vec();
    if secret.len() != curve.field_bytes() {
        return Err(Failure::BUILTIN);
    }
    Ok(Material::Ecdsa(public, EcSecret { curve, secret }))
}

fn okp<'r>(call: &mut Call<'_, 'r>, jwk: Value<'r>) -> Result<Material<'r>, Failure> {
    let curve = text(jwk, "crv")?.ok_or(Failure::BUILTIN)?;
    let x = needed(call, jwk, "x")?;
    if x.len() != 32 || !matches!(curve, "Ed25519" | "X25519") {
        return Err(Failure::BUILTIN);
    }
    let public = match curve {
        "Ed25519" => PublicKey::Ed25519(x),
        _ => PublicKey::X25519,
    };
    if jwk.field("d").is_none() {
        return Ok(Material::Public(public));
    }
    let seed: [u8; 32] = needed(call, jwk, "d")?.try_into().map_err(|_| Failure::BUILTIN)?;
    match curve {
        "Ed25519" if PrivateKey::Ed25519(seed).belongs_to(&public) => Ok(Material::Ed25519(public, seed)),
        "Ed25519" => Err(Failure::BUILTIN),
        _ => Ok(Material::Public(public)),
    }
}

/// A list of texts, if there is one.
fn check_operations(jwk: Value<'_>) -> Result<(), Failure> {
    let is_text = |item: &Value<'_>| matches!(item.kind(), Kind::String(_) | Kind::Null);
    match jwk.field("key_ops").map(Value::kind) {
        None | Some(Kind::Null) => Ok(()),
        Some(Kind::Array(items)) if items.iter().all(is_text) => Ok(()),
        Some(_) => Err(Failure::BUILTIN),
    }
}

/// Certificates that come with the key have to be some.
fn check_certificates(call: &mut Call<'_, '_>, jwk: Value<'_>) -> Result<(), Failure> {
    let Some(chain) = jwk.field("x5c") else {
        return Ok(());
    };
    match chain.kind() {
        Kind::Array(certificates) if certificates.len() <= CERTIFICATES_MAX => {
            for certificate in certificates {
                let text = certificate.as_str().ok_or(Failure::BUILTIN)?;
                call.charge(text.len())?;
                let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
                key_of_certificate(call.arena, standard_bytes(call.arena, &text)?)?;
            }
            Ok(())
        }
        _ => Err(Failure::BUILTIN),
    }
}

/// A text field. Null is the empty text.
fn text<'r>(jwk: Value<'r>, field: &str) -> Result<Option<&'r str>, Failure> {
    match jwk.field(field).map(Value::kind) {
        None => Ok(None),
        Some(Kind::Null) => Ok(Some("")),
        Some(Kind::String(text)) => Ok(Some(text)),
        Some(_) => Err(Failure::BUILTIN),
    }
}

/// The bytes of a field.
fn bytes<'r>(call: &mut Call<'_, 'r>, jwk: Value<'r>, field: &str) -> Result<Option<&'r [u8]>, Failure> {
    text(jwk, field)?.map(|text| any_bytes(call, text)).transpose()
}

/// The bytes of a field that must not be empty.
fn needed<'r>(call: &mut Call<'_, 'r>, jwk: Value<'r>, field: &str) -> Result<&'r [u8], Failure> {
    match bytes(call, jwk, field)? {
        None | Some([]) => Err(Failure::BUILTIN),
        Some(bytes) => Ok(bytes),
    }
}

/// Digits without leading zeros.
fn trimmed(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|digit| **digit == 0).count();
    digits.get(zeros..).unwrap_or_default()
}
