//! Signatures under P-224, a curve that certificates may have and tokens should not.
//!
//! Only public numbers are worked with, in time that depends on them; keys of this curve are never signed with.

use num_bigint::BigUint;
use num_traits::{One, Zero};

const FIELD_BYTES: usize = 28;

/// p = 2^224 - 2^96 + 1
const FIELD: [u8; FIELD_BYTES] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 1,
];
/// The constant term of the curve's equation.
const B: [u8; FIELD_BYTES] = [
    0xb4, 0x05, 0x0a, 0x85, 0x0c, 0x04, 0xb3, 0xab, 0xf5, 0x41, 0x32, 0x56, 0x50, 0x44, 0xb0, 0xb7, 0xd7,
    0xbf, 0xd8, 0xba, 0x27, 0x0b, 0x39, 0x43, 0x23, 0x55, 0xff, 0xb4,
];
/// How many points there are.
const ORDER: [u8; FIELD_BYTES] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x16, 0xa2, 0xe0,
    0xb8, 0xf0, 0x3e, 0x13, 0xdd, 0x29, 0x45, 0x5c, 0x5c, 0x2a, 0x3d,
];
const BASE_X: [u8; FIELD_BYTES] = [
    0xb7, 0x0e, 0x0c, 0xbd, 0x6b, 0xb4, 0xbf, 0x7f, 0x32, 0x13, 0x90, 0xb9, 0x4a, 0x03, 0xc1, 0xd3, 0x56,
    0xc2, 0x11, 0x22, 0x34, 0x32, 0x80, 0xd6, 0x11, 0x5c, 0x1d, 0x21,
];
const BASE_Y: [u8; FIELD_BYTES] = [
    0xbd, 0x37, 0x63, 0x88, 0xb5, 0xf7, 0x23, 0xfb, 0x4c, 0x22, 0xdf, 0xe6, 0xcd, 0x43, 0x75, 0xa0, 0x5a,
    0x07, 0x47, 0x64, 0x44, 0xd5, 0x81, 0x99, 0x85, 0x00, 0x7e, 0x34,
];

/// A point that is not the one at infinity.
#[derive(Clone, Debug)]
pub(in crate::builtins) struct Point {
    x: BigUint,
    y: BigUint,
}

/// A point with a common denominator: x/z², y/z³. The one at infinity has z = 0.
#[derive(Clone, Debug)]
struct Projective {
    x: BigUint,
    y: BigUint,
    z: BigUint,
}

fn number(bytes: &[u8]) -> BigUint {
    BigUint::from_bytes_be(bytes)
}

impl Point {
    /// A point that is not compressed; `None` if it is not on the curve.
    pub(in crate::builtins) fn read(bytes: &[u8]) -> Option<Point> {
        let (x, y) = bytes.strip_prefix(&[4])?.split_at_checked(FIELD_BYTES)?;
        if y.len() != FIELD_BYTES {
            return None;
        }
        let (field, x, y) = (number(&FIELD), number(x), number(y));
        let right = (&x * &x * &x + &field * 3_u8 - &x * 3_u8 % (&field * 3_u8) + number(&B)) % &field;
        let is_on_curve = x < field && y < field && &y * &y % &field == right;
        is_on_curve.then_some(Point { x, y })
    }

    /// The point of a secret number, with its encoding; `None` if the number is 0 or too large.
    pub(in crate::builtins) fn of_secret(secret: &[u8]) -> Option<[u8; 1 + 2 * FIELD_BYTES]> {
        let secret = number(secret);
        if secret.is_zero() || secret >= number(&ORDER) {
            return None;
        }
        let point = base().times(&secret).affine()?;
        let mut encoded = [0; 1 + 2 * FIELD_BYTES];
        let (mark, coordinates) = encoded.split_first_mut()?;
        *mark = 4;
        let (x, y) = coordinates.split_at_mut(FIELD_BYTES);
        for (place, coordinate) in [(x, point.x), (y, point.y)] {
            for (place, byte) in place.iter_mut().rev().zip(coordinate.to_bytes_le()) {
                *place = byte;
            }
        }
        Some(encoded)
    }

