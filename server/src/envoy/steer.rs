//! How a connection ends: by itself, with the server, for another one that comes, or because nothing was asked on it. What its Envoy
//! sent before it could know of that is answered: a call that is lost is an error of the authorizer to Envoy, which it may be told
//! to let pass, and has no record.

use std::pin::{Pin, pin};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::sleep;

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
    heads.go();
    let has_given_way = !is_draining && taken.give_way();
    let going = Going {
        taken,
        heads,
        has_given_way,
        kept_seats: taken.kept_seats(),
    };
    // Over HTTP/1.1 a silent connection is closed once it bows: what has come is read before.
    let read = async {
        sleep(Duration::from_millis(limits::ENVOY_READ_MS)).await;
        going.no_half_head().await;
    };
    tokio::select! {
        biased;
        _ = connection.as_mut() => return,
        () = read => {}
    }
    bow(connection.as_mut());
    if is_draining {
        // For as long as a drain may take.
        let _ = connection.await;
        return;
    }
    let farewell = async {
        if going.keeps_out() {
            // Who has begun nothing only hears that it goes.
            sleep(Duration::from_millis(limits::ENVOY_FAREWELL_MS)).await;
            if !heads.is_asked() && !taken.seat.was_asked() {
                return;
            }
        }
        going.at_rest().await;
    };
    tokio::select! {
        _ = connection => {}
        () = farewell => {}
    }
}

/// A connection that goes.
struct Going<'a> {
    taken: &'a Taken,
    heads: &'a Heads,
    has_given_way: bool,
    /// How often others had kept newcomers waiting when this began to go.
    kept_seats: u64,
}

impl Going<'_> {
    /// Whether a newcomer waits for its seat.
    fn keeps_out(&self) -> bool {
        !self.has_given_way && self.taken.is_waited_for()
    }

    /// Whether newcomers wait for its end, or for that of others which go and have no room beside the seats.
    fn is_in_the_way(&self) -> bool {
        self.keeps_out() || self.taken.kept_seats() > self.kept_seats
    }

    /// Ends once no head over HTTP/1.1 is here in part, or one takes too long: as long as heads may take, or as a first call if
    /// newcomers have to wait.
    async fn no_half_head(&self) {
        while let Some(age) = self.heads.age_of_half() {
            let seconds = match self.is_in_the_way() {
                true => limits::ENVOY_LEAVE_SECONDS,
                false => limits::HEAD_SECONDS,
            };
            if age >= Duration::from_secs(seconds) {
                return;
            }
            sleep(Duration::from_millis(limits::ENVOY_READ_MS)).await;
        }
    }

    /// Ends once it has had no call for so long, from now on, and none is on its way; or when whoever made the call has given up
    /// long ago.
    ///
    /// A first call that is on its way while newcomers have to wait for the end of others has that time and no more: anybody can
    /// begin one.
    async fn at_rest(&self) {
        let begun = Instant::now();
        let time = Duration::from_secs(limits::ENVOY_LEAVE_SECONDS);
        while begun.elapsed().as_secs() < limits::FETCH_SECONDS_MAX {
            sleep(time).await;
            let seat = &self.taken.seat;
            let is_awaited = self.heads.is_asked() && (seat.was_asked() || !self.is_in_the_way());
            if !is_awaited && seat.silence().is_some_and(|silence| silence >= time) {
                return;
            }
        }
    }
}
