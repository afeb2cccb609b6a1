//! Line coverage of the Rego of PolicyDomains: what decisions ran is counted by an observer (`hits`), laid upon everything
//! that can run and moved to the lines of the files that the author edits (`lines`), and written (`formats`).

mod formats;
mod hits;
mod lines;

pub(crate) use formats::{json, lcov, text};
pub(crate) use hits::{CountedDecision, Hits};
pub(crate) use lines::Coverage;
