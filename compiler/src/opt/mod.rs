//! Optimisation of plans: one pass to a file, each of which can be switched off. A pass never changes a result, an abort,
//! or which body of a rule decided.

mod calls;
mod code;
mod compact;
mod conditions;
mod constant;
mod counts;
mod cse;
mod dead;
mod defaults;
mod facts;
mod fold;
mod hashes;
mod hoist;
mod index;
mod inline;
mod join;
mod jumps;
mod passes;
mod pieces;
mod pipeline;
mod prepare;
mod search;
mod slots;
mod tables;

pub(crate) use constant::NODES_MAX;
pub use passes::{PASSES, Pass, Passes};
pub use pipeline::{Change, Evaluate, FoldBuiltin, Known, OptOptions, optimise};
