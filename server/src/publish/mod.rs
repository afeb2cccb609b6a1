//! The one hand-over of new policies to the threads that decide: a number that each looks at before a request, and a box
//! from which it takes the new image with a machine for it.
//!
//! `revision.rs` says what a core decides with, `post.rs` is a core's box, `publisher.rs` fills all boxes, `archive.rs` keeps
//! what records that are not written yet were decided by.

mod archive;
mod post;
mod publisher;
mod revision;
#[cfg(test)]
mod tests;

pub use archive::{Archive, Recorder};
pub use post::{Parcel, Post};
pub use publisher::Publisher;
pub(crate) use revision::hexadecimal;
pub use revision::{Fresh, Revision};
