//! What is counted and measured on the cores that serve: written by one thread with plain stores, read by any.

mod core;
mod counter;
mod histogram;
mod open;
mod outcome;

pub use self::core::Counters;
pub use counter::Counter;
pub use histogram::{BUCKETS, Histogram, Snapshot, upper_ns};
pub use open::{Carrier, Entered, Open};
pub use outcome::Outcome;
