//! Sockets of one core: owned buffers in, owned buffers out.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;

use monoio::buf::{IoBuf as _, IoBufMut as _};
use monoio::io::{AsyncReadRent, AsyncWriteRentExt, Canceller};
use socket2::SockRef;

use crate::sys;

/// A bound socket.
#[derive(Debug)]
pub enum Bound {
    /// At an address.
    Tcp(std::net::TcpListener),
    /// In the file system; if users are named, only their processes are served.
    Unix(std::os::unix::net::UnixListener, Arc<[u32]>),
}

/// What [`Listener::accept`] yields.
pub enum Accepted {
    /// A connection.
    Stream(Stream),
    /// A process of a user that is not served.
    Stranger(u32),
    /// The kernel refused to hand one over.
    Failed(io::Error),
    /// [`Listener::stop`] was called.
    Stopped,
}

/// A listening socket. Exactly one task accepts from it.
pub struct Listener {
    inner: Inner,
    /// The same socket, for what still waits in its queue when accepting has stopped.
    queue: Bound,
    uring: bool,
    canceller: RefCell<Option<Canceller>>,
}

enum Inner {
    Tcp(monoio::net::TcpListener),
    Unix(monoio::net::UnixListener),
}

impl Bound {
    /// The same socket once more.
    ///
    /// # Errors
    /// No descriptor is left.
    pub fn try_clone(&self) -> io::Result<Bound> {
        Ok(match self {
            Bound::Tcp(listener) => Bound::Tcp(listener.try_clone()?),
            Bound::Unix(listener, users) => Bound::Unix(listener.try_clone()?, Arc::clone(users)),
        })
    }

    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        match self {
            Bound::Tcp(listener) => listener.set_nonblocking(nonblocking),
            Bound::Unix(listener, _) => listener.set_nonblocking(nonblocking),
        }
    }

    /// Whose processes alone are served. Without names everybody is who may connect.
    fn users(&self) -> &[u32] {
        match self {
            Bound::Tcp(_) => &[],
            Bound::Unix(_, users) => users,
        }
    }
}

impl Listener {
    /// Takes over a bound socket. Must be called inside [`super::Core::run`] of `uring`'s core.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn new(bound: Bound, uring: bool) -> io::Result<Listener> {
        // io_uring waits in the kernel, which a non-blocking socket would forbid; epoll needs one.
        bound.set_nonblocking(!uring)?;
        let queue = bound.try_clone()?;
        let inner = match bound {
            Bound::Tcp(listener) => Inner::Tcp(monoio::net::TcpListener::from_std(listener)?),
            Bound::Unix(listener, _) => Inner::Unix(monoio::net::UnixListener::from_std(listener)?),
        };
        Ok(Listener {
            inner,
            queue,
            uring,
            canceller: RefCell::new(Some(Canceller::new())),
        })
    }

    /// The next connection.
    pub async fn accept(&self) -> Accepted {
        let Some(handle) = self.canceller.borrow().as_ref().map(Canceller::handle) else {
            return Accepted::Stopped;
        };
        let accepted = match &self.inner {
            Inner::Tcp(listener) => {
                let accepted = listener.cancelable_accept(handle).await;
                let is_local = false;
                accepted.map(|(inner, _)| Accepted::Stream(Stream { inner, is_local }))
            }
            Inner::Unix(listener) => {
                let accepted = listener.cancelable_accept(handle).await;
                accepted.and_then(|(stream, _)| self.local(stream))
            }
        };
        match accepted {
            Ok(accepted) => accepted,
            Err(_) if self.canceller.borrow().is_none() => Accepted::Stopped,
            Err(error) => Accepted::Failed(error),
        }
    }

    /// Ends accepting. A connection that arrives at the same moment is still yielded.
    pub fn stop(&self) {
        if let Some(canceller) = self.canceller.borrow_mut().take() {
            canceller.cancel();
        }
    }

    /// A connection over a unix socket, if its peer is served.
    fn local(&self, stream: monoio::net::UnixStream) -> io::Result<Accepted> {
        let users = self.queue.users();
        if !users.is_empty() {
            let user = stream.peer_cred()?.uid();
            if !users.contains(&user) {
                return Ok(Accepted::Stranger(user));
            }
        }
        // Nothing is asked of a socket that is known: whoever opens connections and leaves takes no more time than has to be.
        let inner = monoio::net::TcpStream::from_std(sys::stream_of(stream))?;
        let is_local = true;
        Ok(Accepted::Stream(Stream { inner, is_local }))
    }

    /// A connection that was complete before accepting stopped. Only after [`Accepted::Stopped`].
    pub fn take_waiting(&self) -> Option<Stream> {
        self.queue.set_nonblocking(true).ok()?;
        let stream = match &self.queue {
            Bound::Tcp(listener) => listener.accept().ok()?.0,
            // Who it is was not asked; a process that ends has no time for strangers.
            Bound::Unix(_, users) if !users.is_empty() => return None,
            Bound::Unix(listener, _) => sys::stream_of(listener.accept().ok()?.0),
        };
        Stream::adopt(stream, self.uring).ok()
    }
}

