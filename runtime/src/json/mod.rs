//! JSON text and values.

mod error;

pub use error::{JsonError, JsonErrorKind};
