//! Splitting at a separator; an empty one splits between the characters.

use crate::arena::List;
use crate::builtins::operand::{args, int, string};
use crate::builtins::{BuiltinResult, Call, Failure};
use crate::value::Value;

/// `split(text, separator)`
pub(in crate::builtins) fn split<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text, separator] = self::args(args)?;
    let parts = parts(call, string(text)?, string(separator)?)?;
    Ok(Value::array(parts))
}

/// `strings.split_n(text, separator, n)`: the first `n` parts, or the last `-n`.
pub(in crate::builtins) fn split_n<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text, separator, count] = self::args(args)?;
    let (text, separator, count) = (string(text)?, string(separator)?, int(count)?);
    let parts = parts(call, text, separator)?;
    let size = usize::try_from(count.unsigned_abs())
        .unwrap_or(usize::MAX)
        .min(parts.len());
    let kept = if count >= 0 {
        parts.get(..size)
    } else {
        parts.get(parts.len() - size..)
    };
    Ok(Value::array(kept.unwrap_or_default()))
}

fn parts<'r>(call: &mut Call<'_, 'r>, text: &'r str, separator: &str) -> Result<&'r [Value<'r>], Failure> {
    call.charge(text.len() / 8)?;
    let mut parts = List::new(call.arena);
    let mut push = |part: &'r str| {
        call.charge(1)?;
        Ok::<(), Failure>(parts.push(Value::string(part))?)
    };
    if separator.is_empty() {
        for (at, c) in text.char_indices() {
            push(text.get(at..at + c.len_utf8()).unwrap_or_default())?;
        }
    } else {
        for part in text.split(separator) {
            push(part)?;
        }
    }
    Ok(parts.finish())
}
