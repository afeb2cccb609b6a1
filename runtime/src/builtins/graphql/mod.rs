//! `graphql.*`: documents and schemas as gqlparser, which OPA embeds, reads and checks them.
//!
//! text ─lexer, parse_*→ tree ◀─decode─ object
//! tree ─types, schema_rules→ `Schema` ─walk, values, overlap→ valid or not
//!
//! A tree is the value that OPA shows: objects in gqlparser's field names, without positions and empty members. Errors have
//! no text here: OPA shows none, save in strict mode where only the code counts.

mod builtin;
mod cursor;
mod decode;
mod lexer;
mod overlap;
mod parse_query;
mod parse_schema;
mod parse_value;
mod prelude;
mod schema_rules;
#[cfg(test)]
mod tests;
mod tree;
mod types;
mod values;
mod walk;

pub(super) use builtin::{is_valid, parse, parse_and_verify, parse_query, parse_schema, schema_is_valid};