/// A connection.
pub struct Stream {
    inner: monoio::net::TcpStream,
    is_local: bool,
}

impl Stream {
    /// Takes over a connection that was accepted elsewhere. Must be called inside [`super::Core::run`] of `uring`'s core.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn adopt(stream: std::net::TcpStream, uring: bool) -> io::Result<Stream> {
        stream.set_nonblocking(!uring)?;
        // Asked while it is a socket of any kind: monoio takes it for one of TCP, and cannot say.
        let is_local = SockRef::from(&stream).local_addr()?.is_unix();
        let inner = monoio::net::TcpStream::from_std(stream)?;
        Ok(Stream { inner, is_local })
    }

    /// The descriptor, valid as long as this stream lives.
    #[must_use]
    pub fn raw_fd(&self) -> RawFd {
        self.inner.as_raw_fd()
    }

    /// Whether the peer is on this machine, over a unix socket.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.is_local
    }

    /// Waits, without a buffer, until there is something to read or the peer sends no more.
    ///
    /// On io_uring this is an operation of its own before the read, on epoll a system call more.
    pub async fn readable(&self) {
        // Whatever fails here fails again for the read that follows.
        let _ = self.inner.readable(false).await;
    }

    /// Lets everything else that is ready on this core run. On io_uring only: the completions of other connections are
    /// not seen before the core waits for one of its own, such as this one, that the socket takes more output.
    pub async fn pause(&self) {
        let _ = self.inner.writable(true).await;
    }

    /// Gives the connection up, so that another core can take it.
    pub fn release(self) -> std::net::TcpStream {
        sys::stream_of(self.inner)
    }

    /// Reads into the spare capacity of `buffer`, of which there must be some. 0: the peer sends no more.
    pub async fn read(&mut self, buffer: Vec<u8>) -> (io::Result<usize>, Vec<u8>) {
        let (filled, capacity) = (buffer.len(), buffer.capacity());
        let (result, slice) = self.inner.read(buffer.slice_mut(filled..capacity)).await;
        let mut buffer = slice.into_inner();
        if result.is_err() {
            buffer.truncate(filled);
        }
        (result, buffer)
    }

    /// Writes all of `buffer`.
    pub async fn write_all(&mut self, buffer: Vec<u8>) -> (io::Result<()>, Vec<u8>) {
        let (result, buffer) = self.inner.write_all(buffer).await;
        (result.map(drop), buffer)
    }

    /// Writes a part of `buffer`, which must have it.
    pub async fn write_part(&mut self, buffer: Vec<u8>, part: Range<usize>) -> (io::Result<()>, Vec<u8>) {
        let (result, slice) = self.inner.write_all(buffer.slice(part)).await;
        (result.map(drop), slice.into_inner())
    }

    /// Writes a text that never goes away, from where it is.
    pub async fn write_static(&mut self, text: &'static [u8]) -> io::Result<()> {
        self.inner.write_all(text).await.0.map(drop)
    }
}

/// The worker's end of the pipe over which the control thread speaks.
pub struct ControlPipe {
    inner: monoio::net::UnixStream,
    buffer: Vec<u8>,
}

impl ControlPipe {
    /// Takes over one end of a socket pair. Must be called inside [`super::Core::run`].
    ///
    /// # Errors
    /// What the kernel says.
    pub fn new(stream: std::os::unix::net::UnixStream, uring: bool) -> io::Result<ControlPipe> {
        stream.set_nonblocking(!uring)?;
        let inner = monoio::net::UnixStream::from_std(stream)?;
        Ok(ControlPipe {
            inner,
            buffer: Vec::with_capacity(64),
        })
    }

    /// The next bytes; empty once the other end is gone.
    pub async fn next(&mut self) -> &[u8] {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let (result, buffer) = self.inner.read(buffer).await;
        self.buffer = buffer;
        match result {
            Ok(read) => self.buffer.get(..read).unwrap_or_default(),
            Err(_) => &[],
        }
    }
}

/// Starts a task on this core. It ends by itself or with the process.
pub fn spawn(task: impl Future<Output = ()> + 'static) {
    drop(monoio::spawn(task));
}
