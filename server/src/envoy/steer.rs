//! How a connection ends: by itself, with the server, for another one that comes, or because nothing was asked on it. What its Envoy
//! sent before it could know of that is answered: a call that is lost is an error of the authorizer to Envoy, which it may be told
//! to let pass, and has no record.

use std::pin::{Pin, pin};
use std::time::Duration;

use tokio::sync::watch;

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
    let (taken, seat) = (ends.taken, &ends.taken.seat);
    let is_draining = tokio::select! {
        _ = connection.as_mut() => return,
        () = overdue => return,
        _ = stage.wait_for(|stage| *stage >= Stage::Draining) => true,
        () = seat.wanted() => {
            ends.counters.evicted.add(1);
            false
        }
        () = ends.heads.never_asked() => false,
    };
    let has_given_way = !is_draining && taken.give_way();
    // Over HTTP/1.1 a silent connection is closed once it bows: what has come is read before.
    let reading = Duration::from_millis(limits::ENVOY_READ_MS);
    if tokio::time::timeout(reading, connection.as_mut()).await.is_ok() {
        return;
    }
    bow(connection.as_mut());
    if is_draining {
        // For as long as a drain may take.
        let _ = connection.await;
    } else if has_given_way || seat.was_asked() {
        tokio::select! {
            _ = connection => {}
            () = seat.at_rest(Duration::from_secs(limits::ENVOY_LEAVE_SECONDS)) => {}
        }
    }
}
