//! One connection: read, decode, answer, write, until one side has had enough.
//!
//! All requests that are in the buffer are answered with one write. Buffers are owned across each wait, because io_uring
//! reads and writes them in the meantime.

use std::rc::Rc;

use crate::api::{self, Route};
use crate::connections::{Place, Waits};
use crate::desk::Verdict;
use crate::http::request::{Decoder, Message, Method, Persistence, Step};
use crate::http::response::{self, Ending, Reply};
use crate::io::Stream;
use crate::limits;
use crate::sys::{self, Half};
use crate::worker::{Buffers, Shared};

/// Serves a connection that is already entered at `place`.
pub(crate) async fn serve(stream: Stream, place: Place, shared: Rc<Shared>) {
    let buffers = shared.take_buffers();
    let mut conn = Conn {
        stream,
        place,
        decoder: Decoder::new(shared.body_bytes_max),
        buffers,
        grown: 0,
        deadline: None,
        shared,
    };
    conn.run().await;
    conn.shared.account(conn.grown, 0);
    let Conn {
        stream,
        place,
        buffers,
        shared,
        ..
    } = conn;
    // The entry goes before the descriptor does.
    shared.connections.borrow_mut().leave(place);
    drop(stream);
    shared.connection_closed(buffers);
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
}

/// Which part of a request is being waited for, with its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Head,
    Body,
}

struct Conn {
    stream: Stream,
    place: Place,
    decoder: Decoder,
    buffers: Buffers,
    /// What this connection has of the bytes by which its core's receive buffers may grow.
    grown: usize,
    deadline: Option<(Phase, u64)>,
    shared: Rc<Shared>,
}

impl Conn {
    async fn run(&mut self) {
        let mut turn = 0u32;
        loop {
            turn = turn.wrapping_add(1);
            if turn.is_multiple_of(limits::READS_PER_TURN) {
                self.shared.let_others_run().await;
            }
            if !self.make_room() {
                self.refuse(&api::overloaded(), Method::Other);
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
                if !self.write().await {
                    return;
                }
                match next {
                    Next::Read => break,
                    Next::Again => {}
                    Next::Close => return self.linger().await,
                }
            }
        }
    }

    /// Prepares the receive buffer for a read. False if it is full and may not grow beyond what the core has for this.
    fn make_room(&mut self) -> bool {
        let input = &mut self.buffers.input;
        if input.is_empty() && input.capacity() > limits::BUFFER_BYTES_KEEP {
            *input = Vec::with_capacity(limits::INPUT_BYTES_START);
        }
        // Growing doubles a buffer that has its first size.
        let capacity = input.capacity();
        if capacity - input.len() < limits::INPUT_BYTES_START / 2 && self.shared.may_grow(capacity) {
            input.reserve(limits::INPUT_BYTES_START);
        }
        let room = input.capacity() > input.len();
        self.account();
        room
    }

    fn account(&mut self) {
        let grown = self
            .buffers
            .input
            .capacity()
            .saturating_sub(limits::INPUT_BYTES_START);
        if grown != self.grown {
            self.shared.account(self.grown, grown);
            self.grown = grown;
        }
    }

    /// False once no more input comes.
    async fn read(&mut self) -> bool {
        self.watch_read();
        let input = std::mem::take(&mut self.buffers.input);
        let (result, input) = self.stream.read(input).await;
        self.buffers.input = input;
        matches!(result, Ok(1..))
    }

    /// Deadlines run from the first byte of a head and from the end of the head, not from the last byte read.
    fn watch_read(&mut self) {
        let mut connections = self.shared.connections.borrow_mut();
        if self.buffers.input.is_empty() && !self.decoder.in_body() {
            self.deadline = None;
            // A draining process ends a connection that asks for nothing, but not before it has had a moment to ask.
            let seconds = if self.shared.draining.get() {
                1
            } else {
                limits::IDLE_SECONDS
            };
            let deadline = connections.deadline(seconds);
            connections.set(self.place, Waits::Idle, deadline);
            return;
        }
        let phase = if self.decoder.in_body() {
            Phase::Body
        } else {
            Phase::Head
        };
        let deadline = match self.deadline {
            Some((known, deadline)) if known == phase => deadline,
            _ => connections.deadline(match phase {
                Phase::Head => limits::HEAD_SECONDS,
                Phase::Body => {
                    limits::BODY_SECONDS
                        + (self.shared.body_bytes_max / limits::BODY_BYTES_PER_SECOND_MIN) as u64
                }
            }),
        };
        self.deadline = Some((phase, deadline));
        connections.set(self.place, Waits::Busy, deadline);
    }

