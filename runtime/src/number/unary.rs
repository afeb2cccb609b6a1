//! `abs`, `ceil`, `floor`, `round`, with OPA's results for fractions between -1 and 1 (`ceil(-0.5)` is 1, `floor(-0.5)` is 0).

use super::big::{float_of, float_value, whole_float_value};
use super::float::{Float, PRECISION};
use super::integer::Integer;
use super::text::int;
use crate::arena::Arena;
use crate::builtins::BuiltinResult;
use crate::value::Value;

/// `|a|`
pub fn abs<'r>(arena: &'r Arena, a: Value<'r>) -> BuiltinResult<'r> {
    if let Some(int) = int(a) {
        return match int.checked_abs() {
            Some(size) => Ok(Value::int(size)),
            None => Integer::of(int.unsigned_abs().into()).value(arena),
        };
    }
    let float = float_of(a)?;
    float_value(
        arena,
        Float {
            negative: false,
            ..float
        },
        PRECISION,
    )
}

/// The nearest integer; halves go away from zero.
pub fn round<'r>(arena: &'r Arena, a: Value<'r>) -> BuiltinResult<'r> {
    whole(arena, a, |float| {
        let half = Float {
            negative: float.negative,
            ..Float::HALF
        };
        float.add(half).truncated()
    })
}

/// The next integer above.
pub fn ceil<'r>(arena: &'r Arena, a: Value<'r>) -> BuiltinResult<'r> {
    whole(arena, a, |float| {
        let truncated = float.truncated();
        // OPA looks at the sign of the integer part, which zero has lost.
        if truncated.negative || float.is_integer() {
            truncated
        } else {
            truncated.add(Float::ONE)
        }
    })
}

/// The next integer below.
pub fn floor<'r>(arena: &'r Arena, a: Value<'r>) -> BuiltinResult<'r> {
    whole(arena, a, |float| {
        let truncated = float.truncated();
        if !truncated.negative || float.is_integer() {
            truncated
        } else {
            truncated.sub(Float::ONE)
        }
    })
}

fn whole<'r>(arena: &'r Arena, a: Value<'r>, of: impl Fn(Float) -> Float) -> BuiltinResult<'r> {
    match int(a) {
        Some(int) => Ok(Value::int(int)),
        None => whole_float_value(arena, of(float_of(a)?)),
    }
}
