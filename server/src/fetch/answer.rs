//! The answer to a request, and what a policy gets of it.

use serde_json::{Map, Value, json};

use crate::fetch::wanted::Trouble;

/// An answer as it came.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// `200 OK`
    pub(super) status_text: String,
    /// Names in lower case, in the order of arrival.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// The first header of a name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The result of `http.send`: a body that should be JSON and is none becomes null, as in OPA.
    pub(super) fn result(&self, force_json: bool) -> Result<Value, Trouble> {
        let media_type = self.media_type();
        let is_yaml = matches!(media_type.as_str(), "application/yaml" | "application/x-yaml");
        if is_yaml && !force_json {
            let text = "http.send: an answer in YAML is not supported";
            return Err(Trouble::Refused(text.to_owned()));
        }
        let body = if force_json || is_json(&media_type) {
            serde_json::from_slice(&self.body).unwrap_or(Value::Null)
        } else {
            Value::Null
        };
        let mut headers = Map::new();
        for (name, value) in &self.headers {
            let values = headers.entry(name.clone()).or_insert_with(|| json!([]));
            if let Value::Array(values) = values {
                values.push(Value::from(value.as_str()));
            }
        }
        Ok(json!({
            "status": self.status_text,
            "status_code": self.status,
            "body": body,
            "raw_body": String::from_utf8_lossy(&self.body),
            "headers": headers,
        }))
    }

    fn media_type(&self) -> String {
        let value = self.header("content-type").unwrap_or_default();
        let end = value.find(';').unwrap_or(value.len());
        value.get(..end).unwrap_or_default().trim().to_ascii_lowercase()
    }
}

fn is_json(media_type: &str) -> bool {
    let subtype = media_type.strip_prefix("application/");
    subtype.is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"))
}

/// The result of a request that failed, for `raise_error: false`.
pub(super) fn failure(trouble: &Trouble) -> Value {
    let (code, message) = match trouble {
        Trouble::Network(message) => ("eval_http_send_network_error", message),
        Trouble::Internal(message) | Trouble::Refused(message) => ("eval_http_send_internal_error", message),
    };
    json!({"status_code": 0, "error": {"code": code, "message": message}})
}
