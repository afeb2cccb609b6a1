//! Handshakes of one core, worked out on a thread beside it: a signature and a key exchange take as long as hundreds of
//! decisions, and whoever is served must not wait for those who only begin.
//!
//! The core reads and writes. The thread has what was read, and a lower priority than those that serve, so that a flood of
//! handshakes slows down handshakes.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::io::{self, Write as _};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::task::{Poll, Waker};

use super::{Certificates, Session};
use crate::log;
use crate::metrics::Counters;
use crate::serve::connections::Cut;
use crate::sys;

/// A session, and what came for it.
struct Job {
    seat: u64,
    session: Box<Session>,
    bytes: Vec<u8>,
    cut: Cut,
}

/// What became of a job: the session, and whether it may go on.
enum Worked {
    Done(Box<Session>, io::Result<()>),
    /// Its connection was ended before its turn came.
    Cut,
    Panicked,
}

/// What became of jobs, by their seats.
type Finished = Mutex<Vec<(u64, Worked)>>;

/// A core's side of the thread beside it.
pub(crate) struct Handshakes {
    certificates: Arc<Certificates>,
    counters: Arc<Counters>,
    jobs: mpsc::Sender<Job>,
    finished: Arc<Finished>,
    /// Who waits, by the numbers of their seats.
    waiting: RefCell<HashMap<u64, Rc<Seat>>>,
    /// The number of the next seat.
    next: Cell<u64>,
    /// When it was said that there are no sessions to be had.
    unfit: log::Seldom,
    /// When it was said that a handshake panicked.
    panicked: log::Seldom,
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
    pub(crate) fn start(
        certificates: Arc<Certificates>,
        counters: Arc<Counters>,
    ) -> io::Result<(Handshakes, UnixStream)> {
        let (bell, heard) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        let (jobs, given) = mpsc::channel();
        let finished: Arc<Finished> = Arc::default();
        let done = Arc::clone(&finished);
        std::thread::Builder::new()
            .name("handshakes".to_owned())
            .spawn(move || work(&given, &done, &bell))?;
        let handshakes = Handshakes {
            certificates,
            counters,
            jobs,
            finished,
            waiting: RefCell::default(),
            next: Cell::new(0),
            unfit: log::Seldom::default(),
            panicked: log::Seldom::default(),
        };
        Ok((handshakes, heard))
    }

    /// A session that has not begun.
    ///
    /// # Errors
    /// The certificates are none that rustls takes.
    pub(crate) fn session(&self) -> io::Result<Box<Session>> {
        let session = Session::new(self.certificates.config());
        if let Err(error) = &session
            && self.unfit.is_due()
        {
            let level = log::Level::Error;
            log::line(
                level,
                format_args!("no handshake can begin with these certificates: {error}"),
            );
        }
        session.map(Box::new)
    }

    /// Has a session take in what came for it, unless its connection is `cut` before: the session, and whether it may go on.
    ///
    /// # Errors
    /// There is no session any more.
    pub(crate) async fn work_out(
        &self,
        session: Box<Session>,
        bytes: Vec<u8>,
        cut: &Cut,
    ) -> io::Result<(Box<Session>, io::Result<()>)> {
        let number = self.next.replace(self.next.get().wrapping_add(1));
        let cut = Arc::clone(cut);
        let job = Job {
            seat: number,
            session,
            bytes,
            cut,
        };
        let worked = match self.jobs.send(job) {
            Ok(()) => self.worked(number).await,
            // The thread is gone, and nothing is refused for that.
            Err(mpsc::SendError(job)) => job.done(),
        };
        match worked {
            Worked::Done(session, result) => Ok((session, result)),
            Worked::Cut => Err(io::ErrorKind::ConnectionAborted.into()),
            Worked::Panicked => {
                self.counters.panics.add(1);
                if self.panicked.is_due() {
                    let level = log::Level::Error;
                    log::line(
                        level,
                        format_args!("a handshake panicked: its connection is closed"),
                    );
                }
                Err(io::Error::other("the handshake panicked"))
            }
        }
    }

    /// What the thread made of the job with this seat.
    async fn worked(&self, number: u64) -> Worked {
        let seat = Rc::new(Seat::default());
        self.waiting.borrow_mut().insert(number, Rc::clone(&seat));
        poll_fn(|context| {
            if let Some(worked) = seat.worked.take() {
                return Poll::Ready(worked);
            }
            seat.waker.set(Some(context.waker().clone()));
            Poll::Pending
        })
        .await
    }

    /// The bell rang, or may have.
    pub(crate) fn ring(&self) {
        let finished = std::mem::take(&mut *self.finished.lock().unwrap_or_else(PoisonError::into_inner));
        for (number, worked) in finished {
            let Some(seat) = self.waiting.borrow_mut().remove(&number) else {
                continue;
            };
            seat.worked.set(Some(worked));
            if let Some(waker) = seat.waker.take() {
                waker.wake();
            }
        }
    }
}

/// Jobs that nobody has begun.
#[derive(Default)]
struct Pending {
    /// Of peers that had an answer and go on: they are nearly through, which was the expensive part, and take little.
    going_on: VecDeque<Job>,
    /// Of those that begin.
    new: VecDeque<Job>,
    turn: u64,
}

impl Pending {
    /// Every so many jobs one is of those that begin, as a peer may go on with little at a time.
    const NEW_EVERY: u64 = 4;

    fn add(&mut self, job: Job) {
        match job.session.is_answered() {
            true => self.going_on.push_back(job),
            false => self.new.push_back(job),
        }
    }

