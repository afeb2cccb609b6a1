//! The data API of OPA over the documents of policies: what is asked, which policy's document it is, what is answered.

mod answer;
mod call;
mod documents;
mod machine;
mod outcome;

pub use call::{Ask, Call, Input, Version, call, is_ours};
pub use documents::Documents;
pub(crate) use machine::{Answer, Machine};
pub use outcome::Outcome;
