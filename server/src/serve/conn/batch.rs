//! Batches of decisions on a connection: decided in slices, between which others get their turn.

use std::rc::Rc;

use gavel_runtime::decision::ReasonCode;

use super::{Conn, Probe};
use crate::audit::Promises;
use crate::clock;
use crate::http::request::{Message, Persistence};
use crate::http::response::{self, Ending, Reply};
use crate::limits;
use crate::serve::batch;
use crate::serve::bounds::Kept;
use crate::serve::desk::Verdict;

/// What became of the elements of a batch.
enum Spans {
    /// Their answers.
    Decided(Vec<u8>),
    /// All batches together keep too much.
    Shed,
    /// Nothing may be said: the connection ends without an answer.
    Unsaid,
}

impl Conn {
    /// Decides over all elements of a batch, in slices between which others get their turn, and appends the answer. True if
    /// the connection ends with it.
    pub(super) async fn decide_batch(&mut self, message: &Message, probe: Probe) -> bool {
        self.take_output();
        // The batch has its own bound on time; the sweeper's is about clients.
        self.shared.watch_nothing(self.place);
        let body = |input: &[u8]| message.body_start..message.body_end.min(input.len());
        let spans = batch::split(self.input.get(body(&self.input)).unwrap_or_default());
        let outcome = match spans {
            Err(why) => {
                let status = match why {
                    batch::NoBatch::Malformed(..) => 400,
                    batch::NoBatch::TooMany => 413,
                };
                let text = why.to_string();
                let ticket = self.deny(ReasonCode::InvalidParameter, &text, probe);
                self.promises.add(ticket, None);
                Err(Reply::error(status, text))
            }
            Ok(spans) => match self.decide_spans(message.body_start, &spans, probe).await {
                Spans::Decided(answers) => Ok(answers),
                Spans::Shed => return self.shed(message),
                Spans::Unsaid => return true,
            },
        };
        let persistence = self.persistence(message);
        let ending = Ending {
            persistence,
            head_only: false,
            request_id: None,
        };
        match outcome {
            Ok(answers) => response::batch(&mut self.output, &answers, persistence),
            Err(reply) => response::reply(&mut self.output, &reply, ending),
        }
        self.consume(message.end);
        persistence == Persistence::Ends
    }

    /// The array of answers, whose records are where they have to be.
    async fn decide_spans(&mut self, body_start: usize, spans: &[batch::Span], probe: Probe) -> Spans {
        const ANSWER_BYTES: usize = b",{\"allow\":false}".len();
        let mut promises = Promises::default();
        let mut answers = Vec::with_capacity(spans.len() * ANSWER_BYTES + 2);
        let shared = Rc::clone(&self.shared);
        let mut kept = Kept::begin(&shared.kept);
        let begun_ns = clock::monotonic_ns();
        let mut slice_ns = begun_ns;
        for (start, end) in spans {
            let place = body_start + *start as usize..body_start + *end as usize;
            let element = self.input.get(place).unwrap_or_default();
            let now_ns = clock::monotonic_ns();
            if now_ns.saturating_sub(begun_ns) < limits::BATCH_NS_MAX {
                let mut desk = self.shared.desk.borrow_mut();
                let verdict = desk.decide_element(element, probe);
                let ticket = desk.take_ticket();
                drop(desk);
                batch::answer(&mut answers, &verdict);
                let at = answers.len().saturating_sub(batch::GRANT.len());
                let grant = (verdict == Verdict::Allow(true)).then_some((at, (batch::GRANT, batch::DENIAL)));
                promises.add(ticket, grant);
            } else {
                promises.add(self.deny(ReasonCode::Evaluation, batch::LATE, probe), None);
                batch::deny(&mut answers, batch::LATE);
            }
            if now_ns.saturating_sub(slice_ns) > limits::BATCH_SLICE_NS {
                if !kept.set(size_of_val(spans) + answers.capacity() + promises.bytes()) {
                    return Spans::Shed;
                }
                slice_ns = self.shared.next_slice(self.line.socket()).await;
            }
        }
        if !self.shared.keep(self.place, &mut promises, &mut answers).await {
            return Spans::Unsaid;
        }
        batch::close(&mut answers);
        Spans::Decided(answers)
    }

    /// The ticket of the record, if the answer has to wait for it.
    fn deny(&self, code: ReasonCode, text: &str, probe: Probe) -> Option<u64> {
        let mut desk = self.shared.desk.borrow_mut();
        desk.deny(code, text, probe);
        desk.take_ticket()
    }
}