    /// Answers every complete request in the buffer and drops its bytes.
    fn answer(&mut self) -> Next {
        let mut at = 0;
        let next = loop {
            if self.buffers.output.len() >= limits::OUTPUT_BYTES_FLUSH {
                break Next::Again;
            }
            match self.decoder.advance(&mut self.buffers.input, at) {
                Step::More => break Next::Read,
                Step::Request(message) => {
                    at = message.end;
                    self.deadline = None;
                    if self.respond(&message) {
                        break Next::Close;
                    }
                }
                Step::Expect(head) => {
                    let bytes = self.buffers.input.get(at..).unwrap_or_default();
                    match api::route(&head, bytes) {
                        Route::Reply(reply) => {
                            self.refuse(&reply, head.method);
                            break Next::Close;
                        }
                        Route::Decision { .. } | Route::Ready => {
                            self.buffers.output.extend_from_slice(response::CONTINUE);
                        }
                    }
                }
                Step::Refuse(refusal) => {
                    self.refuse(&refusal.into(), Method::Other);
                    break Next::Close;
                }
            }
        };
        if at >= self.buffers.input.len() {
            self.buffers.input.clear();
        } else if at > 0 {
            self.buffers.input.drain(..at);
        }
        next
    }

    /// Appends the answer to one request. True if the connection ends with it.
    fn respond(&mut self, message: &Message) -> bool {
        let Buffers { input, output } = &mut self.buffers;
        let draining = self.shared.draining.get();
        let persistence = if draining {
            Persistence::Ends
        } else {
            message.head.persistence
        };
        let ending = Ending {
            persistence,
            head_only: message.head.method == Method::Head,
        };
        let route = api::route(&message.head, input.get(message.start..).unwrap_or_default());
        match route {
            Route::Decision { probe } => {
                let body = input
                    .get(message.body_start..message.body_end)
                    .unwrap_or_default();
                match self.shared.desk.borrow_mut().decide(body, probe) {
                    Verdict::Allow(allow) => response::decision(output, allow, persistence),
                    Verdict::Malformed(text) => response::reply(output, &Reply::error(400, text), ending),
                    Verdict::TooLarge(text) => response::reply(output, &Reply::error(413, text), ending),
                }
            }
            Route::Ready if draining => response::reply(output, &api::draining(), ending),
            Route::Ready => response::reply(output, &api::healthy(), ending),
            Route::Reply(reply) => {
                if reply.status >= 400 {
                    self.shared.counters.refused.add(1);
                }
                response::reply(output, &reply, ending);
            }
        }
        persistence == Persistence::Ends
    }

    fn refuse(&mut self, reply: &Reply, method: Method) {
        self.shared.counters.refused.add(1);
        let ending = Ending {
            persistence: Persistence::Ends,
            head_only: method == Method::Head,
        };
        response::reply(&mut self.buffers.output, reply, ending);
    }

    /// False once the client takes no more.
    async fn write(&mut self) -> bool {
        if self.buffers.output.is_empty() {
            return true;
        }
        {
            let mut connections = self.shared.connections.borrow_mut();
            let deadline = connections.deadline(limits::WRITE_SECONDS);
            connections.set(self.place, Waits::Busy, deadline);
        }
        let output = std::mem::take(&mut self.buffers.output);
        let (result, mut output) = self.stream.write_all(output).await;
        output.clear();
        if output.capacity() > limits::BUFFER_BYTES_KEEP * 2 {
            output = Vec::with_capacity(limits::OUTPUT_BYTES_START);
        }
        self.buffers.output = output;
        result.is_ok()
    }

    /// The client closed its sending side: whatever was complete is answered already, a cut request gets its 400.
    async fn end_of_input(&mut self) {
        if let Some(refusal) = self.decoder.finish(self.buffers.input.len()) {
            self.refuse(&refusal.into(), Method::Other);
            self.write().await;
        }
    }

    /// Closes so that the last answer arrives: closing with unread input would reset the connection, and the reset
    /// overtakes the answer.
    async fn linger(&mut self) {
        sys::shutdown(self.stream.raw_fd(), Half::Write);
        {
            let mut connections = self.shared.connections.borrow_mut();
            let deadline = connections.deadline(limits::LINGER_SECONDS);
            connections.set(self.place, Waits::Busy, deadline);
        }
        self.buffers.input.clear();
        self.buffers.input.shrink_to(limits::INPUT_BYTES_START);
        self.account();
        let mut thrown = 0;
        while thrown < limits::LINGER_BYTES_MAX {
            let mut input = std::mem::take(&mut self.buffers.input);
            input.clear();
            let (result, input) = self.stream.read(input).await;
            self.buffers.input = input;
            match result {
                Ok(read @ 1..) => thrown += read,
                Ok(0) | Err(_) => return,
            }
        }
    }
}
