//! OPA's numbers: 64-bit integers as such, all others as the text they were written with; their order and arithmetic.
//!
//! Integers of any size are exact. Everything else is a binary float with a 64-bit mantissa (Go's `big.Float`), printed with
//! the fewest digits that read back as the same float.

mod aggregate;
mod arith;
mod big;
mod digits;
mod exact;
mod float;
mod integer;
mod nat;
mod order;
mod read;
mod shortest;
mod text;
mod unary;

pub use aggregate::{product, sum};
pub use arith::{add, div, mul, rem, sub};
pub(crate) use big::{integer, scaled, times_truncated, truncated};
pub(crate) use exact::{compare_exactly, is_multiple, is_whole, rational_text};
pub(crate) use integer::Integer;
pub use order::{compare_int_text, compare_text, hash_int, hash_text};
pub use read::of_text;
pub(crate) use shortest::{Shortest, f32_text, write_f64, write_f64_json};
pub use shortest::{f64_json_text, f64_text};
pub use text::{check, int, is_integer, json_number, price, to_f64, value};
pub use unary::{abs, ceil, floor, round};
