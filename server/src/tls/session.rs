//! One connection's TLS: rustls' state machine between the bytes of the socket and those of the connection.
//!
//! Reads and writes look like those of a plain connection, so that framing, limits and deadlines are the same code for both.

use std::io::{self, Read as _, Write as _};
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection};

use crate::io::Stream;
use crate::limits;

/// A connection's session. Boxed by its owner: most connections have none.
pub(crate) struct Session {
    rustls: ServerConnection,
    /// Text that rustls has decrypted may wait for a read.
    waiting: bool,
    /// Bytes for the socket, kept between writes.
    sealed: Vec<u8>,
    /// Bytes that came before the handshake was over.
    begun_bytes: usize,
    /// The peer was sent something.
    is_answered: bool,
}

/// Nothing to read yet. rustls gives up what a large record needed only when it is about to read again.
struct Nothing;

impl io::Read for Nothing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}

impl Session {
    /// A session that has not begun.
    ///
    /// # Errors
    /// The configuration is none that rustls takes.
    pub(crate) fn new(config: Arc<ServerConfig>) -> io::Result<Session> {
        let rustls = ServerConnection::new(config).map_err(io::Error::other)?;
        Ok(Session {
            rustls,
            waiting: false,
            sealed: Vec::new(),
            begun_bytes: 0,
            is_answered: false,
        })
    }

    /// Whether a read may give something without waiting for the socket.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting
    }

    /// Whether the peer was sent something, and goes on from there.
    pub(crate) fn is_answered(&self) -> bool {
        self.is_answered
    }

    /// Whether both sides know each other, after bytes were taken in.
    pub(crate) fn is_begun(&mut self) -> bool {
        // A request may have come with the end of the handshake.
        self.waiting = !self.rustls.is_handshaking();
        self.waiting
    }

    /// Reads text into the spare capacity of `buffer`. 0: the peer sends no more. `WouldBlock`: it sent much in which there
    /// was no text, such as empty records, of which it may have more.
    pub(crate) async fn read(
        &mut self,
        stream: &mut Stream,
        mut buffer: Vec<u8>,
    ) -> (io::Result<usize>, Vec<u8>) {
        let mut reads = 0;
        // Whoever waits for the rest of something waits without another buffer, and for a small request with a small one.
        let mut may_wait = self.waiting || !buffer.is_empty();
        let mut room = match buffer.capacity() <= limits::INPUT_BYTES_IDLE {
            true => limits::TLS_READ_BYTES_IDLE,
            false => limits::TLS_READ_BYTES,
        };
        let result = loop {
            match self.opened(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && reads < limits::READS_PER_TURN => {
                }
                // Closed without a word. Whether something is missing is told by the framing of HTTP.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break Ok(0),
                other => break other,
            }
            if may_wait {
                stream.readable().await;
            }
            match self.take(stream, room).await {
                Ok(0) => break Ok(0),
                Ok(count) => (reads, may_wait) = (reads + 1, count < room),
                Err(error) => break Err(error),
            }
            room = limits::TLS_READ_BYTES;
            if let Err(error) = self.flush(stream).await {
                break Err(error);
            }
        };
        (result, buffer)
    }

    /// Writes all of a text.
    pub(crate) async fn write_all(&mut self, stream: &mut Stream, text: &[u8]) -> io::Result<()> {
        let mut rest = text;
        while !rest.is_empty() {
            let taken = self.rustls.writer().write(rest)?;
            rest = rest.get(taken..).unwrap_or_default();
            self.flush(stream).await?;
        }
        Ok(())
    }

    /// Tells the peer that nothing follows.
    pub(crate) async fn close(&mut self, stream: &mut Stream) {
        self.rustls.send_close_notify();
        // A peer that is gone does not want to know.
        let _ = self.flush(stream).await;
    }

    /// Moves decrypted text to `buffer`.
    fn opened(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        let filled = buffer.len();
        // What is made ready here is written twice: no more of a large buffer than one record fills.
        let room = (buffer.capacity() - filled).min(limits::TLS_RECORD_BYTES);
        buffer.resize(filled + room, 0);
        let result = self
            .rustls
            .reader()
            .read(buffer.get_mut(filled..).unwrap_or_default());
        let count = *result.as_ref().unwrap_or(&0);
        self.waiting = count == room && count > 0;
        buffer.truncate(filled + count);
        result
    }

    /// Reads so many bytes from the socket at most, and decrypts.
    async fn take(&mut self, stream: &mut Stream, room: usize) -> io::Result<usize> {
        let (result, bytes) = stream.read(Vec::with_capacity(room)).await;
        let count = result?;
        if let Err(error) = self.take_in(&bytes) {
            // The alert that tells the peer why.
            let _ = self.flush(stream).await;
            return Err(error);
        }
        Ok(count)
    }

    /// Works on what came from the socket: decrypts it, or goes on with the handshake. What the peer shall have for it is
    /// there for [`Session::flush`], also after an error.
    ///
    /// # Errors
    /// The peer is none that is taken, or speaks no TLS.
    pub(crate) fn take_in(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.count(bytes.len())?;
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = self.rustls.read_tls(&mut rest)?;
            let processed = self.rustls.process_new_packets();
            processed.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            if taken == 0 {
                break;
            }
        }
        let _ = self.rustls.read_tls(&mut Nothing);
        Ok(())
    }

    /// Counts bytes that come until the handshake is over.
    fn count(&mut self, bytes: usize) -> io::Result<()> {
        if self.rustls.is_handshaking() {
            self.begun_bytes += bytes;
            if self.begun_bytes > limits::TLS_HANDSHAKE_BYTES_MAX {
                let text = "the handshake is too long";
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
        }
        Ok(())
    }

    /// Writes what rustls has for the socket.
    pub(crate) async fn flush(&mut self, stream: &mut Stream) -> io::Result<()> {
        let mut sealed = std::mem::take(&mut self.sealed);
        while self.rustls.wants_write() {
            self.rustls.write_tls(&mut sealed)?;
        }
        if sealed.is_empty() {
            self.sealed = sealed;
            return Ok(());
        }
        self.is_answered = true;
        let (result, mut sealed) = stream.write_all(sealed).await;
        sealed.clear();
        sealed.shrink_to(limits::INPUT_BYTES_IDLE);
        self.sealed = sealed;
        result
    }
}
