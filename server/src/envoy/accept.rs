//! Listening sockets for Envoy, and how connections are dealt: in turn, because an Envoy has few that live long.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError, mpsc, watch};

use crate::envoy::Protocol;
use crate::envoy::seats::{Seats, Taken};
use crate::envoy::thread::Stage;
use crate::error::reason_and_limit;
use crate::limits;
use crate::log::{self, Level};
use crate::tls::Certificates;

/// A bound socket, and how connections to it go.
pub(super) struct Door {
    pub(super) listener: Listener,
    pub(super) manner: Manner,
    pub(super) dealer: Arc<Dealer>,
}

/// A bound socket that does not block.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A connection on its way to its thread.
pub(super) struct Accepted {
    pub(super) socket: Socket,
    pub(super) manner: Manner,
    /// One of the connections that there may be at a time, and what is known of it.
    pub(super) taken: Taken,
}

/// What is spoken over a connection, and with what it begins.
#[derive(Clone)]
pub(super) struct Manner {
    pub(super) protocol: Protocol,
    /// Of connections to an address, where they begin with TLS.
    pub(super) certificates: Option<Arc<Certificates>>,
}

/// A connected socket that does not block.
pub(super) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// The threads that take connections.
pub(super) struct Dealer {
    threads: Vec<mpsc::UnboundedSender<Accepted>>,
    next: AtomicUsize,
    permits: Arc<Semaphore>,
    seats: Arc<Seats>,
    /// When it was said that all permits are given.
    crowded: log::Seldom,
}

impl Dealer {
    /// Deals to `threads`, at most so many connections at a time.
    pub(super) fn new(threads: Vec<mpsc::UnboundedSender<Accepted>>, connections_max: usize) -> Dealer {
        Dealer {
            threads,
            next: AtomicUsize::new(0),
            permits: Arc::new(Semaphore::new(connections_max.min(Semaphore::MAX_PERMITS))),
            seats: Arc::default(),
            crowded: log::Seldom::default(),
        }
    }

    /// A permit for one more connection; where all are given, that of one which asks for nothing. Nothing: never again.
    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => return Some(permit),
            Err(TryAcquireError::Closed) => return None,
            Err(TryAcquireError::NoPermits) => {}
        }
        let newcomer = self.seats.newcomer();
        loop {
            newcomer.free_one();
            if self.crowded.is_due() {
                let text = "Envoys have as many connections as there may be (--envoy-max-connections): for each that comes, one goes that \
                            asks for nothing";
                log::line(Level::Warn, format_args!("{text}"));
            }
            let permit = Arc::clone(&self.permits).acquire_owned();
            // Who was told to go may take its time.
            if let Ok(permit) = tokio::time::timeout(Duration::from_secs(1), permit).await {
                return permit.ok();
            }
        }
    }

    /// Without a permit when the server ends, and it matters no more how many there are.
    fn deal(&self, socket: Socket, manner: &Manner, permit: Option<OwnedSemaphorePermit>) {
        let accepted = Accepted {
            socket,
            manner: manner.clone(),
            taken: self.seats.take(permit),
        };
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        if let Some(thread) = self.threads.get(turn % self.threads.len().max(1)) {
            // A thread that is gone ends the process anyway.
            let _ = thread.send(accepted);
        }
    }
}

/// Starts to accept, on this thread's runtime, until the server drains.
///
/// # Errors
/// The socket cannot be watched.
pub(super) fn open(door: Door, mut stage: watch::Receiver<Stage>) -> io::Result<()> {
    let source = match door.listener {
        Listener::Tcp(listener) => Source::Tcp(tokio::net::TcpListener::from_std(listener)?),
        Listener::Unix(listener) => Source::Unix(tokio::net::UnixListener::from_std(listener)?),
    };
    let (manner, dealer) = (door.manner, door.dealer);
    tokio::task::spawn_local(async move {
        let mut waiting = None;
        let draining = stage.wait_for(|stage| *stage >= Stage::Draining);
        tokio::select! {
            _ = draining => {}
            () = accept(&source, &manner, &dealer, &mut waiting) => {}
        }
        // Who is connected already is not reset, but told that the server drains.
        let accepted = waiting.into_iter().chain(source.rest());
        for socket in accepted.take(1 + limits::LISTEN_BACKLOG as usize) {
            let permit = Arc::clone(&dealer.permits).try_acquire_owned().ok();
            dealer.deal(socket, &manner, permit);
        }
    });
    Ok(())
}

/// Deals connections that come. One that has no permit yet is `waiting`, so that it outlives this.
async fn accept(source: &Source, manner: &Manner, dealer: &Dealer, waiting: &mut Option<Socket>) {
    loop {
        match source.accept().await {
            Ok(socket) => {
                *waiting = Some(socket);
                let Some(permit) = dealer.permit().await else {
                    return;
                };
                if let Some(socket) = waiting.take() {
                    dealer.deal(socket, manner, Some(permit));
                }
            }
            Err(error) => {
                log::line(
                    Level::Warn,
                    format_args!(
                        "no connection of Envoy could be accepted: {}",
                        reason_and_limit(&error)
                    ),
                );
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

enum Source {
    Tcp(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener),
}

impl Source {
    async fn accept(&self) -> io::Result<Socket> {
        Ok(match self {
            Source::Tcp(listener) => Socket::Tcp(listener.accept().await?.0.into_std()?),
            Source::Unix(listener) => Socket::Unix(listener.accept().await?.0.into_std()?),
        })
    }

    /// Those that are connected now, of a listening socket that ends with this.
    fn rest(self) -> impl Iterator<Item = Socket> {
        // A runtime that cannot give it back has none.
        let listener = match self {
            Source::Tcp(listener) => listener.into_std().ok().map(Listener::Tcp),
            Source::Unix(listener) => listener.into_std().ok().map(Listener::Unix),
        };
        std::iter::from_fn(move || listener.as_ref()?.accept().ok())
    }
}

impl Listener {
    /// One that is connected already, or an error at once.
    fn accept(&self) -> io::Result<Socket> {
        Ok(match self {
            Listener::Tcp(listener) => {
                let stream = listener.accept()?.0;
                stream.set_nonblocking(true)?;
                Socket::Tcp(stream)
            }
            Listener::Unix(listener) => {
                let stream = listener.accept()?.0;
                stream.set_nonblocking(true)?;
                Socket::Unix(stream)
            }
        })
    }
}
