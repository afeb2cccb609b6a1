//! Which entries of a list of selectors match a text: one pass over its bytes for (nearly) all patterns, no allocation.

mod hash;
mod set;
mod shape;

pub(crate) use hash::hash;
pub use set::{Selected, SelectorCache, SelectorSet};
