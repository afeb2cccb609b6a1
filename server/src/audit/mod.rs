//! Access records off the hot path: a core copies one compact frame into its ring, the audit thread makes the JSON.
//!
//! `sink.rs` is the worker's end of a ring (`ring.rs`: how a frame gets into it), `writer.rs` the audit thread (`start.rs`: its
//! beginning and end); outlets are `outlet.rs` (standard output),
//! `file.rs` and `spool/`. `ledger.rs` says what became of a record and `promise.rs` waits for it. `redact.rs` says what a
//! record does not show.

mod batch;
mod file;
mod ledger;
mod outlet;
mod promise;
mod redact;
mod retry;
mod ring;
mod sink;
pub mod spool;
mod start;
mod status;
mod wake;
mod writer;

pub use file::FileOptions;
pub use promise::Acks;
pub(crate) use promise::Promises;
pub use redact::{HashKey, Redactions};
pub use sink::{FullPolicy, Sink};
pub use start::{Audit, Finished, Monitor, Output, start};
pub use status::{Snapshot, SpoolLook};
pub use writer::Render;
