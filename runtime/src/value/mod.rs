//! Values: 16-byte `Copy` handles, their owned twin, their order.

mod constant;
mod repr;

pub use constant::Constant;
pub use repr::{Entry, Kind, Object, Tag, Value};