    /// The next one. Those that were cut come first, as newcomers wait for their places.
    ///
    /// Of those that begin, the newest: who begins faster than this thread works has the oldest evicted. Taken in turn, each
    /// would be worked out just before it has to go, and nobody would get through.
    fn next(&mut self) -> Option<Job> {
        for jobs in [&mut self.going_on, &mut self.new] {
            if jobs.front().is_some_and(Job::is_cut) {
                return jobs.pop_front();
            }
        }
        self.turn = self.turn.wrapping_add(1);
        if self.turn.is_multiple_of(Pending::NEW_EVERY)
            && let Some(job) = self.new.pop_back()
        {
            return Some(job);
        }
        self.going_on.pop_front().or_else(|| self.new.pop_back())
    }
}

impl Job {
    fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Relaxed)
    }

    /// A session in which something panicked is not given back: nobody knows its state.
    fn done(self) -> Worked {
        let Job {
            mut session, bytes, ..
        } = self;
        let worked = catch_unwind(AssertUnwindSafe(move || {
            let result = session.take_in(&bytes);
            Worked::Done(session, result)
        }));
        worked.unwrap_or(Worked::Panicked)
    }
}

/// Does the jobs, until there is nobody left who could give one.
fn work(jobs: &mpsc::Receiver<Job>, finished: &Finished, mut bell: &UnixStream) {
    sys::step_back();
    let mut pending = Pending::default();
    while let Ok(job) = jobs.recv() {
        pending.add(job);
        while let Some(job) = pending.next() {
            let seat = job.seat;
            let worked = match job.is_cut() {
                true => Worked::Cut,
                false => job.done(),
            };
            let mut finished = finished.lock().unwrap_or_else(PoisonError::into_inner);
            let is_first = finished.is_empty();
            finished.push((seat, worked));
            drop(finished);
            if is_first {
                // A pipe that is full holds enough bytes to wake the core; whatever else goes wrong, it looks once a second.
                let _ = bell.write(b"h");
            }
            jobs.try_iter().for_each(|job| pending.add(job));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::Context;
    use std::time::{Duration, Instant};

    use rustls::pki_types::ServerName;
    use rustls::server::{ClientHello, ResolvesServerCert};
    use rustls::sign::CertifiedKey;
    use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig};

    use super::*;

    /// What finds no certificate, by either way.
    #[derive(Debug)]
    struct Finds {
        panics: bool,
    }

    impl ResolvesServerCert for Finds {
        fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
            assert!(!self.panics, "on purpose");
            None
        }
    }

    fn session(panics: bool) -> Box<Session> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Finds { panics }));
        Box::new(Session::new(Arc::new(config)).unwrap())
    }

    /// What a client begins with.
    fn hello() -> Vec<u8> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        let (mut client, mut bytes) = (ClientConnection::new(Arc::new(config), name).unwrap(), Vec::new());
        client.write_tls(&mut bytes).unwrap();
        bytes
    }

    /// A thread whose bell nobody hears, and what it counts.
    fn unheard(name: &str) -> (Handshakes, Arc<Counters>) {
        let folder = std::env::temp_dir().join(format!("gavel-unheard-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (chain, key) = (folder.join("chain.pem"), folder.join("key.pem"));
        std::fs::write(&chain, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let files = crate::tls::Files {
            chain,
            key,
            client_authorities: None,
            client_names: Vec::new(),
            protocols: &[],
        };
        let (certificates, counters) = (Certificates::load(files).unwrap(), Arc::<Counters>::default());
        std::fs::remove_dir_all(folder).unwrap();
        let started = Handshakes::start(Arc::new(certificates), Arc::clone(&counters));
        (started.unwrap().0, counters)
    }

    /// What becomes of a session that is given a ClientHello, told by looks from time to time alone.
    fn worked_out(
        handshakes: &Handshakes,
        session: Box<Session>,
        is_cut: bool,
    ) -> io::Result<io::Result<()>> {
        let cut = Cut::default();
        cut.store(is_cut, Ordering::Relaxed);
        let mut waiting = pin!(handshakes.work_out(session, hello(), &cut));
        let mut context = Context::from_waker(Waker::noop());
        let begun = Instant::now();
        loop {
            if let Poll::Ready(worked) = waiting.as_mut().poll(&mut context) {
                return worked.map(|(_, result)| result);
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "nothing became of it");
            std::thread::sleep(Duration::from_millis(1));
            handshakes.ring();
        }
    }

    /// As the core does, which looks once a second: see `obey` in `serve/worker.rs`.
    #[test]
    fn a_bell_that_nobody_hears_loses_no_handshake() {
        let (handshakes, counters) = unheard("bell");
        for _ in 0..3 {
            let own = handshakes.session().unwrap();
            assert!(worked_out(&handshakes, own, false).unwrap().is_ok());
        }
        let problem = worked_out(&handshakes, session(false), false).unwrap();
        assert_eq!(problem.unwrap_err().kind(), io::ErrorKind::InvalidData);
        let problem = worked_out(&handshakes, session(false), true);
        assert_eq!(problem.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        assert_eq!(counters.panics.get(), 0);
    }

    /// It is counted, its connection gets an error, and others are worked out on the same thread: the one beside the core, or, where
    /// that is gone, the core.
    #[test]
    fn a_handshake_that_panics_ends_alone() {
        let (mut handshakes, counters) = unheard("panic");
        for count in 1..5 {
            if count == 3 {
                (handshakes.jobs, _) = mpsc::channel();
            }
            let problem = worked_out(&handshakes, session(true), false).unwrap_err();
            assert_eq!(problem.to_string(), "the handshake panicked");
            assert_eq!(counters.panics.get(), count);
            let own = handshakes.session().unwrap();
            assert!(worked_out(&handshakes, own, false).unwrap().is_ok());
        }
    }
}
