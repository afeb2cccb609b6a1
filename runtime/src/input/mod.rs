//! The input document of a request: read once, seen through slots.

mod error;

pub use error::{PorcError, Trailing};
