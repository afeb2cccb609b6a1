//! Access evaluation: one question, or many with shared defaults.

use serde_json::Value;

use super::entity::{Members, Problem, Question, action, body, entity, object, optional};
use crate::limits;

/// The PORC of a single evaluation.
///
/// # Errors
/// What is missing or has the wrong type, for a 400.
pub(crate) fn evaluation(bytes: &[u8]) -> Result<Vec<u8>, Problem> {
    let request = body(bytes)?;
    let members = object(Some(&request), "body")?;
    Ok(question(members, None)?.porc())
}

/// When a batch ends before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Semantic {
    /// Never.
    ExecuteAll,
    /// Behind the first denial.
    DenyOnFirstDeny,
    /// Behind the first grant.
    PermitOnFirstPermit,
}

impl Semantic {
    /// Whether nothing behind a decision is asked.
    pub(crate) fn ends_with(self, granted: bool) -> bool {
        match self {
            Semantic::ExecuteAll => false,
            Semantic::DenyOnFirstDeny => !granted,
            Semantic::PermitOnFirstPermit => granted,
        }
    }
}

/// Many questions. Each is made when it is asked, because defaults that are large would be there many times otherwise.
#[derive(Debug)]
pub(crate) struct Evaluations {
    request: Value,
    semantic: Semantic,
    /// Bytes of the PORCs made so far.
    made_bytes: usize,
}

impl Evaluations {
    /// Reads the body of an evaluations request. `None`: it has no evaluations and is a single one.
    ///
    /// # Errors
    /// What is wrong with the whole, for a 400. What is wrong with one item is found when it is asked.
    pub(crate) fn read(bytes: &[u8]) -> Result<Option<Evaluations>, Problem> {
        let request = body(bytes)?;
        let members = object(Some(&request), "body")?;
        match members.get("evaluations") {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(items)) if items.is_empty() => return Ok(None),
            Some(Value::Array(items)) if items.len() > limits::AUTHZEN_EVALUATIONS_MAX => {
                let most = limits::AUTHZEN_EVALUATIONS_MAX;
                return Err(format!(
                    "`evaluations` has {} items, at most {most} are taken",
                    items.len()
                ));
            }
            Some(Value::Array(_)) => {}
            Some(_) => return Err("`evaluations` is no array".to_owned()),
        }
        defaults(members)?;
        let semantic = semantic(members)?;
        Ok(Some(Evaluations {
            request,
            semantic,
            made_bytes: 0,
        }))
    }

    /// How many questions there are; at least one.
    pub(crate) fn count(&self) -> usize {
        self.items().len()
    }

    /// When the batch ends.
    pub(crate) fn semantic(&self) -> Semantic {
        self.semantic
    }

    /// The PORC of an item.
    ///
    /// # Errors
    /// Status and text for the item.
    pub(crate) fn porc(&mut self, index: usize) -> Result<Vec<u8>, (u16, Problem)> {
        if self.made_bytes > limits::AUTHZEN_PORC_BYTES_MAX {
            return Err((
                413,
                "the evaluations before this one were too large together".to_owned(),
            ));
        }
        let whole = object(Some(&self.request), "body").map_err(|problem| (400, problem))?;
        let item = object(self.items().get(index), "evaluation").map_err(|problem| (400, problem))?;
        let porc = question(item, Some(whole))
            .map_err(|problem| (400, problem))?
            .porc();
        self.made_bytes = self.made_bytes.saturating_add(porc.len());
        Ok(porc)
    }

    fn items(&self) -> &[Value] {
        self.request
            .get("evaluations")
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }
}

/// A question whose parts come from `own` or, as a whole, from `defaults`.
fn question<'a>(own: &'a Members, defaults: Option<&'a Members>) -> Result<Question<'a>, Problem> {
    let part = |name: &str| own.get(name).or_else(|| defaults?.get(name));
    Ok(Question {
        subject: entity(part("subject"), "subject")?,
        action: action(part("action"))?,
        resource: entity(part("resource"), "resource")?,
        context: optional(part("context"), "context")?,
    })
}

/// Defaults that are there have their form, whether an item uses them or not.
fn defaults(members: &Members) -> Result<(), Problem> {
    if let value @ Some(_) = members.get("subject") {
        entity(value, "subject")?;
    }
    if let value @ Some(_) = members.get("resource") {
        entity(value, "resource")?;
    }
    if let value @ Some(_) = members.get("action") {
        action(value)?;
    }
    optional(members.get("context"), "context")?;
    Ok(())
}

