//! Where one core evaluates documents: the ask and the bytes of a body go in, status and JSON come out.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use gavel_runtime::builtins::caches::Caches;
use gavel_runtime::builtins::{Call, find};
use gavel_runtime::json::{Escape, JsonError, Numbers, Unprintable, parse_prefix, write};
use gavel_runtime::limits::Limits;
use gavel_runtime::value::{Kind, Value};
use gavel_runtime::vm::{Request, Vm};
use serde_json::value::RawValue;

use super::answer::{failed, fault, finished, reference};
use super::call::{Ask, Decision, Input, Version};
use super::documents::Documents;
use super::outcome::Outcome;
use crate::clock;
use crate::limits;
use crate::log;
use crate::random::Random;
use crate::serve::desk;

/// Status, finished JSON, and what is counted.
pub(crate) struct Answer {
    /// Status code.
    pub(crate) status: u16,
    /// The body.
    pub(crate) text: String,
    /// For the metric.
    pub(crate) outcome: Outcome,
}

/// What is said of one input, before it is finished.
pub(super) struct Said {
    pub(super) status: u16,
    /// Without blanks.
    pub(super) json: Vec<u8>,
    pub(super) outcome: Outcome,
    /// OPA indents its errors whatever the client wants.
    pub(super) is_error: bool,
}

impl Said {
    /// An error object.
    pub(super) fn refused(status: u16, code: &str, message: &str, outcome: Outcome) -> Said {
        Said {
            status,
            json: fault(code, message),
            outcome,
            is_error: true,
        }
    }

    fn finished(self, pretty: bool) -> Answer {
        Answer {
            status: self.status,
            text: finished(self.json, pretty || self.is_error),
            outcome: self.outcome,
        }
    }
}

impl Answer {
    /// An error.
    pub(crate) fn wrong(status: u16, code: &str, message: &str) -> Answer {
        Said::refused(status, code, message, Outcome::Refused).into()
    }
}

impl From<Said> for Answer {
    fn from(said: Said) -> Answer {
        said.finished(false)
    }
}

/// What one core serves the API with.
pub(crate) struct Service {
    /// Where it evaluates.
    pub(crate) machine: RefCell<Machine>,
    /// What `POST /` asks for.
    pub(crate) decision: Decision,
}

impl Service {
    /// With this default decision.
    pub(crate) fn new(decision: Decision) -> Service {
        Service {
            machine: RefCell::default(),
            decision,
        }
    }
}

/// A machine for documents. The budgets of a request are those of a decision.
pub(crate) struct Machine {
    vm: Vm,
    random: Random,
    caches: Caches,
}

impl Default for Machine {
    fn default() -> Machine {
        Machine {
            vm: Vm::new(&Limits::DEFAULT),
            random: Random::seeded(),
            caches: Caches::default(),
        }
    }
}

/// What is known about an answer besides the document.
#[derive(Clone, Copy, Default)]
struct Around {
    parse_ns: u64,
    evaluation_ns: u64,
    lacks_input: bool,
}

impl Machine {
    /// Answers by documents under a digest.
    pub(crate) fn answer(&mut self, documents: &Documents, digest: &str, ask: &Ask, body: &[u8]) -> Answer {
        let said = self.guarded(|machine| {
            machine.evaluate(documents, digest, ask, |request, _| input(request, ask, body))
        });
        said.finished(ask.pretty)
    }

    /// Answers one input of a batch, into which what is common to all is merged.
    pub(super) fn of_batch(
        &mut self,
        documents: &Documents,
        digest: &str,
        ask: &Ask,
        common: Option<&RawValue>,
        input: &RawValue,
    ) -> Said {
        self.guarded(|machine| {
            machine.evaluate(documents, digest, ask, |request, caches| {
                let input = document(request, input.get().as_bytes(), true)?;
                let Some(common) = common else {
                    return Ok(Some(input));
                };
                let common = document(request, common.get().as_bytes(), true)?;
                merged(request, caches, common, input).map(Some)
            })
        })
    }

    /// A panic below is our bug: the machine is replaced.
    fn guarded(&mut self, work: impl FnOnce(&mut Machine) -> Said) -> Said {
        let outcome = catch_unwind(AssertUnwindSafe(|| work(self)));
        outcome.unwrap_or_else(|_| {
            *self = Machine::default();
            log::line(
                log::Level::Error,
                format_args!("the evaluation of a document panicked: the machine was replaced"),
            );
            Said::refused(500, "internal_error", "internal fault", Outcome::Failed)
        })
    }

