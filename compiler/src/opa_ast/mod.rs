//! A parsed module as the JSON that OPA makes of its own syntax tree: what `rego.parse_module` gives.
//!
//! `module.rs` writes packages, imports and comments, `rules.rs` rules and heads, `bodies.rs` statements, `terms.rs` terms;
//! `order.rs` is the order in which OPA keeps the members of set and object literals.

mod bodies;
mod module;
mod order;
mod rules;
mod terms;

pub use module::parse_module;
