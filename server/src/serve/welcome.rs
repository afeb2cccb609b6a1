//! New connections: accepted here or by another core, and who has to go where there is no room for them.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use crate::error::reason_and_limit;
use crate::io::{Accepted, ControlPipe, Listener, Stream, spawn};
use crate::limits;
use crate::log;
use crate::serve::conn;
use crate::serve::deal::Dealer;
use crate::serve::worker::{Shared, wake};

/// Takes the connections of one door, until the process drains.
pub(super) async fn accept(listener: Rc<Listener>, shared: Rc<Shared>) {
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
                    format_args!("no connection could be accepted: {}", reason_and_limit(&error)),
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
    let is_full =
        || shared.connections.borrow().count() >= shared.bounds.connections && !shared.draining.get();
    if !is_full() {
        return;
    }
    shared.crowding.set(shared.crowding.get() + 1);
    while is_full() {
        let newcomers = shared.crowding.get();
        if shared.connections.borrow_mut().evict_for(newcomers) {
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
    shared.crowding.set(shared.crowding.get().saturating_sub(1));
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
pub(super) async fn listen(mut bell: ControlPipe, shared: Rc<Shared>) {
    while !bell.next().await.is_empty() {
        take_given(&shared);
    }
}

/// Serves what other cores gave to this one since the last time.
pub(super) fn take_given(shared: &Rc<Shared>) {
    for given in shared.dealer.as_ref().map(Dealer::take).unwrap_or_default() {
        adopt(given, shared);
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
