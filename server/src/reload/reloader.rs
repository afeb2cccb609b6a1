//! The thread that loads policies: at the start, and then whenever somebody asks.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::ask::{Ask, Cause, Errand, Outcome, Report};
use super::fingerprint::Fingerprint;
use super::loading::{Loading, Wish};
use super::standing::Standing;
use crate::error::Failure;
use crate::log::{self, Level};
use crate::publish::{Fresh, Publisher};
use crate::random::Random;
use crate::{limits, source, sys};

/// The way to the thread that loads.
#[derive(Clone)]
pub struct Reloader {
    asks: Sender<Ask>,
    standing: Arc<Standing>,
    seen: Seen,
}

/// What the last load looked at, and what it found there.
type Seen = Arc<Mutex<(Vec<PathBuf>, Fingerprint)>>;

/// Its name.
pub(crate) const THREAD: &str = "reload";

/// Pause after the first load that failed and is tried again.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Starts the thread. It loads once with `first` and tells `loaded`; then it waits for the publisher that it publishes
/// everything later with.
///
/// # Errors
/// No thread can be started.
pub fn start(
    loading: Loading,
    first: Wish,
    loaded: impl FnOnce(Result<Fresh, Failure>) + Send + 'static,
    publisher: Receiver<Arc<Publisher>>,
) -> io::Result<Reloader> {
    let (asks, asked) = mpsc::channel();
    let (standing, seen) = (Arc::<Standing>::default(), Seen::default());
    let reloader = Reloader {
        asks,
        standing: Arc::clone(&standing),
        seen: Arc::clone(&seen),
    };
    thread::Builder::new()
        .name(THREAD.to_owned())
        .stack_size(limits::STACK_BYTES)
        .spawn(move || {
            let mut work = Work {
                loading,
                standing,
                seen,
            };
            let (outcome, told) = match work.first(&first, &asked) {
                Ok((fresh, told)) => (Ok(fresh), Some(told)),
                Err(failure) => (Err(failure), None),
            };
            loaded(outcome);
            let Ok(publisher) = publisher.recv() else {
                return;
            };
            // Whoever asked for it and hears that it is loaded can count on what is served.
            if let Some((errand, report)) = told {
                errand.answer(&report);
            }
            // From here on others have something better to do with the cores.
            sys::step_back();
            // Not before: whoever waits for the first answer would wait for this, and then for the code to be mapped again.
            sys::release_memory();
            work.serve(&asked, &publisher);
        })?;
    Ok(reloader)
}

impl Reloader {
    /// Asks for a load. `false`: the thread is gone.
    pub fn ask(&self, ask: Ask) -> bool {
        self.asks.send(ask).is_ok()
    }

    /// What became of the loads so far.
    #[must_use]
    pub fn standing(&self) -> &Arc<Standing> {
        &self.standing
    }

    /// What the last load looked at, and what it found there.
    pub(super) fn seen(&self) -> (Vec<PathBuf>, Fingerprint) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Work {
    loading: Loading,
    standing: Arc<Standing>,
    seen: Seen,
}

impl Work {
    /// Loads until there is something, if that may take time: after a pause, or when somebody asks, which makes no pause longer.
    /// Who hears of the load that succeeds, and what, comes with what it gave.
    fn first(&mut self, wish: &Wish, asks: &Receiver<Ask>) -> Result<(Fresh, (Errand, Report)), Failure> {
        let (mut random, mut failures) = (Random::seeded(), 0u32);
        let mut due = Instant::now();
        let mut errand = Errand::by_itself(Cause::Start, wish.clone());
        loop {
            let begun = (SystemTime::now(), Instant::now());
            let failure = match self.load(&errand.wish) {
                Ok(Some(fresh)) => {
                    let report = self.note(errand.cause, begun, Outcome::Loaded(1));
                    return Ok((fresh, (errand, report)));
                }
                Ok(None) => Failure::Fault("the first load gave nothing".to_owned()),
                Err(failure) => failure,
            };
            let report = self.note(errand.cause, begun, Outcome::Failed(failure.to_string()));
            errand.answer(&report);
            if !self.loading.is_patient {
                return Err(failure);
            }
            sys::release_memory();
            let now = Instant::now();
            if due <= now {
                due = now + source::pause(FIRST_PAUSE, failures, random.next_u64());
                failures = failures.saturating_add(1);
            }
            let pause = due.saturating_duration_since(now);
            let seconds = pause.as_secs_f64();
            log::line(
                Level::Error,
                format_args!("nothing is served yet, the next attempt is in {seconds:.1} s: {failure}"),
            );
            errand = match asks.recv_timeout(pause) {
                Ok(ask) => {
                    let mut errand = Errand::together(ask, asks);
                    errand.wish.label = errand.wish.label.or_else(|| wish.label.clone());
                    errand
                }
                Err(RecvTimeoutError::Timeout) => Errand::by_itself(Cause::Start, wish.clone()),
                Err(RecvTimeoutError::Disconnected) => return Err(failure),
            };
        }
    }

