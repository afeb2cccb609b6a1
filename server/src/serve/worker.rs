//! One core: its event loop, its listener, its connections, its desk. Nothing here is shared with another core but the
//! image behind the desk.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};

use crate::audit::{Acks, Promises};
use crate::clock;
use crate::error::reason_and_limit;
use crate::io::{Bound, ControlPipe, Core, DriverChoice, DriverReport, Listener, Stream, spawn};
use crate::limits;
use crate::log;
use crate::metrics::Counters;
use crate::opa;
use crate::serve::bounds::Bounds;
use crate::serve::connections::{Connections, Cut, Place, Waits};
use crate::serve::deal::Dealer;
use crate::serve::desk::Desk;
use crate::serve::pool::Pool;
use crate::serve::welcome;
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
    pub(super) dealer: Option<Dealer>,
    /// Completions are seen only while the core waits for one.
    pub(super) uring: bool,
    /// Bytes by which the receive buffers in use exceed their first size.
    grown: Cell<usize>,
    /// Bytes of large answers that wait to be taken.
    held: Cell<usize>,
    /// Bytes that batches keep between their turns.
    pub(crate) kept: Cell<usize>,
    /// Accept tasks that have not ended.
    pub(super) open_doors: Cell<usize>,
    /// The control pipe ended: connections are not waited for.
    abandoned: Cell<bool>,
    /// Accept tasks that pause: woken when a connection closes and at every tick.
    pub(super) pausing: RefCell<Vec<Waker>>,
    /// Woken when the core may have nothing left to do.
    pub(super) finished: Cell<Option<Waker>>,
    /// Accept tasks that wait for room.
    pub(super) crowding: Cell<usize>,
    /// When it was said that there are as many connections as there may be.
    pub(super) crowded: log::Seldom,
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

    /// Wakes the connections that wait for their records.
    fn ring_records(&self) {
        self.acks.iter().for_each(Acks::ring);
    }

    /// Wakes the connections that wait for their handshakes.
    fn ring_handshakes(&self) {
        self.handshakes.iter().for_each(Handshakes::ring);
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

    /// A connection begins TLS, and hears here of its end.
    pub(crate) fn watch_handshake(&self, place: Place) -> Cut {
        let mut connections = self.connections.borrow_mut();
        let deadline = connections.deadline(limits::HEAD_SECONDS);
        connections.wait(place, (Waits::Head, false), deadline);
        connections.begin_handshake(place)
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
    pub(super) async fn be_called_in(&self) {
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

/// Wakes whoever waits there.
pub(super) fn wake(slot: &Cell<Option<Waker>>) {
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
    let begin = |certificates| Handshakes::start(certificates, Arc::clone(&setup.counters));
    let handshakes = setup.certificates.map(begin);
    let (handshakes, handshake_bell) = match handshakes.transpose().map_err(|error| reason_and_limit(&error))
    {
        Ok(handshakes) => handshakes.unzip(),
        Err(why) => return started(Err(format!("the thread of handshakes: {why}"))),
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
        crowding: Cell::new(0),
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
                attend(bell, bells, &shared);
                for listener in &listeners {
                    spawn(welcome::accept(Rc::clone(listener), Rc::clone(&shared)));
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
            Err(error) => started(Err(reason_and_limit(&error))),
        }
    });
    std::mem::forget(core);
}

async fn usher(shared: Rc<Shared>) {
    poll_fn(|cx| {
        shared.waiting.borrow_mut().drain(..).for_each(Waker::wake);
        shared.usher.set(Some(cx.waker().clone()));
        Poll::<()>::Pending
    })
    .await;
}

/// Listens to the bells: of other cores, of the audit thread, of the thread of handshakes.
fn attend(dealt: Option<ControlPipe>, others: [Option<ControlPipe>; 2], shared: &Rc<Shared>) {
    if let Some(bell) = dealt {
        spawn(welcome::listen(bell, Rc::clone(shared)));
    }
    let rings: [fn(&Shared); 2] = [Shared::ring_records, Shared::ring_handshakes];
    for (bell, ring) in others.into_iter().zip(rings) {
        if let Some(bell) = bell {
            spawn(hear(bell, Rc::clone(shared), ring));
        }
    }
}

/// Wakes the connections that wait, for their records or for their handshakes, whenever something became of some.
async fn hear(mut bell: ControlPipe, shared: Rc<Shared>, ring: fn(&Shared)) {
    while !bell.next().await.is_empty() {
        ring(&shared);
    }
    if !shared.draining.get() && !shared.abandoned.get() {
        log::line(
            log::Level::Error,
            format_args!(
                "a thread hears no more of its records or handshakes, and looks after them once a second"
            ),
        );
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
            // A bell that could not be rung, for want of memory, would leave them waiting for ever.
            shared.ring_records();
            shared.ring_handshakes();
            welcome::take_given(&shared);
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
