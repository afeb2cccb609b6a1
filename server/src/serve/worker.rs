//! One core: its event loop, its listener, its connections, its desk. Nothing here is shared with another core but the
//! image behind the desk.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};

use crate::audit::{Acks, Promises};
use crate::clock;
use crate::io::{Accepted, Bound, ControlPipe, Core, DriverChoice, DriverReport, Listener, Stream, spawn};
use crate::limits;
use crate::log;
use crate::metrics::Counters;
use crate::opa;
use crate::serve::bounds::Bounds;
use crate::serve::conn;
use crate::serve::connections::{Connections, Place, Waits};
use crate::serve::deal::Dealer;
use crate::serve::desk::Desk;
use crate::serve::pool::Pool;
use crate::sys;
use crate::tls::{Certificates, Handshakes};

/// A second has passed.
pub const TICK: u8 = b't';
/// Say that this process is not ready, and serve on.
pub const LEAVE: u8 = b'l';
/// Take no new connections, finish what is in flight.
pub const DRAIN: u8 = b'd';

/// What a worker is started with.
pub struct Setup {
    /// Its bound sockets.
    pub doors: Vec<Bound>,
    /// With what connections at addresses begin TLS, if they do.
    pub certificates: Option<Arc<Certificates>>,
    /// Its end of the control pipe; the worker ends when the other end is closed.
    pub control: std::os::unix::net::UnixStream,
    /// Which driver to try.
    pub driver: DriverChoice,
    /// Where it decides.
    pub desk: Desk,
    /// What it counts.
    pub counters: Arc<Counters>,
    /// What clients may take.
    pub bounds: Bounds,
    /// The address that clients know the service by.
    pub public_url: Option<Arc<str>>,
    /// OPA's data API is served, with this default decision.
    pub opa: Option<opa::Decision>,
    /// Who has how many connections, if there are several workers.
    pub dealer: Option<Dealer>,
}

/// What the tasks of one core share.
pub(crate) struct Shared {
    pub(crate) connections: RefCell<Connections>,
    pub(crate) desk: RefCell<Desk>,
    /// What became of the records, where answers wait for that.
    pub(crate) acks: Option<Acks>,
    pub(crate) draining: Cell<bool>,
    /// The process is about to drain.
    pub(crate) leaving: Cell<bool>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) bounds: Bounds,
    /// Requests that are worked on.
    pub(crate) in_flight: Cell<usize>,
    pub(crate) public_url: Option<Arc<str>>,
    /// Where connections at addresses begin TLS, if they do.
    pub(crate) handshakes: Option<Handshakes>,
    /// Where documents are evaluated, if OPA's data API is served.
    pub(crate) opa: Option<opa::Service>,
    /// Receive buffers for what is large.
    pub(crate) inputs: Pool,
    /// Send buffers.
    pub(crate) outputs: Pool,
    dealer: Option<Dealer>,
    /// Completions are seen only while the core waits for one.
    uring: bool,
    /// Bytes by which the receive buffers in use exceed their first size.
    grown: Cell<usize>,
    /// Bytes of large answers that wait to be taken.
    held: Cell<usize>,
    /// Bytes that batches keep between their turns.
    pub(crate) kept: Cell<usize>,
    /// Accept tasks that have not ended.
    open_doors: Cell<usize>,
    /// The control pipe ended: connections are not waited for.
    abandoned: Cell<bool>,
    /// Accept tasks that pause: woken when a connection closes and at every tick.
    pausing: RefCell<Vec<Waker>>,
    /// Woken when the core may have nothing left to do.
    finished: Cell<Option<Waker>>,
    /// When it was said that there are as many connections as there may be.
    crowded: log::Seldom,
    /// Tasks that gave up their turn, and the task that calls them in again.
    waiting: RefCell<Vec<Waker>>,
    usher: Cell<Option<Waker>>,
}

impl Shared {
    /// Whether receive buffers may grow by so many bytes more.
    pub(crate) fn may_grow(&self, by: usize) -> bool {
        self.grown.get().saturating_add(by) <= limits::input_bytes(self.bounds.body_bytes)
    }

