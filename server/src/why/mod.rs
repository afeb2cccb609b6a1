//! Why a PORC, or what the mapper makes of a request of Envoy, is decided as it is: phases, policies and the bodies of rules that held or failed, for the status page. Apart
//! from the data ports: on a thread of its own, with machines of its own, without a record.
//!
//! `thread.rs` takes questions, `traced.rs` is what is known of the sources, `answer.rs` decides and tells, `mapped.rs` runs
//! the mapper, `bodies.rs` watches the bodies of rules, `excerpts.rs` shows the texts that they stand in.

mod answer;
mod bodies;
mod excerpts;
mod mapped;
mod thread;
mod traced;

pub use thread::{Answered, Question, Why};
pub use traced::{Retrace, Traced};
