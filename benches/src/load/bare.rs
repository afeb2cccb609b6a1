//! The least that can be called a server: one thread, an `epoll`, the same bytes for every request without a look at it. Its
//! latencies under a load are those of the machine, the kernel's sockets and the generator; what a server has beyond them
//! is its own.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

use super::run::pin;

/// Events that are taken from the kernel at once.
const EVENTS_MAX: usize = 256;

/// What marks the listener among the events; connections are counted from 0.
const LISTENER: u64 = u64::MAX;

/// Bytes that are read at once.
const READ_BYTES: usize = 16 << 10;

/// How often the thread looks whether it shall end.
const LOOK_NS: i64 = 50_000_000;

/// What a server does that is late by itself.
#[derive(Clone, Copy, Debug)]
pub struct Dawdle {
    /// How often.
    pub every: Duration,
    /// How long its thread has the processor and answers nobody.
    pub busy: Duration,
}

impl Dawdle {
    /// Dawdles, if it is time, which it is not before `last` is so long ago; when it began to.
    fn after(self, last: Instant) -> Option<Instant> {
        let now = Instant::now();
        if now - last < self.every {
            return None;
        }
        while now.elapsed() < self.busy {
            std::hint::spin_loop();
        }
        Some(now)
    }
}

/// A socket that listens, before anybody serves it: what its requests look like depends on its port.
#[derive(Debug)]
pub struct Bare {
    listener: TcpListener,
    /// Its port on the loopback interface.
    pub port: u16,
}

/// A served one; ends with the value.
#[derive(Debug)]
pub struct BareServed {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<Vec<Instant>, String>>>,
}

struct Connection {
    stream: TcpStream,
    /// Bytes of a request whose rest has not come.
    pending_bytes: usize,
}

impl Bare {
    /// On a free port.
    ///
    /// # Errors
    /// What the system says.
    pub fn bind() -> Result<Bare, String> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(|error| error.to_string())?;
        listener
            .set_nonblocking(true)
            .map_err(|error| error.to_string())?;
        let port = listener.local_addr().map_err(|error| error.to_string())?.port();
        Ok(Bare { listener, port })
    }

    /// Answers every `request_bytes` bytes of a connection with `answer`, on this processor, and dawdles if it shall.
    #[must_use]
    pub fn serve(
        self,
        core: Option<usize>,
        request_bytes: usize,
        answer: Vec<u8>,
        dawdle: Option<Dawdle>,
    ) -> BareServed {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            if let Some(core) = core {
                pin(core)?;
            }
            answer_all(&self.listener, request_bytes.max(1), &answer, dawdle, &seen)
                .map_err(|error| error.to_string())
        });
        BareServed {
            stop,
            thread: Some(thread),
        }
    }
}

impl BareServed {
    /// Ends it; when it began to dawdle, each time.
    ///
    /// # Errors
    /// What ended it before.
    pub fn stop(mut self) -> Result<Vec<Instant>, String> {
        self.stop.store(true, Ordering::Relaxed);
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(ended)) => ended,
            _ => Err("the bare server's thread panicked".to_owned()),
        }
    }
}

impl Drop for BareServed {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn answer_all(
    listener: &TcpListener,
    request_bytes: usize,
    answer: &[u8],
    dawdle: Option<Dawdle>,
    stop: &AtomicBool,
) -> std::io::Result<Vec<Instant>> {
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut events: Vec<Event> = Vec::with_capacity(EVENTS_MAX);
    let mut scratch = vec![0; READ_BYTES];
    let look = Timespec {
        tv_sec: 0,
        tv_nsec: LOOK_NS,
    };
    let began = Instant::now();
    let mut dawdled = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let last = dawdled.last().copied().unwrap_or(began);
        dawdled.extend(dawdle.and_then(|dawdle| dawdle.after(last)));
        events.clear();
        epoll::wait(&epoll, rustix::buffer::spare_capacity(&mut events), Some(&look))?;
        for event in &events {
            if event.data.u64() == LISTENER {
                while let Ok((stream, _)) = listener.accept() {
                    stream.set_nonblocking(true)?;
                    stream.set_nodelay(true)?;
                    let at = EventData::new_u64(connections.len() as u64);
                    epoll::add(&epoll, &stream, at, EventFlags::IN)?;
                    connections.push(Some(Connection {
                        stream,
                        pending_bytes: 0,
                    }));
                }
                continue;
            }
            let at = usize::try_from(event.data.u64()).unwrap_or(usize::MAX);
            let Some(slot) = connections.get_mut(at) else {
                continue;
            };
            let is_open = slot
                .as_mut()
                .is_some_and(|connection| connection.answer(&mut scratch, request_bytes, answer));
            if !is_open {
                *slot = None;
            }
        }
    }
    Ok(dawdled)
}

impl Connection {
    /// Reads once and answers what is whole; whether the connection goes on.
    fn answer(&mut self, scratch: &mut [u8], request_bytes: usize, answer: &[u8]) -> bool {
        match self.stream.read(scratch) {
            Ok(0) => return false,
            Ok(bytes) => self.pending_bytes += bytes,
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
        }
        while self.pending_bytes >= request_bytes {
            self.pending_bytes -= request_bytes;
            // Answers are small and each is awaited: a socket that does not take one belongs to nobody who measures.
            if self.stream.write_all(answer).is_err() {
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_dawdles_does_so_when_it_is_time() {
        let dawdle = Dawdle {
            every: Duration::from_secs(3600),
            busy: Duration::from_millis(2),
        };
        let now = Instant::now();
        assert_eq!(dawdle.after(now), None);
        let due = Dawdle {
            every: Duration::ZERO,
            ..dawdle
        };
        let began = due.after(now).unwrap();
        assert!(began >= now && began.elapsed() >= due.busy);
    }
}
