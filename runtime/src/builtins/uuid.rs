//! UUIDs.

use super::numbers::seeded;
use super::operand::{args, string};
use super::output::Text;
use super::{BuiltinResult, Call};
use crate::arena::List;
use crate::value::{Entry, Value, object_from};

/// 100 ns steps from the beginning of the Gregorian calendar to 1970.
const GREGORIAN_OFFSET: i64 = 122_192_928_000_000_000;

/// `uuid.rfc4122(name)`: a random UUID, the same for the same name throughout a request.
pub(super) fn rfc4122<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [name] = self::args(args)?;
    let name = string(name)?;
    call.charge(name.len() / 8)?;
    let digest = seeded(call.seed, b"uuid.rfc4122", &[], name.as_bytes());
    let bits = digest
        .iter()
        .take(16)
        .fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    // Version 4, variant 1.
    let bits = bits & !(0xf << 76) & !(0b11 << 62) | 4 << 76 | 0b10 << 62;
    let mut out = Text::new(call.arena);
    out.format(format_args!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        bits >> 96,
        bits >> 80 & 0xffff,
        bits >> 64 & 0xffff,
        bits >> 48 & 0xffff,
        bits & 0xffff_ffff_ffff,
    ))?;
    out.value()
}

/// `uuid.parse(text)`: undefined for what is no UUID.
pub(super) fn parse<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    let Some(bits) = bits_of(string(text)?) else {
        return Ok(Value::UNSET);
    };
    let byte = |at: u32| (bits >> (120 - 8 * at)) as u8;
    let version = byte(6) >> 4;
    let variant = match byte(8) >> 5 {
        0b100 | 0b101 => "RFC4122",
        0b110 => "Microsoft",
        0b111 => "Future",
        _ => "Reserved",
    };
    let entry = |key: &'static str, value: Value<'r>| Entry {
        key: Value::string(key),
        value,
    };
    let mut entries = List::new(call.arena);
    entries.extend(&[
        entry("version", Value::int(i64::from(version))),
        entry("variant", Value::string(variant)),
    ])?;
    if matches!(version, 1 | 2) {
        let low = (bits >> 96) as i64;
        let middle = (bits >> 80 & 0xffff) as i64;
        let high = (bits >> 64 & 0x0fff) as i64;
        let since_1970 = (high << 48 | middle << 32 | low) - GREGORIAN_OFFSET;
        let mut node = Text::new(call.arena);
        for at in 10..16 {
            let separator = if at == 10 { "" } else { "-" };
            node.format(format_args!("{separator}{:02x}", byte(at)))?;
        }
        let mac = match byte(10) & 0b11 {
            0b11 => "local:multicast",
            0b01 => "global:multicast",
            0b10 => "local:unicast",
            _ => "global:unicast",
        };
        let clock = i64::from(byte(8) & 0x3f) << 8 | i64::from(byte(9));
        entries.extend(&[
            entry("time", Value::int(since_1970.wrapping_mul(100))),
            entry("nodeid", node.value()?),
            entry("macvariables", Value::string(mac)),
            entry("clocksequence", Value::int(clock)),
        ])?;
        if version == 2 {
            let domain = match byte(9) {
                0 => Value::string("Person"),
                1 => Value::string("Group"),
                2 => Value::string("Org"),
                other => {
                    let mut name = Text::new(call.arena);
                    name.format(format_args!("Domain{other}"))?;
                    name.value()?
                }
            };
            entries.extend(&[entry("id", Value::int(low)), entry("domain", domain)])?;
        }
    }
    Ok(object_from(call.arena, entries.finish())?)
}

/// With hyphens, also behind `urn:uuid:` or between braces, or 32 digits.
fn bits_of(text: &str) -> Option<u128> {
    let digits_in = |text: &str| {
        text.bytes().filter(|b| *b != b'-').try_fold(0_u128, |bits, b| {
            Some(bits << 4 | u128::from(char::from(b).to_digit(16)?))
        })
    };
    let hyphened = match text.len() {
        32 if !text.contains('-') => return digits_in(text),
        36 => text,
        38 => text.get(1..37)?,
        45 if text.get(..9)?.eq_ignore_ascii_case("urn:uuid:") => text.get(9..)?,
        _ => return None,
    };
    let hyphens = [8, 13, 18, 23];
    let is_hyphen = |at: usize| hyphened.as_bytes().get(at) == Some(&b'-');
    if !hyphens.into_iter().all(is_hyphen) {
        return None;
    }
    // Four hyphens among 36 characters leave 32 digits.
    let count = hyphened.bytes().filter(|b| *b == b'-').count();
    if count == hyphens.len() {
        digits_in(hyphened)
    } else {
        None
    }
}
