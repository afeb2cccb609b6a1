//! Hashes and keyed hashes, as hexadecimal text.

use super::bytes::bytes_of;
use super::encoding::hex;
use super::operand::{args, string};
use super::{BuiltinResult, Call};
use crate::value::Value;
use md5::Md5;
use sha1::Sha1;
use sha2::digest::{Digest, Output, block_api::BlockSizeUser};
use sha2::{Sha256, Sha512};

/// Bytes that a hash takes at once; SHA-512 takes the most.
const BLOCK_BYTES_MAX: usize = 128;

/// `crypto.md5(text)`
pub(super) fn md5<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    digest::<Md5>(call, args)
}

/// `crypto.sha1(text)`
pub(super) fn sha1<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    digest::<Sha1>(call, args)
}

/// `crypto.sha256(text)`
pub(super) fn sha256<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    digest::<Sha256>(call, args)
}

fn digest<'r, D: Digest>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    let text = string(text)?;
    call.charge(1 + text.len())?;
    let digest = D::digest(bytes_of(call.arena, text)?);
    hex(call, &digest)
}

/// `crypto.hmac.md5(text, key)`
pub(super) fn hmac_md5<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    keyed::<Md5>(call, args)
}

/// `crypto.hmac.sha1(text, key)`
pub(super) fn hmac_sha1<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    keyed::<Sha1>(call, args)
}

/// `crypto.hmac.sha256(text, key)`
pub(super) fn hmac_sha256<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    keyed::<Sha256>(call, args)
}

/// `crypto.hmac.sha512(text, key)`
pub(super) fn hmac_sha512<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    keyed::<Sha512>(call, args)
}

fn keyed<'r, D: Digest + BlockSizeUser>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text, key] = self::args(args)?;
    let (text, key) = (string(text)?, string(key)?);
    call.charge(1 + text.len() + key.len())?;
    let (text, key) = (bytes_of(call.arena, text)?, bytes_of(call.arena, key)?);
    hex(call, &hmac::<D>(key, text))
}

/// RFC 2104.
pub(super) fn hmac<D: Digest + BlockSizeUser>(key: &[u8], text: &[u8]) -> Output<D> {
    let block = <D as BlockSizeUser>::block_size();
    let hashed;
    let key = if key.len() > block {
        hashed = D::digest(key);
        &hashed[..]
    } else {
        key
    };
    let padded = |pad: u8| {
        let mut bytes = [pad; BLOCK_BYTES_MAX];
        for (byte, key) in bytes.iter_mut().zip(key) {
            *byte ^= key;
        }
        D::new().chain_update(bytes.get(..block).unwrap_or(&bytes))
    };
    let inner = padded(0x36).chain_update(text).finalize();
    padded(0x5c).chain_update(inner).finalize()
}

/// `crypto.hmac.equal(a, b)`: takes the same time wherever they differ.
pub(super) fn hmac_equal<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [a, b] = self::args(args)?;
    let (a, b) = (string(a)?, string(b)?);
    Ok(Value::bool(constant_time_equal(a.as_bytes(), b.as_bytes())))
}

pub(super) fn constant_time_equal(a: &[u8], b: &[u8]) -> bool {
    let difference = a.iter().zip(b).fold(0, |all, (x, y)| all | (x ^ y));
    a.len() == b.len() && std::hint::black_box(difference) == 0
}
