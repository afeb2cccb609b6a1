//! One connection: read, decode, answer, write, until one side has had enough.
//!
//! All requests that are in the buffer are answered with one write. Buffers are owned across each wait, because io_uring
//! reads and writes them in the meantime. A connection that waits for a request holds little or none of them, so that
//! thousands may be open.

use std::io::ErrorKind;
use std::rc::Rc;
use std::sync::Arc;

mod authzen;
mod batch;
mod input;
mod opa;
mod send;

use crate::audit::Promises;
use crate::authzen::Endpoint;
use crate::clock;
use crate::http::request::{Decoder, Message, Method, Persistence, Step};
use crate::http::response::{self, Ending, Reply};
use crate::io::Stream;
use crate::limits;
use crate::metrics::Carrier;
use crate::opa::Call;
use crate::serve::api::{self, Route};
use crate::serve::bounds::InFlight;
use crate::serve::connections::{Place, Waits};
use crate::serve::desk::Verdict;
use crate::serve::line::Line;
use crate::serve::worker::Shared;
use crate::sys::{self, Half};

/// Serves a connection that is already entered at `place`.
pub(crate) async fn serve(stream: Stream, place: Place, shared: Rc<Shared>) {
    let carrier = match stream.is_local() {
        true => Carrier::Unix,
        false => Carrier::of_address(shared.handshakes.is_some()),
    };
    let counters = Arc::clone(&shared.counters);
    let entered = counters.open.enter(carrier);
    let mut conn = Conn {
        line: Line::plain(stream),
        place,
        decoder: Decoder::new(shared.bounds.body_bytes),
        input: Vec::new(),
        begun: 0,
        output: Vec::new(),
        document: &[],
        large: false,
        grown: 0,
        deadline: None,
        promises: Promises::default(),
        answered: 0,
        is_known: false,
        shared,
    };
    if conn.begin(carrier).await {
        conn.run().await;
    }
    conn.shared.account(conn.grown, 0);
    let Conn {
        line,
        place,
        input,
        output,
        shared,
        ..
    } = conn;
    shared.inputs.give_back(input);
    shared.outputs.give_back(output);
    // The entry goes before the descriptor does.
    shared.connections.borrow_mut().leave(place);
    drop(line);
    drop(entered);
    shared.connection_closed();
}

/// What happens after the requests in the buffer were looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Write, then read more.
    Read,
    /// Write, then look at what is left in the buffer.
    Again,
    /// Write, then close.
    Close,
    /// Write, then answer this request, over which more than one decision may be made.
    Long(Message, Long),
}

/// Whether records are left out.
type Probe = bool;

/// A request whose answer takes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Long {
    Batch(Probe),
    AuthZen(Endpoint),
    OpaBatch,
}

/// Which part of a request is being waited for, with its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Head,
    Body,
}

/// What became of one request.
enum Responded {
    AndStays,
    AndEnds,
    /// Nothing yet.
    Later(Long),
}

/// How long the requests of one turn take, from the second one on.
#[derive(Default)]
struct Turn(Option<u64>);

impl Turn {
    fn is_over(&mut self) -> bool {
        let now_ns = clock::monotonic_ns();
        now_ns.saturating_sub(*self.0.get_or_insert(now_ns)) > limits::TURN_NS
    }
}

struct Conn {
    line: Line,
    place: Place,
    decoder: Decoder,
    input: Vec<u8>,
    /// Bytes at the start of it that were looked at. None while more is read.
    begun: usize,
    output: Vec<u8>,
    /// Sent behind the output: a document of the service's own.
    document: &'static [u8],
    /// The requests of this connection are larger than the buffer that it may keep.
    large: bool,
    /// What this connection has of the bytes by which its core's receive buffers may grow.
    grown: usize,
    deadline: Option<(Phase, u64)>,
    /// Answers in the buffer that wait for their records.
    promises: Promises,
    /// Requests that were answered.
    answered: u64,
    /// One of them asked for a decision, or for a document of the policies.
    is_known: bool,
    shared: Rc<Shared>,
}

impl Conn {
    /// Begins TLS where it is spoken: not on unix sockets. False if the peer is not taken.
    async fn begin(&mut self, carrier: Carrier) -> bool {
        let shared = Rc::clone(&self.shared);
        let Some(handshakes) = shared.handshakes.as_ref().filter(|_| carrier == Carrier::Tls) else {
            return true;
        };
        let cut = shared.watch_handshake(self.place);
        loop {
            match self.line.shake_hands(handshakes, &cut).await {
                Ok(true) => {
                    shared.connections.borrow_mut().end_handshake(self.place);
                    return true;
                }
                Ok(false) => {}
                Err(_) => {
                    shared.counters.handshakes_failed.add(1);
                    return false;
                }
            }
        }
    }

