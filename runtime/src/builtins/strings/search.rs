//! Finding texts in texts.

use crate::arena::List;
use crate::builtins::operand::{args, string};
use crate::builtins::{BuiltinResult, Call, Failure};
use crate::value::Value;
use memchr::memmem::{self, Finder};

/// `contains(text, part)`
pub(in crate::builtins) fn contains<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let (text, part) = operands(call, args)?;
    Ok(Value::bool(
        memmem::find(text.as_bytes(), part.as_bytes()).is_some(),
    ))
}

/// `strings.count(text, part)`: occurrences that do not overlap.
pub(in crate::builtins) fn count<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let (text, part) = operands(call, args)?;
    Ok(int(match part {
        "" => text.chars().count() + 1,
        _ => memmem::find_iter(text.as_bytes(), part.as_bytes()).count(),
    }))
}

/// `indexof(text, part)`: -1 when there is none; an error for an empty part.
pub(in crate::builtins) fn indexof<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let (text, part) = operands(call, args)?;
    if part.is_empty() {
        return Err(Failure::BUILTIN);
    }
    Ok(match memmem::find(text.as_bytes(), part.as_bytes()) {
        Some(at) => int(chars_in(text, 0, at)),
        None => Value::int(-1),
    })
}

/// `indexof_n(text, part)`: all occurrences, also those that overlap; an error for an empty part.
pub(in crate::builtins) fn indexof_n<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let (text, part) = operands(call, args)?;
    let first = part.chars().next().ok_or(Failure::BUILTIN)?;
    let finder = Finder::new(part);
    let mut found = List::new(call.arena);
    let (mut from, mut index) = (0, 0);
    while let Some(at) = text.as_bytes().get(from..).and_then(|rest| finder.find(rest)) {
        let at = from + at;
        index += chars_in(text, from, at);
        // Each occurrence is compared in full.
        call.charge(1 + part.len() / 16)?;
        found.push(int(index))?;
        index += 1;
        from = at + first.len_utf8();
    }
    Ok(Value::array(found.finish()))
}

fn operands<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> Result<(&'r str, &'r str), Failure> {
    let [text, part] = self::args(args)?;
    let (text, part) = (string(text)?, string(part)?);
    call.charge(text.len() / 8)?;
    Ok((text, part))
}

fn chars_in(text: &str, from: usize, to: usize) -> usize {
    text.get(from..to).map_or(0, |part| part.chars().count())
}

fn int<'r>(count: usize) -> Value<'r> {
    Value::int(i64::try_from(count).unwrap_or(i64::MAX))
}
