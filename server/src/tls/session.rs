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
        })
    }

    /// Whether a read may give something without waiting for the socket.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting
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
        let result = loop {
            match self.opened(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && reads < limits::READS_PER_TURN => {
                }
                // Closed without a word. Whether something is missing is told by the framing of HTTP.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break Ok(0),
                other => break other,
            }
            match self.take(stream).await {
                Ok(0) => break Ok(0),
                Ok(_) => reads += 1,
                Err(error) => break Err(error),
            }
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

    /// Reads from the socket and decrypts.
    async fn take(&mut self, stream: &mut Stream) -> io::Result<usize> {
        let (result, bytes) = stream.read(Vec::with_capacity(limits::TLS_READ_BYTES)).await;
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
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = self.rustls.read_tls(&mut rest)?;
            let processed = self.rustls.process_new_packets();
            processed.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            if taken == 0 {
                break;
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
        let (result, mut sealed) = stream.write_all(sealed).await;
        sealed.clear();
        sealed.shrink_to(limits::TLS_READ_BYTES);
        self.sealed = sealed;
        result
    }
}
