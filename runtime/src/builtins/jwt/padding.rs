//! The two paddings of RSA signatures (RFC 8017, 8.1 and 8.2), seen from the verifying side.

use super::digest::{Digest, Hash};
use super::modulus::{BYTES_MAX, RsaKey};

/// What stands before the digest in a signature of PKCS #1 v1.5, but for the last byte of the hash's name and the two
/// lengths: the encoding of an algorithm identifier and of an octet string's head.
const ALGORITHM: [u8; 10] = [0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];

/// Whether a signature of PKCS #1 v1.5 is valid.
pub(super) fn verifies_pkcs1(key: &RsaKey, hash: Hash, digest: &Digest, signature: &[u8]) -> bool {
    let mut buffer = [0; BYTES_MAX];
    let Some(message) = key.opened(signature, &mut buffer) else {
        return false;
    };
    let len = digest.get().len() as u8;
    let name = match hash {
        Hash::Sha256 => 1,
        Hash::Sha384 => 2,
        Hash::Sha512 => 3,
    };
    let head = [0x30, 17 + len, 0x30, 13];
    let tail = [name, 0x05, 0x00, 0x04, len];
    let info = [&head[..], &ALGORITHM, &tail, digest.get()];
    let info_len = info.iter().map(|part| part.len()).sum();
    let Some((front, behind)) = message
        .len()
        .checked_sub(info_len)
        .and_then(|at| message.split_at_checked(at))
    else {
        return false;
    };
    let [0, 1, filling @ .., 0] = front else {
        return false;
    };
    filling.len() >= 8 && filling.iter().all(|byte| *byte == 0xff) && info.into_iter().flatten().eq(behind)
}

/// Whether a signature with PSS padding is valid. `salt_len`: `None` for any.
pub(super) fn verifies_pss(
    key: &RsaKey,
    hash: Hash,
    digest: &Digest,
    signature: &[u8],
    salt_len: Option<usize>,
) -> bool {
    let mut buffer = [0; BYTES_MAX];
    let Some(message) = key.opened(signature, &mut buffer) else {
        return false;
    };
    // A padded message has one bit less than the modulus.
    let bits = key.bits() - 1;
    let message = match message.split_first_mut() {
        Some((first, rest)) if bits.is_multiple_of(8) => {
            if *first != 0 {
                return false;
            }
            rest
        }
        _ => message,
    };
    let used = 0xff_u8 >> (8 * message.len() - bits);
    let hash_len = digest.get().len();
    let Some((0xbc, message)) = message.split_last_mut().map(|(last, rest)| (*last, rest)) else {
        return false;
    };
    let Some(masked_len) = message.len().checked_sub(hash_len + 1) else {
        return false;
    };
    let Some((block, seal)) = message.split_at_mut_checked(masked_len + 1) else {
        return false;
    };
    if block.first().is_none_or(|first| first & !used != 0) {
        return false;
    }
    unmask(block, hash, seal);
    if let Some(first) = block.first_mut() {
        *first &= used;
    }
    let Some(zeros) = block.iter().position(|byte| *byte != 0) else {
        return false;
    };
    let Some([1, salt @ ..]) = block.get(zeros..) else {
        return false;
    };
    salt_len.is_none_or(|len| len == salt.len()) && hash.of(&[&[0; 8], digest.get(), salt]).get() == &*seal
}

/// Takes the mask off that was made of `seed` (MGF1).
fn unmask(block: &mut [u8], hash: Hash, seed: &[u8]) {
    for (count, chunk) in block.chunks_mut(hash.len()).enumerate() {
        let mask = hash.of(&[seed, &(count as u32).to_be_bytes()]);
        for (byte, mask) in chunk.iter_mut().zip(mask.get()) {
            *byte ^= mask;
        }
    }
}
