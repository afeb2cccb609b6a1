//! The input document of a request: read once, seen through slots.

mod build;
mod doc;
mod error;
mod lanes;
mod layouts;
#[cfg(test)]
mod layouts_tests;
mod lessons;
mod places;
mod read;
mod scan;
mod shapes;
#[cfg(test)]
mod shapes_tests;
#[cfg(test)]
mod tests;
mod trie;
mod utf8;
mod walk;

pub(crate) use doc::{Cell, InputDoc, Merge, Replacements, Saved};
pub use error::{PorcError, Trailing};
pub(crate) use layouts::Layouts;
pub use trie::SlotTrie;
pub(crate) use utf8::text_of;
