//! The reference evaluator: the second opinion on what a program means, small and slow and never part of the product.
//!
//! It interprets the flattened form that the planner gets (`gavel_compiler::hir`), with values of its own and unification by
//! backtracking: no registers, no plan, no optimiser, no bytecode. Builtins come from the runtime's table; they are tested
//! against OPA by themselves. `machine` holds the state, `statements`, `terms` and `unify` are the language, `documents`,
//! `rules` and `partial` are `data`, `calls` and `scope` are functions and `with`.

mod calls;
mod documents;
mod literal;
mod machine;
mod partial;
mod questions;
mod rules;
mod scope;
mod statements;
mod terms;
mod tree;
mod unify;
mod value;

pub use machine::{Request, Stop, evaluate};
