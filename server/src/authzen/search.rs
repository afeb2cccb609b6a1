//! Searches: which resources, or which actions, of those that the domains list by name, would be granted.

use serde_json::{Value, json};

use super::entity::{
    Action, Entity, Members, Problem, Question, action, body, entity, object, optional, text,
};
use crate::limits;

/// What is searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Candidates {
    /// Resources of one type.
    Resources,
    /// Actions.
    Actions,
}

/// A search whose body was read.
#[derive(Debug)]
pub(crate) struct Search {
    request: Value,
    wanted: Candidates,
    /// Only candidates behind this one: where the page before ended.
    after: Option<String>,
    /// Results of one page.
    limit: usize,
}

/// Reads the body of a search.
///
/// # Errors
/// What is missing or has the wrong type, for a 400.
pub(crate) fn search(bytes: &[u8], wanted: Candidates) -> Result<Search, Problem> {
    let request = body(bytes)?;
    let (after, limit) = page(object(Some(&request), "body")?)?;
    let search = Search {
        request,
        wanted,
        after,
        limit,
    };
    search.question("")?;
    Ok(search)
}

impl Search {
    /// The type that resources must have.
    pub(crate) fn resource_type(&self) -> Option<&str> {
        match self.wanted {
            Candidates::Resources => self.request.get("resource")?.get("type")?.as_str(),
            Candidates::Actions => None,
        }
    }

    /// Whether a candidate is on this page or a later one.
    pub(crate) fn is_behind(&self, candidate: &str) -> bool {
        self.after.as_deref().is_none_or(|after| candidate > after)
    }

    /// Results of one page.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// The PORC that asks for one candidate.
    ///
    /// # Errors
    /// As [`search`], which found none.
    pub(crate) fn porc(&self, candidate: &str) -> Result<Vec<u8>, Problem> {
        Ok(self.question(candidate)?.porc())
    }

    /// The answer: granted candidates in order, and the last one that was looked at if there are more behind it.
    pub(crate) fn answer(&self, granted: &[String], more_after: Option<&str>) -> String {
        let results: Vec<Value> = granted
            .iter()
            .map(|name| match self.wanted {
                Candidates::Resources => json!({ "type": self.resource_type(), "id": name }),
                Candidates::Actions => json!({ "name": name }),
            })
            .collect();
        let next_token = more_after.unwrap_or_default();
        json!({ "page": { "next_token": next_token, "count": results.len() }, "results": results })
            .to_string()
    }

    fn question<'a>(&'a self, candidate: &'a str) -> Result<Question<'a>, Problem> {
        let members = object(Some(&self.request), "body")?;
        let (action, resource) = match self.wanted {
            Candidates::Resources => (action(members.get("action"))?, target(members, candidate)?),
            Candidates::Actions => {
                let action = Action {
                    name: candidate,
                    properties: None,
                };
                (action, entity(members.get("resource"), "resource")?)
            }
        };
        Ok(Question {
            subject: entity(members.get("subject"), "subject")?,
            action,
            resource,
            context: optional(members.get("context"), "context")?,
        })
    }
}

/// The resource that is searched for: a type; an id that is sent with it does not count.
fn target<'a>(members: &'a Members, candidate: &'a str) -> Result<Entity<'a>, Problem> {
    let resource = object(members.get("resource"), "resource")?;
    Ok(Entity {
        kind: text(resource, "resource", "type")?,
        id: candidate,
        properties: optional(resource.get("properties"), "resource.properties")?
            .filter(|properties| !properties.contains_key("group")),
    })
}

/// Token and limit of a page.
fn page(members: &Members) -> Result<(Option<String>, usize), Problem> {
    let most = limits::AUTHZEN_RESULTS_MAX;
    let Some(page) = optional(members.get("page"), "page")? else {
        return Ok((None, most));
    };
    let token = match page.get("token") {
        None | Some(Value::Null) => None,
        Some(Value::String(token)) => Some(token.clone()).filter(|token| !token.is_empty()),
        Some(_) => return Err("`page.token` is no string".to_owned()),
    };
    let limit = match page.get("limit") {
        None | Some(Value::Null) => most,
        Some(limit) => match limit.as_u64() {
            Some(0) => most,
            Some(limit) => usize::try_from(limit).unwrap_or(most).min(most),
            None => return Err("`page.limit` is no whole number from 0".to_owned()),
        },
    };
    Ok((token, limit))
}
