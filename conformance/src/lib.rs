//! Runs case files against gavel: OPA's evaluation suite and the formats beside it.
//!
//! `case.rs` reads cases, `run.rs` compiles and evaluates one, `outcome.rs` compares, `suite.rs` runs folders on all cores
//! and counts, `fuzz/` holds the fuzz targets, `reference/` is the second opinion on what a program means, `ratchet.rs` holds the list of known failures, which may only shrink.
#![forbid(unsafe_code)]

pub mod case;
pub mod fuzz;
pub mod json;
pub mod outcome;
pub mod ratchet;
pub mod reference;
pub mod run;
pub mod suite;