    fn evaluate(
        &mut self,
        documents: &Documents,
        digest: &str,
        ask: &Ask,
        read: impl for<'v> FnOnce(&Request<'v>, &mut Caches) -> Result<Option<Value<'v>>, String>,
    ) -> Said {
        let begun_ns = clock::monotonic_ns();
        let (entry, consumed) = match documents.locate(ask) {
            Ok(found) => found,
            Err(said) => return said,
        };
        let (env, _) = desk::moment(&mut self.random);
        let program = documents.program();
        let mut request = self.vm.request(program, &env);
        let input = match read(&request, &mut self.caches) {
            Ok(input) => input,
            Err(text) => return Said::refused(400, "invalid_parameter", &text, Outcome::Refused),
        };
        let mut around = Around {
            lacks_input: input.is_none() && ask.input == Input::Body,
            ..Around::default()
        };
        request.set_input(input);
        let parsed_ns = clock::monotonic_ns();
        let value = match entry.map(|entry| request.call(entry)) {
            None => None,
            Some(Ok(value)) => value,
            Some(Err(error)) => {
                return Said {
                    status: 500,
                    json: failed(error, program.place_of(error.pc)),
                    outcome: Outcome::Failed,
                    is_error: true,
                };
            }
        };
        around.parse_ns = parsed_ns.saturating_sub(begun_ns);
        around.evaluation_ns = clock::monotonic_ns().saturating_sub(parsed_ns);
        let rest = ask.path.get(consumed..).unwrap_or_default();
        let value = value.and_then(|value| inside(value, rest));
        said(ask, value, entry.is_some(), around, digest)
    }
}

/// The document that a text begins with, or is.
fn document<'v>(request: &Request<'v>, text: &[u8], whole: bool) -> Result<Value<'v>, String> {
    let arena = request.arena();
    let text = arena.bytes(text).map_err(|kind| kind.message().to_owned())?;
    let read = |error: JsonError| error.to_string();
    let (value, end) = parse_prefix(arena, text, Numbers::Text).map_err(read)?;
    let rest = text.get(end..).unwrap_or_default();
    match whole && !rest.trim_ascii().is_empty() {
        true => Err("text behind the document".to_owned()),
        false => Ok(value),
    }
}

/// An object over another: its values win, and objects within both are merged likewise. Anything else stays as it is.
fn merged<'v>(
    request: &Request<'v>,
    caches: &mut Caches,
    common: Value<'v>,
    input: Value<'v>,
) -> Result<Value<'v>, String> {
    let (Kind::Object(_), Kind::Object(_)) = (common.kind(), input.kind()) else {
        return Ok(input);
    };
    let failed = || "the inputs cannot be merged".to_owned();
    let union = find("object.union").and_then(|builtin| builtin.get().run);
    let union = union.ok_or_else(failed)?;
    let mut call = Call {
        arena: request.arena(),
        now_ns: 0,
        seed: 0,
        prepared: None,
        caches,
        parse_module: None,
        sleep: None,
        fuel: &mut Limits::DEFAULT.fuel.clone(),
    };
    union(&mut call, &[common, input]).map_err(|_| failed())
}

/// The input; `None`: undefined. What stands behind the JSON of a body is not looked at, as in OPA.
fn input<'v>(request: &Request<'v>, ask: &Ask, body: &[u8]) -> Result<Option<Value<'v>>, String> {
    let parsed = |text: &[u8], whole| document(request, text, whole);
    match (&ask.input, ask.version) {
        (Input::Query(None), _) => Ok(None),
        (Input::Query(Some(text)), _) => {
            let wrong = |why| format!("parameter contains malformed input document: {why}");
            parsed(text, true).map(Some).map_err(wrong)
        }
        (Input::Body, version) if body.trim_ascii().is_empty() => Ok(match version {
            Version::V0 => Some(Value::NULL),
            Version::V1 => None,
        }),
        (Input::Body, Version::V0) => {
            let wrong = |why| {
                format!("unexpected parse error for input: body contains malformed input document: {why}")
            };
            parsed(body, false).map(Some).map_err(wrong)
        }
        (Input::Body, Version::V1) => {
            let wrong = |why| format!("body contains malformed input document: {why}");
            member(parsed(body, false).map_err(wrong)?)
                .map_err(|()| wrong("it has to be an object with a member `input`".to_owned()))
        }
    }
}

