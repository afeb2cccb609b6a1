//! The five operators: 64-bit integers at once, integers of any size exactly, everything else as floats.

use super::big::{float_of, float_value, integer};
use super::float::PRECISION;
use crate::arena::Arena;
use crate::builtins::{BuiltinResult, Failure, FailureCode};
use crate::value::{Kind, Value};

/// `a + b` of numbers; a type error for other values.
#[inline]
pub fn add<'r>(arena: &'r Arena, a: Value<'r>, b: Value<'r>) -> BuiltinResult<'r> {
    match ints(a, b).and_then(|(x, y)| x.checked_add(y)) {
        Some(int) => Ok(Value::int(int)),
        None => slow(Op::Add, arena, a, b),
    }
}

/// `a - b` of numbers; a type error for other values (`minus` of sets is the builtin's part).
#[inline]
pub fn sub<'r>(arena: &'r Arena, a: Value<'r>, b: Value<'r>) -> BuiltinResult<'r> {
    match ints(a, b).and_then(|(x, y)| x.checked_sub(y)) {
        Some(int) => Ok(Value::int(int)),
        None => slow(Op::Sub, arena, a, b),
    }
}

/// `a * b` of numbers; a type error for other values.
#[inline]
pub fn mul<'r>(arena: &'r Arena, a: Value<'r>, b: Value<'r>) -> BuiltinResult<'r> {
    match ints(a, b).and_then(|(x, y)| x.checked_mul(y)) {
        Some(int) => Ok(Value::int(int)),
        None => slow(Op::Mul, arena, a, b),
    }
}

/// `a / b` of numbers; an error for a zero divisor, a type error for other values.
#[inline]
pub fn div<'r>(arena: &'r Arena, a: Value<'r>, b: Value<'r>) -> BuiltinResult<'r> {
    let whole = ints(a, b).filter(|(x, y)| *x != 0 && x.checked_rem(*y) == Some(0));
    match whole.and_then(|(x, y)| x.checked_div(y)) {
        Some(int) => Ok(Value::int(int)),
        None => quotient(arena, a, b),
    }
}

/// `a % b` of integers, with the sign of `a`; an error for a zero divisor or a fraction, a type error for other values.
#[inline]
pub fn rem<'r>(arena: &'r Arena, a: Value<'r>, b: Value<'r>) -> BuiltinResult<'r> {
    match ints(a, b).and_then(|(x, y)| x.checked_rem(y)) {
        Some(int) => Ok(Value::int(int)),
        None => remainder(arena, a, b),
    }
}

#[inline]
fn ints(a: Value<'_>, b: Value<'_>) -> Option<(i64, i64)> {
    match (a.kind(), b.kind()) {
        (Kind::Int(x), Kind::Int(y)) => Some((x, y)),
        _ => None,
    }
}

#[derive(Clone, Copy)]
enum Op {
    Add,
    Sub,
    Mul,
}

#[cold]
fn slow<'r>(op: Op, arena: &'r Arena, a: Value<'r>, b: Value<'r>) -> BuiltinResult<'r> {
    match (integer(a)?, integer(b)?) {
        (Some(x), Some(y)) => match op {
            Op::Add => x.plus(&y),
            Op::Sub => x.minus(&y),
            Op::Mul => x.times(&y)?,
        }
        .value(arena),
        _ => {
            let (x, y) = (float_of(a)?, float_of(b)?);
            let result = match op {
                Op::Add => x.add(y),
                Op::Sub => x.sub(y),
                Op::Mul => x.mul(y, PRECISION),
            };
            float_value(arena, result, PRECISION)
        }
    }
}

#[cold]
fn quotient<'r>(arena: &'r Arena, a: Value<'r>, b: Value<'r>) -> BuiltinResult<'r> {
    let (x, y) = (float_of(a)?, float_of(b)?);
    let quotient = x.div(y).ok_or(Failure::Error(FailureCode::Builtin))?;
    float_value(arena, quotient, PRECISION)
}

#[cold]
fn remainder<'r>(arena: &'r Arena, a: Value<'r>, b: Value<'r>) -> BuiltinResult<'r> {
    let (Some(x), Some(y)) = (integer(a)?, integer(b)?) else {
        return Err(Failure::Error(FailureCode::Builtin));
    };
    let (_, rest) = x.divided(&y).ok_or(Failure::Error(FailureCode::Builtin))?;
    rest.value(arena)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number;

    #[track_caller]
    fn check(
        op: for<'r> fn(&'r Arena, Value<'r>, Value<'r>) -> BuiltinResult<'r>,
        a: &str,
        b: &str,
        want: &str,
    ) {
        let arena = Arena::new(1 << 10, 1 << 20);
        let got = match op(&arena, number::value(a), number::value(b)).map(Value::kind) {
            Ok(Kind::Int(int)) => int.to_string(),
            Ok(Kind::Number(text)) => text.to_owned(),
            Err(Failure::Error(code)) => format!("{code:?}"),
            other => format!("{other:?}"),
        };
        assert_eq!(got, want, "{a} {b}");
    }

    #[test]
    fn integers_are_exact() {
        check(add, "9223372036854775807", "1", "9223372036854775808");
        check(
            add,
            "123456789012345678901234567890",
            "1",
            "123456789012345678901234567891",
        );
        check(
            mul,
            "9007199254740993",
            "9007199254740993",
            "81129638414606699710187514626049",
        );
        check(sub, "1e30", "7.0", "999999999999999999999999999993");
        check(rem, "10", "18446744073709551616", "10");
        check(rem, "18446744073709551617", "2", "1");
        check(rem, "-7", "2", "-1");
        check(rem, "7.0", "2", "1");
        check(div, "-9223372036854775808", "-1", "9223372036854775808");
    }

    #[test]
    fn fractions_have_64_bits() {
        check(add, "0.1", "0.2", "0.3");
        check(mul, "1.1", "1.1", "1.21");
        check(div, "1", "3", "0.33333333333333333334");
        check(div, "18446744073709551617", "3", "6.1489146912365172055e+18");
        check(div, "0", "-5", "-0");
        check(sub, "0.5", "0.5", "0");
        check(add, "123456.25", "0.25", "123456.5");
        check(mul, "1234567.5", "1", "1.2345675e+06");
        check(div, "1", "100000", "1e-05");
    }

    #[test]
    fn what_has_no_result() {
        check(div, "1", "0", "Builtin");
        check(div, "1", "0.0", "Builtin");
        check(rem, "1", "0", "Builtin");
        check(rem, "7.5", "2", "Builtin");
    }

    #[test]
    fn integers_that_explode_end_the_evaluation() {
        let huge = "1".repeat(100_000);
        check(mul, &huge, &huge, "Err(Abort(FuelExhausted))");
    }
}
