//! The rival to come close to: each domain's rules written by hand in Rust, over the runtime's own reading of the body.
//!
//! They are what an engineer writes who needs no language for policies: roles, groups and selectors are `match`es, annotations
//! are looked up instead of merged, nothing is noted for a record. The votes of all four phases are found, as a record wants
//! them, and every policy's rules are kept. Types are taken to be those that the domains' requests have: what Rego
//! makes of a text where a number is meant is not copied.

mod clinic;
mod evaluator;
mod fileserver;
mod hospital;
mod input;
mod mcp;
mod quotas;
mod saas;
mod toolgate;
mod workspaces;

pub use evaluator::Native;
