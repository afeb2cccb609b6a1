//! The thread that loads policies: at the start, and then whenever somebody asks.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::ask::{Ask, Cause, Outcome, Report};
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
        .name("reload".to_owned())
        .stack_size(limits::STACK_BYTES)
        .spawn(move || {
            let mut work = Work {
                loading,
                standing,
                seen,
            };
            loaded(work.first(&first));
            let Ok(publisher) = publisher.recv() else {
                return;
            };
            // From here on others have something better to do with the cores.
            sys::step_back();
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
    /// Loads until there is something, if that may take time.
    fn first(&mut self, wish: &Wish) -> Result<Fresh, Failure> {
        let mut random = Random::seeded();
        for failures in 0.. {
            let begun = (SystemTime::now(), Instant::now());
            let failure = match self.load(wish) {
                Ok(Some(fresh)) => {
                    self.note(Cause::Start, begun, Outcome::Loaded(1));
                    return Ok(fresh);
                }
                Ok(None) => Failure::Fault("the first load gave nothing".to_owned()),
                Err(failure) => failure,
            };
            self.note(Cause::Start, begun, Outcome::Failed(failure.to_string()));
            if !self.loading.is_patient {
                return Err(failure);
            }
            let pause = source::pause(FIRST_PAUSE, failures, random.next_u64());
            let seconds = pause.as_secs_f64();
            log::line(
                Level::Error,
                format_args!("nothing is served yet, the next attempt is in {seconds:.1} s: {failure}"),
            );
            thread::sleep(pause);
        }
        Err(Failure::Fault("no attempt is left".to_owned()))
    }

    /// A panic below is our bug: what is served goes on, and the failure is told as any other is.
    fn load(&mut self, wish: &Wish) -> Result<Option<Fresh>, Failure> {
        let attempted = catch_unwind(AssertUnwindSafe(|| self.loading.attempt(wish)));
        let outcome = attempted.unwrap_or_else(|_| {
            let text = "a fault of gavel's own while the policies were loaded, see the log";
            Err(Failure::Fault(text.to_owned()))
        });
        // The memory of a compilation is not needed until the next one.
        sys::release_memory();
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

    fn serve(&mut self, asked: &Receiver<Ask>, publisher: &Publisher) {
        while let Ok(ask) = asked.recv() {
            let mut all = vec![ask];
            all.extend(asked.try_iter());
            let cause = all.first().map_or(Cause::Request, |ask| ask.cause);
            let label = all.iter().rev().find_map(|ask| ask.wish.label.clone());
            let wish = Wish {
                label,
                only_if_changed: all.iter().all(|ask| ask.wish.only_if_changed),
            };
            let report = self.reload(cause, &wish, publisher);
            for answer in all.into_iter().filter_map(|ask| ask.answer) {
                // Whoever asked may have gone.
                let _ = answer.send(report.clone());
            }
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
        let failure = work.first(&Wish::default()).err().unwrap();
        assert!(
            failure.to_string().starts_with("a fault of gavel's own"),
            "{failure}"
        );
        assert_eq!(work.standing.counts()[2], ("failed", 1));
    }
}
