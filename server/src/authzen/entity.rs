//! Subject, action, resource and context as they come in, and the PORC that they make.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::json::{Problem, is_text, members, object, optional, text, with_member};

/// The member of a PORC's context where words of AuthZEN stand that a PORC has no place for.
const OWN: &str = "authzen";

/// Members of a resource's properties that a PORC's resource has too.
const OF_RESOURCE: [&str; 4] = ["group", "owner", "classification", "annotations"];

/// Names of the four parts.
pub(super) const PARTS: [&str; 4] = ["subject", "action", "resource", "context"];

/// The four parts of one question, as they come in.
pub(super) type Parts<'a> = [Option<&'a RawValue>; PARTS.len()];

/// The four parts of one question, each already known to have its form. Texts are JSON.
#[derive(Clone, Debug)]
pub(super) struct Question<'a> {
    pub(super) subject: Entity<'a>,
    pub(super) action: Action<'a>,
    pub(super) resource: Entity<'a>,
    pub(super) context: Option<&'a RawValue>,
}

/// A subject or a resource.
#[derive(Clone, Debug)]
pub(super) struct Entity<'a> {
    pub(super) kind: &'a RawValue,
    pub(super) id: Cow<'a, str>,
    pub(super) properties: Option<&'a RawValue>,
}

/// An action.
#[derive(Clone, Debug)]
pub(super) struct Action<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) properties: Option<&'a RawValue>,
}

/// A subject or a resource that has to be there.
pub(super) fn entity<'a>(value: Option<&'a RawValue>, name: &str) -> Result<Entity<'a>, Problem> {
    let [kind, id, properties] = members(object(value, name)?, name, ["type", "id", "properties"])?;
    Ok(Entity {
        kind: text(kind, name, "type")?,
        id: text(id, name, "id")?.get().into(),
        properties: optional(properties, &format!("{name}.properties"))?,
    })
}

/// An action that has to be there.
pub(super) fn action(value: Option<&RawValue>) -> Result<Action<'_>, Problem> {
    let [name, properties] = members(object(value, "action")?, "action", ["name", "properties"])?;
    Ok(Action {
        name: text(name, "action", "name")?.get().into(),
        properties: optional(properties, "action.properties")?,
    })
}

/// The members of a resource's properties that a PORC's resource has too; the first is its group.
pub(super) fn of_resource(
    properties: Option<&RawValue>,
) -> Result<[Option<&RawValue>; OF_RESOURCE.len()], Problem> {
    let found = properties.map(|properties| members(properties, "resource.properties", OF_RESOURCE));
    Ok(found.transpose()?.unwrap_or_default())
}

impl Question<'_> {
    /// The question as a PORC. The subject's properties are claims of the principal; a resource that names its group is
    /// taken as it comes, any other is looked up by its id. Everything else stands in `context.authzen`.
    ///
    /// # Errors
    /// Names of members that are no texts.
    pub(super) fn porc(&self) -> Result<Vec<u8>, Problem> {
        let mut out = "{\"principal\":".to_owned();
        let sub = ("sub", &*self.subject.id);
        with_member(&mut out, self.subject.properties, "subject.properties", sub)?;
        out.push_str(",\"operation\":");
        out.push_str(&self.action.name);
        out.push_str(",\"resource\":");
        self.resource(&mut out)?;
        out.push_str(",\"context\":");
        let own = self.own();
        with_member(&mut out, self.context, "context", (OWN, &own))?;
        out.push('}');
        Ok(out.into_bytes())
    }

    fn resource(&self, out: &mut String) -> Result<(), Problem> {
        let found = of_resource(self.resource.properties)?;
        let [group, ..] = found;
        if !group.is_some_and(is_text) {
            out.push_str(&self.resource.id);
            return Ok(());
        }
        out.push_str("{\"id\":");
        out.push_str(&self.resource.id);
        for (name, value) in OF_RESOURCE.iter().zip(found) {
            if let Some(value) = value {
                out.push_str(&format!(",\"{name}\":"));
                out.push_str(value.get());
            }
        }
        out.push('}');
        Ok(())
    }

    /// What a PORC has no place for.
    fn own(&self) -> String {
        let (subject, resource) = (self.subject.kind.get(), self.resource.kind.get());
        let mut out = format!("{{\"subject\":{{\"type\":{subject}}},\"resource\":{{\"type\":{resource}");
        if let Some(properties) = self.resource.properties {
            out.push_str(",\"properties\":");
            out.push_str(properties.get());
        }
        out.push('}');
        if let Some(properties) = self.action.properties {
            out.push_str(",\"action\":{\"properties\":");
            out.push_str(properties.get());
            out.push('}');
        }
        out.push('}');
        out
    }
}
