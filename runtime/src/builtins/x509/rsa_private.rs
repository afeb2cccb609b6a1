//! Private RSA keys, and whether their numbers belong together.

use super::der::{INTEGER, Read, Reader};
use crate::builtins::Failure;
use crate::builtins::call::charge;
use num_bigint::{BigInt, BigUint};
use num_integer::Integer;
use num_traits::{One, Zero};

/// Exponents that Go takes are below.
const EXPONENT_MAX: i64 = (1 << 31) - 1;

/// A private key. Only [`RsaPrivate::completed`] makes one that is consistent.
#[derive(Clone, Debug)]
pub(in crate::builtins) struct RsaPrivate {
    pub(in crate::builtins) modulus: BigUint,
    pub(in crate::builtins) exponent: i64,
    pub(in crate::builtins) secret: BigUint,
    /// Two, or more.
    pub(in crate::builtins) primes: Vec<BigUint>,
    /// d mod p-1, d mod q-1 and the inverse of q, where they are known.
    pub(in crate::builtins) crt: Option<[BigUint; 3]>,
    /// What goes with the third prime and those behind it.
    pub(in crate::builtins) more: Vec<MorePrime>,
}

/// d mod r-1, the inverse of the product of the primes before, and that product.
#[derive(Clone, Debug)]
pub(in crate::builtins) struct MorePrime {
    pub(super) exponent: BigUint,
    pub(super) coefficient: BigUint,
    pub(super) product: BigUint,
}

impl RsaPrivate {
    /// A key in the form of PKCS #1 that nothing follows.
    pub(super) fn parse(fuel: &mut u64, der: &[u8]) -> Read<RsaPrivate> {
        let mut reader = Reader::new(der);
        let mut fields = reader.sequence()?;
        reader.end()?;
        if fields.int()? > 1 {
            return Err(Failure::BUILTIN);
        }
        let number = |fields: &mut Reader<'_>| fields.positive().map(BigUint::from_bytes_be);
        let modulus = number(&mut fields)?;
        let exponent = fields.int()?;
        let secret = number(&mut fields)?;
        let mut primes = vec![number(&mut fields)?, number(&mut fields)?];
        let mut crt = Vec::new();
        while crt.len() < 3 && fields.is_next(INTEGER) {
            crt.push(number(&mut fields)?);
        }
        if fields.is_next(super::der::SEQUENCE) {
            let mut more = fields.sequence()?;
            while !more.is_empty() {
                let mut prime = more.sequence()?;
                primes.push(number(&mut prime)?);
                prime.integer()?;
                prime.integer()?;
            }
        }
        RsaPrivate {
            modulus,
            exponent,
            secret,
            primes,
            crt: crt.try_into().ok(),
            more: Vec::new(),
        }
        .completed(fuel)
    }

    /// The key with everything that follows from its numbers; an error if they do not belong together.
    pub(in crate::builtins) fn completed(mut self, fuel: &mut u64) -> Read<RsaPrivate> {
        self.charge(fuel, 2)?;
        let is_public_part_fine = self.modulus.bit(0)
            && (2..=EXPONENT_MAX).contains(&self.exponent)
            && self.exponent % 2 == 1
            && self.secret < self.modulus;
        if !is_public_part_fine {
            return Err(Failure::BUILTIN);
        }
        let completed = match self.primes.as_slice() {
            [p, q] => {
                let (p, q) = (p.clone(), q.clone());
                self.complete_two(fuel, &p, &q)
            }
            _ => self.complete_more(fuel),
        };
        completed.ok_or(Failure::BUILTIN)??;
        Ok(self)
    }

    /// Pays for as many multiplications of the key's size as a power of the size says.
    pub(in crate::builtins) fn charge(&self, fuel: &mut u64, power: u32) -> Read<()> {
        let longest = self
            .primes
            .iter()
            .chain([&self.modulus, &self.secret])
            .map(BigUint::bits)
            .max();
        let words = usize::try_from(longest.unwrap_or_default() / 64 + 1).unwrap_or(usize::MAX);
        charge(fuel, words.saturating_pow(power).saturating_mul(8))
    }

    fn complete_two(&mut self, fuel: &mut u64, p: &BigUint, q: &BigUint) -> Option<Read<()>> {
        let one = BigUint::one();
        if p <= &one || q <= &one || p >= &self.modulus || q >= &self.modulus {
            return None;
        }
        let (below_p, below_q) = (p - &one, q - &one);
        let is_product = (p * q % &self.modulus).is_zero();
        if !is_product || below_p <= one || below_q <= one {
            return None;
        }
        if self.crt.is_none() {
            if !p.bit(0) {
                return None;
            }
            if let Err(exhausted) = self.charge(fuel, 3) {
                return Some(Err(exhausted));
            }
            let inverse = (q % p).modpow(&(p - 2_u8), p);
            self.crt = Some([&self.secret % &below_p, &self.secret % &below_q, inverse]);
        }
        let [dp, dq, inverse] = self.crt.as_ref()?;
        let exponent = BigUint::try_from(self.exponent).ok()?;
        let difference = if p > q { p - q } else { q - p };
        let half_bits = self.modulus.bits() / 2;
        let is_consistent = dp < &below_p
            && dq < &below_q
            && inverse < p
            && (dp * &exponent % &below_p).is_one()
            && (dq * &exponent % &below_q).is_one()
            && (q * inverse % p).is_one()
            && &(&self.secret % &below_p) == dp
            && &(&self.secret % &below_q) == dq
            && !difference.is_zero()
            && difference.bits() + 100 > half_bits
            && self.secret.bits() > half_bits;
        is_consistent.then_some(Ok(()))
    }

    /// Keys of more primes, which nobody checks further.
    fn complete_more(&mut self, fuel: &mut u64) -> Option<Read<()>> {
        let [p, q, more @ ..] = self.primes.as_slice() else {
            return None;
        };
        let one = BigUint::one();
        if self.primes.iter().any(|prime| prime <= &one) {
            return None;
        }
        let reduced = |prime: &BigUint| &self.secret % (prime - 1_u8);
        let crt = [reduced(p), reduced(q), inverse(q, p)?];
        let mut product = p * q;
        let mut values = Vec::new();
        for prime in more {
            let steps = (product.bits() / 64 + 1).saturating_mul(prime.bits() / 64 + 1);
            if let Err(exhausted) = charge(
                fuel,
                usize::try_from(steps).unwrap_or(usize::MAX).saturating_mul(8),
            ) {
                return Some(Err(exhausted));
            }
            values.push(MorePrime {
                exponent: reduced(prime),
                coefficient: inverse(&product, prime)?,
                product: product.clone(),
            });
            product *= prime;
        }
        (self.crt, self.more) = (Some(crt), values);
        Some(Ok(()))
    }
}

/// The inverse of a number, if it has one.
fn inverse(number: &BigUint, modulus: &BigUint) -> Option<BigUint> {
    let modulus = BigInt::from(modulus.clone());
    let found = BigInt::from(number.clone()).extended_gcd(&modulus);
    if !found.gcd.is_one() {
        return None;
    }
    found.x.mod_floor(&modulus).to_biguint()
}
