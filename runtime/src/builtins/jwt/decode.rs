//! `io.jwt.decode`: header, payload and signature of a token, without any verification.

use crate::builtins::base64::url_bytes;
use crate::builtins::encoding::hex;
use crate::builtins::json_text::unmarshalled;
use crate::builtins::operand::{args, string};
use crate::builtins::{BuiltinResult, Call, Failure};
use crate::value::{Tag, Value};

/// `io.jwt.decode(token)`
pub(in crate::builtins) fn decode<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [token] = self::args(args)?;
    let mut token = string(token)?;
    // A token may be the payload of a token. Each layer makes it shorter, so this ends.
    loop {
        let (header, payload, signature) = parts(token)?;
        let header = url_bytes(call, header)?;
        let header = json_object(call, header)?;
        if header.field("enc").is_some() {
            return Err(Failure::BUILTIN);
        }
        let content = url_bytes(call, payload)?;
        match header
            .field("cty")
            .map(|kind| kind.as_str().ok_or(Failure::BUILTIN))
            .transpose()?
        {
            Some("JWT") => {
                let inner = std::str::from_utf8(content).map_err(|_| Failure::BUILTIN)?;
                token = inner.trim_matches(['"', '\'']);
            }
            _ => {
                let payload = json_object(call, content)?;
                let signature = url_bytes(call, signature)?;
                let signature = hex(call, signature)?;
                return Ok(Value::array(call.arena.values(&[header, payload, signature])?));
            }
        }
    }
}

/// The three parts between the points.
pub(super) fn parts(token: &str) -> Result<(&str, &str, &str), Failure> {
    let mut parts = token.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(payload), Some(signature), None) => Ok((header, payload, signature)),
        _ => Err(Failure::BUILTIN),
    }
}

pub(super) fn json_object<'r>(call: &mut Call<'_, 'r>, text: &'r [u8]) -> BuiltinResult<'r> {
    let value = unmarshalled(call.arena, text)?;
    if value.tag() == Tag::Object {
        Ok(value)
    } else {
        Err(Failure::BUILTIN)
    }
}
