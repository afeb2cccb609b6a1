//! JSON web tokens.

mod decode;

pub(super) use decode::decode;
