//! One core: its event loop, its listener, its connections, its desk. Nothing here is shared with another core but the
//! image behind the desk.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};

use crate::conn;
use crate::connections::Connections;
use crate::desk::Desk;
use crate::io::{Accepted, ControlPipe, Core, DriverChoice, DriverReport, Listener, Stream, spawn};
use crate::limits;
use crate::log;
use crate::metrics::Counters;

/// A second has passed.
pub const TICK: u8 = b't';
/// Take no new connections, finish what is in flight.
pub const DRAIN: u8 = b'd';

/// What a worker is started with.
pub struct Setup {
    /// Its bound socket.
    pub listener: std::net::TcpListener,
    /// Its end of the control pipe; the worker ends when the other end is closed.
    pub control: std::os::unix::net::UnixStream,
    /// Which driver to try.
    pub driver: DriverChoice,
    /// Where it decides.
    pub desk: Desk,
    /// What it counts.
    pub counters: Arc<Counters>,
    /// Largest body.
    pub body_bytes_max: usize,
}

/// The buffers of a connection; they outlive it and serve the next one.
#[derive(Default)]
pub(crate) struct Buffers {
    pub(crate) input: Vec<u8>,
    pub(crate) output: Vec<u8>,
}

impl Buffers {
    /// Neither lost to an operation that was cut nor grown by a large request.
    fn worth_keeping(&self) -> bool {
        (limits::INPUT_BYTES_START..=limits::BUFFER_BYTES_KEEP).contains(&self.input.capacity())
            && self.output.capacity() <= limits::BUFFER_BYTES_KEEP
    }
}

/// What the tasks of one core share.
pub(crate) struct Shared {
    pub(crate) connections: RefCell<Connections>,
    pub(crate) desk: RefCell<Desk>,
    pub(crate) draining: Cell<bool>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) body_bytes_max: usize,
    buffers: RefCell<Vec<Buffers>>,
    /// Bytes by which the receive buffers in use exceed their first size.
    grown: Cell<usize>,
    /// The accept task ended.
    closed: Cell<bool>,
    /// The control pipe ended: connections are not waited for.
    abandoned: Cell<bool>,
    /// Woken when a connection closes and at every tick.
    acceptor: Cell<Option<Waker>>,
    /// Woken when the core may have nothing left to do.
    finished: Cell<Option<Waker>>,
    /// Tasks that gave up their turn, and the task that calls them in again.
    waiting: RefCell<Vec<Waker>>,
    usher: Cell<Option<Waker>>,
}

impl Shared {
    pub(crate) fn take_buffers(&self) -> Buffers {
        self.buffers.borrow_mut().pop().unwrap_or_else(|| Buffers {
            input: Vec::with_capacity(limits::INPUT_BYTES_START),
            output: Vec::with_capacity(limits::OUTPUT_BYTES_START),
        })
    }

    /// Whether receive buffers may grow by so many bytes more.
    pub(crate) fn may_grow(&self, by: usize) -> bool {
        self.grown.get().saturating_add(by) <= limits::input_bytes(self.body_bytes_max)
    }

    /// What a connection's receive buffer exceeds its first size by: so much until now, so much from now on.
    pub(crate) fn account(&self, before: usize, now: usize) {
        self.grown
            .set(self.grown.get().saturating_sub(before).saturating_add(now));
    }

    /// The last thing that a connection does.
    pub(crate) fn connection_closed(&self, mut buffers: Buffers) {
        let mut kept = self.buffers.borrow_mut();
        if kept.len() < limits::BUFFERS_KEEP && buffers.worth_keeping() {
            buffers.input.clear();
            buffers.output.clear();
            kept.push(buffers);
        }
        wake(&self.acceptor);
        wake(&self.finished);
    }

