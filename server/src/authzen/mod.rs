//! AuthZEN 1.0: its requests as PORCs, decisions as its answers, and what it publishes about the service.
//!
//! A question of AuthZEN is a PORC in other words, decided and recorded as one. Nothing here decides.

mod answer;
mod entity;
mod evaluation;
mod json;
mod listed;
mod metadata;
mod search;
mod serve;

pub use listed::Listed;
pub(crate) use metadata::{
    CONFIGURATION, EVALUATION, EVALUATIONS, Metadata, SEARCH_ACTION, SEARCH_RESOURCE, is_ours,
};
pub use search::Candidates;
pub(crate) use serve::Asking;
pub use serve::Endpoint;

/// The annotation of a resource whose text is its type for searches; without it a resource is not listed.
const TYPE_ANNOTATION: &str = "authzen_type";
