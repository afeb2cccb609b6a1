//! JSON web tokens.

mod decode;
mod shared_key;

pub(super) use decode::decode;
pub(super) use shared_key::{verify_hs256, verify_hs384, verify_hs512};
