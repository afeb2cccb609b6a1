//! `io.jwt.verify_*` for public keys, and `io.jwt.decode_verify`.

use super::decode::{json_object, parts};
use super::digest::Hash;
use super::keys::{KeySet, TokenKey, keys};
use super::signature::{Scheme, verifies_keyed};
use crate::builtins::base64::url_bytes;
use crate::builtins::bytes::bytes_of;
use crate::builtins::operand::{args, object, string};
use crate::builtins::output::Text;
use crate::builtins::{BuiltinResult, Call, Failure};
use crate::number;
use crate::value::{Kind, Object, Value};
use std::cmp::Ordering;

/// Fuel of one signature, about what its time is worth.
const SIGNATURE_FUEL: usize = 10_000;

macro_rules! verify_functions {
    ($($name:ident: $scheme:expr;)*) => {$(
        #[doc = concat!("`io.jwt.", stringify!($name), "(token, key)`")]
        pub(in crate::builtins) fn $name<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
            verify(call, args, $scheme)
        }
    )*};
}

verify_functions! {
    verify_rs256: Scheme::Rsa(Hash::Sha256);
    verify_rs384: Scheme::Rsa(Hash::Sha384);
    verify_rs512: Scheme::Rsa(Hash::Sha512);
    verify_ps256: Scheme::Pss(Hash::Sha256);
    verify_ps384: Scheme::Pss(Hash::Sha384);
    verify_ps512: Scheme::Pss(Hash::Sha512);
    verify_es256: Scheme::Ecdsa(Hash::Sha256);
    verify_es384: Scheme::Ecdsa(Hash::Sha384);
    verify_es512: Scheme::Ecdsa(Hash::Sha512);
    verify_eddsa: Scheme::EdDsa;
}

/// Whether the signature is valid under one of the keys. The header chooses the key, never the algorithm.
fn verify<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>], scheme: Scheme) -> BuiltinResult<'r> {
    let [token, key] = self::args(args)?;
    let (token, key) = (Token::read(string(token)?)?, string(key)?);
    let keys = keys(call, key)?;
    let signature = url_bytes(call, token.signature)?;
    let header = Header::read(call, token.header)?;
    let is_valid = any_key(call, &keys, &header, |key| {
        !key.is_private && key.key.verifies(scheme, token.signed.as_bytes(), signature, true)
    })?;
    Ok(Value::bool(is_valid))
}