fn semantic(members: &Members) -> Result<Semantic, Problem> {
    let Some(options) = optional(members.get("options"), "options")? else {
        return Ok(Semantic::ExecuteAll);
    };
    match options.get("evaluations_semantic") {
        None | Some(Value::Null) => Ok(Semantic::ExecuteAll),
        Some(Value::String(word)) => match word.as_str() {
            "execute_all" => Ok(Semantic::ExecuteAll),
            "deny_on_first_deny" => Ok(Semantic::DenyOnFirstDeny),
            "permit_on_first_permit" => Ok(Semantic::PermitOnFirstPermit),
            _ => Err(format!(
                "`options.evaluations_semantic` is {word:?}, not execute_all, deny_on_first_deny or permit_on_first_permit"
            )),
        },
        Some(_) => Err("`options.evaluations_semantic` is no string".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(request: &str, want: &str) {
        let got = match evaluation(request.as_bytes()) {
            Ok(porc) => String::from_utf8(porc).unwrap(),
            Err(problem) => problem,
        };
        assert_eq!(got, want);
    }

    #[test]
    fn a_question_is_a_porc() {
        check(
            r#"{"subject":{"type":"user","id":"ann"},"action":{"name":"read"},"resource":{"type":"doc","id":"mrn:doc:1"},"x":1}"#,
            r#"{"principal":{"sub":"ann"},"operation":"read","resource":"mrn:doc:1","context":{"authzen":{"subject":{"type":"user"},"resource":{"type":"doc"}}}}"#,
        );
        check(
            r#"{"subject":{"type":"user","id":"ann","properties":{"sub":"root","mroles":["a"],"n":1.50}},
                "action":{"name":"delete","properties":{"soft":true}},
                "resource":{"type":"doc","id":"7","properties":{"group":"mrn:g","owner":"bob","status":"old"}},
                "context":{"ip":"::1","authzen":"forged"}}"#,
            r#"{"principal":{"sub":"ann","mroles":["a"],"n":1.50},"operation":"delete","resource":{"id":"7","group":"mrn:g","owner":"bob"},"context":{"ip":"::1","authzen":{"subject":{"type":"user"},"resource":{"type":"doc","properties":{"group":"mrn:g","owner":"bob","status":"old"}},"action":{"properties":{"soft":true}}}}}"#,
        );
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        check(
            "",
            "the body is no JSON: EOF while parsing a value at line 1 column 0",
        );
        check("[]", "the body is no JSON object");
        check("{}", "`subject` is missing");
        check(r#"{"subject":"ann"}"#, "`subject` is no object");
        check(r#"{"subject":{"id":"ann"}}"#, "`subject.type` is missing");
        check(r#"{"subject":{"type":"u","id":1}}"#, "`subject.id` is no string");
        check(
            r#"{"subject":{"type":"u","id":"a","properties":[]}}"#,
            "`subject.properties` is no object",
        );
        check(
            r#"{"subject":{"type":"u","id":"a"},"action":{},"resource":{"type":"d","id":"1"}}"#,
            "`action.name` is missing",
        );
        check(
            r#"{"subject":{"type":"u","id":"a"},"action":{"name":"r"}}"#,
            "`resource` is missing",
        );
        check(
            r#"{"subject":{"type":"u","id":"a"},"action":{"name":"r"},"resource":{"type":"d","id":"1"},"context":"x"}"#,
            "`context` is no object",
        );
    }

    #[test]
    fn defaults_are_replaced_as_a_whole() {
        let text = r#"{"subject":{"type":"u","id":"ann","properties":{"mroles":["a"]}},"action":{"name":"read"},
            "evaluations":[{"resource":{"type":"d","id":"1"}},{"subject":{"type":"u","id":"bob"},"resource":{"type":"d","id":"2"}},{},7]}"#;
        let mut many = Evaluations::read(text.as_bytes()).unwrap().unwrap();
        let mut got = Vec::new();
        for index in 0..many.count() {
            got.push(match many.porc(index) {
                Ok(porc) => String::from_utf8(porc).unwrap(),
                Err((status, problem)) => format!("{status} {problem}"),
            });
        }
        let own = r#""context":{"authzen":{"subject":{"type":"u"},"resource":{"type":"d"}}}"#;
        assert_eq!(
            got,
            [
                format!(
                    r#"{{"principal":{{"mroles":["a"],"sub":"ann"}},"operation":"read","resource":"1",{own}}}"#
                ),
                format!(r#"{{"principal":{{"sub":"bob"}},"operation":"read","resource":"2",{own}}}"#),
                "400 `resource` is missing".to_owned(),
                "400 `evaluation` is no object".to_owned(),
            ]
        );
    }

    #[test]
    fn a_batch_without_items_is_a_single_question() {
        for text in ["{}", r#"{"evaluations":[]}"#, r#"{"evaluations":null}"#] {
            assert!(Evaluations::read(text.as_bytes()).unwrap().is_none(), "{text}");
        }
        for (text, want) in [
            (r#"{"evaluations":{}}"#, "`evaluations` is no array"),
            (r#"{"evaluations":[{}],"subject":1}"#, "`subject` is no object"),
            (
                r#"{"evaluations":[{}],"options":{"evaluations_semantic":"some"}}"#,
                "`options.evaluations_semantic` is \"some\", not execute_all, deny_on_first_deny or permit_on_first_permit",
            ),
        ] {
            assert_eq!(Evaluations::read(text.as_bytes()).unwrap_err(), want, "{text}");
        }
    }

    #[test]
    fn large_defaults_are_not_copied_without_end() {
        let padding = "x".repeat(1 << 20);
        let items = vec!["{}"; 100].join(",");
        let text = format!(
            r#"{{"subject":{{"type":"u","id":"{padding}"}},"action":{{"name":"r"}},"resource":{{"type":"d","id":"1"}},"evaluations":[{items}]}}"#
        );
        let mut many = Evaluations::read(text.as_bytes()).unwrap().unwrap();
        let made = (0..many.count())
            .filter(|index| many.porc(*index).is_ok())
            .count();
        assert_eq!(made, limits::AUTHZEN_PORC_BYTES_MAX / (1 << 20));
    }
}
