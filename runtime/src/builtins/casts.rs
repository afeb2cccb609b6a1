//! Types: asking for them, and the casts.

use super::operand::{args, list};
use super::{BuiltinResult, Call, Failure};
use crate::number;
use crate::value::{Kind, Tag, Value, set_from};

/// `type_name(x)`
pub(super) fn type_name<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value] = self::args(args)?;
    Ok(Value::string(match value.tag() {
        Tag::Null => "null",
        Tag::Bool => "boolean",
        Tag::Int | Tag::Number => "number",
        Tag::String => "string",
        Tag::Array => "array",
        Tag::Object => "object",
        Tag::Set => "set",
        Tag::Undefined => return Err(Failure::TYPE),
    }))
}

/// `is_null(x)`
pub(super) fn is_null<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    has_type(args, |tag| tag == Tag::Null)
}

/// `is_boolean(x)`
pub(super) fn is_boolean<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    has_type(args, |tag| tag == Tag::Bool)
}

/// `is_number(x)`
pub(super) fn is_number<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    has_type(args, |tag| matches!(tag, Tag::Int | Tag::Number))
}

/// `is_string(x)`
pub(super) fn is_string<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    has_type(args, |tag| tag == Tag::String)
}

/// `is_array(x)`
pub(super) fn is_array<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    has_type(args, |tag| tag == Tag::Array)
}

/// `is_object(x)`
pub(super) fn is_object<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    has_type(args, |tag| tag == Tag::Object)
}

/// `is_set(x)`
pub(super) fn is_set<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    has_type(args, |tag| tag == Tag::Set)
}

fn has_type<'r>(args: &[Value<'r>], is_type: impl Fn(Tag) -> bool) -> BuiltinResult<'r> {
    let [value] = self::args(args)?;
    Ok(Value::bool(is_type(value.tag())))
}

/// `cast_array(x)`: sets become sorted arrays.
pub(super) fn cast_array<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value] = self::args(args)?;
    Ok(Value::array(list(value)?))
}

/// `cast_set(x)`: arrays become sets.
pub(super) fn cast_set<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value] = self::args(args)?;
    match value.kind() {
        Kind::Set(_) => Ok(value),
        _ => {
            let items = list(value)?;
            call.charge(items.len())?;
            Ok(set_from(call.arena, call.arena.values_mut(items)?)?)
        }
    }
}

/// `cast_string(x)`
pub(super) fn cast_string<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    only(args, Tag::String)
}

/// `cast_boolean(x)`
pub(super) fn cast_boolean<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    only(args, Tag::Bool)
}

/// `cast_null(x)`
pub(super) fn cast_null<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    only(args, Tag::Null)
}

/// `cast_object(x)`
pub(super) fn cast_object<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    only(args, Tag::Object)
}

fn only<'r>(args: &[Value<'r>], tag: Tag) -> BuiltinResult<'r> {
    let [value] = self::args(args)?;
    if value.tag() == tag {
        Ok(value)
    } else {
        Err(Failure::TYPE)
    }
}

/// `to_number(x)`: the text of a number keeps its spelling.
pub(super) fn to_number<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value] = self::args(args)?;
    match value.kind() {
        Kind::Null => Ok(Value::int(0)),
        Kind::Bool(value) => Ok(Value::int(i64::from(value))),
        Kind::Int(_) | Kind::Number(_) => Ok(value),
        Kind::String(text) => {
            if is_infinity_or_nan(text) {
                return Err(Failure::TYPE);
            }
            call.charge(text.len())?;
            number::of_text(call.arena, text)
        }
        _ => Err(Failure::TYPE),
    }
}

/// Whether OPA refuses a text by its type: infinity or NaN, behind any signs.
fn is_infinity_or_nan(text: &str) -> bool {
    // Most texts that become numbers begin with a digit.
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        return false;
    }
    let unsigned = text.trim_start_matches(['+', '-']);
    ["inf", "infinity", "nan"]
        .into_iter()
        .any(|word| unsigned.eq_ignore_ascii_case(word))
}
