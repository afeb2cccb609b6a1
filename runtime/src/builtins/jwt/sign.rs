//! `io.jwt.encode_sign` and `io.jwt.encode_sign_raw`: tokens that a policy signs.
//!
//! Where randomness comes from: HS*, RS* and EdDSA need none. ES* takes its nonces from key and text (RFC 6979). The salt of
//! PS*, and the numbers that hide the RSA key from whoever measures time, come from [`Entropy`]: the seed of the request, as
//! for `rand.intn`, hashed together with the private key and the text. OPA draws them from the system, so PS* and ES* give
//! other tokens there than here, and there others each time; both verify.

use super::digest::Hash;
use super::entropy::Entropy;
use super::jwk::{self, Material, TOKEN_ALGORITHMS};
use super::modulus::{BITS_MAX, BITS_MIN};
use super::scan::first_member;
use super::signature::Scheme;
use crate::builtins::base64::push_url;
use crate::builtins::bytes::bytes_of;
use crate::builtins::json_text::{compact, is_json, parse};
use crate::builtins::operand::{args, object, string};
use crate::builtins::output::Text;
use crate::builtins::x509::{PublicKey, RsaPrivate};
use crate::builtins::{BuiltinResult, Call, Failure};
use crate::error::EvalErrorKind;
use crate::value::Value;
use ed25519_dalek::Signer;
use rsa::{BoxedUint, Pkcs1v15Sign, PrivateKey, Pss};
use sha2::digest::Digest;
use sha2::digest::FixedOutputReset;
use sha2::{Sha256, Sha384, Sha512};

/// Fuel of a signature on a curve, about what its time is worth.
const SIGNATURE_FUEL: usize = 10_000;

/// `io.jwt.encode_sign(headers, payload, key)`
pub(in crate::builtins) fn encode_sign<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [headers, payload, key] = self::args(args)?;
    for part in [headers, payload, key] {
        object(part)?;
    }
    let headers = compact(call, headers)?;
    let payload = compact(call, payload)?;
    let key = compact(call, key)?;
    signed(call, headers, payload, key)
}

/// `io.jwt.encode_sign_raw(headers, payload, key)`: JSON texts, signed as they are.
pub(in crate::builtins) fn encode_sign_raw<'r>(
    call: &mut Call<'_, 'r>,
    args: &[Value<'r>],
) -> BuiltinResult<'r> {
    let [headers, payload, key] = self::args(args)?;
    let (headers, payload, key) = (string(headers)?, string(payload)?, string(key)?);
    signed(call, headers, payload, key)
}

fn signed<'r>(
    call: &mut Call<'_, 'r>,
    headers: &'r str,
    payload: &'r str,
    key: &'r str,
) -> BuiltinResult<'r> {
    call.charge(1 + headers.len() + payload.len() + key.len())?;
    let (headers, payload) = (bytes_of(call.arena, headers)?, bytes_of(call.arena, payload)?);
    let keys = jwk::keys(call, key.as_bytes())?;
    let key = keys.into_iter().next().ok_or(Failure::BUILTIN)?.key;
    parse(call.arena, headers)?;
    let alg = header_text(call, headers, "alg")?;
    let kind = header_text(call, headers, "typ")?;
    let scheme = alg
        .filter(|alg| TOKEN_ALGORITHMS.contains(alg))
        .and_then(Scheme::of_name)
        .ok_or(Failure::BUILTIN)?;
    // Only a type that is said and is not `JWT` may have a payload that is no JSON.
    if kind.is_none_or(|kind| kind == "JWT") && !is_json(call.arena, payload)? {
        return Err(Failure::BUILTIN);
    }
    let mut text = Text::new(call.arena);
    text.reserve((headers.len() + payload.len()) / 3 * 4 + 16)?;
    push_url(&mut text, headers)?;
    text.push('.')?;
    push_url(&mut text, payload)?;
    let text = text.finish()?;
    let signature = signature(call, key, scheme, text.as_bytes())?;
    let mut token = Text::new(call.arena);
    token.push_str(text)?;
    token.push('.')?;
    push_url(&mut token, &signature)?;
    token.value()
}

