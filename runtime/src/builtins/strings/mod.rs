//! Strings. Lengths and positions count code points; results that are parts of an operand are not copied.

mod affix;
mod case;
mod change;
mod replace;
mod search;
mod split;

pub(super) use affix::{any_prefix_match, any_suffix_match, endswith, startswith};
pub(super) use case::{lower, lower_text, upper};
pub(super) use change::{
    concat, reverse, substring, trim, trim_left, trim_prefix, trim_right, trim_space, trim_suffix,
};
pub(super) use replace::{replace, replace_n};
pub(super) use search::{contains, count, indexof, indexof_n};
pub(super) use split::{split, split_n};
