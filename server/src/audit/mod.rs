//! Access records off the hot path: a core copies one compact frame into its ring, the audit thread makes the JSON.

mod sink;
mod wake;
mod writer;

pub use sink::{FullPolicy, Sink};
pub use writer::{Audit, Finished, Render, start};
