//! Joining, cutting, trimming.

use crate::builtins::operand::{args, int, list, string};
use crate::builtins::output::Text;
use crate::builtins::{BuiltinResult, Call, Failure};
use crate::value::Value;

/// `concat(separator, texts)`
pub(in crate::builtins) fn concat<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [separator, texts] = self::args(args)?;
    let (separator, texts) = (string(separator)?, list(texts)?);
    call.charge(texts.len())?;
    match texts {
        [] => return Ok(Value::string("")),
        [text] => return string(*text).map(|_| *text),
        _ => {}
    }
    let mut out = Text::new(call.arena);
    for (at, text) in texts.iter().enumerate() {
        if at > 0 {
            out.push_str(separator)?;
        }
        out.push_str(string(*text)?)?;
    }
    call.charge(out.len() / 8)?;
    out.value()
}

/// `substring(text, offset, length)`; a negative length reaches to the end.
pub(in crate::builtins) fn substring<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text, offset, length] = self::args(args)?;
    let (text, offset, length) = (string(text)?, int(offset)?, int(length)?);
    call.charge(text.len() / 8)?;
    let offset = usize::try_from(offset).map_err(|_| Failure::BUILTIN)?;
    let rest = text.get(byte_of(text, offset)..).unwrap_or_default();
    let part = match usize::try_from(length) {
        Ok(length) => rest.get(..byte_of(rest, length)).unwrap_or_default(),
        Err(_) => rest,
    };
    Ok(Value::string(part))
}

/// Where the code point of an index begins; the end if there is none.
fn byte_of(text: &str, index: usize) -> usize {
    match text.as_bytes().get(..index) {
        Some(before) if before.is_ascii() => index,
        _ => text.char_indices().nth(index).map_or(text.len(), |(at, _)| at),
    }
}

/// `strings.reverse(text)`
pub(in crate::builtins) fn reverse<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    let text = string(text)?;
    call.charge(text.len() / 8)?;
    let mut out = Text::new(call.arena);
    out.reserve(text.len())?;
    for c in text.chars().rev() {
        out.push(c)?;
    }
    out.value()
}

/// `trim(text, characters)`
pub(in crate::builtins) fn trim<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    trimmed(call, args, true, true)
}

/// `trim_left(text, characters)`
pub(in crate::builtins) fn trim_left<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    trimmed(call, args, true, false)
}

/// `trim_right(text, characters)`
pub(in crate::builtins) fn trim_right<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    trimmed(call, args, false, true)
}

fn trimmed<'r>(
    call: &mut Call<'_, 'r>,
    args: &[Value<'r>],
    at_start: bool,
    at_end: bool,
) -> BuiltinResult<'r> {
    let [text, set] = self::args(args)?;
    let (text, set) = (string(text)?, string(set)?);
    call.charge(set.len() / 16)?;
    let bits = |mask: u128, byte: u8| mask | 1_u128.checked_shl(byte.into()).unwrap_or(0);
    let ascii = set.bytes().fold(0_u128, bits);
    let mut goes = |c: char| {
        if c.is_ascii() {
            return Ok(ascii >> u32::from(c) & 1 == 1);
        }
        call.charge(1 + set.len() / 16)?;
        Ok::<bool, Failure>(set.contains(c))
    };
    let mut kept = text;
    while at_start
        && let Some(c) = kept.chars().next()
        && goes(c)?
    {
        kept = kept.get(c.len_utf8()..).unwrap_or_default();
    }
    while at_end
        && let Some(c) = kept.chars().next_back()
        && goes(c)?
    {
        kept = kept.get(..kept.len() - c.len_utf8()).unwrap_or_default();
    }
    call.charge((text.len() - kept.len()) / 4)?;
    Ok(Value::string(kept))
}

/// `trim_prefix(text, prefix)`
pub(in crate::builtins) fn trim_prefix<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    cut(call, args, |text, prefix| {
        text.strip_prefix(prefix).unwrap_or(text)
    })
}

/// `trim_suffix(text, suffix)`
pub(in crate::builtins) fn trim_suffix<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    cut(call, args, |text, suffix| {
        text.strip_suffix(suffix).unwrap_or(text)
    })
}

/// `trim_space(text)`
pub(in crate::builtins) fn trim_space<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    let text = string(text)?;
    let kept = text.trim();
    call.charge((text.len() - kept.len()) / 4)?;
    Ok(Value::string(kept))
}

fn cut<'r>(
    call: &mut Call<'_, 'r>,
    args: &[Value<'r>],
    cut: impl for<'t> Fn(&'t str, &str) -> &'t str,
) -> BuiltinResult<'r> {
    let [text, what] = self::args(args)?;
    let (text, what) = (string(text)?, string(what)?);
    let kept = cut(text, what);
    call.charge(what.len() / 64)?;
    Ok(Value::string(kept))
}
