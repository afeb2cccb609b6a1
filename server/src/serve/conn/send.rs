//! Answers on their way to the client: a part at a time, between which others get their turn.

use std::ops::Range;

use super::Conn;
use crate::http::request::{Message, Persistence};
use crate::http::response::{self, Ending, Reply};
use crate::limits;

impl Conn {
    /// Answers a request by a 503. True if the connection ends with it.
    pub(super) fn shed(&mut self, message: &Message) -> bool {
        self.shared.counters.shed.add(1);
        let persistence = self.persistence(message);
        let ending = Ending {
            persistence,
            head_only: false,
            request_id: super::id_of(&self.input, message, &self.shared),
        };
        response::reply(&mut self.output, &Reply::shed(), ending);
        self.consume(message.end);
        persistence == Persistence::Ends
    }

    /// Writes what is to be written and gives the buffer back. False once the client takes no more.
    pub(super) async fn write(&mut self) -> bool {
        let output = std::mem::take(&mut self.output);
        let document = std::mem::take(&mut self.document);
        if output.is_empty() {
            self.shared.outputs.give_back(output);
            return true;
        }
        self.shared.watch_for(self.place, limits::WRITE_SECONDS);
        let held = output.len() > limits::BUFFER_BYTES_KEEP;
        let bytes = if held { output.len() } else { 0 };
        self.shared.hold(bytes);
        let (taken, output) = self.send(output).await;
        self.shared.let_go(bytes);
        self.shared.outputs.give_back(output);
        taken && self.send_document(document).await
    }

    /// False once the client takes no more.
    async fn send(&mut self, mut output: Vec<u8>) -> (bool, Vec<u8>) {
        let mut part = part_from(0, output.len());
        loop {
            let end = part.end;
            let (result, back) = self.line.write_part(output, part).await;
            output = back;
            if result.is_err() || end == output.len() {
                return (result.is_ok(), output);
            }
            self.shared.step_aside(self.line.socket()).await;
            part = part_from(end, output.len());
        }
    }

    /// False once the client takes no more.
    async fn send_document(&mut self, document: &'static [u8]) -> bool {
        for part in document.chunks(limits::WRITE_BYTES) {
            self.shared.step_aside(self.line.socket()).await;
            if self.line.write_static(part).await.is_err() {
                return false;
            }
        }
        true
    }
}

/// What is written next of so many bytes.
fn part_from(start: usize, bytes: usize) -> Range<usize> {
    start..bytes.min(start.saturating_add(limits::WRITE_BYTES))
}
