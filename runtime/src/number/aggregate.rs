//! `sum` and `product`: exact when all members are integers.

use super::big::{float_of, float_value, integer};
use super::float::{Float, PRECISION};
use super::integer::Integer;
use crate::arena::Arena;
use crate::builtins::{BuiltinResult, Failure};
use crate::value::{Kind, Value};

/// Precision of a product with a fraction among its factors: OPA starts from a float of 53 bits.
const PRODUCT_PRECISION: u32 = 53;

/// The sum of numbers; a type error for other members.
pub fn sum<'r>(arena: &'r Arena, members: &[Value<'r>]) -> BuiltinResult<'r> {
    let small = members.iter().try_fold(0_i64, |sum, member| match member.kind() {
        Kind::Int(int) => sum.checked_add(int),
        _ => None,
    });
    if let Some(sum) = small {
        return Ok(Value::int(sum));
    }
    if let Some(sum) = exact(members, 0, |sum, member| Ok(sum.plus(member)))? {
        return sum.value(arena);
    }
    let mut sum = Float::zero(false);
    for member in members {
        sum = sum.add(float_of(*member)?);
    }
    float_value(arena, sum, PRECISION)
}

/// The product of numbers; a type error for other members.
pub fn product<'r>(arena: &'r Arena, members: &[Value<'r>]) -> BuiltinResult<'r> {
    let small = members
        .iter()
        .try_fold(1_i64, |product, member| match member.kind() {
            Kind::Int(int) => product.checked_mul(int),
            _ => None,
        });
    if let Some(product) = small {
        return Ok(Value::int(product));
    }
    if let Some(product) = exact(members, 1, |product, member| product.times(member))? {
        return product.value(arena);
    }
    let mut product = Float::ONE;
    for member in members {
        product = product.mul(float_of(*member)?, PRODUCT_PRECISION);
    }
    float_value(arena, product, PRODUCT_PRECISION)
}

/// Folds integers; `None` as soon as a member is none.
fn exact(
    members: &[Value<'_>],
    start: i128,
    fold: impl Fn(&Integer, &Integer) -> Result<Integer, Failure>,
) -> Result<Option<Integer>, Failure> {
    let mut result = Integer::of(start);
    for member in members {
        match integer(*member)? {
            Some(whole) => result = fold(&result, &whole)?,
            None => return Ok(None),
        }
    }
    Ok(Some(result))
}
