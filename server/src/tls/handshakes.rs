//! Handshakes of one core, worked out on a thread beside it: a signature and a key exchange take as long as hundreds of
//! decisions, and whoever is served must not wait for those who only begin.
//!
//! The core reads and writes. The thread has what was read, and a lower priority than those that serve, so that a flood of
//! handshakes slows down handshakes.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, Write as _};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::task::{Poll, Waker};

use super::{Certificates, Session};
use crate::sys;

/// A session, and what came for it.
type Job = (Box<Session>, Vec<u8>);

/// The session, and whether it may go on.
type Worked = (Box<Session>, io::Result<()>);

/// A core's side of the thread beside it.
pub(crate) struct Handshakes {
    certificates: Arc<Certificates>,
    jobs: mpsc::Sender<Job>,
    worked: Arc<Mutex<Vec<Worked>>>,
    /// Who waits, in the order of the jobs, which is the order in which they are done.
    waiting: RefCell<VecDeque<Rc<Seat>>>,
}

/// Where a connection waits for its session.
#[derive(Default)]
struct Seat {
    worked: Cell<Option<Worked>>,
    waker: Cell<Option<Waker>>,
}

impl Handshakes {
    /// Starts the thread, which ends with the value. Whenever there is a byte at the bell, [`Handshakes::ring`] has to be
    /// called.
    ///
    /// # Errors
    /// No thread or no socket pair is to be had.
    pub(crate) fn start(certificates: Arc<Certificates>) -> io::Result<(Handshakes, UnixStream)> {
        let (bell, heard) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        let (jobs, todo) = mpsc::channel();
        let worked: Arc<Mutex<Vec<Worked>>> = Arc::default();
        let done = Arc::clone(&worked);
        std::thread::Builder::new()
            .name("handshakes".to_owned())
            .spawn(move || work(&todo, &done, &bell))?;
        let handshakes = Handshakes {
            certificates,
            jobs,
            worked,
            waiting: RefCell::default(),
        };
        Ok((handshakes, heard))
    }

    /// A session that has not begun.
    ///
    /// # Errors
    /// The certificates are none that rustls takes.
    pub(crate) fn session(&self) -> io::Result<Box<Session>> {
        Session::new(self.certificates.config()).map(Box::new)
    }

    /// Has a session take in what came for it.
    pub(crate) async fn work_out(&self, session: Box<Session>, bytes: Vec<u8>) -> Worked {
        if let Err(mpsc::SendError((mut session, bytes))) = self.jobs.send((session, bytes)) {
            // The thread is gone, and nothing is refused for that.
            let result = session.take_in(&bytes);
            return (session, result);
        }
        let seat = Rc::new(Seat::default());
        self.waiting.borrow_mut().push_back(Rc::clone(&seat));
        poll_fn(|context| {
            if let Some(worked) = seat.worked.take() {
                return Poll::Ready(worked);
            }
            seat.waker.set(Some(context.waker().clone()));
            Poll::Pending
        })
        .await
    }

    /// The bell rang.
    pub(crate) fn ring(&self) {
        let worked = std::mem::take(&mut *self.worked.lock().unwrap_or_else(PoisonError::into_inner));
        for worked in worked {
            let Some(seat) = self.waiting.borrow_mut().pop_front() else {
                return;
            };
            seat.worked.set(Some(worked));
            if let Some(waker) = seat.waker.take() {
                waker.wake();
            }
        }
    }
}

/// Does the jobs in turn, until there is nobody left who could give one.
fn work(jobs: &mpsc::Receiver<Job>, worked: &Mutex<Vec<Worked>>, mut bell: &UnixStream) {
    sys::step_back();
    for (mut session, bytes) in jobs {
        let result = catch_unwind(AssertUnwindSafe(|| session.take_in(&bytes)))
            .unwrap_or_else(|_| Err(io::Error::other("the handshake panicked")));
        let mut worked = worked.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = worked.is_empty();
        worked.push((session, result));
        drop(worked);
        if is_first {
            // A pipe that is full holds enough bytes to wake the core.
            let _ = bell.write(b"h");
        }
    }
}
