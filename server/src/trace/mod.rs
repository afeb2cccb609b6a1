//! Traces of evaluations for people: which policies a decision asked and what happened in each, line by line on standard
//! error. Only images that were compiled for tracing tell much; nothing here runs unless a trace was asked for.

mod decision;
mod filter;
mod lines;
pub(crate) mod show;
mod texts;

pub(crate) use decision::DecisionTrace;
pub use decision::Tracing;
pub use filter::Filter;
pub(crate) use lines::Lines;
pub(crate) use texts::Texts;
