//! Bytes on their way in: the receive buffer of a connection, how it grows, and how what was looked at leaves it.

use std::io::ErrorKind;

use super::Conn;
use crate::limits;

impl Conn {
    /// Whether no byte of a request is here.
    pub(super) fn is_idle(&self) -> bool {
        self.input.is_empty() && !self.decoder.in_body()
    }

    /// Gives back a buffer that is too large to be kept while nothing is to be read. Whether there is one that is kept.
    pub(super) fn keeps_buffer(&mut self) -> bool {
        if self.input.capacity() > limits::INPUT_BYTES_IDLE {
            self.shared.inputs.give_back(std::mem::take(&mut self.input));
            self.account();
        }
        self.input.capacity() > 0
    }

    /// Prepares the receive buffer for a read. False if it is full and may not grow beyond what the core has for this.
    pub(super) fn make_room(&mut self) -> bool {
        let capacity = self.input.capacity();
        let room = capacity - self.input.len();
        if capacity == 0 && !self.large {
            self.input = Vec::with_capacity(limits::INPUT_BYTES_IDLE);
        } else if capacity < limits::INPUT_BYTES_START {
            if room < limits::INPUT_BYTES_IDLE / 2 {
                let mut input = self.shared.inputs.take();
                input.extend_from_slice(&self.input);
                self.input = input;
                self.large = true;
            }
        } else if room < limits::INPUT_BYTES_START / 2 && self.shared.may_grow(capacity) {
            // Growing doubles a buffer that has its first size.
            self.input.reserve(limits::INPUT_BYTES_START);
        }
        self.account();
        self.input.capacity() > self.input.len()
    }

    /// Says what this buffer has of what all of a core may have together.
    pub(super) fn account(&mut self) {
        let grown = self.input.capacity().saturating_sub(limits::INPUT_BYTES_START);
        if grown != self.grown {
            self.shared.account(self.grown, grown);
            self.grown = grown;
        }
    }

    /// False once no more input comes.
    pub(super) async fn read(&mut self) -> bool {
        let input = std::mem::take(&mut self.input);
        let idle = input.is_empty();
        let (mut result, mut input) = self.line.read(input).await;
        while matches!(&result, Err(error) if error.kind() == ErrorKind::WouldBlock) {
            self.shared.step_aside(self.line.socket()).await;
            (result, input) = self.line.read(input).await;
        }
        if idle {
            // What fills the small buffer is probably more than it.
            self.large = input.len() >= limits::INPUT_BYTES_IDLE;
        }
        self.input = input;
        matches!(result, Ok(1..))
    }

    /// Bytes up to here were looked at. They are dropped once they are more than what is behind them, so that dropping costs no
    /// more than looking, however many requests are here at once.
    pub(super) fn consume(&mut self, count: usize) {
        self.begun = count;
        if count >= self.input.len().saturating_sub(count) {
            self.drop_begun(count);
        }
    }

    /// Drops the bytes up to here.
    pub(super) fn drop_begun(&mut self, count: usize) {
        self.begun = 0;
        if count >= self.input.len() {
            self.input.clear();
        } else if count > 0 {
            self.input.drain(..count);
        }
    }
}