    async fn run(&mut self) {
        let mut turn = 0u32;
        loop {
            turn = turn.wrapping_add(1);
            if turn.is_multiple_of(limits::READS_PER_TURN) {
                self.shared.step_aside(self.line.socket()).await;
            }
            self.watch_read();
            if self.is_idle() && !self.keeps_buffer() {
                self.line.readable().await;
            }
            if !self.make_room() {
                self.refuse(&api::overloaded(), 0);
                if self.write().await {
                    self.linger().await;
                }
                return;
            }
            if !self.read().await {
                return self.end_of_input().await;
            }
            loop {
                let next = self.answer();
                if !self.keep_promises().await || !self.write().await {
                    return;
                }
                match next {
                    Next::Read => break,
                    Next::Again => self.shared.step_aside(self.line.socket()).await,
                    Next::Long(message, long) => {
                        let shared = Rc::clone(&self.shared);
                        let _working = InFlight::begin(&shared.in_flight);
                        let ends = match long {
                            Long::Batch(probe) => self.decide_batch(&message, probe).await,
                            Long::AuthZen(endpoint) => self.answer_authzen(&message, endpoint).await,
                            Long::OpaBatch => self.answer_opa_batch(&message).await,
                        };
                        if !self.keep_promises().await || !self.write().await {
                            return;
                        }
                        if ends {
                            return self.linger().await;
                        }
                        if !self.input.is_empty() {
                            // More of them may be here, each too small to be interrupted.
                            self.shared.step_aside(self.line.socket()).await;
                        }
                    }
                    Next::Close => return self.linger().await,
                }
            }
        }
    }

    /// Deadlines run from the first byte of a head and from the end of the head, not from the last byte read.
    fn watch_read(&mut self) {
        let mut connections = self.shared.connections.borrow_mut();
        if self.input.is_empty() && !self.decoder.in_body() {
            self.deadline = None;
            // A draining process ends a connection that asks for nothing, but not before it has had a moment to ask.
            let seconds = if self.shared.draining.get() {
                1
            } else {
                limits::IDLE_SECONDS
            };
            let deadline = connections.deadline(seconds);
            connections.wait(self.place, (Waits::Idle, self.is_known), deadline);
            return;
        }
        let (phase, waits) = if self.decoder.in_body() {
            (Phase::Body, Waits::Body)
        } else {
            (Phase::Head, Waits::Head)
        };
        let deadline = match self.deadline {
            Some((known, deadline)) if known == phase => deadline,
            _ => connections.deadline(match phase {
                Phase::Head => limits::HEAD_SECONDS,
                Phase::Body => limits::body_seconds(self.shared.bounds.body_bytes),
            }),
        };
        self.deadline = Some((phase, deadline));
        connections.wait(self.place, (waits, self.is_known), deadline);
    }

    /// Answers the complete requests in the buffer, as many as one turn has time and room for, and drops their bytes.
    fn answer(&mut self) -> Next {
        self.take_output();
        let (mut at, mut turn) = (self.begun, Turn::default());
        let next = loop {
            let is_full = self.output.len() >= limits::OUTPUT_BYTES_FLUSH || !self.document.is_empty();
            // Whoever asks one thing at a time costs no clock call.
            let has_more = at > self.begun && at < self.input.len();
            if is_full || (has_more && turn.is_over()) {
                break Next::Again;
            }
            match self.decoder.advance(&mut self.input, at) {
                Step::More => break Next::Read,
                Step::Request(message) => {
                    self.deadline = None;
                    match self.respond(&message) {
                        Responded::Later(long) => break Next::Long(message, long),
                        Responded::AndEnds => {
                            at = message.end;
                            break Next::Close;
                        }
                        Responded::AndStays => at = message.end,
                    }
                }
                Step::Expect(head) => {
                    let bytes = self.input.get(at..).unwrap_or_default();
                    match api::route(&head, bytes, self.shared.opa.is_some()) {
                        Route::Reply(reply) => {
                            self.refuse(&reply, at);
                            break Next::Close;
                        }
                        Route::Decision { .. }
                        | Route::Batch { .. }
                        | Route::AuthZen(_)
                        | Route::NoAuthZen
                        | Route::AuthZenMetadata
                        | Route::Opa(_)
                        | Route::Ready => {
                            self.output.extend_from_slice(response::CONTINUE);
                        }
                    }
                }
                Step::Refuse(refusal) => {
                    self.refuse(&refusal.into(), at);
                    break Next::Close;
                }
            }
        };
        match next {
            // What is to be answered stays where it is.
            Next::Long(..) => self.begun = at,
            Next::Again => self.consume(at),
            Next::Read | Next::Close => self.drop_begun(at),
        }
        next
    }

    /// What is said about the connection in the answer to a request.
    fn persistence(&self, message: &Message) -> Persistence {
        let is_last = |most| self.answered >= most;
        if self.shared.draining.get() || self.shared.bounds.requests_per_connection.is_some_and(is_last) {
            Persistence::Ends
        } else {
            message.head.persistence
        }
    }

