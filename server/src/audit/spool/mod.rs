//! A durable spool: records are written to append-only files first and delivered from there.
//!
//! `format.rs` is the bytes, `place.rs` the names and the note of what is delivered, `recover.rs` mends what a crash left, `store.rs` writes (`sync.rs`: syncs beside it), `deliver.rs` hands on,
//! `show.rs` reads a spool for people.

mod deliver;
mod format;
mod place;
mod recover;
mod show;
mod store;
mod sync;

pub(crate) use deliver::Delivery;
pub use show::{Findings, show};
pub use store::{Fsync, SpoolOptions};
pub(crate) use store::{Shared, Spool};
