//! Fuzz targets: functions from bytes to a finding, driven by the seeds of `driver`.
//!
//! `choices` turns bytes into decisions, `generate` decisions into programs, `mutate` inputs into other inputs; every other
//! file is one target.

mod bytecode;
pub mod choices;
mod domain;
pub mod driver;
mod front_end;
pub mod generate;
mod mutate;
mod porc;
mod programs;
mod target;

pub use target::{Finding, Target};
