//! JSON text and values.

mod error;
mod indent;
mod number;
mod page;
mod parse;
mod plain;
#[cfg(test)]
mod tests;
mod write;

pub use error::{JsonError, JsonErrorKind};
pub use indent::indent;
pub use number::Numbers;
pub(crate) use number::value as number_value;
pub(crate) use page::Page;
pub(crate) use parse::string_at;
pub use parse::{parse, parse_prefix};
pub use write::{Escape, Unprintable, write, write_string};
pub(crate) use write::{write_member, write_on};