    /// Whether the two numbers are a signature of a digest.
    pub(super) fn verifies(&self, digest: &[u8], signature: &[u8]) -> bool {
        let order = number(&ORDER);
        let Some((r, s)) = signature.split_at_checked(FIELD_BYTES) else {
            return false;
        };
        let (r, s) = (number(r), number(s));
        if r.is_zero() || s.is_zero() || r >= order || s >= order {
            return false;
        }
        // Of a longer digest the first bits count.
        let digest = number(digest.get(..FIELD_BYTES).unwrap_or(digest));
        let inverse = s.modpow(&(&order - 2_u8), &order);
        let sum = base()
            .times(&(digest * &inverse % &order))
            .plus(&self.projective().times(&(&r * &inverse % &order)));
        sum.affine().is_some_and(|point| point.x % &order == r)
    }

    fn projective(&self) -> Projective {
        Projective {
            x: self.x.clone(),
            y: self.y.clone(),
            z: BigUint::one(),
        }
    }
}

fn base() -> Projective {
    Projective {
        x: number(&BASE_X),
        y: number(&BASE_Y),
        z: BigUint::one(),
    }
}

/// a - b in the field, both being in it.
fn minus(a: &BigUint, b: &BigUint, field: &BigUint) -> BigUint {
    (a + field - b) % field
}

impl Projective {
    fn affine(&self) -> Option<Point> {
        if self.z.is_zero() {
            return None;
        }
        let field = number(&FIELD);
        let inverse = self.z.modpow(&(&field - 2_u8), &field);
        let square = &inverse * &inverse % &field;
        Some(Point {
            x: &self.x * &square % &field,
            y: &self.y * square % &field * inverse % &field,
        })
    }

    fn times(&self, factor: &BigUint) -> Projective {
        let mut sum = Projective {
            x: BigUint::one(),
            y: BigUint::one(),
            z: BigUint::zero(),
        };
        for bit in (0..factor.bits()).rev() {
            sum = sum.doubled();
            if factor.bit(bit) {
                sum = sum.plus(self);
            }
        }
        sum
    }

    /// The formulas for curves with a = -3.
    fn doubled(&self) -> Projective {
        let field = number(&FIELD);
        let delta = &self.z * &self.z % &field;
        let gamma = &self.y * &self.y % &field;
        let beta = &self.x * &gamma % &field;
        let alpha = minus(&self.x, &delta, &field) * (&self.x + &delta) * 3_u8 % &field;
        let x = minus(&(&alpha * &alpha % &field), &(&beta * 8_u8 % &field), &field);
        let sum = &self.y + &self.z;
        let z = minus(&(&sum * &sum % &field), &((&gamma + &delta) % &field), &field);
        let y = minus(
            &(alpha * minus(&(&beta * 4_u8 % &field), &x, &field) % &field),
            &(&gamma * &gamma * 8_u8 % &field),
            &field,
        );
        Projective { x, y, z }
    }

    fn plus(&self, other: &Projective) -> Projective {
        if self.z.is_zero() {
            return other.clone();
        }
        if other.z.is_zero() {
            return self.clone();
        }
        let field = number(&FIELD);
        let (z1, z2) = (&self.z * &self.z % &field, &other.z * &other.z % &field);
        let (u1, u2) = (&self.x * &z2 % &field, &other.x * &z1 % &field);
        let s1 = &self.y * &other.z % &field * &z2 % &field;
        let s2 = &other.y * &self.z % &field * &z1 % &field;
        let (h, r) = (minus(&u2, &u1, &field), minus(&s2, &s1, &field));
        if h.is_zero() && r.is_zero() {
            return self.doubled();
        }
        let h2 = &h * &h % &field;
        let h3 = &h * &h2 % &field;
        let v = &u1 * &h2 % &field;
        let x = minus(
            &minus(&(&r * &r % &field), &h3, &field),
            &(&v * 2_u8 % &field),
            &field,
        );
        let y = minus(
            &(r * minus(&v, &x, &field) % &field),
            &(s1 * &h3 % &field),
            &field,
        );
        let z = &self.z * &other.z % &field * h % &field;
        Projective { x, y, z }
    }
}
