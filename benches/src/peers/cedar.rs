//! The peer `cedar-policy` in process: `benches/peers/clinic/clinic.cedar`, parsed once. Entities are made with its own
//! types, which is faster than its JSON.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
    RestrictedExpression,
};
use serde_json::{Map, Value};

use super::clinic::Facts;

const POLICIES: &str = include_str!("../../peers/clinic/clinic.cedar");

/// Policies and types, ready.
pub struct Peer {
    authorizer: Authorizer,
    policies: PolicySet,
    user: EntityTypeName,
    role: EntityTypeName,
    action: EntityTypeName,
    resource: EntityTypeName,
}

/// A request in the peer's form.
pub struct Prepared {
    request: Request,
    entities: Entities,
}

fn name(text: &str) -> Result<EntityTypeName, String> {
    EntityTypeName::from_str(text).map_err(|error| error.to_string())
}

impl Peer {
    /// Parses the policies.
    ///
    /// # Errors
    /// Policies that do not parse.
    pub fn new() -> Result<Peer, String> {
        Ok(Peer {
            authorizer: Authorizer::new(),
            policies: PolicySet::from_str(POLICIES).map_err(|error| error.to_string())?,
            user: name("User")?,
            role: name("Role")?,
            action: name("Action")?,
            resource: name("Resource")?,
        })
    }

    /// The request and its entities: what a service does for each request before it can ask.
    ///
    /// # Errors
    /// Attributes that Cedar has no form for.
    pub fn prepare(&self, facts: &Facts) -> Result<Prepared, String> {
        let uid = |kind: &EntityTypeName, id: &str| {
            EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
        };
        let mut principal = attributes(&facts.principal)?;
        principal.insert(
            "sub".to_owned(),
            RestrictedExpression::new_string(facts.subject.clone()),
        );
        let profession = facts.principal.get("profession").and_then(Value::as_str);
        let ranks = [("clerk", 1), ("nurse", 2), ("physician", 3)];
        if let Some((_, rank)) = ranks.iter().find(|(name, _)| Some(*name) == profession) {
            principal.insert("clearance".to_owned(), RestrictedExpression::new_long(*rank));
        }
        let mut resource = attributes(&facts.attributes)?;
        let kind = facts.attributes.get("sensitivity").and_then(Value::as_str);
        let ranks = [("routine", 1), ("clinical", 2), ("psychiatric", 3)];
        resource.remove("sensitivity");
        if let Some((_, rank)) = ranks.iter().find(|(name, _)| Some(*name) == kind) {
            resource.insert("sensitivity".to_owned(), RestrictedExpression::new_long(*rank));
        }
        let roles = facts.roles.iter().map(|role| match *role {
            "patient" => uid(&self.role, "patient"),
            _ => uid(&self.role, "staff"),
        });
        let groups = groups(&facts.operation)
            .iter()
            .map(|group| uid(&self.action, group));
        let (who, what, which) = (
            uid(&self.user, &facts.subject),
            uid(&self.action, &facts.operation),
            uid(&self.resource, &facts.resource),
        );
        let entity = |uid, attributes, parents: HashSet<EntityUid>| {
            Entity::new(uid, attributes, parents).map_err(|error| error.to_string())
        };
        let entities = [
            entity(who.clone(), principal, roles.collect())?,
            entity(what.clone(), HashMap::new(), groups.collect())?,
            entity(which.clone(), resource, HashSet::new())?,
        ];
        let mut context = attributes(&facts.context)?;
        if let Some(reason) = facts.context.get("reason").and_then(Value::as_str) {
            let suffices = RestrictedExpression::new_bool(reason.chars().count() >= 10);
            context.insert("reason_suffices".to_owned(), suffices);
        }
        let context = Context::from_pairs(context).map_err(|error| error.to_string())?;
        Ok(Prepared {
            request: Request::new(who, what, which, context, None).map_err(|error| error.to_string())?,
            entities: Entities::from_entities(entities, None).map_err(|error| error.to_string())?,
        })
    }

    /// Decides.
    #[must_use]
    pub fn decide(&self, prepared: &Prepared) -> bool {
        let answer = self
            .authorizer
            .is_authorized(&prepared.request, &self.policies, &prepared.entities);
        answer.decision() == Decision::Allow
    }
}

/// What kinds of operations one belongs to.
fn groups(operation: &str) -> &'static [&'static str] {
    match operation {
        "clinic:record:read" | "clinic:record:list" => &["read", "app", "anything on records"],
        "clinic:record:history" => &["read", "anything on records"],
        "clinic:record:amend" | "clinic:record:sign" => &["write", "anything on records"],
        "clinic:record:purge" => &["anything on records"],
        _ => &[],
    }
}

fn attributes(members: &Map<String, Value>) -> Result<HashMap<String, RestrictedExpression>, String> {
    members
        .iter()
        .map(|(name, value)| Ok((name.clone(), expression(value)?)))
        .collect()
}

fn expression(value: &Value) -> Result<RestrictedExpression, String> {
    Ok(match value {
        Value::Bool(bit) => RestrictedExpression::new_bool(*bit),
        Value::Number(number) => {
            RestrictedExpression::new_long(number.as_i64().ok_or(format!("{number} is no integer"))?)
        }
        Value::String(text) => RestrictedExpression::new_string(text.clone()),
        Value::Array(items) => {
            RestrictedExpression::new_set(items.iter().map(expression).collect::<Result<Vec<_>, _>>()?)
        }
        Value::Object(members) => {
            RestrictedExpression::new_record(attributes(members)?).map_err(|error| error.to_string())?
        }
        Value::Null => return Err("Cedar has no null".to_owned()),
    })
}
