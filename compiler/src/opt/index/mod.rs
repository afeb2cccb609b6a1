//! The index of a rule's bodies: where many bodies in a row ask one text for what it is, starts with or ends with, one
//! look-up finds the first body that may hold, and a body that fails goes on to the next one that may.
//!
//! Bodies keep their code and their order. Only those are passed by whose question fails, and what stands in front of such a
//! question has no effect and cannot abort: conflicts, errors and which body decided are as without the index.

mod chain;
mod texts;

pub(super) use chain::run;
