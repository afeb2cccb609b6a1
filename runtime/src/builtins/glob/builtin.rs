//! The two builtins.

use crate::arena::Arena;
use crate::builtins::operand::{args, string};
use crate::builtins::output::Text;
use crate::builtins::{BuiltinResult, Call, Failure};
use crate::bytecode::Prepared;
use crate::error::EvalErrorKind;
use crate::value::{Kind, Value};

/// `glob.match(pattern, delimiters, text)`
pub(in crate::builtins) fn glob_match<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [pattern, delimiters, text] = self::args(args)?;
    let result = if let Some(Prepared::Glob(glob)) = call.prepared {
        glob.is_match(string(text)?, &mut call.caches.glob_walk, call.fuel)
    } else {
        let pattern = string(pattern)?;
        let delimiters = delimiter_text(call.arena, delimiters)?;
        let text = string(text)?;
        call.charge(pattern.len() / 8)?;
        let (glob, walk) = call.caches.glob(pattern, delimiters, call.fuel)?;
        glob.is_match(text, walk, call.fuel)
    };
    match result {
        Some(matches) => Ok(Value::bool(matches)),
        None => Err(Failure::Abort(EvalErrorKind::FuelExhausted)),
    }
}

/// The delimiters side by side; `None` for `null`: none at all. Each must be one character.
fn delimiter_text<'r>(arena: &'r Arena, delimiters: Value<'r>) -> Result<Option<&'r str>, Failure> {
    let items = match delimiters.kind() {
        Kind::Null => return Ok(None),
        Kind::Array([]) => return Ok(Some("")),
        Kind::Array(items) => items,
        _ => return Err(Failure::TYPE),
    };
    let mut out = Text::new(arena);
    for item in items {
        let mut chars = string(*item)?.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => out.push(c)?,
            _ => return Err(Failure::TYPE),
        }
    }
    Ok(Some(out.finish()?))
}

/// `glob.quote_meta(text)`
pub(in crate::builtins) fn quote_meta<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    let mut out = Text::new(call.arena);
    for c in string(text)?.chars() {
        if matches!(c, '*' | '?' | '\\' | '[' | ']' | '{' | '}') {
            out.push('\\')?;
        }
        out.push(c)?;
    }
    out.value()
}