    /// Gives up the turn of a task that could go on for ever: on epoll an operation that is ready at once does not wait.
    ///
    /// A task that wakes itself is put at the front of monoio's queue, so another one, the usher, has to wake it.
    pub(crate) async fn let_others_run(&self) {
        let mut first = true;
        poll_fn(|cx| {
            if std::mem::take(&mut first) {
                self.waiting.borrow_mut().push(cx.waker().clone());
                wake(&self.usher);
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
    }

    fn done(&self) -> bool {
        self.abandoned.get() || (self.closed.get() && self.connections.borrow().count() == 0)
    }
}

fn wake(slot: &Cell<Option<Waker>>) {
    if let Some(waker) = slot.take() {
        waker.wake();
    }
}

/// Runs one core on this thread until it is drained or its control pipe ends. `started` hears once how it went.
///
/// Returns with the event loop still alive: the process is about to end, and operations in flight may still point into
/// its buffers.
pub fn run(setup: Setup, started: impl FnOnce(Result<DriverReport, String>)) {
    let (mut core, report) = match Core::build(setup.driver) {
        Ok(built) => built,
        Err(reason) => return started(Err(reason)),
    };
    let uring = core.is_uring();
    let shared = Rc::new(Shared {
        connections: RefCell::default(),
        desk: RefCell::new(setup.desk),
        draining: Cell::new(false),
        counters: setup.counters,
        body_bytes_max: setup.body_bytes_max,
        buffers: RefCell::default(),
        grown: Cell::new(0),
        closed: Cell::new(false),
        abandoned: Cell::new(false),
        acceptor: Cell::new(None),
        finished: Cell::new(None),
        waiting: RefCell::default(),
        usher: Cell::new(None),
    });
    core.run(async {
        let opened = Listener::new(setup.listener, uring)
            .and_then(|listener| Ok((Rc::new(listener), ControlPipe::new(setup.control, uring)?)));
        match opened {
            Ok((listener, pipe)) => {
                started(Ok(report));
                spawn(accept(Rc::clone(&listener), Rc::clone(&shared)));
                spawn(obey(pipe, listener, Rc::clone(&shared)));
                spawn(usher(Rc::clone(&shared)));
                poll_fn(|cx| {
                    if shared.done() {
                        return Poll::Ready(());
                    }
                    shared.finished.set(Some(cx.waker().clone()));
                    Poll::Pending
                })
                .await;
                shared.desk.borrow_mut().finish();
            }
            Err(error) => started(Err(error.to_string())),
        }
    });
    std::mem::forget(core);
}

async fn accept(listener: Rc<Listener>, shared: Rc<Shared>) {
    loop {
        while shared.connections.borrow().count() >= limits::CONNECTIONS_PER_WORKER_MAX
            && !shared.draining.get()
        {
            pause(&shared).await;
        }
        match listener.accept().await {
            Accepted::Stream(stream) => welcome(stream, &shared),
            Accepted::Stopped => break,
            Accepted::Failed(error) => {
                log::line(
                    log::Level::Warn,
                    format_args!("no connection could be accepted: {error}"),
                );
                pause(&shared).await;
            }
        }
    }
    while let Some(stream) = listener.take_waiting() {
        welcome(stream, &shared);
    }
    drop(listener);
    shared.closed.set(true);
    wake(&shared.finished);
}

fn welcome(stream: Stream, shared: &Rc<Shared>) {
    shared.counters.connections.add(1);
    let place = shared.connections.borrow_mut().enter(stream.raw_fd());
    spawn(conn::serve(stream, place, Rc::clone(shared)));
}

/// Waits for the next tick or the next connection that closes.
async fn pause(shared: &Shared) {
    let mut first = true;
    poll_fn(|cx| {
        if std::mem::take(&mut first) {
            shared.acceptor.set(Some(cx.waker().clone()));
            return Poll::Pending;
        }
        Poll::Ready(())
    })
    .await;
}

async fn usher(shared: Rc<Shared>) {
    poll_fn(|cx| {
        shared.waiting.borrow_mut().drain(..).for_each(Waker::wake);
        shared.usher.set(Some(cx.waker().clone()));
        Poll::<()>::Pending
    })
    .await;
}

async fn obey(mut pipe: ControlPipe, listener: Rc<Listener>, shared: Rc<Shared>) {
    let mut listener = Some(listener);
    loop {
        let orders = pipe.next().await;
        if orders.is_empty() {
            break;
        }
        let (tick, drain) = (orders.contains(&TICK), orders.contains(&DRAIN));
        if tick {
            let late = shared.connections.borrow_mut().sweep();
            shared.counters.expired.add(late);
            shared.desk.borrow_mut().refresh();
            wake(&shared.acceptor);
        }
        if drain && let Some(listener) = listener.take() {
            shared.draining.set(true);
            listener.stop();
            wake(&shared.acceptor);
            shared.connections.borrow_mut().end_idle();
        }
    }
    shared.abandoned.set(true);
    wake(&shared.finished);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_buffers_do_not_outlive_their_connection() {
        let worth = |input, output| {
            let buffers = Buffers {
                input: Vec::with_capacity(input),
                output: Vec::with_capacity(output),
            };
            buffers.worth_keeping()
        };
        let (least, most) = (limits::INPUT_BYTES_START, limits::BUFFER_BYTES_KEEP);
        assert!(worth(least, 0) && worth(most, most));
        assert!(!worth(0, 0) && !worth(most + 1, most) && !worth(most, most + 1));
    }
}
