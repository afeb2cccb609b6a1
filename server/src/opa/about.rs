//! What OPA's clients ask about the service itself: its status and its configuration, as far as there is something to say.

use serde_json::{Value, json};

use super::answer::finished;
use super::call::Decision;
use super::machine::Answer;
use super::outcome::Outcome;
use crate::publish::Revision;

/// A question about the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// What is served: `GET /v1/status`.
    Status,
    /// How it was started: `GET /v1/config`.
    Config,
}

/// The name under which the policies are told of, in place of that of a bundle.
const POLICIES: &str = "policies";

/// The answer of a service that serves this revision.
pub(crate) fn answer(about: About, revision: &Revision, decision: &Decision, pretty: bool) -> Answer {
    let labels = json!({"version": env!("CARGO_PKG_VERSION")});
    let result = match about {
        About::Status => {
            let name = revision.loaded.label.as_deref().unwrap_or(&revision.digest);
            let since = jiff::Timestamp::try_from(revision.since).map(|since| since.to_string());
            let policies = json!({
                "name": POLICIES,
                "active_revision": name,
                "last_successful_activation": since.ok(),
            });
            json!({"labels": labels, "bundles": {POLICIES: policies}})
        }
        About::Config => json!({"default_decision": decision.to_string(), "labels": labels}),
    };
    let document: Value = json!({"result": result});
    Answer {
        status: 200,
        text: finished(document.to_string().into_bytes(), pretty),
        outcome: Outcome::Result,
    }
}
