//! Requests of OPA's data API on a connection. Each is one evaluation, within the budgets of a decision.

use std::sync::Arc;

use crate::api;
use crate::http::request::Message;
use crate::http::response::{self, Ending};
use crate::opa::{Answer, Call, Outcome};
use crate::worker::Shared;

/// Appends the answer to a request.
pub(super) fn answer(
    output: &mut Vec<u8>,
    shared: &Shared,
    call: &Call,
    (input, message): (&[u8], &Message),
    ending: Ending,
) {
    let answer = match call {
        Call::NotAllowed(methods) => {
            shared.counters.opa_ended(Outcome::Refused);
            return response::reply(output, &api::not_allowed(methods), ending);
        }
        Call::Wrong(status, text) => Answer {
            status: *status,
            text: text.clone(),
            outcome: Outcome::Refused,
        },
        Call::Data(ask) => {
            let revision = {
                let mut desk = shared.desk.borrow_mut();
                desk.refresh();
                Arc::clone(desk.revision())
            };
            let (Some(machine), Some(documents)) = (&shared.opa, &revision.loaded.documents) else {
                let text = "the documents of the policies are not served";
                return response::reply(output, &response::Reply::error(404, text), ending);
            };
            let body = input
                .get(message.body_start..message.body_end)
                .unwrap_or_default();
            machine
                .borrow_mut()
                .answer(documents, &revision.digest, ask, body)
        }
    };
    shared.counters.opa_ended(answer.outcome);
    let head = input.get(message.start..).unwrap_or_default();
    let request_id = api::request_id(&message.head, head);
    response::json(
        output,
        answer.status,
        &answer.text,
        request_id,
        ending.persistence,
    );
}
