//! Our own lints for authorisation policies: domains as read in, findings as diagnostics out. Pure, linear in the source.
//!
//! What a compiler accepts may still grant what nobody meant to grant. Each rule has a code (`rule.rs`), a section in
//! `docs/lints.md`, and can be silenced in the file (`silence.rs`). `run.rs` calls the rules; `visit.rs` walks a module for
//! them, `scopes.rs` knows its variables, `module.rs` its names and what the domain uses it for.

mod annotations;
mod branches;
mod calls;
mod compare;
mod conditions;
mod fields;
mod findings;
mod imports;
mod kinds;
mod module;
mod names;
mod near;
mod negation;
mod patterns;
mod policy;
mod regexes;
mod rule;
mod run;
mod scopes;
mod secrets;
mod selectors;
mod shape;
mod silence;
mod usage;
mod variables;
pub(crate) mod visit;

pub use rule::Rule;
pub(crate) use run::lint_parsed;
pub use run::{LintOptions, lint};
