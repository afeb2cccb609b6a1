//! The load generator: requests on a fixed schedule (open loop) or as fast as answers come (closed loop), over connections
//! that stay open, every answer checked.
//!
//! An open loop sends request `k` at `start + k / rate` whatever the server does, and counts its latency from that moment:
//! a server that stalls for 10 ms makes every request due in them late, and all of them are counted. When every connection
//! is busy the request waits, and its latency runs. The thread sleeps in `epoll` until shortly before the next request is
//! due and then polls without sleeping, because a timer of the kernel fires 50 µs late and more; what it is late itself is
//! measured beside the latencies. A closed loop sends when an answer has come, so it finds the largest rate and tells
//! little about latency.

mod answer;
mod bare;
mod connection;
mod floor;
mod held;
mod job;
mod result;
mod run;
mod secure;
mod span;
mod witness;

pub use answer::{Answer, Step, read_answer};
pub use bare::{Bare, BareServed, Dawdle};
pub use floor::Floor;
pub use held::hold;
pub use job::{Ask, Content, Expected, Job, Pace, Target};
pub use result::{Outcome, Slow};
pub use run::{pin, run};
pub use secure::Trust;
pub use span::{Span, Union};
pub use witness::{Seen, Witness};
