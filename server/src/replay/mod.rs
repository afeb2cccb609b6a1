//! `gavel test replay`: decides recorded requests again and reports what would be decided otherwise now.
//!
//! `lines.rs` cuts a stream into records, `record.rs` reads what of a record is needed, `run.rs` decides and counts,
//! `compare.rs` finds the policies behind a change, `report.rs` writes them for people or programs.

mod compare;
mod lines;
mod record;
mod report;
mod run;

pub(crate) use report::Format;
pub(crate) use run::{Replay, Stopped, Totals};
