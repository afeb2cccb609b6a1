//! Programs made from bytes: modules that mostly compile, with documents, for every construct of the language.
//!
//! Types are followed loosely: what an expression is meant to be is known, what input and base documents really hold is
//! not. `names` knows what can be referred to, `expressions`, `statements` and `rules` write the parts, `documents` the
//! data, `program` puts a case together.

mod documents;
mod expressions;
mod names;
mod program;
mod rules;
mod statements;

pub use program::program;
