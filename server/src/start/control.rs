//! The control thread's loop: hears signals and what becomes of the other threads, ticks, drains, ends.

use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use signal_hook::consts::SIGHUP;

use crate::admin::{Overview, Stage};
use crate::envoy::Crew;
use crate::error::Failure;
use crate::io::DriverReport;
use crate::log::{self, Level};
use crate::publish::Fresh;
use crate::serve::worker::{DRAIN, LEAVE, TICK};

/// What the control thread hears.
pub(crate) enum Event {
    /// A thread serves, on a driver if it has a choice.
    Started(usize, Result<Option<DriverReport>, String>),
    /// A thread ended, by whatever way.
    Ended(usize),
    /// The process got a signal.
    Signal(i32),
    /// The first load is done.
    Loaded(Box<Result<Fresh, Failure>>),
    /// Nothing is recorded any more.
    AuditDied,
}

impl Event {
    fn audit_died() -> Failure {
        Failure::Fault("audit thread died".to_owned())
    }
}

/// What is heard while threads run.
enum Heard {
    /// The process got a signal.
    Signal(i32),
    /// A thread ended.
    Ended(usize),
}

/// What threads are to do while they are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Threads {
    Serve,
    End,
}

const SECOND: Duration = Duration::from_secs(1);

/// Time for threads that were let go.
const LET_GO: Duration = Duration::from_secs(2);

fn died(index: usize) -> Failure {
    Failure::Fault(format!("thread {index} died"))
}

/// What the control thread holds.
pub(crate) struct Control {
    /// Pipes to the workers.
    pub(crate) workers: Vec<UnixStream>,
    /// The threads for Envoy.
    pub(crate) crew: Option<Crew>,
    pub(crate) events: mpsc::Receiver<Event>,
    /// Threads that have not ended.
    pub(crate) running: usize,
    /// Time for requests in flight at the end.
    pub(crate) drain: Duration,
    /// Time before that in which the process says that it is not ready and serves on.
    pub(crate) drain_delay: Duration,
    /// What others may know of all this.
    pub(crate) overview: Arc<Overview>,
    /// What SIGHUP does.
    pub(crate) hang_up: Box<dyn Fn()>,
    /// What is done once a second.
    pub(crate) tidy: Box<dyn Fn()>,
    /// When a second will have passed.
    pub(crate) next_tick: Instant,
}

impl Control {
    /// Waits for all threads and says on what they run.
    pub(crate) fn start(&mut self, address: Option<SocketAddr>, threads: usize) -> Result<(), Failure> {
        let mut reported: Option<DriverReport> = None;
        let mut waiting = self.running;
        while waiting > 0 {
            match self.events.recv() {
                Ok(Event::Started(_, Ok(report))) => {
                    waiting -= 1;
                    if let Some(report) = report
                        && reported.as_ref() != Some(&report)
                    {
                        for fallback in &report.fallbacks {
                            log::line(Level::Info, format_args!("{fallback}"));
                        }
                        log::line(
                            Level::Info,
                            format_args!("I/O driver {} ({})", report.driver, report.reason),
                        );
                        // All threads have the same choice; if they differ, the log has every one.
                        let _ = self.overview.driver.set(report.clone());
                        reported = Some(report);
                    }
                }
                Ok(Event::Started(index, Err(reason))) => {
                    return Err(Failure::Operator(format!("thread {index}: {reason}")));
                }
                Ok(Event::Ended(index)) => {
                    return Err(Failure::Operator(format!("thread {index} did not start")));
                }
                Ok(Event::AuditDied) => return Err(Event::audit_died()),
                Ok(Event::Signal(SIGHUP)) => (self.hang_up)(),
                Ok(Event::Signal(signal)) => std::process::exit(128 + signal),
                Ok(Event::Loaded(_)) => {}
                Err(_) => return Err(Failure::Operator("no worker started".to_owned())),
            }
        }
        if let Some(address) = address {
            log::line(
                Level::Info,
                format_args!("listening on {address} with {threads} threads"),
            );
        }
        for name in self.crew.iter().flat_map(|crew| &crew.names) {
            log::line(Level::Info, format_args!("serving {name} with {threads} threads"));
        }
        self.overview.enter(Stage::Ready);
        Ok(())
    }

    /// Ticks until a signal, then drains.
    pub(crate) fn serve(&mut self) -> Result<(), Failure> {
        loop {
            match self.hear(None)? {
                Some(Heard::Signal(SIGHUP)) => (self.hang_up)(),
                Some(Heard::Signal(signal)) => {
                    log::line(Level::Info, format_args!("shutting down on signal {signal}"));
                    self.leave()?;
                    return self.drain();
                }
                // Its connections hang; only a restart helps them.
                Some(Heard::Ended(index)) => return Err(died(index)),
                None => return Ok(()),
            }
        }
    }

