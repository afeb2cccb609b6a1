//! `io.jwt.verify_hs*`: tokens signed with a key that both sides know.

use super::decode::parts;
use crate::builtins::base64::url_bytes;
use crate::builtins::bytes::bytes_of;
use crate::builtins::crypto::{constant_time_equal, hmac};
use crate::builtins::operand::{args, string};
use crate::builtins::{BuiltinResult, Call};
use crate::value::Value;
use sha2::digest::{Digest, block_api::BlockSizeUser};
use sha2::{Sha256, Sha384, Sha512};

/// `io.jwt.verify_hs256(token, key)`
pub(in crate::builtins) fn verify_hs256<'r>(
    call: &mut Call<'_, 'r>,
    args: &[Value<'r>],
) -> BuiltinResult<'r> {
    verify::<Sha256>(call, args)
}

/// `io.jwt.verify_hs384(token, key)`
pub(in crate::builtins) fn verify_hs384<'r>(
    call: &mut Call<'_, 'r>,
    args: &[Value<'r>],
) -> BuiltinResult<'r> {
    verify::<Sha384>(call, args)
}

/// `io.jwt.verify_hs512(token, key)`
pub(in crate::builtins) fn verify_hs512<'r>(
    call: &mut Call<'_, 'r>,
    args: &[Value<'r>],
) -> BuiltinResult<'r> {
    verify::<Sha512>(call, args)
}

/// Whether the signature is that of header and payload; neither is decoded, and the header's algorithm does not count.
fn verify<'r, D: Digest + BlockSizeUser>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [token, key] = self::args(args)?;
    let (token, key) = (string(token)?, string(key)?);
    call.charge(1 + token.len() + key.len())?;
    let (header, payload, signature) = parts(token)?;
    let signed_len = header.len() + 1 + payload.len();
    let signed = token.as_bytes().get(..signed_len).unwrap_or_default();
    let signature = url_bytes(call, signature)?;
    let expected = hmac::<D>(bytes_of(call.arena, key)?, signed);
    Ok(Value::bool(constant_time_equal(signature, &expected)))
}
