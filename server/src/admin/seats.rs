//! The connections of the admin port, of which there are few: where all are taken and another one comes, one that asks for
//! nothing has to go. Otherwise whoever reaches the port could keep probes out, and have the process ended for it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use tokio::sync::Notify;

/// What a connection did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Asks {
    /// It has sent no whole request.
    #[default]
    Nothing,
    /// It waits for an answer.
    Now,
    /// It had its answer, and may ask again.
    Asked,
}

/// One connection.
#[derive(Debug, Default)]
pub(super) struct Seat {
    pub(super) stage: Cell<Asks>,
    /// It has to go.
    pub(super) wanted: Notify,
}

/// All of them, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Seats(RefCell<Vec<Rc<Seat>>>);

impl Seats {
    /// A connection has come.
    pub(super) fn take(&self) -> Rc<Seat> {
        let seat = Rc::<Seat>::default();
        self.0.borrow_mut().push(Rc::clone(&seat));
        seat
    }

    /// A connection has gone.
    pub(super) fn leave(&self, seat: &Rc<Seat>) {
        self.0.borrow_mut().retain(|other| !Rc::ptr_eq(other, seat));
    }

    /// Has the oldest one go that never asked, or else the oldest one that asks for nothing now. None goes while all wait for
    /// answers.
    pub(super) fn free_one(&self) {
        let seats = self.0.borrow();
        let oldest = |stage| seats.iter().find(|seat| seat.stage.get() == stage);
        if let Some(seat) = oldest(Asks::Nothing).or_else(|| oldest(Asks::Asked)) {
            seat.wanted.notify_one();
        }
    }
}