    /// What comes next; once a second, meanwhile, everybody is told that one has passed. Nothing: the time is over, or nobody
    /// is left who could say anything.
    ///
    /// # Errors
    /// The audit thread died: what is in flight is cut, because its records would be lost.
    fn hear(&mut self, end: Option<Instant>) -> Result<Option<Heard>, Failure> {
        loop {
            let now = Instant::now();
            if end.is_some_and(|end| now >= end) {
                return Ok(None);
            }
            if now >= self.next_tick {
                self.tell(TICK);
                (self.tidy)();
                self.next_tick = now + SECOND;
            }
            let until = end.map_or(self.next_tick, |end| end.min(self.next_tick));
            match self.events.recv_timeout(until.saturating_duration_since(now)) {
                Ok(Event::Signal(signal)) => return Ok(Some(Heard::Signal(signal))),
                Ok(Event::Ended(index)) => return Ok(Some(Heard::Ended(index))),
                Ok(Event::AuditDied) => return Err(Event::audit_died()),
                Ok(Event::Started(..) | Event::Loaded(_)) | Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
    }

    /// Says that it is not ready and serves on, so that whoever sends requests here can stop before connections end.
    ///
    /// # Errors
    /// A thread died.
    fn leave(&mut self) -> Result<(), Failure> {
        self.overview.enter(Stage::Draining);
        self.tell(LEAVE);
        if let Some(crew) = &self.crew {
            crew.leave();
        }
        self.wait(self.drain_delay, Threads::Serve)
    }

    /// Takes no new connections, and waits for those that there are.
    ///
    /// # Errors
    /// The audit thread died.
    fn drain(&mut self) -> Result<(), Failure> {
        self.tell(DRAIN);
        // Who asked a moment ago may ask again until the next tick: that is a whole second.
        self.next_tick = Instant::now() + SECOND;
        if let Some(crew) = &self.crew {
            crew.drain();
        }
        self.wait(self.drain, Threads::End)?;
        if self.running == 0 {
            return Ok(());
        }
        log::line(
            Level::Warn,
            format_args!("the time to drain is over: open connections are cut"),
        );
        self.let_go();
        self.wait(LET_GO, Threads::End)
    }

    /// Waits for so long, or until all threads have ended. A second signal ends the process at once.
    fn wait(&mut self, time: Duration, threads: Threads) -> Result<(), Failure> {
        let end = Instant::now() + time;
        while self.running > 0 {
            match (self.hear(Some(end))?, threads) {
                (Some(Heard::Signal(SIGHUP)), Threads::Serve) => (self.hang_up)(),
                // Nothing that is loaded now would still decide.
                (Some(Heard::Signal(SIGHUP)), Threads::End) => {}
                (Some(Heard::Signal(signal)), _) => std::process::exit(128 + signal),
                (Some(Heard::Ended(index)), Threads::Serve) => return Err(died(index)),
                (Some(Heard::Ended(_)), Threads::End) => self.running -= 1,
                (None, _) => break,
            }
        }
        Ok(())
    }

    /// Lets all threads go without waiting for their connections.
    pub(crate) fn let_go(&mut self) {
        self.workers.clear();
        self.crew = None;
    }

    /// What came after the last worker ended.
    pub(crate) fn audit_outcome(&self) -> Result<(), Failure> {
        let died = self
            .events
            .try_iter()
            .any(|event| matches!(event, Event::AuditDied));
        if died { Err(Event::audit_died()) } else { Ok(()) }
    }

    /// One byte to each worker. A pipe that is full means a worker that does not listen now; the next tick comes anyway.
    fn tell(&mut self, order: u8) {
        for worker in &mut self.workers {
            let _ = worker.write(&[order]);
        }
    }
}

#[cfg(test)]
mod tests {
    use signal_hook::consts::SIGTERM;

    use super::*;
    use crate::admin::Facts;

    /// Also when the death comes while the process drains.
    #[test]
    fn a_dead_audit_thread_ends_the_server() {
        for before in [None, Some(Event::Signal(SIGTERM))] {
            let (tell, events) = mpsc::channel();
            let mut control = Control {
                workers: Vec::new(),
                crew: None,
                events,
                running: 1,
                drain: Duration::from_secs(20),
                drain_delay: Duration::ZERO,
                overview: Arc::new(Overview::new(Facts::default())),
                hang_up: Box::new(|| ()),
                tidy: Box::new(|| ()),
                next_tick: Instant::now(),
            };
            before.into_iter().for_each(|event| tell.send(event).unwrap());
            tell.send(Event::AuditDied).unwrap();
            let failure = control.serve().unwrap_err();
            assert_eq!(failure.to_string(), "audit thread died");
            assert_eq!(failure.status(), 2);
            tell.send(Event::AuditDied).unwrap();
            assert_eq!(control.audit_outcome(), Err(failure));
            assert_eq!(control.audit_outcome(), Ok(()));
        }
    }
}
