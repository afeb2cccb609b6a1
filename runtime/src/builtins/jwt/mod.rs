//! JSON web tokens.

mod decode;
mod digest;
mod keys;
mod modulus;
mod padding;
mod shared_key;
mod signature;
mod verify;

pub(super) use decode::decode;
pub(super) use keys::KeySet;
pub(super) use shared_key::{verify_hs256, verify_hs384, verify_hs512};
pub(super) use verify::{
    decode_verify, verify_eddsa, verify_es256, verify_es384, verify_es512, verify_ps256, verify_ps384,
    verify_ps512, verify_rs256, verify_rs384, verify_rs512,
};
