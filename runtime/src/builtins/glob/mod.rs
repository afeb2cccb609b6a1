//! `glob.match`: patterns of `*`, `**`, `?`, `[a-c]`, `{x,y}` over texts that delimiters cut into parts.
//!
//! The language is that of gobwas/glob 1.0, which OPA uses. A pattern becomes one of two matchers: a list of tokens with
//! two restart points (nearly all patterns), or a small automaton (classes, nested braces).

mod automaton;
mod builtin;
mod delimiters;
mod lexer;
mod pattern;
mod tokens;

pub(super) use automaton::Walk;
pub(super) use builtin::{glob_match, quote_meta};
pub use pattern::Glob;
