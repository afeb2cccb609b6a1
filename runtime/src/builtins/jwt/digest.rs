//! Digests of a length that is known at run time, on the stack.

use crate::builtins::crypto::hmac;
use sha2::{Sha256, Sha384, Sha512};

/// The hash of an algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::builtins) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// What a hash gives.
pub(super) struct Digest {
    bytes: [u8; 64],
    len: usize,
}

impl Digest {
    fn new(digest: &[u8]) -> Digest {
        let mut bytes = [0; 64];
        for (place, byte) in bytes.iter_mut().zip(digest) {
            *place = *byte;
        }
        Digest {
            bytes,
            len: digest.len(),
        }
    }

    pub(super) fn get(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl Hash {
    /// Bytes of its digests.
    pub(super) fn len(self) -> usize {
        match self {
            Hash::Sha256 => 32,
            Hash::Sha384 => 48,
            Hash::Sha512 => 64,
        }
    }

    /// The digest of a text in parts.
    pub(super) fn of(self, parts: &[&[u8]]) -> Digest {
        fn digest<D: sha2::digest::Digest>(parts: &[&[u8]]) -> Digest {
            let hash = parts.iter().fold(D::new(), |hash, part| hash.chain_update(part));
            Digest::new(&hash.finalize())
        }
        match self {
            Hash::Sha256 => digest::<Sha256>(parts),
            Hash::Sha384 => digest::<Sha384>(parts),
            Hash::Sha512 => digest::<Sha512>(parts),
        }
    }

    /// The keyed digest of a text.
    pub(super) fn keyed(self, key: &[u8], text: &[u8]) -> Digest {
        match self {
            Hash::Sha256 => Digest::new(&hmac::<Sha256>(key, text)),
            Hash::Sha384 => Digest::new(&hmac::<Sha384>(key, text)),
            Hash::Sha512 => Digest::new(&hmac::<Sha512>(key, text)),
        }
    }
}