/// A text of the headers. Where a name comes twice, OPA signs by the first.
fn header_text<'r>(call: &Call<'_, 'r>, headers: &'r [u8], name: &str) -> Result<Option<&'r str>, Failure> {
    let is_name = |text: &'r [u8]| parse(call.arena, text).is_ok_and(|text| text.as_str() == Some(name));
    match first_member(headers, is_name) {
        Some(value) => Ok(parse(call.arena, value)?.as_str()),
        None => Ok(None),
    }
}

/// The signature of a text. A key of another kind than the algorithm's is an error.
fn signature(
    call: &mut Call<'_, '_>,
    key: Material<'_>,
    scheme: Scheme,
    text: &[u8],
) -> Result<Vec<u8>, Failure> {
    match (scheme, key) {
        (Scheme::Hmac(hash), Material::Secret(key)) => Ok(hash.keyed(key, text).get().to_vec()),
        // As in OPA, where the bytes of an Edwards key are as good as those of a secret.
        (Scheme::Hmac(hash), Material::Ed25519(PublicKey::Ed25519(public), seed)) => Ok(hash
            .keyed(&[seed.as_slice(), public].concat(), text)
            .get()
            .to_vec()),
        (Scheme::Hmac(hash), Material::Public(PublicKey::Ed25519(public))) => {
            Ok(hash.keyed(public, text).get().to_vec())
        }
        (Scheme::Rsa(_) | Scheme::Pss(_), Material::Rsa(_, Some(key))) => {
            rsa_signature(call, *key, scheme, text)
        }
        (Scheme::Ecdsa(hash), Material::Ecdsa(_, key)) => {
            call.charge(SIGNATURE_FUEL)?;
            key.key()?.sign(hash.of(&[text]).get())
        }
        (Scheme::EdDsa, Material::Ed25519(_, seed)) => {
            call.charge(SIGNATURE_FUEL)?;
            let key = ed25519_dalek::SigningKey::from_bytes(&seed);
            Ok(key.sign(text).to_bytes().to_vec())
        }
        _ => Err(Failure::BUILTIN),
    }
}

fn rsa_signature(
    call: &mut Call<'_, '_>,
    key: RsaPrivate,
    scheme: Scheme,
    text: &[u8],
) -> Result<Vec<u8>, Failure> {
    let key = key.completed(call.fuel)?;
    match usize::try_from(key.modulus.bits()).unwrap_or(usize::MAX) {
        ..BITS_MIN => return Err(Failure::BUILTIN),
        BITS_MIN..=BITS_MAX => {}
        _ => return Err(Failure::Abort(EvalErrorKind::StrictBuiltin)),
    }
    key.charge(call.fuel, 3)?;
    let secret = key.secret.to_bytes_be();
    let mut entropy = Entropy::new(call.seed, &secret, text);
    let number = |number: &num_bigint::BigUint| BoxedUint::from_be_slice_vartime(&number.to_bytes_be());
    let primes = key.primes.iter().map(number).collect();
    let exponent = BoxedUint::from(key.exponent.unsigned_abs());
    let key = PrivateKey::from_components_with_wide_primes(
        number(&key.modulus),
        exponent,
        number(&key.secret),
        primes,
    )
    .map_err(|_| Failure::BUILTIN)?;
    let signature = match scheme {
        Scheme::Rsa(hash) => {
            let padding = match hash {
                Hash::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
                Hash::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
                Hash::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
            };
            key.sign_with_rng(&mut entropy, padding, hash.of(&[text]).get())
        }
        Scheme::Pss(hash) => match hash {
            Hash::Sha256 => pss::<Sha256>(&key, &mut entropy, hash.of(&[text]).get()),
            Hash::Sha384 => pss::<Sha384>(&key, &mut entropy, hash.of(&[text]).get()),
            Hash::Sha512 => pss::<Sha512>(&key, &mut entropy, hash.of(&[text]).get()),
        },
        Scheme::Hmac(_) | Scheme::Ecdsa(_) | Scheme::EdDsa => return Err(Failure::BUILTIN),
    };
    signature.map_err(|_| Failure::BUILTIN)
}

/// PSS with a salt as long as the hash.
fn pss<D: Digest + FixedOutputReset>(
    key: &PrivateKey,
    entropy: &mut Entropy,
    digest: &[u8],
) -> rsa::Result<Vec<u8>> {
    key.sign_with_rng(entropy, Pss::<D>::new(), digest)
}
