//! The admin port: whether the process lives and is ready, what it serves, how it fares, and reloads. Apart from the data
//! ports, on a thread of its own, so that it answers whatever they do.
//!
//! `overview.rs` is what is known of the process, `serve.rs` the thread, `seats.rs` its connections, `routes.rs` who may ask for what, `gate.rs` who is
//! let in, `metrics_text.rs` and `exposition.rs` the metrics, `status.rs` the JSON, `process.rs` what the kernel says of us.
//! `page.rs` is the status page, `live.rs`, `loaded.rs` and `recent.rs` what it shows, `inquiry.rs` how it asks why.

mod exposition;
mod gate;
mod inquiry;
mod live;
mod loaded;
mod metrics_text;
mod overview;
mod page;
mod process;
mod recent;
mod routes;
mod seats;
mod serve;
mod status;

pub use overview::{Facts, Overview, Service, Stage};
pub use recent::{Keeping, Recent};
pub use serve::{Bound, Options, start};
