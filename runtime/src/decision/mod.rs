//! The decision: PORC in, four phases, votes, one boolean and the evidence for its access record.
//!
//! `porc.rs` reads the request, `facts.rs` says who knows what it leaves out, `annotations.rs` merges what roles, groups and
//! scopes say about the principal (`principal.rs`, `said.rs`), `seen.rs` writes the document that policies see, `phase.rs` asks the policies (`ask.rs`: with or without somebody watching), `decide.rs`
//! combines the votes, `evidence.rs` packs the outcome into a frame for the audit thread, `record.rs` turns a frame into the
//! access record (`stamp.rs`: its id and time).

mod annotations;
mod ask;
mod decide;
mod evidence;
mod facts;
mod phase;
mod porc;
mod principal;
mod reason;
mod record;
mod said;
mod seen;
mod stamp;

pub(crate) use annotations::merge;
pub use annotations::{Annotation, Strategy};
pub use ask::{Asked, Watcher};
pub use decide::{Decider, Decision, Refusal};
pub use evidence::{Frame, FrameReference, Stamp, encode_denial};
pub use facts::{Facts, Resolution, ResourceFacts, ResourceResolver};
pub use phase::{Phase, Reference, Settled};
pub(crate) use porc::{PorcCells, PorcSlots};
pub use reason::{Reason, ReasonCode, ReasonText};
pub use record::{RecordOptions, Redact, write_json};
