//! Access evaluation: one question, or many with shared defaults.

use serde_json::value::RawValue;

use super::entity::{PARTS, Parts, Question, action, entity};
use super::json::{Problem, body, decoded, is_text, members, object, optional, present};
use crate::limits;

/// The PORC of a single evaluation.
///
/// # Errors
/// What is missing or has the wrong type, for a 400.
pub(crate) fn evaluation(bytes: &[u8]) -> Result<Vec<u8>, Problem> {
    question(members(body(bytes)?, "body", PARTS)?)?.porc()
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
    items: Vec<Box<RawValue>>,
    defaults: [Option<Box<RawValue>>; PARTS.len()],
    semantic: Semantic,
    body_bytes: usize,
    /// Bytes of the PORCs made so far.
    made_bytes: usize,
}

impl Evaluations {
    /// Reads the body of an evaluations request. `None`: it has no evaluations and is a single one.
    ///
    /// # Errors
    /// What is wrong with the whole, for a 400. What is wrong with one item is found when it is asked.
    pub(crate) fn read(bytes: &[u8]) -> Result<Option<Evaluations>, Problem> {
        let whole = body(bytes)?;
        let [items, options] = members(whole, "body", ["evaluations", "options"])?;
        let Some(items) = present(items) else {
            return Ok(None);
        };
        if !items.get().starts_with('[') {
            return Err("`evaluations` is no array".to_owned());
        }
        let items: Vec<&RawValue> = serde_json::from_str(items.get())
            .map_err(|error| format!("`evaluations` is no array: {error}"))?;
        if items.is_empty() {
            return Ok(None);
        }
        let most = limits::AUTHZEN_EVALUATIONS_MAX;
        if items.len() > most {
            return Err(format!(
                "`evaluations` has {} items, at most {most} are taken",
                items.len()
            ));
        }
        let parts = members(whole, "body", PARTS)?;
        defaults(parts)?;
        Ok(Some(Evaluations {
            semantic: semantic(options)?,
            items: items.into_iter().map(RawValue::to_owned).collect(),
            defaults: parts.map(|part| part.map(RawValue::to_owned)),
            body_bytes: bytes.len(),
            made_bytes: 0,
        }))
    }

    /// How many questions there are; at least one.
    pub(crate) fn count(&self) -> usize {
        self.items.len()
    }

    /// Bytes of what came in.
    pub(crate) fn body_bytes(&self) -> usize {
        self.body_bytes
    }

    /// When the batch ends.
    pub(crate) fn semantic(&self) -> Semantic {
        self.semantic
    }

    /// The PORC of an item, whose parts are its own or, as a whole, the defaults.
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
        let made = || {
            let item = object(self.items.get(index).map(|item| &**item), "evaluation")?;
            let mut parts = members(item, "evaluation", PARTS)?;
            for (part, default) in parts.iter_mut().zip(&self.defaults) {
                *part = part.or(default.as_deref());
            }
            question(parts)?.porc()
        };
        let porc = made().map_err(|problem| (400, problem))?;
        self.made_bytes = self.made_bytes.saturating_add(porc.len());
        Ok(porc)
    }
}

fn question([subject, what, resource, context]: Parts<'_>) -> Result<Question<'_>, Problem> {
    Ok(Question {
        subject: entity(subject, "subject")?,
        action: action(what)?,
        resource: entity(resource, "resource")?,
        context: optional(context, "context")?,
    })
}

/// Defaults that are there have their form, whether an item uses them or not.
fn defaults([subject, what, resource, context]: Parts<'_>) -> Result<(), Problem> {
    if subject.is_some() {
        entity(subject, "subject")?;
    }
    if resource.is_some() {
        entity(resource, "resource")?;
    }
    if what.is_some() {
        action(what)?;
    }
    optional(context, "context")?;
    Ok(())
}

fn semantic(options: Option<&RawValue>) -> Result<Semantic, Problem> {
    let Some(options) = optional(options, "options")? else {
        return Ok(Semantic::ExecuteAll);
    };
    let [word] = members(options, "options", ["evaluations_semantic"])?;
    let Some(word) = present(word) else {
        return Ok(Semantic::ExecuteAll);
    };
    if !is_text(word) {
        return Err("`options.evaluations_semantic` is no string".to_owned());
    }
    match &*decoded(word, "options.evaluations_semantic")? {
        "execute_all" => Ok(Semantic::ExecuteAll),
        "deny_on_first_deny" => Ok(Semantic::DenyOnFirstDeny),
        "permit_on_first_permit" => Ok(Semantic::PermitOnFirstPermit),
        word => Err(format!(
            "`options.evaluations_semantic` is {word:?}, not execute_all, deny_on_first_deny or permit_on_first_permit"
        )),
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

    /// However a name is spelled, a claim of it is not the subject's.
    #[test]
    fn members_of_ours_cannot_be_forged() {
        check(
            r#"{"subject":{"type":"user","id":"ann","properties":{"s\u0075b":"root","sub":"admin","a\"b":1}},
                "action":{"name":"r"},"resource":{"type":"d","id":"1","properties":{"group":7}},
                "context":{"\u0061uthzen":"forged"}}"#,
            r#"{"principal":{"sub":"ann","a\"b":1},"operation":"r","resource":"1","context":{"authzen":{"subject":{"type":"user"},"resource":{"type":"d","properties":{"group":7}}}}}"#,
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
        check(
            r#"{"subject":{"type":"u","id":"a","\u0069d":"b"}}"#,
            "`subject` has more than one `id`",
        );
        check(
            r#"{"subject":{"type":"u","id":"a"},"subject":{"type":"u","id":"b"}}"#,
            "`body` has more than one `subject`",
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
