//! Static types: refuses what OPA's type checker refuses, and nothing that it takes.
//!
//! Input is an ordered unit (or query), output is diagnostics; the program itself is not changed. Types are inferred for rules in
//! the order of their dependencies (`order.rs`), kept in a tree of documents (`documents.rs`), and met by the terms of each body
//! (`body.rs`). Nothing is checked at run time because of what is found here.
//! Source of the rules: OPA 1.22.2's answers on the conformance corpora, and its checker read for meaning.

mod body;
mod builtin;
mod calls;
mod closures;
mod compatible;
mod documents;
mod infer;
mod known;
mod order;
mod refs;
mod replaced;
mod report;
mod rules;
mod schemas;
mod select;
mod show;
mod terms;
#[cfg(test)]
mod tests;
mod ty;

pub(crate) use body::is_nested;
pub use rules::{Report, check, check_query};
