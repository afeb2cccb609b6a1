//! Requests of AuthZEN on a connection: asked in slices, between which others get their turn.

use std::rc::Rc;

use super::Conn;
use crate::authzen::{Asking, Endpoint, Metadata};
use crate::clock;
use crate::http::request::{Message, Persistence};
use crate::http::response::{self, Ending, Reply};
use crate::limits;
use crate::serve::bounds::Kept;
use crate::serve::worker::Shared;

impl Conn {
    /// Answers a request. True if the connection ends with it.
    pub(super) async fn answer_authzen(&mut self, message: &Message, endpoint: Endpoint) -> bool {
        self.take_output();
        // The request has its own bound on time; the sweeper's is about clients.
        self.shared.watch_nothing(self.place);
        let body = message.body_start..message.body_end.min(self.input.len());
        let body = self.input.get(body).unwrap_or_default();
        let mut asking = {
            let mut desk = self.shared.desk.borrow_mut();
            // The candidates of a search are those of the newest revision.
            desk.refresh();
            Asking::new(endpoint, body, &desk)
        };
        let begun_ns = clock::monotonic_ns();
        let mut slice_ns = begun_ns;
        let mut tickets = Vec::new();
        let shared = Rc::clone(&self.shared);
        let mut kept = Kept::begin(&shared.kept);
        loop {
            let (is_over, ticket) = {
                let mut desk = self.shared.desk.borrow_mut();
                (asking.step(&mut desk), desk.take_ticket())
            };
            let question = asking.asked().saturating_sub(1);
            tickets.extend(ticket.map(|ticket| (question, ticket)));
            let now_ns = clock::monotonic_ns();
            if is_over || now_ns.saturating_sub(begun_ns) >= limits::BATCH_NS_MAX {
                break;
            }
            if now_ns.saturating_sub(slice_ns) > limits::BATCH_SLICE_NS {
                if !kept.set(asking.bytes()) {
                    return self.shed(message);
                }
                slice_ns = self.shared.next_slice(self.line.socket()).await;
            }
        }
        let ticket = {
            let mut desk = self.shared.desk.borrow_mut();
            asking.deny_rest(&mut desk);
            desk.take_ticket()
        };
        tickets.extend(ticket.map(|ticket| (asking.asked(), ticket)));
        // The newest first: the others are known by then.
        for (question, ticket) in tickets.into_iter().rev() {
            if !self.shared.is_recorded(self.place, ticket).await && asking.revoke(question) {
                self.shared.counters.grants_revoked.add(1);
            }
        }
        let (status, text) = asking.finish();
        let persistence = self.persistence(message);
        let ending = Ending {
            persistence,
            head_only: false,
            request_id: super::id_of(&self.input, message, &self.shared),
        };
        response::json(&mut self.output, status, (b"", text.as_bytes()), ending);
        self.consume(message.end);
        persistence == Persistence::Ends
    }
}

/// Appends the answer to a body that is announced as something else than JSON: 400, as AuthZEN wants it, and not 415.
pub(super) fn no_json(output: &mut Vec<u8>, ending: Ending<'_>) {
    const TEXT: &[u8] = b"\"the body has to be application/json\"";
    response::json(output, 400, (b"", TEXT), ending);
}

/// Appends what AuthZEN publishes about the service.
pub(super) fn metadata(output: &mut Vec<u8>, shared: &Shared, ending: Ending<'_>) {
    let Some(base_url) = shared.public_url.as_deref() else {
        let text = "the service does not know its address: start it with --public-url";
        return response::reply(output, &Reply::error(404, text), ending);
    };
    let mut desk = shared.desk.borrow_mut();
    desk.refresh();
    let listed = &desk.revision().listed;
    let metadata = Metadata {
        base_url,
        resources: listed.has_resources(),
        actions: !listed.actions().is_empty(),
    };
    let document = if ending.head_only {
        String::new()
    } else {
        metadata.document()
    };
    response::json(output, 200, (b"", document.as_bytes()), ending);
}
