//! `gavel lint`: everything that is wrong with PolicyDomains, for people, scripts and other tools.
//!
//! `collect.rs` finds the files, `run.rs` checks them, `report.rs` holds what was found; each format has a file.

mod collect;
mod github;
mod json;
mod line;
mod report;
mod run;
mod sarif;
mod text;

pub(crate) use run::run;
