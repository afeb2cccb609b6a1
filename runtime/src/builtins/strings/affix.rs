//! Beginnings and ends.

use crate::builtins::operand::{args, list, string};
use crate::builtins::{BuiltinResult, Call, Failure};
use crate::value::{Kind, Value};

/// `startswith(text, prefix)`
pub(in crate::builtins) fn startswith<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text, prefix] = self::args(args)?;
    let (text, prefix) = (string(text)?, string(prefix)?);
    call.charge(prefix.len() / 64)?;
    Ok(Value::bool(text.starts_with(prefix)))
}

/// `endswith(text, suffix)`
pub(in crate::builtins) fn endswith<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [text, suffix] = self::args(args)?;
    let (text, suffix) = (string(text)?, string(suffix)?);
    call.charge(suffix.len() / 64)?;
    Ok(Value::bool(text.ends_with(suffix)))
}

/// `strings.any_prefix_match(texts, prefixes)`
pub(in crate::builtins) fn any_prefix_match<'r>(
    call: &mut Call<'_, 'r>,
    args: &[Value<'r>],
) -> BuiltinResult<'r> {
    any(call, args, |text, prefix| text.starts_with(prefix))
}

/// `strings.any_suffix_match(texts, suffixes)`
pub(in crate::builtins) fn any_suffix_match<'r>(
    call: &mut Call<'_, 'r>,
    args: &[Value<'r>],
) -> BuiltinResult<'r> {
    any(call, args, |text, suffix| text.ends_with(suffix))
}

fn any<'r>(
    call: &mut Call<'_, 'r>,
    args: &[Value<'r>],
    matches: impl Fn(&str, &str) -> bool,
) -> BuiltinResult<'r> {
    let [texts, affixes] = self::args(args)?;
    let (texts, affixes) = (strings(&texts)?, strings(&affixes)?);
    let text_of = |value: &Value<'r>| value.as_str().unwrap_or_default();
    let price: usize = affixes.iter().map(|affix| 1 + text_of(affix).len() / 64).sum();
    call.charge(texts.len().saturating_mul(price))?;
    let found = texts
        .iter()
        .any(|text| affixes.iter().any(|affix| matches(text_of(text), text_of(affix))));
    Ok(Value::bool(found))
}

/// One string, or an array or set of nothing but strings.
fn strings<'v, 'r>(value: &'v Value<'r>) -> Result<&'v [Value<'r>], Failure> {
    if let Kind::String(_) = value.kind() {
        return Ok(std::slice::from_ref(value));
    }
    let items = list(*value)?;
    match items.iter().all(|item| item.as_str().is_some()) {
        true => Ok(items),
        false => Err(Failure::TYPE),
    }
}
