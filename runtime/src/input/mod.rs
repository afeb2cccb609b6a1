//! The input document of a request: read once, seen through slots.

mod doc;
mod error;
mod tape;
#[cfg(test)]
mod tests;
mod trie;

pub(crate) use doc::{Body, Cell, InputDoc, Replacement, Saved, buffers};
pub use error::{PorcError, Trailing};
pub use trie::SlotTrie;
