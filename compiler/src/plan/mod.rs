//! The planner: a checked unit becomes functions of linear code with labels for failure.
//!
//! A reference that is not constant, a pattern, a partial rule: each is decided here as far as it can be before any input
//! is known.

mod block;
mod body;
mod calls;
mod cond;
mod cycles;
mod data;
mod direct;
mod disjoint;
mod early;
mod extent;
mod ir;
mod literal;
mod memo;
mod overlap;
mod partial;
mod planner;
mod raises;
mod refs;
mod replace;
mod rules;
mod scan;
mod term;
mod text;
mod tree;
mod unify;
mod visit;
mod with;

pub(crate) use calls::condition;
pub use cond::{Cmp, Cond, Operand, TextTest};
pub use cycles::{order, reachable};
pub use direct::Direct;
pub use ir::{
    Access, Again, Container, FnRef, Function, Inst, K, Label, NO_BODY, Note, Plan, Reg, Step, Target,
};
pub use planner::{Request, plan};
pub use text::constant_text;
