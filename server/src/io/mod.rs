//! The one place that names monoio, small enough to be replaced.
//!
//! Rules that this module keeps for monoio 0.2.4, because its last release has bugs that were fixed later:
//! a pending accept is never dropped, only cancelled and awaited (a dropped one leaks the socket it was about to
//! yield); no task wakes itself (such a task starves the others); join handles never cross threads (a race); no
//! timers and no per-read timeouts (each would cancel an operation in flight): the control pipe ticks once a second
//! and a sweeper shuts late sockets down, so that their pending operations complete by themselves.

mod driver;
mod net;

pub use driver::{Core, DriverChoice, DriverReport};
pub use net::{Accepted, Bound, ControlPipe, Listener, Stream, spawn};
