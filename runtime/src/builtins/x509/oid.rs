//! Object identifiers: compared as they are encoded, shown as numbers.

use super::der::Read;
use crate::builtins::Failure;
use num_bigint::BigUint;
use std::fmt::Write;

/// Bits of one part of an identifier that is shown as a list of numbers; one that needs more is malformed.
const PART_BITS: u32 = 31;

/// The encoding of an identifier, without tag and length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Oid<'a>(pub(super) &'a [u8]);

impl<'a> Oid<'a> {
    /// An identifier whose parts are all small.
    pub(super) fn new(encoded: &'a [u8]) -> Read<Oid<'a>> {
        let oid = Oid(encoded);
        if encoded.is_empty() {
            return Err(Failure::BUILTIN);
        }
        oid.parts().map(|_| oid).ok_or(Failure::BUILTIN)
    }

    /// The numbers; `None` if one is too large or not in its shortest form.
    pub(super) fn parts(self) -> Option<Vec<i64>> {
        if !self.is_well_formed() {
            return None;
        }
        let mut parts = Vec::with_capacity(self.0.len() + 1);
        for digits in self.0.split_inclusive(|byte| byte & 0x80 == 0) {
            let value = digits
                .iter()
                .try_fold(0_i64, |value, digit| {
                    Some(value.checked_mul(128)? + i64::from(digit & 0x7f))
                })
                .filter(|value| *value < 1 << PART_BITS)?;
            if parts.is_empty() {
                let first = (value / 40).min(2);
                parts.extend([first, value - 40 * first]);
            } else {
                parts.push(value);
            }
        }
        Some(parts)
    }

    /// Whether all parts are whole and in their shortest form.
    pub(super) fn is_well_formed(self) -> bool {
        self.0.last().is_some_and(|last| last & 0x80 == 0)
            && self
                .0
                .split_inclusive(|byte| byte & 0x80 == 0)
                .all(|digits| digits.first() != Some(&0x80))
    }

    /// The numbers with points between them, of any size. A part that is not whole is left out.
    pub(super) fn text(self) -> String {
        let mut text = String::new();
        for digits in self.0.split_inclusive(|byte| byte & 0x80 == 0) {
            if digits.last().is_none_or(|last| last & 0x80 != 0) {
                break;
            }
            let digits: Vec<u8> = digits.iter().map(|digit| digit & 0x7f).collect();
            let Some(value) = BigUint::from_radix_be(&digits, 128) else {
                break;
            };
            // Writing to a string cannot fail.
            let _ = if !text.is_empty() {
                write!(text, ".{value}")
            } else if value < BigUint::from(80_u8) {
                write!(text, "{}.{}", &value / 40_u8, &value % 40_u8)
            } else {
                write!(text, "2.{}", value - 80_u8)
            };
        }
        text
    }

    /// The last number of an identifier `2.5.29.x`, which names a standard extension.
    pub(super) fn standard_extension(self) -> Option<u8> {
        match self.0 {
            [0x55, 0x1d, last] if last & 0x80 == 0 => Some(*last),
            _ => None,
        }
    }

    /// The last number of an identifier `2.5.4.x`, which names a standard attribute of a name.
    pub(super) fn standard_attribute(self) -> Option<u8> {
        match self.0 {
            [0x55, 0x04, last] if last & 0x80 == 0 => Some(*last),
            _ => None,
        }
    }
}

pub(super) const RSA: Oid<'static> = Oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]);
pub(super) const MGF1: Oid<'static> = Oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8]);
pub(super) const RSA_PSS: Oid<'static> = Oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10]);
pub(super) const DSA: Oid<'static> = Oid(&[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1]);
pub(super) const ECDSA: Oid<'static> = Oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]);
pub(super) const X25519: Oid<'static> = Oid(&[0x2b, 0x65, 0x6e]);
pub(super) const ED25519: Oid<'static> = Oid(&[0x2b, 0x65, 0x70]);
pub(super) const P224: Oid<'static> = Oid(&[0x2b, 0x81, 4, 0, 0x21]);
pub(super) const P256: Oid<'static> = Oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]);
pub(super) const P384: Oid<'static> = Oid(&[0x2b, 0x81, 4, 0, 0x22]);
pub(super) const P521: Oid<'static> = Oid(&[0x2b, 0x81, 4, 0, 0x23]);
pub(super) const SHA256: Oid<'static> = Oid(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1]);
pub(super) const SHA384: Oid<'static> = Oid(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2]);
pub(super) const SHA512: Oid<'static> = Oid(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3]);
pub(super) const SUBJECT_ALT_NAME: Oid<'static> = Oid(&[0x55, 0x1d, 17]);
pub(super) const NAME_CONSTRAINTS: Oid<'static> = Oid(&[0x55, 0x1d, 30]);
pub(super) const ANY_POLICY: Oid<'static> = Oid(&[0x55, 0x1d, 32, 0]);
pub(super) const AUTHORITY_INFO_ACCESS: Oid<'static> = Oid(&[0x2b, 6, 1, 5, 5, 7, 1, 1]);
pub(super) const OCSP: Oid<'static> = Oid(&[0x2b, 6, 1, 5, 5, 7, 0x30, 1]);
pub(super) const CA_ISSUERS: Oid<'static> = Oid(&[0x2b, 6, 1, 5, 5, 7, 0x30, 2]);
pub(super) const EXTENSION_REQUEST: Oid<'static> = Oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 14]);

/// The numbers that Go gives to signature algorithms but PSS, whose parameters decide.
pub(super) const SIGNATURES: [(Oid<'static>, i64); 13] = [
    (Oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4]), 2),
    (Oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5]), 3),
    (Oid(&[0x2b, 0x0e, 3, 2, 0x1d]), 3),
    (Oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11]), 4),
    (Oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12]), 5),
    (Oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13]), 6),
    (Oid(&[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 3]), 7),
    (Oid(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 2]), 8),
    (Oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1]), 9),
    (Oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]), 10),
    (Oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3]), 11),
    (Oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4]), 12),
    (ED25519, 16),
];

/// Extended key usages in the order of Go's numbers.
pub(super) const KEY_USAGES: [Oid<'static>; 14] = [
    Oid(&[0x55, 0x1d, 37, 0]),
    Oid(&[0x2b, 6, 1, 5, 5, 7, 3, 1]),
    Oid(&[0x2b, 6, 1, 5, 5, 7, 3, 2]),
    Oid(&[0x2b, 6, 1, 5, 5, 7, 3, 3]),
    Oid(&[0x2b, 6, 1, 5, 5, 7, 3, 4]),
    Oid(&[0x2b, 6, 1, 5, 5, 7, 3, 5]),
    Oid(&[0x2b, 6, 1, 5, 5, 7, 3, 6]),
    Oid(&[0x2b, 6, 1, 5, 5, 7, 3, 7]),
    Oid(&[0x2b, 6, 1, 5, 5, 7, 3, 8]),
    Oid(&[0x2b, 6, 1, 5, 5, 7, 3, 9]),
    Oid(&[0x2b, 6, 1, 4, 1, 0x82, 0x37, 10, 3, 3]),
    Oid(&[0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x42, 4, 1]),
    Oid(&[0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 1, 22]),
    Oid(&[0x2b, 6, 1, 4, 1, 0x82, 0x37, 61, 1, 1]),
];
