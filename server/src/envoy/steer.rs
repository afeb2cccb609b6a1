//! How a connection ends: by itself, with the server, for another one that comes, or because nothing was asked on it. What its Envoy
//! sent before it could know of that is answered: a call that is lost is an error of the authorizer to Envoy, which it may be told
//! to let pass, and has no record.

use std::pin::{Pin, pin};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::envoy::head::Heads;
use crate::envoy::seats::Taken;
use crate::envoy::thread::Stage;
use crate::limits;
use crate::metrics::Counters;

/// What ends one connection from outside.
pub(super) struct Ends<'a> {
    pub(super) stage: watch::Receiver<Stage>,
    pub(super) taken: &'a Taken,
    pub(super) heads: &'a Heads,
    pub(super) counters: &'a Counters,
}

/// Serves a connection until it has ended. `bow` has it tell its Envoy that it goes; `overdue` ends when it is not worth that.
pub(super) async fn steer<C: Future>(
    connection: C,
    bow: impl Fn(Pin<&mut C>),
    overdue: impl Future<Output = ()>,
    ends: Ends<'_>,
) {
    let mut connection = pin!(connection);
    let mut stage = ends.stage;
    let (taken, heads) = (ends.taken, ends.heads);
    let is_draining = tokio::select! {
        _ = connection.as_mut() => return,
        () = overdue => return,
        _ = stage.wait_for(|stage| *stage >= Stage::Draining) => true,
        () = taken.seat.wanted() => {
            ends.counters.evicted.add(1);
            false
        }
        () = heads.never_asked() => false,
    };
    let has_given_way = !is_draining && taken.give_way();
    // Over HTTP/1.1 a silent connection is closed once it bows: what has come is read before.
    let reading = Duration::from_millis(limits::ENVOY_READ_MS);
    if timeout(reading, connection.as_mut()).await.is_ok() {
        return;
    }
    bow(connection.as_mut());
    if is_draining {
        // For as long as a drain may take.
        let _ = connection.await;
        return;
    }
    let farewell = async {
        if !has_given_way {
            // A newcomer waits for the seat: who has begun nothing only hears that it goes.
            sleep(Duration::from_millis(limits::ENVOY_FAREWELL_MS)).await;
            if !heads.is_asked() && !taken.seat.was_asked() {
                return;
            }
        }
        at_rest(taken, heads, has_given_way).await;
    };
    tokio::select! {
        _ = connection => {}
        () = farewell => {}
    }
}

/// Ends once a connection that goes has had no call for so long, from now on, and none is on its way; or when whoever made the call
/// has given up long ago.
///
/// A first call that is on its way while newcomers have to wait for the end of others has that time and no more: anybody can begin
/// one.
async fn at_rest(taken: &Taken, heads: &Heads, has_given_way: bool) {
    let (begun, kept) = (Instant::now(), taken.kept_seats());
    let time = Duration::from_secs(limits::ENVOY_LEAVE_SECONDS);
    while begun.elapsed().as_secs() < limits::FETCH_SECONDS_MAX {
        sleep(time).await;
        let is_in_the_way = !has_given_way || taken.kept_seats() > kept;
        let is_waited_for = heads.is_asked() && (taken.seat.was_asked() || !is_in_the_way);
        if !is_waited_for && taken.seat.silence().is_some_and(|silence| silence >= time) {
            return;
        }
    }
}