/// The member `input` of a body. OPA takes `null` for none, and any case for a name that nobody spells right.
fn member<'v>(body: Value<'v>) -> Result<Option<Value<'v>>, ()> {
    let entries = match body.kind() {
        Kind::Object(entries) => entries,
        Kind::Null => return Ok(None),
        _ => return Err(()),
    };
    let exact = entries.iter().find(|entry| entry.key.as_str() == Some("input"));
    let similar = || {
        let mut found = entries.iter();
        found.find(|entry| {
            entry
                .key
                .as_str()
                .is_some_and(|key| key.eq_ignore_ascii_case("input"))
        })
    };
    let value = exact.or_else(similar).map(|entry| entry.value);
    Ok(value.filter(|value| !matches!(value.kind(), Kind::Null)))
}

/// What stands inside a document behind more elements.
fn inside<'v>(value: Value<'v>, path: &[String]) -> Option<Value<'v>> {
    path.iter()
        .try_fold(value, |value, element| element_of(value, element))
}

/// Elements that are integers index by integer, all others by text.
fn element_of<'v>(value: Value<'v>, element: &str) -> Option<Value<'v>> {
    let number = element.parse::<i64>().ok();
    let is_it = |key: &Value<'v>| match (key.kind(), number) {
        (Kind::Int(key), Some(number)) => key == number,
        (Kind::String(key), None) => key == element,
        _ => false,
    };
    match value.kind() {
        Kind::Array(items) => items.get(usize::try_from(number?).ok()?).copied(),
        Kind::Object(entries) => entries
            .iter()
            .find(|entry| is_it(&entry.key))
            .map(|entry| entry.value),
        Kind::Set(members) => members.iter().find(|member| is_it(member)).copied(),
        _ => None,
    }
}

fn said(ask: &Ask, value: Option<Value<'_>>, has_rules: bool, around: Around, digest: &str) -> Said {
    let outcome = match value {
        Some(_) => Outcome::Result,
        None => Outcome::Undefined,
    };
    let mut out = Vec::new();
    let written = match (ask.version, value) {
        (Version::V0, None) => {
            let what = if has_rules { "undefined" } else { "missing" };
            let text = format!("document {what}: {}", reference(&ask.path));
            return Said::refused(404, "undefined_document", &text, outcome);
        }
        (Version::V0, Some(value)) => write(&mut out, value, Escape::Html),
        (Version::V1, value) => {
            out.push(b'{');
            members(&mut out, ask, around, digest);
            let written = value.map_or(Ok(()), |value| {
                out.extend_from_slice(b"\"result\":");
                let written = write(&mut out, value, Escape::Html);
                out.push(b',');
                written
            });
            if around.lacks_input {
                out.extend_from_slice(WARNING);
            }
            if out.last() == Some(&b',') {
                out.pop();
            }
            out.push(b'}');
            written
        }
    };
    let why = match written {
        Err(Unprintable::NoText) => Some("the result has no JSON text"),
        Err(Unprintable::TooLong | Unprintable::TooDeep) => Some(TOO_LARGE),
        Ok(()) if out.len() > limits::OPA_ANSWER_BYTES_MAX => Some(TOO_LARGE),
        Ok(()) => None,
    };
    if let Some(why) = why {
        return Said::refused(500, "internal_error", why, Outcome::Failed);
    }
    Said {
        status: 200,
        json: out,
        outcome,
        is_error: false,
    }
}

const TOO_LARGE: &str = "the result is larger than an answer may be";

const WARNING: &[u8] =
    b"\"warning\":{\"code\":\"api_usage_warning\",\"message\":\"'input' key missing from the request\"}";

/// What was asked for besides the result, each member with a comma behind it.
fn members(out: &mut Vec<u8>, ask: &Ask, around: Around, digest: &str) {
    if ask.provenance {
        let version = env!("CARGO_PKG_VERSION");
        let text = format!("\"provenance\":{{\"version\":\"{version}\",\"revision\":\"{digest}\"}},");
        out.extend_from_slice(text.as_bytes());
    }
    if ask.metrics {
        let (parse, evaluation) = (around.parse_ns, around.evaluation_ns);
        let text = format!(
            "\"metrics\":{{\"timer_rego_input_parse_ns\":{parse},\"timer_rego_query_eval_ns\":{evaluation},\
             \"timer_server_handler_ns\":{}}},",
            parse.saturating_add(evaluation)
        );
        out.extend_from_slice(text.as_bytes());
    }
}
