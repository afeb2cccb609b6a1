//! What AuthZEN publishes about the service: where each of its questions is asked.

use serde_json::{Map, Value};

/// Paths of the questions, each with its name in the metadata.
pub(crate) const EVALUATION: &[u8] = b"/access/v1/evaluation";
/// See [`EVALUATION`].
pub(crate) const EVALUATIONS: &[u8] = b"/access/v1/evaluations";
/// See [`EVALUATION`].
pub(crate) const SEARCH_RESOURCE: &[u8] = b"/access/v1/search/resource";
/// See [`EVALUATION`].
pub(crate) const SEARCH_ACTION: &[u8] = b"/access/v1/search/action";
/// Where the metadata is.
pub(crate) const CONFIGURATION: &[u8] = b"/.well-known/authzen-configuration";

/// Whether a path is one of AuthZEN's.
pub(crate) fn is_ours(path: &[u8]) -> bool {
    let ours = [
        EVALUATION,
        EVALUATIONS,
        SEARCH_RESOURCE,
        SEARCH_ACTION,
        CONFIGURATION,
    ];
    ours.contains(&path)
}

/// What the metadata depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Metadata<'a> {
    /// The address that clients know the service by.
    pub(crate) base_url: &'a str,
    /// The domains list resources by name.
    pub(crate) resources: bool,
    /// The domains list operations by name.
    pub(crate) actions: bool,
}

impl Metadata<'_> {
    /// The document. What is not there is not supported.
    pub(crate) fn document(&self) -> String {
        let mut members = Map::new();
        let base = self.base_url.trim_end_matches('/');
        members.insert("policy_decision_point".to_owned(), base.into());
        let mut endpoint = |name: &str, path: &[u8]| {
            let path = String::from_utf8_lossy(path);
            members.insert(name.to_owned(), format!("{base}{path}").into());
        };
        endpoint("access_evaluation_endpoint", EVALUATION);
        endpoint("access_evaluations_endpoint", EVALUATIONS);
        if self.resources {
            endpoint("search_resource_endpoint", SEARCH_RESOURCE);
        }
        if self.actions {
            endpoint("search_action_endpoint", SEARCH_ACTION);
        }
        Value::Object(members).to_string()
    }
}
