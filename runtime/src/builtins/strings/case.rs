//! Upper and lower case, one code point for one as in Go (`upper("ß")` is `ß`).

use crate::builtins::operand::{args, string};
use crate::builtins::output::Text;
use crate::builtins::{BuiltinResult, Call};
use crate::value::Value;

/// `lower(text)`
pub(in crate::builtins) fn lower<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    mapped(call, args, to_lower)
}

/// `upper(text)`
pub(in crate::builtins) fn upper<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    mapped(call, args, to_upper)
}

fn mapped<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>], map: impl Fn(char) -> char) -> BuiltinResult<'r> {
    let [value] = self::args(args)?;
    let text = string(value)?;
    call.charge(text.len() / 8)?;
    let Some((at, _)) = text.char_indices().find(|(_, c)| map(*c) != *c) else {
        return Ok(value);
    };
    let (same, rest) = text.split_at(at);
    let mut out = Text::new(call.arena);
    out.reserve(text.len())?;
    out.push_str(same)?;
    for c in rest.chars() {
        out.push(map(c))?;
    }
    out.value()
}

/// A text in lower case.
pub(in crate::builtins) fn lower_text(text: &str) -> String {
    text.chars().map(to_lower).collect()
}

/// Go's `unicode.ToLower`.
pub(in crate::builtins) fn to_lower(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    // The one code point whose full mapping is longer than the simple one.
    if c == 'İ' {
        'i'
    } else {
        single(c, c.to_lowercase())
    }
}

/// Go's `unicode.ToUpper`.
pub(in crate::builtins) fn to_upper(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_uppercase();
    }
    // Greek letters with iota subscript: the full mapping writes the iota out, the simple one keeps it.
    let offset = match c {
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => 8,
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => 9,
        _ => return single(c, c.to_uppercase()),
    };
    char::from_u32(u32::from(c) + offset).unwrap_or(c)
}

/// The mapping if it is one code point, otherwise there is no simple one.
fn single(c: char, mut mapping: impl Iterator<Item = char>) -> char {
    match (mapping.next(), mapping.next()) {
        (Some(mapped), None) => mapped,
        _ => c,
    }
}
