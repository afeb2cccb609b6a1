//! The bytes of one connection, plain or under TLS; who reads and writes them need not know which.

use std::io;
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

    /// Begins TLS.
    ///
    /// # Errors
    /// The peer is none that is taken, speaks no TLS, or is gone.
    pub(crate) async fn secure(&mut self, certificates: &Certificates) -> io::Result<()> {
        let mut session = Box::new(Session::new(certificates.config())?);
        session.shake_hands(&mut self.stream).await?;
        self.session = Some(session);
        Ok(())
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

    /// Reads into the spare capacity of `buffer`, of which there must be some. 0: the peer sends no more.
    pub(crate) async fn read(&mut self, buffer: Vec<u8>) -> (io::Result<usize>, Vec<u8>) {
        match &mut self.session {
            None => self.stream.read(buffer).await,
            Some(session) => session.read(&mut self.stream, buffer).await,
        }
    }

    /// Writes all of `buffer`.
    pub(crate) async fn write_all(&mut self, buffer: Vec<u8>) -> (io::Result<()>, Vec<u8>) {
        match &mut self.session {
            None => self.stream.write_all(buffer).await,
            Some(session) => (session.write_all(&mut self.stream, &buffer).await, buffer),
        }
    }

    /// Tells a peer under TLS that nothing follows. The socket stays open.
    pub(crate) async fn close(&mut self) {
        if let Some(session) = &mut self.session {
            session.close(&mut self.stream).await;
        }
    }
}
