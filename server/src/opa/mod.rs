//! The data API of OPA over the documents of policies: what is asked, which policy's document it is, what is answered.

mod about;
mod answer;
mod batch;
mod call;
mod documents;
mod gzip;
mod machine;
mod outcome;

pub use about::About;
pub(crate) use about::answer as about;
pub(crate) use batch::Batch;
pub use call::{Ask, Call, DEFAULT_DECISION, Decision, Input, Version, call, is_ours};
pub use documents::Documents;
pub(crate) use gzip::{Unpackable, is_accepted, is_packed, packed, unpacked};
pub(crate) use machine::{Answer, Service};
pub use outcome::Outcome;
