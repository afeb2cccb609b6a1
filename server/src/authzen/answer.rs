//! Answers of AuthZEN as JSON.

use serde_json::{Value, json};

/// The answer to a single evaluation.
pub(crate) fn decision(granted: bool) -> String {
    item(granted).to_string()
}

/// One decision of a batch.
pub(crate) fn item(granted: bool) -> Value {
    json!({ "decision": granted })
}

/// An item of a batch that could not be asked: a denial that says why.
pub(crate) fn failed(status: u16, message: &str) -> Value {
    json!({ "decision": false, "context": { "error": { "status": status, "message": message } } })
}

/// The answer to a batch.
pub(crate) fn results(items: Vec<Value>) -> String {
    json!({ "evaluations": items }).to_string()
}
