//! Subject, action, resource and context as they come in, and the PORC that they make.

use serde_json::{Map, Value, json};

/// Why a request is none: what its 400 says.
pub(super) type Problem = String;

/// Members of an object, by reference.
pub(super) type Members = Map<String, Value>;

/// The member of a PORC's context where words of AuthZEN stand that a PORC has no place for.
const OWN: &str = "authzen";

/// Members of a resource's properties that a PORC's resource has too.
const OF_RESOURCE: [&str; 4] = ["group", "owner", "classification", "annotations"];

/// The four parts of one question, each already known to have its form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    pub(super) subject: Entity<'a>,
    pub(super) action: Action<'a>,
    pub(super) resource: Entity<'a>,
    pub(super) context: Option<&'a Members>,
}

/// A subject or a resource.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entity<'a> {
    pub(super) kind: &'a str,
    pub(super) id: &'a str,
    pub(super) properties: Option<&'a Members>,
}

/// An action.
#[derive(Clone, Copy, Debug)]
pub(super) struct Action<'a> {
    pub(super) name: &'a str,
    pub(super) properties: Option<&'a Members>,
}

/// The body of a request: an object.
pub(super) fn body(bytes: &[u8]) -> Result<Value, Problem> {
    match serde_json::from_slice(bytes) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err("the body is no JSON object".to_owned()),
        Err(error) => Err(format!("the body is no JSON: {error}")),
    }
}

/// A subject or a resource that has to be there.
pub(super) fn entity<'a>(value: Option<&'a Value>, name: &str) -> Result<Entity<'a>, Problem> {
    let members = object(value, name)?;
    Ok(Entity {
        kind: text(members, name, "type")?,
        id: text(members, name, "id")?,
        properties: optional(members.get("properties"), &format!("{name}.properties"))?,
    })
}

/// An action that has to be there.
pub(super) fn action(value: Option<&Value>) -> Result<Action<'_>, Problem> {
    let members = object(value, "action")?;
    Ok(Action {
        name: text(members, "action", "name")?,
        properties: optional(members.get("properties"), "action.properties")?,
    })
}

/// An object that may be missing; `null` counts as missing.
pub(super) fn optional<'a>(value: Option<&'a Value>, name: &str) -> Result<Option<&'a Members>, Problem> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(members)) => Ok(Some(members)),
        Some(_) => Err(format!("`{name}` is no object")),
    }
}

/// An object that has to be there.
pub(super) fn object<'a>(value: Option<&'a Value>, name: &str) -> Result<&'a Members, Problem> {
    match value {
        Some(Value::Object(members)) => Ok(members),
        Some(_) => Err(format!("`{name}` is no object")),
        None => Err(format!("`{name}` is missing")),
    }
}

/// A text that has to be there.
pub(super) fn text<'a>(members: &'a Members, of: &str, name: &str) -> Result<&'a str, Problem> {
    match members.get(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(format!("`{of}.{name}` is no string")),
        None => Err(format!("`{of}.{name}` is missing")),
    }
}

impl Question<'_> {
    /// The question as a PORC. The subject's properties are claims of the principal; a resource that names its group is
    /// taken as it comes, any other is looked up by its id. Everything else stands in `context.authzen`.
    pub(super) fn porc(&self) -> Vec<u8> {
        let mut principal = self.subject.properties.cloned().unwrap_or_default();
        principal.insert("sub".to_owned(), self.subject.id.into());
        let porc = json!({
            "principal": principal,
            "operation": self.action.name,
            "resource": self.resource(),
            "context": self.context(),
        });
        porc.to_string().into_bytes()
    }

    fn resource(&self) -> Value {
        let Some(properties) = self.resource.properties else {
            return self.resource.id.into();
        };
        if !properties.get("group").is_some_and(Value::is_string) {
            return self.resource.id.into();
        }
        let mut resource = Members::new();
        resource.insert("id".to_owned(), self.resource.id.into());
        for name in OF_RESOURCE {
            if let Some(value) = properties.get(name) {
                resource.insert(name.to_owned(), value.clone());
            }
        }
        resource.into()
    }

    fn context(&self) -> Members {
        let mut context = self.context.cloned().unwrap_or_default();
        let mut resource = Members::new();
        resource.insert("type".to_owned(), self.resource.kind.into());
        if let Some(properties) = self.resource.properties {
            resource.insert("properties".to_owned(), properties.clone().into());
        }
        let mut own = Members::new();
        own.insert("subject".to_owned(), json!({ "type": self.subject.kind }));
        own.insert("resource".to_owned(), resource.into());
        if let Some(properties) = self.action.properties {
            own.insert("action".to_owned(), json!({ "properties": properties }));
        }
        context.insert(OWN.to_owned(), own.into());
        context
    }
}
