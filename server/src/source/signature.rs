//! Ed25519: a public key of the operator, and signatures over what was got.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};

use crate::error::Failure;
use crate::files;
use crate::limits;

/// A key that content must be signed with.
pub(super) struct Key(VerifyingKey);

/// What stands before the 32 bytes of a key in the DER of a SubjectPublicKeyInfo, where the algorithm is Ed25519.
const PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

impl Key {
    /// Reads a key: PEM as `openssl pkey -pubout` writes it, or 32 bytes in base64.
    ///
    /// # Errors
    /// A file that cannot be read, or that holds something else.
    pub(super) fn read(path: &Path) -> Result<Key, Failure> {
        let text = files::text(path, limits::SIGNATURE_BYTES_MAX)
            .map_err(|error| Failure::unreadable(path, &error))?;
        Key::parse(&text).ok_or_else(|| {
            Failure::Operator(format!(
                "{}: no public Ed25519 key, neither as PEM nor as base64",
                path.display()
            ))
        })
    }

    fn parse(text: &str) -> Option<Key> {
        let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
        let bytes = STANDARD.decode(body.trim()).ok()?;
        let key = bytes.strip_prefix(&PREFIX).unwrap_or(&bytes);
        VerifyingKey::from_bytes(key.try_into().ok()?).ok().map(Key)
    }

    /// Whether `signature` – 64 bytes, or those in base64 – is one over `content` with this key.
    pub(super) fn verifies(&self, content: &[u8], signature: &[u8]) -> bool {
        let decoded;
        let bytes: &[u8] = match <&[u8; 64]>::try_from(signature) {
            Ok(raw) => raw,
            Err(_) => {
                decoded = STANDARD.decode(signature.trim_ascii()).unwrap_or_default();
                &decoded
            }
        };
        Signature::from_slice(bytes).is_ok_and(|signature| self.0.verify_strict(content, &signature).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};

    use super::*;

    #[test]
    fn keys_and_signatures_in_both_forms() {
        let secret = SigningKey::from_bytes(&[7; 32]);
        let public = secret.verifying_key().to_bytes();
        let plain = STANDARD.encode(public);
        let der = STANDARD.encode([&PREFIX[..], &public].concat());
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n");
        let signature = secret.sign(b"content").to_bytes();
        let text = format!("{}\n", STANDARD.encode(signature));
        for key in [plain, pem] {
            let key = Key::parse(&key).unwrap();
            assert!(key.verifies(b"content", &signature) && key.verifies(b"content", text.as_bytes()));
            assert!(!key.verifies(b"other", &signature));
            for broken in [&signature[1..], &[], b"no base64", &[0; 64]] {
                assert!(!key.verifies(b"content", broken), "{broken:?}");
            }
        }
        for broken in ["", "AAAA", "-----BEGIN PUBLIC KEY-----\n"] {
            assert!(Key::parse(broken).is_none(), "{broken}");
        }
    }
}
