//! Go's regular expressions (RE2 syntax as of Go 1.26) on `regex-automata`: one translator for selectors and builtins.
//!
//! The two dialects are close enough to be confused and far enough apart to decide otherwise, so no pattern text is handed
//! through: `parse.rs` reads Go's syntax and builds the engine's own representation.

mod class;
mod error;
mod fold;
mod meter;
mod parse;
mod pattern;

pub use error::{Re2Error, Re2ErrorKind};
pub use parse::{Translation, translate};
pub(crate) use pattern::NFA_BYTES_MAX;
pub use pattern::{Pattern, Scratch, compile, compile_within};
