//! Replacing parts of texts, with the rules of Go's `strings.Replacer`: left to right, without looking at what was put
//! in, and with an empty old text matching between all bytes.

use crate::builtins::bytes::{byte_of, char_of};
use crate::builtins::operand::{args, object, string};
use crate::builtins::output::Text;
use crate::builtins::{BuiltinResult, Call, Failure};
use crate::value::{Object, Value};
use memchr::memmem;

/// `replace(text, old, new)`
pub(in crate::builtins) fn replace<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value, old, new] = self::args(args)?;
    let (text, old, new) = (string(value)?, string(old)?, string(new)?);
    call.charge(text.len() / 8)?;
    let mut out = Text::new(call.arena);
    if old.is_empty() {
        out.push_str(new)?;
        for c in text.chars() {
            push_apart(&mut out, c, new)?;
            out.push_str(new)?;
        }
        return out.value();
    }
    let mut last = 0;
    for at in memmem::find_iter(text.as_bytes(), old.as_bytes()) {
        call.charge(1 + new.len() / 8)?;
        out.push_str(text.get(last..at).unwrap_or_default())?;
        out.push_str(new)?;
        last = at + old.len();
    }
    if last == 0 {
        return Ok(value);
    }
    out.push_str(text.get(last..).unwrap_or_default())?;
    out.value()
}

/// `strings.replace_n(patterns, text)`: at each place the first pattern in the order of the object's keys that fits.
pub(in crate::builtins) fn replace_n<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [patterns, text] = self::args(args)?;
    let (patterns, text) = (object(patterns)?, string(text)?);
    let mut price = 1;
    for entry in patterns {
        price += 1 + string(entry.key)?.len() / 32;
        string(entry.value)?;
    }
    call.charge(text.len().saturating_mul(price) / 8)?;
    let mut out = Text::new(call.arena);
    let mut rest = text;
    let empty = matching(patterns, "", false).map(|(_, new)| new);
    // After an empty match the same place is tried once more without it.
    let mut after_empty = false;
    loop {
        if let Some((old, new)) = matching(patterns, rest, after_empty) {
            call.charge(1 + new.len() / 8)?;
            out.push_str(new)?;
            after_empty = old.is_empty();
            rest = rest.get(old.len()..).unwrap_or_default();
            continue;
        }
        after_empty = false;
        let mut chars = rest.chars();
        let Some(c) = chars.next() else {
            return out.value();
        };
        match empty {
            Some(new) => push_apart(&mut out, c, new)?,
            None => out.push(c)?,
        }
        rest = chars.as_str();
    }
}

/// Appends a character; one of several bytes falls apart into them, because nothing stands between bytes too.
fn push_apart(out: &mut Text<'_>, c: char, between: &str) -> Result<(), Failure> {
    let mut buffer = [0; 4];
    let bytes: &[u8] = c.encode_utf8(&mut buffer).as_bytes();
    if bytes.len() == 1 || between.is_empty() || byte_of(c).is_some() {
        return out.push(c);
    }
    for (at, byte) in bytes.iter().enumerate() {
        if at > 0 {
            out.push_str(between)?;
        }
        out.push(char_of(*byte))?;
    }
    Ok(())
}

fn matching<'r>(patterns: Object<'r>, rest: &str, skip_empty: bool) -> Option<(&'r str, &'r str)> {
    patterns
        .iter()
        .filter_map(|entry| Some((entry.key.as_str()?, entry.value.as_str()?)))
        .find(|(old, _)| rest.starts_with(old) && !(skip_empty && old.is_empty()))
}
