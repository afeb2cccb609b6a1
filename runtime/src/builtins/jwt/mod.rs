//! JSON web tokens.

mod decode;
mod digest;
mod ec_private;
mod entropy;
mod jwk;
mod keys;
mod modulus;
mod p224;
mod padding;
mod scan;
mod shared_key;
mod sign;
mod signature;
mod verify;

pub(super) use decode::decode;
pub(super) use digest::Hash;
pub(super) use ec_private::EcPrivate;
pub(super) use keys::KeySet;
pub(super) use shared_key::{verify_hs256, verify_hs384, verify_hs512};
pub(super) use sign::{encode_sign, encode_sign_raw};
pub(super) use signature::{Curve, Key, Scheme};
pub(super) use verify::{
    decode_verify, verify_eddsa, verify_es256, verify_es384, verify_es512, verify_ps256, verify_ps384,
    verify_ps512, verify_rs256, verify_rs384, verify_rs512,
};
