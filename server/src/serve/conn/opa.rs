//! Requests of OPA's data API on a connection. Each input is one evaluation, within the budgets of a decision; those of a
//! batch are evaluated in slices, between which others get their turn.

use std::borrow::Cow;
use std::sync::Arc;

use super::Conn;
use crate::clock;
use crate::http::request::{Message, Persistence};
use crate::http::response::{self, Ending, Reply};
use crate::limits;
use crate::opa::{self, Answer, Batch, Call, Outcome, Unpackable};
use crate::publish::Revision;
use crate::serve::api::{self, Route};
use crate::serve::bounds::Kept;
use crate::serve::worker::Shared;

/// What every answer says that depends on what the client takes.
const VARIES: &[u8] = b"Vary: Accept-Encoding\r\n";
const PACKED: &[u8] = b"Vary: Accept-Encoding\r\nContent-Encoding: gzip\r\n";

/// Appends the answer to a request other than a batch.
pub(super) fn answer(
    output: &mut Vec<u8>,
    shared: &Shared,
    call: &Call,
    (input, message): (&[u8], &Message),
    ending: Ending<'_>,
) {
    let (ask, is_packable) = match call {
        Call::NotAllowed(methods) => {
            shared.counters.opa_ended(Outcome::Refused);
            return response::reply(output, &api::not_allowed(methods), ending);
        }
        Call::Wrong(status, text) => {
            let answer = Answer {
                status: *status,
                text: text.clone(),
                outcome: Outcome::Refused,
            };
            shared.counters.opa_ended(answer.outcome);
            return send(output, &answer, (input, message), (false, ending));
        }
        Call::About(about, pretty) => {
            let revision = current(shared);
            let Some(service) = &shared.opa else {
                return response::reply(output, &not_served(), ending);
            };
            let answer = opa::about(*about, &revision, &service.decision, *pretty);
            return send(output, &answer, (input, message), (false, ending));
        }
        Call::Default(ask) => {
            let decision = shared.opa.as_ref().map(|service| service.decision.asked(ask));
            (decision.map_or(Cow::Borrowed(ask), Cow::Owned), false)
        }
        Call::Data(ask) | Call::Batch(ask) => (Cow::Borrowed(ask), true),
    };
    let revision = current(shared);
    let (Some(service), Some(documents)) = (&shared.opa, &revision.loaded.documents) else {
        return response::reply(output, &not_served(), ending);
    };
    let answer = match body(shared, input, message) {
        Ok(body) => {
            let mut machine = service.machine.borrow_mut();
            machine.answer(documents, &revision.digest, &ask, &body)
        }
        Err(answer) => answer,
    };
    shared.counters.opa_ended(answer.outcome);
    send(output, &answer, (input, message), (is_packable, ending));
}

impl Conn {
    /// Answers a batch. True if the connection ends with it.
    pub(super) async fn answer_opa_batch(&mut self, message: &Message) -> bool {
        self.take_output();
        // The batch has its own bound on time; the sweeper's is about clients.
        self.shared.watch_nothing(self.place);
        let answer = match self.batch(message) {
            Ok(batch) => match self.evaluated(batch).await {
                Some(answer) => answer,
                None => return self.shed(message),
            },
            Err(answer) => {
                self.shared.counters.opa_ended(answer.outcome);
                answer
            }
        };
        let persistence = self.persistence(message);
        let ending = Ending {
            persistence,
            head_only: false,
            request_id: super::id_of(&self.input, message, &self.shared),
        };
        let request = (self.input.as_slice(), message);
        send(&mut self.output, &answer, request, (true, ending));
        self.consume(message.end);
        persistence == Persistence::Ends
    }

    fn batch(&self, message: &Message) -> Result<Batch, Answer> {
        let bytes = self.input.get(message.start..).unwrap_or_default();
        let revision = current(&self.shared);
        let documents = revision.loaded.documents.as_ref().ok_or_else(gone)?;
        match api::route(&message.head, bytes, self.shared.opa.is_some()) {
            Route::Opa(Call::Batch(ask)) => {
                let body = body(&self.shared, &self.input, message)?;
                Batch::new(documents, ask, &body)
            }
            _ => Err(gone()),
        }
    }

    /// Each input is evaluated by what is served at its time. Nothing: all batches together keep too much.
    async fn evaluated(&self, mut batch: Batch) -> Option<Answer> {
        let mut kept = Kept::begin(&self.shared.kept);
        let mut slice_ns = clock::monotonic_ns();
        loop {
            let revision = current(&self.shared);
            let (Some(service), Some(documents)) = (&self.shared.opa, &revision.loaded.documents) else {
                return Some(gone());
            };
            let outcome = batch.step(&mut service.machine.borrow_mut(), documents, &revision.digest);
            let Some(outcome) = outcome else {
                return Some(batch.answer());
            };
            self.shared.counters.opa_ended(outcome);
            if clock::monotonic_ns().saturating_sub(slice_ns) > limits::BATCH_SLICE_NS {
                drop(revision);
                if !kept.set(batch.bytes()) {
                    return None;
                }
                slice_ns = self.shared.next_slice(self.line.socket()).await;
            }
        }
    }
}

/// What this core serves now.
fn current(shared: &Shared) -> Arc<Revision> {
    let mut desk = shared.desk.borrow_mut();
    desk.refresh();
    Arc::clone(desk.revision())
}

fn not_served() -> Reply {
    Reply::error(404, "the documents of the policies are not served")
}

/// A fault of ours: requests are routed here only where documents are served.
fn gone() -> Answer {
    Answer::wrong(
        500,
        "internal_error",
        "the documents of the policies are not served",
    )
}

/// The body, unpacked if it is packed.
fn body<'b>(shared: &Shared, input: &'b [u8], message: &Message) -> Result<Cow<'b, [u8]>, Answer> {
    let body = input
        .get(message.body_start..message.body_end)
        .unwrap_or_default();
    let bytes = input.get(message.start..).unwrap_or_default();
    let encoding = message.head.content_encoding.map(|place| api::part(bytes, place));
    if !encoding.is_some_and(opa::is_packed) {
        return Ok(Cow::Borrowed(body));
    }
    opa::unpacked(body, shared.bounds.body_bytes)
        .map(Cow::Owned)
        .map_err(|why| match why {
            Unpackable::TooLarge(most) => {
                let text = format!("the body has more than {most} bytes once it is unpacked");
                Answer::wrong(413, "invalid_parameter", &text)
            }
            Unpackable::Malformed(why) => {
                let text = format!("the body cannot be unpacked: {why}");
                Answer::wrong(400, "invalid_parameter", &text)
            }
        })
}

/// Appends an answer, packed where that may be and is worth it.
fn send(
    output: &mut Vec<u8>,
    answer: &Answer,
    (input, message): (&[u8], &Message),
    (is_packable, ending): (bool, Ending<'_>),
) {
    let bytes = input.get(message.start..).unwrap_or_default();
    let accepted = message.head.accept_encoding.map(|place| api::part(bytes, place));
    let packed = if is_packable && accepted.is_some_and(opa::is_accepted) {
        opa::packed(answer.text.as_bytes())
    } else {
        None
    };
    let (body, lines) = match &packed {
        Some(packed) => (packed.as_slice(), PACKED),
        None if is_packable => (answer.text.as_bytes(), VARIES),
        None => (answer.text.as_bytes(), &b""[..]),
    };
    response::json(output, answer.status, (lines, body), ending);
}
