//! Values: 16-byte `Copy` handles, their owned twin, their order.

mod build;
mod constant;
mod copy;
mod lookup;
mod order;
mod patch;
mod pool;
mod repr;
mod stored;

pub use build::{object_from, set_from, sort_entries, sort_members};
pub(crate) use build::{retain_first, sort_stable};
pub use constant::Constant;
pub use lookup::array_index;
pub(crate) use order::with_int_text;
pub use patch::replace_at;
pub use pool::Pool;
pub use repr::{Entry, Kind, Object, Tag, Value};
