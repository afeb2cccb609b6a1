//! The clinic's requests as peers with languages of their own take them: roles by name, and the attributes that the
//! domain's groups, roles and resources give to principal and resource.

use gavel_runtime::decision::Decider;
use gavel_runtime::image::Image;
use gavel_runtime::json;
use serde_json::{Map, Value};

/// Name of the example whose policies were written again for each peer, in `benches/peers/clinic`.
pub const EXAMPLE: &str = "clinic";

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Who asks; `anonymous` without a token.
    pub subject: String,
    /// The roles that it has by itself and by its groups.
    pub roles: Vec<&'static str>,
    /// Its attributes.
    pub principal: Map<String, Value>,
    /// `record` or `hours`.
    pub kind: &'static str,
    /// Name of the resource.
    pub resource: String,
    /// Its attributes.
    pub attributes: Map<String, Value>,
    /// What is done.
    pub operation: String,
    /// Circumstances.
    pub context: Map<String, Value>,
}

/// The document that our policies see for a request.
///
/// # Errors
/// A body that is no request.
pub fn realised(decider: &mut Decider, image: &Image, body: &[u8]) -> Result<String, String> {
    let mut text = Vec::new();
    if !decider.write_seen(image, body, json::Escape::Plain, &mut text) {
        return Err("the document has no JSON text".to_owned());
    }
    String::from_utf8(text).map_err(|error| error.to_string())
}

impl Facts {
    /// From the document that our policies see.
    ///
    /// # Errors
    /// A document of another shape.
    pub fn read(document: &str) -> Result<Facts, String> {
        let document: Value = serde_json::from_str(document).map_err(|error| error.to_string())?;
        let members = |path: &str| {
            let found = document.pointer(path).and_then(Value::as_object);
            found.cloned().unwrap_or_default()
        };
        let text = |path: &str| {
            let found = document.pointer(path).and_then(Value::as_str);
            found.unwrap_or_default().to_owned()
        };
        let mut principal = members("/principal/mannotations");
        if let Some(scopes) = document.pointer("/principal/scopes") {
            principal.insert("scopes".to_owned(), scopes.clone());
        }
        let operation = text("/operation");
        let subject = match text("/principal/sub") {
            subject if subject.is_empty() => "anonymous".to_owned(),
            subject => subject,
        };
        Ok(Facts {
            subject,
            roles: roles(&document),
            principal,
            kind: match operation.starts_with("clinic:hours:") {
                true => "hours",
                false => "record",
            },
            resource: text("/resource/id"),
            attributes: members("/resource/annotations"),
            operation,
            context: members("/context"),
        })
    }
}

/// Roles by their last name; each group of the clinic gives its members the role of a nurse.
fn roles(document: &Value) -> Vec<&'static str> {
    let names = |path: &str| {
        let list = document.pointer(path).and_then(Value::as_array);
        list.map(Vec::as_slice).unwrap_or_default()
    };
    let mut roles: Vec<&'static str> = names("/principal/mroles")
        .iter()
        .filter_map(|role| match role.as_str()? {
            "mrn:clinic:role:nurse" => Some("nurse"),
            "mrn:clinic:role:physician" => Some("physician"),
            "mrn:clinic:role:patient" => Some("patient"),
            _ => None,
        })
        .collect();
    if !names("/principal/mgroups").is_empty() {
        roles.push("nurse");
    }
    roles
}
