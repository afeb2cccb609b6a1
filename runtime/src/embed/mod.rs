//! The engine for services that decide in process: one [`Engine`] for each thread, over an image that all of them share.
//!
//! [`Engine::decide`] takes a request as bytes, [`Engine::decide_porc`] one that was put together with a [`PorcBuilder`].
//! Records go to a [`RecordSink`]; what is known of resources may come from a [`crate::decision::ResourceResolver`].

mod engine;
mod moment;
mod porc;
mod records;

pub use engine::Engine;
pub use moment::Moment;
pub use porc::PorcBuilder;
pub use records::{JsonRecords, Record, RecordSink};
