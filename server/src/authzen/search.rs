//! Searches: which resources, or which actions, of those that the domains list by name, would be granted.

use std::borrow::Cow;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::entity::{Action, Entity, PARTS, Question, action, entity, of_resource};
use super::json::{Problem, body, decoded, is_text, members, object, optional, present, quoted, text};
use super::listed::Listed;
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
    parts: [Option<Box<RawValue>>; PARTS.len()],
    /// The type that resources must have; none where actions are searched for.
    kind: Option<String>,
    /// Only candidates behind this one: where the page before ended.
    after: Option<String>,
    /// Results of one page.
    limit: usize,
    body_bytes: usize,
}

/// Reads the body of a search.
///
/// # Errors
/// What is missing or has the wrong type, for a 400.
pub(crate) fn search(bytes: &[u8], wanted: Candidates) -> Result<Search, Problem> {
    let whole = body(bytes)?;
    let [asked] = members(whole, "body", ["page"])?;
    let (after, limit) = page(asked)?;
    let parts = members(whole, "body", PARTS)?;
    let [_, _, resource, _] = parts;
    let kind = match wanted {
        Candidates::Resources => Some(decoded(target(resource, "")?.kind, "resource.type")?),
        Candidates::Actions => None,
    };
    let search = Search {
        parts: parts.map(|part| part.map(RawValue::to_owned)),
        kind,
        after,
        limit,
        body_bytes: bytes.len(),
    };
    search.porc("")?;
    Ok(search)
}

impl Search {
    /// Its candidates in order.
    pub(crate) fn candidates<'l>(&self, listed: &'l Listed) -> &'l [String] {
        match &self.kind {
            Some(kind) => listed.resources(kind),
            None => listed.actions(),
        }
    }

    /// Number of the candidate with which this page begins.
    pub(crate) fn first(&self, candidates: &[String]) -> usize {
        let is_before = |after: &String| candidates.partition_point(|name| name <= after);
        self.after.as_ref().map_or(0, is_before)
    }

    /// Bytes of what came in.
    pub(crate) fn body_bytes(&self) -> usize {
        self.body_bytes
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
        let [subject, what, resource, context] = &self.parts;
        let (what, resource) = (what.as_deref(), resource.as_deref());
        let (action, resource) = match self.kind {
            Some(_) => (action(what)?, target(resource, candidate)?),
            None => {
                let action = Action {
                    name: quoted(candidate).into(),
                    properties: None,
                };
                (action, entity(resource, "resource")?)
            }
        };
        let question = Question {
            subject: entity(subject.as_deref(), "subject")?,
            action,
            resource,
            context: optional(context.as_deref(), "context")?,
        };
        question.porc()
    }

    /// The answer: granted candidates in order, and the last one that was looked at if there are more behind it.
    pub(crate) fn answer(&self, granted: &[String], more_after: Option<&str>) -> String {
        let results: Vec<Value> = granted
            .iter()
            .map(|name| match &self.kind {
                Some(kind) => json!({ "type": kind, "id": name }),
                None => json!({ "name": name }),
            })
            .collect();
        let next_token = more_after.unwrap_or_default();
        json!({ "page": { "next_token": next_token, "count": results.len() }, "results": results })
            .to_string()
    }
}

/// The resource that is searched for: a type; an id that is sent with it does not count, nor do properties that name a group.
fn target<'a>(resource: Option<&'a RawValue>, candidate: &str) -> Result<Entity<'a>, Problem> {
    let resource = object(resource, "resource")?;
    let [kind, properties] = members(resource, "resource", ["type", "properties"])?;
    let properties = optional(properties, "resource.properties")?;
    let [group, ..] = of_resource(properties)?;
    Ok(Entity {
        kind: text(kind, "resource", "type")?,
        id: Cow::Owned(quoted(candidate)),
        properties: properties.filter(|_| group.is_none()),
    })
}

/// Token and limit of a page.
fn page(page: Option<&RawValue>) -> Result<(Option<String>, usize), Problem> {
    let most = limits::AUTHZEN_RESULTS_MAX;
    let Some(page) = optional(page, "page")? else {
        return Ok((None, most));
    };
    let [token, limit] = members(page, "page", ["token", "limit"])?;
    let token = match present(token) {
        None => None,
        Some(token) if is_text(token) => {
            Some(decoded(token, "page.token")?).filter(|token| !token.is_empty())
        }
        Some(_) => return Err("`page.token` is no string".to_owned()),
    };
    let limit = match present(limit) {
        None => most,
        Some(limit) => match limit.get().parse::<u64>() {
            Ok(0) => most,
            Ok(limit) => usize::try_from(limit).unwrap_or(most).min(most),
            Err(_) => return Err("`page.limit` is no whole number from 0".to_owned()),
        },
    };
    Ok((token, limit))
}
