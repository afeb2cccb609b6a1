//! Which requests have begun on a connection, and how long a head over HTTP/1.1 may take from its first byte. hyper has one time
//! for a head and for the silence in front of it, so bytes are watched on their way to it.
//!
//! A head that begins within the bytes which end the request before it is not seen to begin: it has that one time, as silence
//! has.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::limits;

/// What comes in on one connection.
#[derive(Debug, Default)]
pub(super) struct Heads {
    /// When the first byte of a head came whose end has not come.
    begun: Cell<Option<Instant>>,
    /// Requests that have no answer yet. Over HTTP/1.1, what comes while there is one is its body.
    unanswered: Cell<usize>,
    /// Whether there was a request ever.
    was_asked: Cell<bool>,
    /// The connection takes no more requests than those that have begun.
    goes: Cell<bool>,
}

/// A request from the end of its head to its answer: until this is dropped.
#[must_use]
pub(super) struct Unanswered(Rc<Heads>);

impl Heads {
    /// A head is complete.
    pub(super) fn asked(self: &Rc<Heads>) -> Unanswered {
        self.begun.set(None);
        self.unanswered.set(self.unanswered.get() + 1);
        self.was_asked.set(true);
        Unanswered(Rc::clone(self))
    }

    /// Whether there is a request without its answer, be its message here or on its way.
    pub(super) fn is_asked(&self) -> bool {
        self.unanswered.get() > 0
    }

    /// For how long a head has been here in part; nothing where none is.
    pub(super) fn age_of_half(&self) -> Option<Duration> {
        self.begun.get().map(|begun| begun.elapsed())
    }

    /// The next answer is the last.
    pub(super) fn go(&self) {
        self.goes.set(true);
    }

    /// Whether an answer is the last.
    pub(super) fn is_last(&self) -> bool {
        self.goes.get()
    }

    fn came(&self) {
        if !self.is_asked() && self.begun.get().is_none() {
            self.begun.set(Some(Instant::now()));
        }
    }

    /// Ends, within a second, once a head takes too long.
    pub(super) async fn overdue(&self) {
        let time = Duration::from_secs(limits::HEAD_SECONDS);
        let is_overdue = || self.age_of_half().is_some_and(|age| age >= time);
        while !is_overdue() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// Ends if no request came in the time that a connection may be silent; else never.
    pub(super) async fn never_asked(&self) {
        tokio::time::sleep(Duration::from_secs(limits::IDLE_SECONDS)).await;
        if self.was_asked.get() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        self.0.unanswered.set(self.0.unanswered.get() - 1);
    }
}

/// A connection whose bytes are watched on their way in.
pub(super) struct Watched<S> {
    stream: S,
    heads: Rc<Heads>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, heads: &Rc<Heads>) -> Watched<S> {
        Watched {
            stream,
            heads: Rc::clone(heads),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = bytes.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(cx, bytes);
        if bytes.filled().len() > before {
            self.heads.came();
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
