//! Private keys as documents: with the fields of Go's structures, and as JSON Web Keys.

use super::der::Read;
use super::json::Maker;
use super::private_key::PrivateKey;
use super::rsa_private::RsaPrivate;
use super::show::never_null;
use crate::builtins::Failure;
use crate::builtins::base64::push_url;
use crate::builtins::output::Text;
use crate::value::Value;
use num_bigint::BigUint;

impl<'r> Maker<'_, 'r> {
    /// A key with the fields of Go's structure for it.
    pub(super) fn private_key(&mut self, key: &PrivateKey) -> Read<Value<'r>> {
        match key {
            PrivateKey::Rsa(key) => self.rsa_private(key),
            PrivateKey::Ecdsa(key) => {
                let coordinates = key.point.get(1..).unwrap_or_default();
                let (x, y) = coordinates.split_at(coordinates.len() / 2);
                let fields = [
                    ("Curve", Value::object(&[])),
                    ("X", self.number(x)?),
                    ("Y", self.number(y)?),
                    ("D", self.number(&key.secret)?),
                ];
                self.object(fields)
            }
            PrivateKey::Ed25519(seed) => {
                let public = ed25519_dalek::SigningKey::from_bytes(seed).verifying_key();
                self.bytes(&[seed.as_slice(), public.as_bytes()].concat())
            }
            PrivateKey::X25519(_) => Ok(Value::object(&[])),
        }
    }

    fn rsa_private(&mut self, key: &RsaPrivate) -> Read<Value<'r>> {
        let [dp, dq, inverse] = key.crt.as_ref().ok_or(Failure::BUILTIN)?;
        let more = self.list(&key.more, |make, prime| {
            let fields = [
                ("Exp", make.big(&prime.exponent)?),
                ("Coeff", make.big(&prime.coefficient)?),
                ("R", make.big(&prime.product)?),
            ];
            make.object(fields)
        })?;
        let precomputed = [
            ("Dp", self.big(dp)?),
            ("Dq", self.big(dq)?),
            ("Qinv", self.big(inverse)?),
            ("CRTValues", never_null(more)),
        ];
        let fields = [
            ("N", self.big(&key.modulus)?),
            ("E", Value::int(key.exponent)),
            ("D", self.big(&key.secret)?),
            ("Primes", self.list(&key.primes, |make, prime| make.big(prime))?),
            ("Precomputed", self.object(precomputed)?),
        ];
        self.object(fields)
    }

    /// A key as a JWK; an error for kinds that have none.
    pub(super) fn jwk(&mut self, key: &PrivateKey) -> Read<Value<'r>> {
        match key {
            PrivateKey::Rsa(key) => {
                let [p, q] = key.primes.as_slice() else {
                    return Err(Failure::BUILTIN);
                };
                let [dp, dq, inverse] = key.crt.as_ref().ok_or(Failure::BUILTIN)?;
                let exponent = BigUint::from(key.exponent.unsigned_abs());
                let number = |number: &BigUint| self.url(&number.to_bytes_be());
                self.object([
                    ("kty", Value::string("RSA")),
                    ("n", number(&key.modulus)?),
                    ("e", number(&exponent)?),
                    ("d", number(&key.secret)?),
                    ("p", number(p)?),
                    ("q", number(q)?),
                    ("dp", number(dp)?),
                    ("dq", number(dq)?),
                    ("qi", number(inverse)?),
                ])
            }
            PrivateKey::Ecdsa(key) => {
                let coordinates = key.point.get(1..).unwrap_or_default();
                let (x, y) = coordinates.split_at(coordinates.len() / 2);
                let name = key.curve.name().ok_or(Failure::BUILTIN)?;
                self.object([
                    ("kty", Value::string("EC")),
                    ("crv", Value::string(name)),
                    ("x", self.url(x)?),
                    ("y", self.url(y)?),
                    ("d", self.url(&key.secret)?),
                ])
            }
            PrivateKey::Ed25519(seed) => {
                let public = ed25519_dalek::SigningKey::from_bytes(seed).verifying_key();
                self.octet_pair("Ed25519", public.as_bytes(), seed)
            }
            PrivateKey::X25519(seed) => {
                let public = curve25519_dalek::MontgomeryPoint::mul_base_clamped(*seed);
                self.octet_pair("X25519", public.as_bytes(), seed)
            }
        }
    }

    fn octet_pair(&self, curve: &'static str, public: &[u8], secret: &[u8]) -> Read<Value<'r>> {
        self.object([
            ("kty", Value::string("OKP")),
            ("crv", Value::string(curve)),
            ("x", self.url(public)?),
            ("d", self.url(secret)?),
        ])
    }

    /// Bytes as base64url without padding.
    fn url(&self, bytes: &[u8]) -> Read<Value<'r>> {
        let mut text = Text::new(self.arena);
        push_url(&mut text, bytes)?;
        text.value()
    }
}
