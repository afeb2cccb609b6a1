//! The bytes of one connection, plain or under TLS; who reads and writes them need not know which.

use std::io;
use std::ops::Range;
use std::os::fd::RawFd;

use crate::io::Stream;
use crate::tls::{Certificates, Session};

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

    /// Begins TLS; [`Line::shake_hands`] comes next.
    ///
    /// # Errors
    /// The certificates are none that rustls takes.
    pub(crate) fn secure(&mut self, certificates: &Certificates) -> io::Result<()> {
        self.session = Some(Box::new(Session::new(certificates.config())?));
        Ok(())
    }

    /// Goes on with the handshake by one read at most. True once it is over, or if there is none.
    ///
    /// # Errors
    /// The peer is none that is taken, speaks no TLS, or is gone.
    pub(crate) async fn shake_hands(&mut self) -> io::Result<bool> {
        match &mut self.session {
            None => Ok(true),
            Some(session) => session.shake_hands(&mut self.stream).await,
        }
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
