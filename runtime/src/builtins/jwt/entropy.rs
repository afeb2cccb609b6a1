//! Randomness for signatures, from the seed of the request.

use crate::builtins::numbers::seeded;
use rsa::rand_core::{TryCryptoRng, TryRng};
use sha2::{Digest, Sha256};
use std::convert::Infallible;

/// Bytes that nobody can guess who does not know the request's seed *and* the private key: both are hashed into the state,
/// with the text that is signed, so that a seed that leaks or comes twice gives nothing away.
pub(super) struct Entropy {
    state: [u8; 32],
    blocks: u64,
}

impl Entropy {
    pub(super) fn new(seed: u64, secret: &[u8], text: &[u8]) -> Entropy {
        let secret = Sha256::digest(secret);
        Entropy {
            state: seeded(seed, b"io.jwt.encode_sign", &secret, text),
            blocks: 0,
        }
    }
}

impl TryRng for Entropy {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for chunk in out.chunks_mut(32) {
            let block = Sha256::new()
                .chain_update(self.state)
                .chain_update(self.blocks.to_le_bytes())
                .finalize();
            self.blocks += 1;
            for (place, byte) in chunk.iter_mut().zip(block) {
                *place = byte;
            }
        }
        Ok(())
    }
}

/// The output of a hash whose state is secret.
impl TryCryptoRng for Entropy {}