/// Asks the key that the header names; if there is none, those for the header's algorithm or for any.
fn any_key<'k>(
    call: &mut Call<'_, '_>,
    keys: &'k [TokenKey],
    header: &Header<'_>,
    verifies: impl Fn(&'k TokenKey) -> bool,
) -> Result<bool, Failure> {
    let named = keys
        .iter()
        .find(|key| !header.kid.is_empty() && *key.kid == *header.kid);
    if let Some(key) = named {
        call.charge(SIGNATURE_FUEL)?;
        return Ok(verifies(key));
    }
    for key in keys {
        if key.alg.is_empty() || *key.alg == *header.alg {
            call.charge(SIGNATURE_FUEL)?;
            if verifies(key) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// `io.jwt.decode_verify(token, constraints)`: whether all constraints hold, and the header and the payload if so.
pub(in crate::builtins) fn decode_verify<'r>(
    call: &mut Call<'_, 'r>,
    args: &[Value<'r>],
) -> BuiltinResult<'r> {
    let [token, constraints] = self::args(args)?;
    let constraints = Constraints::read(call, object(constraints)?)?;
    let mut token = string(token)?;
    // A token may be the payload of a token. Each layer makes it shorter, so this ends.
    let verified = loop {
        let parts = Token::read(token)?;
        call.charge(1 + token.len())?;
        let header = Header::read(call, parts.header)?;
        if header.alg.is_empty() || header.has_unknown_critical {
            break None;
        }
        if !constraints.alg.is_empty() && constraints.alg != header.alg {
            break None;
        }
        let signature = url_bytes(call, parts.signature)?;
        let Some(scheme) = Scheme::of_name(header.alg) else {
            break None;
        };
        let signed = parts.signed.as_bytes();
        let is_valid = match (&constraints.keys, scheme) {
            (Keys::Set(keys), _) => any_key(call, keys, &header, |key| {
                key.key.verifies(scheme, signed, signature, false)
            })?,
            (Keys::Secret(secret), Scheme::Hmac(hash)) => {
                call.charge(SIGNATURE_FUEL)?;
                verifies_keyed(secret, hash, signed, signature)
            }
            (Keys::Secret(_), _) => false,
        };
        if !is_valid {
            break None;
        }
        let payload = url_bytes(call, parts.payload)?;
        if !header.cty.eq_ignore_ascii_case("JWT") {
            let payload = json_object(call, payload)?;
            break constraints
                .hold(call, payload)?
                .then_some((header.object, payload));
        }
        token = std::str::from_utf8(payload).map_err(|_| Failure::BUILTIN)?;
    };
    let result = match verified {
        Some((header, payload)) => [Value::TRUE, header, payload],
        None => [Value::FALSE, Value::object(&[]), Value::object(&[])],
    };
    Ok(Value::array(call.arena.values(&result)?))
}

/// The texts of a token.
struct Token<'r> {
    header: &'r str,
    payload: &'r str,
    signature: &'r str,
    /// Header, point and payload.
    signed: &'r str,
}

impl<'r> Token<'r> {
    fn read(token: &'r str) -> Result<Token<'r>, Failure> {
        let (header, payload, signature) = parts(token)?;
        let signed = token
            .get(..header.len() + 1 + payload.len())
            .ok_or(Failure::BUILTIN)?;
        Ok(Token {
            header,
            payload,
            signature,
            signed,
        })
    }
}

/// A decoded header. Texts that are missing are empty.
struct Header<'r> {
    object: Value<'r>,
    alg: &'r str,
    kid: &'r str,
    cty: &'r str,
    has_unknown_critical: bool,
}

impl<'r> Header<'r> {
    fn read(call: &mut Call<'_, 'r>, text: &'r str) -> Result<Header<'r>, Failure> {
        let bytes = url_bytes(call, text)?;
        let object = json_object(call, bytes)?;
        if object.field("enc").is_some() {
            return Err(Failure::BUILTIN);
        }
        let field = |name: &str| match object.field(name) {
            Some(value) => value.as_str().ok_or(Failure::BUILTIN),
            None => Ok(""),
        };
        field("typ")?;
        Ok(Header {
            object,
            alg: field("alg")?,
            kid: field("kid")?,
            cty: field("cty")?,
            has_unknown_critical: has_unknown_critical(object)?,
        })
    }
}

/// Whether the header names a field as critical that it has and that nobody here knows.
fn has_unknown_critical(header: Value<'_>) -> Result<bool, Failure> {
    let Some(critical) = header.field("crit") else {
        return Ok(false);
    };
    let Kind::Array(names) = critical.kind() else {
        return Err(Failure::BUILTIN);
    };
    // OPA reads up to the first that is no string.
    let mut names = names.iter().map_while(|name| name.as_str()).peekable();
    names.peek().ok_or(Failure::BUILTIN)?;
    let is_known = |name: &str| matches!(name, "alg" | "kid" | "typ" | "cty" | "crit");
    Ok(names.any(|name| !is_known(name) && header.field(name).is_some()))
}

/// What tokens are verified with.
enum Keys<'r> {
    Set(KeySet),
    Secret(&'r [u8]),
}

/// What a token has to fulfil. Texts that are missing are empty.
struct Constraints<'r> {
    keys: Keys<'r>,
    alg: &'r str,
    iss: &'r str,
    aud: &'r str,
    time_ns: f64,
}

impl<'r> Constraints<'r> {
    fn read(call: &mut Call<'_, 'r>, options: Object<'r>) -> Result<Constraints<'r>, Failure> {
        let mut constraints = Constraints {
            keys: Keys::Secret(&[]),
            alg: "",
            iss: "",
            aud: "",
            time_ns: call.now_ns as f64,
        };
        let (mut cert, mut secret) = (None, "");
        let text = |value: Value<'r>| value.as_str().ok_or(Failure::BUILTIN);
        for option in options {
            match option.key.as_str() {
                Some("cert") => cert = Some(keys(call, text(option.value)?)?),
                Some("secret") => secret = text(option.value)?,
                Some("alg") => constraints.alg = text(option.value)?,
                Some("iss") => constraints.iss = text(option.value)?,
                Some("aud") => constraints.aud = text(option.value)?,
                Some("time") => constraints.time_ns = nanoseconds(option.value)?,
                _ => return Err(Failure::BUILTIN),
            }
        }
        constraints.keys = match (cert, secret) {
            (Some(keys), "") => Keys::Set(keys),
            (None, "") | (Some(_), _) => return Err(Failure::BUILTIN),
            (None, secret) => Keys::Secret(bytes_of(call.arena, secret)?),
        };
        Ok(constraints)
    }

    /// Whether the claims are as they have to be.
    fn hold(&self, call: &Call<'_, 'r>, payload: Value<'r>) -> Result<bool, Failure> {
        if !self.iss.is_empty() {
            match payload.field("iss") {
                Some(issuer) if issuer.as_str().ok_or(Failure::BUILTIN)? == self.iss => {}
                _ => return Ok(false),
            }
        }
        let is_audience_fine = match payload.field("aud").map(Value::kind) {
            Some(Kind::String(audience)) => audience == self.aud,
            Some(Kind::Array(audiences)) => audiences.iter().any(|one| one.as_str() == Some(self.aud)),
            Some(_) => false,
            None => self.aud.is_empty(),
        };
        if !is_audience_fine {
            return Ok(false);
        }
        let mut seconds = Text::new(call.arena);
        seconds.format(format_args!("{}", self.time_ns / 1e9))?;
        let now = number::value(seconds.finish()?);
        if let Some(expiry) = moment(payload, "exp")?
            && now.compare(expiry) != Ordering::Less
        {
            return Ok(false);
        }
        let start = moment(payload, "nbf")?;
        Ok(start.is_none_or(|start| now.compare(start) != Ordering::Less))
    }
}

fn nanoseconds(time: Value<'_>) -> Result<f64, Failure> {
    let ns = match time.kind() {
        Kind::Int(ns) => ns as f64,
        Kind::Number(text) => number::to_f64(text),
        _ => return Err(Failure::BUILTIN),
    };
    if ns.is_finite() && ns >= 0.0 {
        Ok(ns)
    } else {
        Err(Failure::BUILTIN)
    }
}

fn moment<'r>(payload: Value<'r>, claim: &str) -> Result<Option<Value<'r>>, Failure> {
    let Some(value) = payload.field(claim) else {
        return Ok(None);
    };
    match value.kind() {
        Kind::Int(_) | Kind::Number(_) => Ok(Some(value)),
        _ => Err(Failure::BUILTIN),
    }
}
