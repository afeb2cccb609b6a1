//! `json.match_schema` and `json.verify_schema`: JSON Schema drafts 4, 6 and 7 as gojsonschema, which OPA embeds, means them.
//!
//! text ─parse→ document ─scan→ addresses of its parts ─compile→ `Schema` ─validate→ problems ─describe→ OPA's error objects
//!
//! Schemas are kept by their text. Nothing is fetched: a reference to another document is refused, save the three drafts' own
//! schemas. Where the order of errors is random in OPA (members of an object) it is that of the names.

mod bounds;
mod builtin;
mod compile;
mod documents;
mod formats;
mod keep;
mod keywords;
mod kinds;
mod mail;
mod plain;
mod problem;
mod reference;
mod schema;
#[cfg(test)]
mod tests;
mod validate;
mod values;

pub(super) use builtin::{match_schema, verify_schema};
pub(super) use keep::Schemas;