    /// Whether no further request can be worked on.
    pub(crate) fn is_full(&self) -> bool {
        self.in_flight.get() >= self.bounds.in_flight
    }

    /// Whether no further request can be worked on that may get a large answer.
    pub(crate) fn is_full_of_answers(&self) -> bool {
        self.is_full() || self.held.get() >= limits::OUTPUT_BYTES_PER_WORKER
    }

    /// What a connection's receive buffer exceeds its first size by: so much until now, so much from now on.
    pub(crate) fn account(&self, before: usize, now: usize) {
        self.grown
            .set(self.grown.get().saturating_sub(before).saturating_add(now));
    }

    /// The last thing that a connection does.
    pub(crate) fn connection_closed(&self) {
        if let Some(dealer) = &self.dealer {
            dealer.left();
        }
        self.wake_acceptors();
        wake(&self.finished);
    }

    /// Each door has a task of its own, and all of them may pause.
    fn wake_acceptors(&self) {
        let pausing = std::mem::take(&mut *self.pausing.borrow_mut());
        pausing.into_iter().for_each(Waker::wake);
    }

    /// A connection is busy for as long as that takes.
    pub(crate) fn watch_nothing(&self, place: Place) {
        self.connections.borrow_mut().keep_busy(place, u64::MAX);
    }

    /// A connection is busy for at most so many seconds.
    pub(crate) fn watch_for(&self, place: Place, seconds: u64) {
        let mut connections = self.connections.borrow_mut();
        let deadline = connections.deadline(seconds);
        connections.keep_busy(place, deadline);
    }

    /// A connection begins TLS.
    pub(crate) fn watch_handshake(&self, place: Place) {
        let mut connections = self.connections.borrow_mut();
        let deadline = connections.deadline(limits::HEAD_SECONDS);
        connections.wait(place, (Waits::Head, false), deadline);
    }

    /// Waits for the records of the answers in a connection's buffer where an answer needs one. False if nothing of it may
    /// be sent.
    pub(crate) async fn keep(&self, place: Place, promises: &mut Promises, output: &mut Vec<u8>) -> bool {
        let Some(acks) = self.acks.as_ref().filter(|_| !promises.is_empty()) else {
            return true;
        };
        self.watch_for(place, limits::WRITE_SECONDS);
        let settled = promises.settle(acks, output).await;
        self.counters.grants_revoked.add(settled.unwrap_or(0));
        settled.is_some()
    }

    /// Waits until it is known what became of the record with this ticket: whether it is where it has to be.
    pub(crate) async fn is_recorded(&self, place: Place, ticket: u64) -> bool {
        let Some(acks) = &self.acks else {
            return true;
        };
        self.watch_for(place, limits::WRITE_SECONDS);
        acks.recorded(ticket).await
    }

    /// Gives up the turn of a task that could go on for ever: on epoll an operation that is ready at once does not wait.
    ///
    /// A task that wakes itself is put at the front of monoio's queue, so another one, the usher, has to wake it.
    pub(crate) async fn let_others_run(&self, stream: &Stream) {
        if self.uring {
            return stream.pause().await;
        }
        self.be_called_in().await;
    }

