//! The bytes of one connection, plain or under TLS; who reads and writes them need not know which.

use std::io;
use std::ops::Range;
use std::os::fd::RawFd;

use crate::io::Stream;
use crate::limits;
use crate::serve::connections::Cut;
use crate::tls::{Handshakes, Session};

/// What the first record of a client begins with (RFC 8446, 5.1).
const HANDSHAKE: u8 = 22;

/// A connection as those see it who speak HTTP over it.
pub(crate) struct Line {
    stream: Stream,
    session: Option<Box<Session>>,
}

impl Line {
    /// A connection without TLS.
    pub(crate) fn plain(stream: Stream) -> Line {
        Line {
            stream,
            session: None,
        }
    }

    /// Begins TLS, or goes on with its handshake, by one read. True once it is over. `cut` says that nobody waits for it any more.
    ///
    /// # Errors
    /// The peer is none that is taken, speaks no TLS, or is gone.
    pub(crate) async fn shake_hands(&mut self, handshakes: &Handshakes, cut: &Cut) -> io::Result<bool> {
        // Without a buffer, of which those would have one each who are slow.
        self.stream.readable().await;
        let buffer = Vec::with_capacity(limits::TLS_READ_BYTES);
        let (result, bytes) = self.stream.read(buffer).await;
        if result? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let session = match self.session.take() {
            Some(session) => session,
            None if bytes.first() == Some(&HANDSHAKE) => handshakes.session()?,
            // Nothing is made for what is evidently something else.
            None => return Err(io::ErrorKind::InvalidData.into()),
        };
        let (session, worked) = handshakes.work_out(session, bytes, cut).await?;
        let session = self.session.insert(session);
        // After an error, too: the alert that tells the peer why.
        let flushed = session.flush(&mut self.stream).await;
        worked.and(flushed)?;
        Ok(session.is_begun())
    }

    /// The socket below.
    pub(crate) fn socket(&self) -> &Stream {
        &self.stream
    }

    /// The descriptor, valid as long as this lives.
    pub(crate) fn raw_fd(&self) -> RawFd {
        self.stream.raw_fd()
    }

    /// Waits, without a buffer, until there is something to read or the peer sends no more.
    pub(crate) async fn readable(&self) {
        if self.session.as_ref().is_some_and(|session| session.is_waiting()) {
            return;
        }
        self.stream.readable().await;
    }

    /// Reads into the spare capacity of `buffer`, of which there must be some. 0: the peer sends no more. `WouldBlock`: what
    /// the peer sent had no text in it, and the others should get their turn.
    pub(crate) async fn read(&mut self, buffer: Vec<u8>) -> (io::Result<usize>, Vec<u8>) {
        match &mut self.session {
            None => self.stream.read(buffer).await,
            Some(session) => session.read(&mut self.stream, buffer).await,
        }
    }

    /// Writes a part of `buffer`, which must have it.
    pub(crate) async fn write_part(
        &mut self,
        buffer: Vec<u8>,
        part: Range<usize>,
    ) -> (io::Result<()>, Vec<u8>) {
        match &mut self.session {
            None => self.stream.write_part(buffer, part).await,
            Some(session) => {
                let text = buffer.get(part).unwrap_or_default();
                (session.write_all(&mut self.stream, text).await, buffer)
            }
        }
    }

    /// Writes a text that never goes away, from where it is.
    pub(crate) async fn write_static(&mut self, text: &'static [u8]) -> io::Result<()> {
        match &mut self.session {
            None => self.stream.write_static(text).await,
            Some(session) => session.write_all(&mut self.stream, text).await,
        }
    }

    /// Tells a peer under TLS that nothing follows. The socket stays open.
    pub(crate) async fn close(&mut self) {
        if let Some(session) = &mut self.session {
            session.close(&mut self.stream).await;
        }
    }
}
