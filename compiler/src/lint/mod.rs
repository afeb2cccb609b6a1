//! Our own lints for authorisation policies: domains as read in, findings as diagnostics out. Pure, linear in the source.
//!
//! What a compiler accepts may still grant what nobody meant to grant. Each rule has a code (`rule.rs`), a section in
//! `docs/lints.md`, and can be silenced in the file (`silence.rs`). `run.rs` calls the rules; `visit.rs` walks a module for
//! them, `scopes.rs` knows its variables, `module.rs` its names and what the domain uses it for.

mod allow;
mod findings;
mod imports;
mod module;
mod names;
mod negation;
mod rule;
mod run;
mod scopes;
mod silence;
mod variables;
mod visit;

pub use rule::Rule;
pub use run::{LintOptions, lint};
