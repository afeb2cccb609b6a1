//! Many inputs for one document in one request, as Enterprise OPA takes them: read, evaluated one by one, answered together.

use std::collections::{BTreeMap, btree_map};

use gavel_runtime::json::{Escape, write_string};
use serde_json::value::RawValue;

use super::answer::finished;
use super::call::Ask;
use super::documents::Documents;
use super::machine::{Answer, Machine, Said};
use super::outcome::Outcome;
use crate::clock;
use crate::limits;

/// A batch on its way.
pub(crate) struct Batch {
    ask: Ask,
    begun_ns: u64,
    common: Option<Box<RawValue>>,
    inputs: btree_map::IntoIter<String, Box<RawValue>>,
    has_inputs: bool,
    /// Ids, whether there was no error, and what is said of each.
    answered: Vec<(String, bool, Vec<u8>)>,
    /// Bytes of what is said.
    bytes: usize,
    /// Bytes of what came in.
    body_bytes: usize,
}

impl Batch {
    /// The batch in a body.
    ///
    /// # Errors
    /// The answer: it is none, or one that is too large; or its path leads to no document of one policy.
    pub(crate) fn new(documents: &Documents, ask: Ask, body: &[u8]) -> Result<Batch, Answer> {
        let wrong = |why: String| {
            let text = format!("body contains malformed input document: {why}");
            Answer::wrong(400, "invalid_parameter", &text)
        };
        let mut members = object(body).map_err(|error| wrong(error.to_string()))?;
        let inputs = members.remove("inputs").filter(|inputs| inputs.get() != "null");
        let has_inputs = inputs.is_some();
        let inputs = inputs.map_or(Ok(BTreeMap::new()), |inputs| object(inputs.get().as_bytes()));
        let inputs = inputs.map_err(|error| wrong(format!("inputs: {error}")))?;
        let most = limits::BATCH_DECISIONS_MAX;
        if inputs.len() > most {
            let text = format!("a batch may have {most} inputs");
            return Err(Answer::wrong(413, "invalid_parameter", &text));
        }
        documents.locate(&ask).map_err(Answer::from)?;
        Ok(Batch {
            ask,
            begun_ns: clock::monotonic_ns(),
            common: members.remove("common_input"),
            answered: Vec::with_capacity(inputs.len()),
            inputs: inputs.into_iter(),
            has_inputs,
            bytes: 0,
            body_bytes: body.len(),
        })
    }

    /// What it keeps, or soon will.
    pub(crate) fn bytes(&self) -> usize {
        const EACH_BYTES: usize = 128;
        let inputs = self.answered.len() + self.inputs.len();
        self.body_bytes + self.bytes + inputs * EACH_BYTES
    }

    /// Evaluates over the next input: what came of it, or nothing once there is none.
    pub(crate) fn step(
        &mut self,
        machine: &mut Machine,
        documents: &Documents,
        digest: &str,
    ) -> Option<Outcome> {
        let (id, input) = self.inputs.next()?;
        let is_late = clock::monotonic_ns().saturating_sub(self.begun_ns) >= limits::BATCH_NS_MAX;
        let said = if is_late {
            failed("the batch takes too long")
        } else if self.bytes > limits::OPA_ANSWER_BYTES_MAX {
            failed("the results are larger together than an answer may be")
        } else {
            machine.of_batch(documents, digest, &self.ask, self.common.as_deref(), &input)
        };
        self.bytes += said.json.len();
        self.answered.push((id, said.status == 200, said.json));
        Some(said.outcome)
    }

    /// The answer to all of them.
    pub(crate) fn answer(self) -> Answer {
        let failures = self
            .answered
            .iter()
            .filter(|(_, went_well, _)| !went_well)
            .count();
        let status = match failures {
            0 => 200,
            some if some < self.answered.len() => 207,
            _ => 500,
        };
        let mut out = b"{".to_vec();
        if self.ask.metrics {
            let all_ns = clock::monotonic_ns().saturating_sub(self.begun_ns);
            out.extend_from_slice(
                format!("\"metrics\":{{\"timer_server_handler_ns\":{all_ns}}},").as_bytes(),
            );
        }
        if !self.answered.is_empty() {
            out.extend_from_slice(b"\"responses\":{");
            for (at, (id, went_well, json)) in self.answered.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_string(&mut out, id, Escape::Html);
                out.push(b':');
                match (status, went_well) {
                    (207, true) => with_code(&mut out, "200", json),
                    (207, false) => with_code(&mut out, "500", json),
                    _ => out.extend_from_slice(json),
                }
            }
            out.extend_from_slice(b"},");
        }
        if !self.has_inputs {
            out.extend_from_slice(WARNING);
        }
        if out.last() == Some(&b',') {
            out.pop();
        }
        out.push(b'}');
        Answer {
            status,
            text: finished(out, self.ask.pretty),
            outcome: Outcome::Result,
        }
    }
}

const WARNING: &[u8] =
    b"\"warning\":{\"code\":\"api_usage_warning\",\"message\":\"'inputs' key missing from the request\"}";

fn failed(why: &str) -> Said {
    Said::refused(500, "internal_error", why, Outcome::Failed)
}

/// An object with one member more.
fn with_code(out: &mut Vec<u8>, code: &str, json: &[u8]) {
    let rest = json.strip_prefix(b"{").unwrap_or(json);
    let comma = if rest == b"}" { "" } else { "," };
    out.extend_from_slice(format!("{{\"http_status_code\":\"{code}\"{comma}").as_bytes());
    out.extend_from_slice(rest);
}

/// The members of the object that a text begins with; none of an empty text or `null`.
fn object(text: &[u8]) -> Result<BTreeMap<String, Box<RawValue>>, serde_json::Error> {
    let mut documents = serde_json::Deserializer::from_slice(text).into_iter::<Option<BTreeMap<_, _>>>();
    let first = documents.next().transpose()?;
    Ok(first.flatten().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_get_a_member() {
        for (json, want) in [
            ("{}", r#"{"http_status_code":"200"}"#),
            (r#"{"result":1}"#, r#"{"http_status_code":"200","result":1}"#),
        ] {
            let mut out = Vec::new();
            with_code(&mut out, "200", json.as_bytes());
            assert_eq!(String::from_utf8(out).unwrap(), want);
        }
    }

    #[test]
    fn bodies_are_objects() {
        for text in ["", " ", "null", "{}", "{} behind"] {
            assert!(object(text.as_bytes()).unwrap().is_empty(), "{text}");
        }
        for text in ["[]", "1", "{", "{\"a\":}"] {
            assert!(object(text.as_bytes()).is_err(), "{text}");
        }
        let found = object(b"{\"b\": {\"c\":1.50}, \"a\": null}").unwrap();
        let texts: Vec<&str> = found.values().map(|value| value.get()).collect();
        assert_eq!(texts, ["null", "{\"c\":1.50}"]);
    }
}
