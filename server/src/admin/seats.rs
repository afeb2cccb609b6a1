//! The connections of the admin port, of which there are few: where all are taken and another one comes, one that asks for
//! nothing has to go. Otherwise whoever reaches the port could keep probes out, and have the process ended for it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use tokio::sync::Notify;

/// What a connection did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// It has sent no whole request.
    #[default]
    Silent,
    /// It waits for an answer.
    Asking,
    /// It had its answer, and may ask again.
    Answered,
}

/// One connection.
#[derive(Debug, Default)]
pub(super) struct Seat {
    pub(super) stage: Cell<Stage>,
    /// It has to go.
    pub(super) wanted: Notify,
}

/// All of them, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Seats(RefCell<Vec<Rc<Seat>>>);

/// One connection's; the seat is free when this is dropped, be it by a panic.
pub(super) struct Taken {
    seats: Rc<Seats>,
    pub(super) seat: Rc<Seat>,
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut seats = self.seats.0.borrow_mut();
        seats.retain(|other| !Rc::ptr_eq(other, &self.seat));
    }
}

impl Seats {
    /// A connection has come.
    pub(super) fn take(self: &Rc<Seats>) -> Taken {
        let seat = Rc::<Seat>::default();
        self.0.borrow_mut().push(Rc::clone(&seat));
        Taken {
            seats: Rc::clone(self),
            seat,
        }
    }

    /// Has the oldest one go that never asked, or else the oldest one that asks for nothing now. None goes while all wait for
    /// answers.
    pub(super) fn free_one(&self) {
        let seats = self.0.borrow();
        let oldest = |stage| seats.iter().find(|seat| seat.stage.get() == stage);
        if let Some(seat) = oldest(Stage::Silent).or_else(|| oldest(Stage::Answered)) {
            seat.wanted.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_panics_has_no_seat_any_more() {
        let seats = Rc::<Seats>::default();
        let other = seats.take();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let taken = seats.take();
            assert_eq!(taken.seat.stage.get(), Stage::Asking, "on purpose");
        }));
        assert!(panicked.is_err());
        assert_eq!(seats.0.borrow().len(), 1);
        drop(other);
        assert!(seats.0.borrow().is_empty());
    }
}