    /// Goes behind all tasks that could go on now.
    async fn be_called_in(&self) {
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

    /// Gives up the turn of a task that has just read or written. On io_uring it had to wait for that already.
    pub(crate) async fn step_aside(&self, stream: &Stream) {
        if !self.uring {
            self.let_others_run(stream).await;
        }
    }

    /// So many bytes of a large answer wait to be taken, until [`Shared::let_go`].
    pub(crate) fn hold(&self, bytes: usize) {
        self.held.set(self.held.get().saturating_add(bytes));
    }

    /// They were taken, or never will be.
    pub(crate) fn let_go(&self, bytes: usize) {
        self.held.set(self.held.get().saturating_sub(bytes));
    }

    /// Between two slices of a batch: the others run, and the audit thread gets the time to make room. Returns the time.
    pub(crate) async fn next_slice(&self, stream: &Stream) -> u64 {
        self.let_others_run(stream).await;
        let begun_ns = clock::monotonic_ns();
        let mut now_ns = begun_ns;
        while now_ns.saturating_sub(begun_ns) < limits::BATCH_PACE_NS && !self.desk.borrow().is_roomy() {
            // The audit thread may need this core, and a thread of short turns gives away next to nothing by yielding.
            std::thread::sleep(std::time::Duration::from_micros(limits::AUDIT_LOOK_US));
            self.let_others_run(stream).await;
            now_ns = clock::monotonic_ns();
        }
        now_ns
    }

    fn done(&self) -> bool {
        self.abandoned.get() || (self.open_doors.get() == 0 && self.connections.borrow().count() == 0)
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
    sys::short_turns();
    let (mut core, report) = match Core::build(setup.driver) {
        Ok(built) => built,
        Err(reason) => return started(Err(reason)),
    };
    let uring = core.is_uring();
    let mut dealer = setup.dealer;
    let bell = dealer.as_mut().and_then(Dealer::bell);
    let mut desk = setup.desk;
    let (acks, audit_bell) = desk.acks().unzip();
    let (handshakes, handshake_bell) = match setup.certificates.map(Handshakes::start).transpose() {
        Ok(handshakes) => handshakes.unzip(),
        Err(error) => return started(Err(format!("the thread of handshakes: {error}"))),
    };
    let shared = Rc::new(Shared {
        connections: RefCell::default(),
        desk: RefCell::new(desk),
        acks,
        draining: Cell::new(false),
        leaving: Cell::new(false),
        counters: setup.counters,
        bounds: setup.bounds,
        in_flight: Cell::new(0),
        public_url: setup.public_url,
        handshakes,
        opa: setup.opa.map(opa::Service::new),
        inputs: Pool::new(limits::INPUT_BYTES_START),
        outputs: Pool::new(limits::OUTPUT_BYTES_START),
        dealer,
        uring,
        grown: Cell::new(0),
        held: Cell::new(0),
        kept: Cell::new(0),
        open_doors: Cell::new(setup.doors.len()),
        abandoned: Cell::new(false),
        pausing: RefCell::default(),
        finished: Cell::new(None),
        crowded: log::Seldom::default(),
        waiting: RefCell::default(),
        usher: Cell::new(None),
    });
    core.run(async {
        let open = |bound| Listener::new(bound, uring).map(Rc::new);
        let listeners: std::io::Result<Vec<_>> = setup.doors.into_iter().map(open).collect();
        let opened = listeners.and_then(|listeners| {
            let pipe = ControlPipe::new(setup.control, uring)?;
            let ringing = |bell: Option<_>| bell.map(|bell| ControlPipe::new(bell, uring)).transpose();
            let bells = [ringing(audit_bell)?, ringing(handshake_bell)?];
            Ok((listeners, pipe, ringing(bell)?, bells))
        });
        match opened {
            Ok((listeners, pipe, bell, bells)) => {
                started(Ok(report));
                if let Some(bell) = bell {
                    spawn(listen(bell, Rc::clone(&shared)));
                }
                for bell in bells.into_iter().flatten() {
                    spawn(hear(bell, Rc::clone(&shared)));
                }
                for listener in &listeners {
                    spawn(accept(Rc::clone(listener), Rc::clone(&shared)));
                }
                spawn(obey(pipe, listeners, Rc::clone(&shared)));
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
    let mut turn = 0u32;
    loop {
        turn = turn.wrapping_add(1);
        if turn.is_multiple_of(limits::ACCEPTS_PER_TURN) && !shared.uring {
            shared.be_called_in().await;
        }
        match listener.accept().await {
            Accepted::Stream(stream) => welcome(stream, &shared).await,
            Accepted::Stopped => break,
            Accepted::Stranger(user) => {
                shared.counters.refused.add(1);
                log::line(
                    log::Level::Debug,
                    format_args!("a process of user {user} is not served"),
                );
            }
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
        keep(stream, &shared);
    }
    shared.open_doors.set(shared.open_doors.get().saturating_sub(1));
    if shared.open_doors.get() == 0 {
        for given in shared.dealer.as_ref().map(Dealer::close).unwrap_or_default() {
            adopt(given, &shared);
        }
    }
    drop(listener);
    wake(&shared.finished);
}

/// Serves a connection here, once there is room for it, or gives it to the core that has the fewest.
async fn welcome(stream: Stream, shared: &Rc<Shared>) {
    shared.counters.connections.add(1);
    let other = shared.dealer.as_ref().and_then(Dealer::other);
    let Some(other) = other.filter(|_| !shared.draining.get()) else {
        make_room(shared).await;
        return keep(stream, shared);
    };
    if let Err(back) = other.give(stream.release())
        && let Ok(stream) = Stream::adopt(back, shared.uring)
    {
        keep(stream, shared);
    }
}

/// Where there are as many connections as there may be, has one go that waits for its client, and waits until one is gone:
/// whoever only opens connections keeps out nobody.
async fn make_room(shared: &Shared) {
    while shared.connections.borrow().count() >= shared.bounds.connections && !shared.draining.get() {
        if shared.connections.borrow_mut().evict() {
            shared.counters.evicted.add(1);
        }
        if shared.crowded.is_due() {
            log::line(
                log::Level::Warn,
                format_args!(
                    "a thread has {} connections, as many as it may have (--max-connections): for each that comes, one goes that \
                     waits for its client",
                    shared.bounds.connections
                ),
            );
        }
        pause(shared).await;
    }
}

/// Serves a connection that this core accepted.
fn keep(stream: Stream, shared: &Rc<Shared>) {
    if let Some(dealer) = &shared.dealer {
        dealer.entered();
    }
    serve(stream, shared);
}

/// Serves a connection that another core accepted.
fn adopt(given: std::net::TcpStream, shared: &Rc<Shared>) {
    match (Stream::adopt(given, shared.uring), &shared.dealer) {
        (Ok(stream), _) => serve(stream, shared),
        (Err(_), Some(dealer)) => dealer.left(),
        (Err(_), None) => {}
    }
}

fn serve(stream: Stream, shared: &Rc<Shared>) {
    let place = shared.connections.borrow_mut().enter(stream.raw_fd());
    spawn(conn::serve(stream, place, Rc::clone(shared)));
}

/// Serves what other cores give to this one, until it is told to drain.
async fn listen(mut bell: ControlPipe, shared: Rc<Shared>) {
    while !bell.next().await.is_empty() {
        for given in shared.dealer.as_ref().map(Dealer::take).unwrap_or_default() {
            adopt(given, &shared);
        }
    }
}

/// Waits for the next tick or the next connection that closes.
async fn pause(shared: &Shared) {
    let mut first = true;
    poll_fn(|cx| {
        if std::mem::take(&mut first) {
            shared.pausing.borrow_mut().push(cx.waker().clone());
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

/// Wakes the connections that wait for their records or for their handshakes whenever something became of some.
async fn hear(mut bell: ControlPipe, shared: Rc<Shared>) {
    while !bell.next().await.is_empty() {
        shared.acks.iter().for_each(Acks::ring);
        shared.handshakes.iter().for_each(Handshakes::ring);
    }
}

async fn obey(mut pipe: ControlPipe, mut listeners: Vec<Rc<Listener>>, shared: Rc<Shared>) {
    loop {
        let orders = pipe.next().await;
        if orders.is_empty() {
            break;
        }
        let (tick, drain) = (orders.contains(&TICK), orders.contains(&DRAIN));
        if drain || orders.contains(&LEAVE) {
            shared.leaving.set(true);
        }
        if tick {
            let late = shared.connections.borrow_mut().sweep();
            shared.counters.expired.add(late);
            shared.desk.borrow_mut().refresh();
            shared.wake_acceptors();
        }
        if drain && !shared.draining.replace(true) {
            listeners.drain(..).for_each(|listener| listener.stop());
            shared.wake_acceptors();
            shared.connections.borrow_mut().end_idle();
        }
    }
    shared.abandoned.set(true);
    wake(&shared.finished);
}