    /// Appends the answer to one request, unless it is a batch.
    fn respond(&mut self, message: &Message) -> Responded {
        self.answered += 1;
        let persistence = self.persistence(message);
        let (input, output) = (&self.input, &mut self.output);
        let ending = Ending {
            persistence,
            head_only: message.head.method == Method::Head,
            request_id: id_of(input, message, &self.shared),
        };
        let bytes = input.get(message.start..).unwrap_or_default();
        let route = api::route(&message.head, bytes, self.shared.opa.is_some());
        self.is_known |= route.is_question();
        match route {
            Route::Decision { .. } if self.shared.is_full() => {
                self.shared.counters.shed.add(1);
                response::reply(output, &Reply::shed(), ending);
            }
            Route::Batch { .. } | Route::AuthZen(_) | Route::Opa(_) if self.shared.is_full_of_answers() => {
                self.shared.counters.shed.add(1);
                response::reply(output, &Reply::shed(), ending);
            }
            Route::Decision { probe } => {
                let body = input
                    .get(message.body_start..message.body_end)
                    .unwrap_or_default();
                let at = output.len();
                let mut desk = self.shared.desk.borrow_mut();
                let verdict = desk.decide(body, probe);
                let granted = verdict == Verdict::Allow(true);
                let grant = granted.then(|| (at, response::grant_and_denial(persistence)));
                self.promises.add(desk.take_ticket(), grant);
                match verdict {
                    Verdict::Allow(allow) => response::decision(output, allow, persistence),
                    Verdict::Malformed(text) => response::reply(output, &Reply::error(400, text), ending),
                    Verdict::TooLarge(text) => response::reply(output, &Reply::error(413, text), ending),
                }
            }
            Route::Batch { probe } => return Responded::Later(Long::Batch(probe)),
            Route::AuthZen(endpoint) => return Responded::Later(Long::AuthZen(endpoint)),
            Route::NoAuthZen => {
                self.shared.counters.refused.add(1);
                authzen::no_json(output, ending);
            }
            Route::AuthZenMetadata => authzen::metadata(output, &self.shared, ending),
            Route::Opa(Call::Batch(_)) => return Responded::Later(Long::OpaBatch),
            Route::Opa(call) => opa::answer(output, &self.shared, &call, (input, message), ending),
            Route::Ready if self.shared.leaving.get() => response::reply(output, &api::draining(), ending),
            Route::Ready => response::reply(output, &api::healthy(), ending),
            Route::Reply(reply) => {
                if reply.status >= 400 {
                    self.shared.counters.refused.add(1);
                }
                self.document = response::reply_but_document(output, &reply, ending);
            }
        }
        if persistence == Persistence::Ends {
            Responded::AndEnds
        } else {
            Responded::AndStays
        }
    }

    /// Gets a send buffer, unless there is one.
    fn take_output(&mut self) {
        if self.output.capacity() == 0 {
            self.output = self.shared.outputs.take();
        }
    }

    /// Refuses the request that begins at `start`, as far as it is here, and all that may come behind it.
    fn refuse(&mut self, reply: &Reply, start: usize) {
        self.take_output();
        self.shared.counters.refused.add(1);
        let head = self.decoder.head();
        let bytes = self.input.get(start..).unwrap_or_default();
        let ending = Ending {
            persistence: Persistence::Ends,
            head_only: head.is_some_and(|head| head.method == Method::Head),
            request_id: head.and_then(|head| api::request_id(head, bytes, self.shared.opa.is_some())),
        };
        response::reply(&mut self.output, reply, ending);
    }

    /// Waits for the records of the answers in the buffer where an answer needs one. False if nothing may be sent. A client
    /// that is not answered in time is let go, as one that does not take its answer is.
    async fn keep_promises(&mut self) -> bool {
        if self.promises.is_empty() {
            return true;
        }
        let _working = InFlight::begin(&self.shared.in_flight);
        self.shared
            .keep(self.place, &mut self.promises, &mut self.output)
            .await
    }

    /// The client closed its sending side: whatever was complete is answered already, a cut request gets its 400.
    async fn end_of_input(&mut self) {
        if let Some(refusal) = self.decoder.finish(self.input.len()) {
            self.refuse(&refusal.into(), 0);
            self.write().await;
        }
    }

    /// Closes so that the last answer arrives: closing with unread input would reset the connection, and the reset
    /// overtakes the answer.
    async fn linger(&mut self) {
        self.shared.watch_for(self.place, limits::LINGER_SECONDS);
        self.line.close().await;
        sys::shutdown(self.line.raw_fd(), Half::Write);
        self.input.clear();
        self.input.shrink_to(limits::INPUT_BYTES_START);
        self.input.reserve(limits::INPUT_BYTES_IDLE);
        self.account();
        let mut thrown = 0;
        while thrown < limits::LINGER_BYTES_MAX {
            let mut input = std::mem::take(&mut self.input);
            input.clear();
            let (result, input) = self.line.read(input).await;
            self.input = input;
            match result {
                Ok(read @ 1..) => thrown += read,
                // Under TLS there may be text behind what has none.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.shared.step_aside(self.line.socket()).await;
                }
                Ok(0) | Err(_) => return,
            }
        }
    }
}

/// The id that goes back with the answer to a request.
fn id_of<'i>(input: &'i [u8], message: &Message, shared: &Shared) -> Option<&'i [u8]> {
    let bytes = input.get(message.start..).unwrap_or_default();
    api::request_id(&message.head, bytes, shared.opa.is_some())
}
