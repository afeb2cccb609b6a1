//! Policies from a URL: polled, checked against a signature if there is a key, and kept on disk once they were valid.
//!
//! `origin.rs` is what the operator named and what was got there last, `get.rs` asks, `signature.rs` checks,
//! `cache.rs` keeps, `words.rs` says why nothing could be had, `poll.rs` is the thread that asks now and then.

mod cache;
mod get;
mod origin;
mod poll;
mod signature;
mod words;

pub use origin::{Content, Options, Origin};
pub(crate) use poll::pause;
pub use poll::poll;
