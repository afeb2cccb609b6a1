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

const SECOND: Duration = Duration::from_secs(1);

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
        let mut next_tick = Instant::now() + SECOND;
        loop {
            let now = Instant::now();
            if now >= next_tick {
                self.tell(TICK);
                (self.tidy)();
                next_tick = now + SECOND;
            }
            match self.events.recv_timeout(next_tick.saturating_duration_since(now)) {
                Ok(Event::Signal(SIGHUP)) => (self.hang_up)(),
                Ok(Event::Signal(signal)) => {
                    log::line(Level::Info, format_args!("shutting down on signal {signal}"));
                    self.leave()?;
                    return self.drain();
                }
                Ok(Event::AuditDied) => return Err(Event::audit_died()),
                Ok(Event::Ended(index)) => {
                    // Its connections hang; only a restart helps them.
                    return Err(Failure::Fault(format!("thread {index} died")));
                }
                Ok(Event::Started(..) | Event::Loaded(_)) | Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(()),
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
        let end = Instant::now() + self.drain_delay;
        let mut next_tick = Instant::now() + SECOND;
        loop {
            let now = Instant::now();
            if now >= end {
                return Ok(());
            }
            if now >= next_tick {
                self.tell(TICK);
                next_tick = now + SECOND;
            }
            match self
                .events
                .recv_timeout(end.min(next_tick).saturating_duration_since(now))
            {
                Ok(Event::Signal(SIGHUP)) => {}
                Ok(Event::Signal(signal)) => std::process::exit(128 + signal),
                Ok(Event::AuditDied) => return Err(Event::audit_died()),
                Ok(Event::Ended(index)) => return Err(Failure::Fault(format!("thread {index} died"))),
                Ok(Event::Started(..) | Event::Loaded(_)) | Err(_) => {}
            }
        }
    }

    /// # Errors
    /// The audit thread died: what is in flight is cut, because its records would be lost.
    fn drain(&mut self) -> Result<(), Failure> {
        self.tell(DRAIN);
        if let Some(crew) = &self.crew {
            crew.drain();
        }
        let end = Instant::now() + self.drain;
        let mut next_tick = Instant::now() + SECOND;
        while self.running > 0 {
            let now = Instant::now();
            if now >= end {
                log::line(
                    Level::Warn,
                    format_args!("the time to drain is over: open connections are cut"),
                );
                return self.abandon();
            }
            if now >= next_tick {
                self.tell(TICK);
                next_tick = now + SECOND;
            }
            match self
                .events
                .recv_timeout(end.min(next_tick).saturating_duration_since(now))
            {
                Ok(Event::Ended(_)) => self.running -= 1,
                // Nothing that is loaded now would still decide.
                Ok(Event::Signal(SIGHUP)) => {}
                Ok(Event::Signal(signal)) => std::process::exit(128 + signal),
                Ok(Event::AuditDied) => return Err(Event::audit_died()),
                Ok(Event::Started(..) | Event::Loaded(_)) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Lets all threads go without waiting for their connections.
    pub(crate) fn let_go(&mut self) {
        self.workers.clear();
        self.crew = None;
    }

    /// Waits a moment for the threads that were let go.
    fn abandon(&mut self) -> Result<(), Failure> {
        self.let_go();
        let end = Instant::now() + Duration::from_secs(2);
        while self.running > 0 {
            match self
                .events
                .recv_timeout(end.saturating_duration_since(Instant::now()))
            {
                Ok(Event::Ended(_)) => self.running -= 1,
                // Nothing that is loaded now would still decide.
                Ok(Event::Signal(SIGHUP)) => {}
                Ok(Event::Signal(signal)) => std::process::exit(128 + signal),
                Ok(Event::AuditDied) => return Err(Event::audit_died()),
                Ok(Event::Started(..) | Event::Loaded(_)) => {}
                Err(_) => break,
            }
        }
        Ok(())
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