    /// A panic below is our bug: what is served goes on, and the failure is told as any other is.
    fn load(&mut self, wish: &Wish) -> Result<Option<Fresh>, Failure> {
        let attempted = catch_unwind(AssertUnwindSafe(|| self.loading.attempt(wish)));
        let outcome = attempted.unwrap_or_else(|_| {
            let text = "a fault of gavel's own while the policies were loaded, see the log";
            Err(Failure::Fault(text.to_owned()))
        });
        let (files, fingerprint) = self.loading.seen();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = (files.to_vec(), fingerprint.clone());
        outcome
    }

    fn note(&self, cause: Cause, (at, start): (SystemTime, Instant), outcome: Outcome) -> Report {
        let report = Report {
            cause,
            at,
            took: start.elapsed(),
            outcome,
        };
        self.standing.note(&report);
        report
    }

    fn serve(&mut self, asks: &Receiver<Ask>, publisher: &Publisher) {
        while let Ok(ask) = asks.recv() {
            let errand = Errand::together(ask, asks);
            let report = self.reload(errand.cause, &errand.wish, publisher);
            errand.answer(&report);
        }
    }

    fn reload(&mut self, cause: Cause, wish: &Wish, publisher: &Publisher) -> Report {
        let begun = (SystemTime::now(), Instant::now());
        let outcome = match self.load(wish) {
            Ok(Some(fresh)) => publish(fresh, publisher),
            Ok(None) => Outcome::Unchanged(publisher.current().number),
            Err(failure) => Outcome::Failed(failure.to_string()),
        };
        let report = self.note(cause, begun, outcome);
        tell(&report, publisher);
        // The memory of a compilation is not needed until the next one.
        sys::release_memory();
        report
    }
}

fn publish(mut fresh: Fresh, publisher: &Publisher) -> Outcome {
    let current = publisher.current();
    if fresh.label.is_none() && fresh.digest == current.loaded.digest {
        fresh.label.clone_from(&current.loaded.label);
    }
    if current.says_the_same_as(&fresh) {
        return Outcome::Unchanged(current.number);
    }
    drop(current);
    Outcome::Loaded(publisher.publish(fresh).number)
}

fn tell(report: &Report, publisher: &Publisher) {
    let (cause, ms) = (report.cause.word(), report.took.as_millis());
    match &report.outcome {
        Outcome::Loaded(number) => {
            let digest = publisher.current().digest.clone();
            log::line(
                Level::Info,
                format_args!("reload ({cause}): revision {number} is served, digest {digest}, after {ms} ms"),
            );
        }
        // Said each time, this would be all that the log says.
        Outcome::Unchanged(_) if report.cause == Cause::Source => {}
        Outcome::Unchanged(number) => log::line(
            Level::Info,
            format_args!("reload ({cause}): nothing changed, revision {number} is served"),
        ),
        Outcome::Failed(why) => {
            let number = publisher.current().number;
            log::line(
                Level::Error,
                format_args!("reload ({cause}) failed, revision {number} is still served: {why}"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_while_loading_is_a_load_that_failed() {
        let load = Box::new(|_: &Wish| panic!("a test of what a panic does"));
        let mut work = Work {
            loading: Loading::new(load, Vec::new(), false),
            standing: Arc::default(),
            seen: Seen::default(),
        };
        let (_asks, asked) = mpsc::channel();
        let failure = work.first(&Wish::default(), &asked).err().unwrap();
        assert!(
            failure.to_string().starts_with("a fault of gavel's own"),
            "{failure}"
        );
        assert_eq!(work.standing.counts()[2], ("failed", 1));
    }
}
