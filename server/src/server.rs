//! The life of a serving process: bind, start the audit thread and the workers, tick, drain, end.
//!
//! The thread that calls [`run`] becomes the control thread. It alone hears signals, from a thread of their own.

use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use gavel_runtime::decision::{Decider, RecordOptions, write_json};
use gavel_runtime::image::Image;
use gavel_runtime::limits::Limits;
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::audit::{self, Audit, FullPolicy, Render, Sink};
use crate::desk::Desk;
use crate::envoy::{self, Crew, Lens, Place, Word};
use crate::error::Failure;
use crate::io::{DriverChoice, DriverReport};
use crate::limits;
use crate::listen;
use crate::log::{self, Level};
use crate::metrics::Counters;
use crate::sys;
use crate::trace::Tracing;
use crate::worker::{self, DRAIN, Setup, TICK};

/// How to serve.
pub struct Options {
    /// Address; none for all interfaces.
    pub host: Option<IpAddr>,
    /// Port of the decision API; 0 for any. `None`: it is not served.
    pub port: Option<u16>,
    /// What is served to Envoy, and the mapper for it.
    pub envoy: Option<(envoy::Options, Arc<Lens>)>,
    /// Cores to use, for each of the two.
    pub threads: usize,
    /// Kernel interface.
    pub driver: DriverChoice,
    /// What a full audit ring means.
    pub audit_full: FullPolicy,
    /// Largest body.
    pub body_bytes_max: usize,
    /// Time for requests in flight once the process is told to end.
    pub drain: Duration,
    /// How access records are written.
    pub records: RecordOptions,
    /// Deny every request after the first without deciding; for benchmarks.
    pub constant_deny: bool,
    /// What is needed to trace decisions, if they are traced.
    pub tracing: Option<Arc<Tracing>>,
}

enum Event {
    /// A thread serves, on a driver if it has a choice.
    Started(usize, Result<Option<DriverReport>, String>),
    Ended(usize),
    Signal(i32),
    /// Nothing is recorded any more.
    AuditDied,
}

impl Event {
    fn audit_died() -> Failure {
        Failure::Fault("audit thread died".to_owned())
    }
}

/// Serves until a signal ends the process. `output` takes the access records.
///
/// # Errors
/// What keeps the server from starting, or a worker that died.
pub fn run(options: &Options, image: Arc<Image>, output: Box<dyn Write + Send>) -> Result<(), Failure> {
    let signals = [SIGTERM, SIGINT];
    std::panic::set_hook(Box::new(|panic| log::line(Level::Error, format_args!("{panic}"))));
    // Before any thread exists, so that all of them inherit it.
    sys::mask_signals(true, &signals).map_err(|e| Failure::Operator(format!("signal mask: {e}")))?;
    let listeners = match options.port {
        Some(port) => listen::bind(options.host, port, options.threads)?,
        None => Vec::new(),
    };
    let bound = match &options.envoy {
        Some((envoy, _)) => Some(envoy.bind(options.host)?),
        None => None,
    };
    let address = listeners.first().and_then(|l| l.local_addr().ok());
    let count = listeners.len() + bound.as_ref().map_or(0, |_| options.threads);
    let counters: Vec<Arc<Counters>> = (0..count).map(|_| Arc::default()).collect();
    let (tell, events) = mpsc::channel();
    let (audit, mut sinks) = start_audit(options, &image, &counters, output, &tell)?;
    start_signals(&tell, &signals)?;
    let envoy_sinks = sinks.split_off(listeners.len());
    let mut control = Control {
        workers: Vec::new(),
        crew: None,
        events,
        running: count,
        drain: options.drain,
    };
    for (index, ((listener, sink), counters)) in listeners.into_iter().zip(sinks).zip(&counters).enumerate() {
        let desk = (Arc::clone(&image), sink, Arc::clone(counters));
        let worker = start_worker(index, listener, desk, options, &tell)?;
        control.workers.push(worker);
    }
    if let (Some(bound), Some((envoy, lens))) = (bound, &options.envoy) {
        let first = control.workers.len();
        let place = |(sink, counters): (Sink, &Arc<Counters>)| Place {
            image: Arc::clone(&image),
            sink,
            counters: Arc::clone(counters),
            tracing: options.tracing.clone(),
        };
        let counters = counters.iter().skip(first);
        let places = envoy_sinks.into_iter().zip(counters).map(place).collect();
        control.crew = Some(envoy::start(envoy, bound, lens, places, told(first, tell))?);
    }
    let outcome = control
        .start(address, options.threads)
        .and_then(|()| control.serve());
    control.let_go();
    report(&counters, audit);
    outcome.and_then(|()| control.audit_outcome())
}

/// What the threads for Envoy say becomes events of theirs, numbered behind the workers.
fn told(first: usize, tell: mpsc::Sender<Event>) -> impl Fn(usize, Word) + Send + Clone + 'static {
    move |index, word| {
        let _ = tell.send(match word {
            Word::Started(outcome) => Event::Started(first + index, outcome.map(|()| None)),
            Word::Ended => Event::Ended(first + index),
        });
    }
}

fn start_audit(
    options: &Options,
    image: &Arc<Image>,
    counters: &[Arc<Counters>],
    output: Box<dyn Write + Send>,
    tell: &mpsc::Sender<Event>,
) -> Result<(Audit, Vec<Sink>), Failure> {
    let workers = options.port.map_or(0, |_| options.threads);
    let ring = limits::AUDIT_RING_BYTES_MIN.max(options.body_bytes_max.saturating_mul(2));
    let envoy_ring = match &options.envoy {
        Some((envoy, _)) => limits::envoy_ring_bytes(envoy.body_bytes_max),
        None => 0,
    };
    let ring_bytes = move |index| if index < workers { ring } else { envoy_ring };
    let (image, records) = (Arc::clone(image), options.records.clone());
    let render = move || -> Render {
        let mut scratch = Decider::new(&image, &Limits::DEFAULT);
        Box::new(move |frame, text| {
            let whole = write_json(&image, frame, &records, &mut scratch, text);
            if !whole {
                log::line(
                    Level::Error,
                    format_args!("an access record could not be written: its frame is damaged"),
                );
            }
            whole
        })
    };
    let tell = tell.clone();
    let died = move || {
        let _ = tell.send(Event::AuditDied);
    };
    audit::start(counters, ring_bytes, options.audit_full, output, render, died)
        .map_err(|e| Failure::Operator(format!("audit thread: {e}")))
}

fn start_signals(tell: &mpsc::Sender<Event>, signals: &[i32]) -> Result<(), Failure> {
    let failed = |e: std::io::Error| Failure::Operator(format!("signal handlers: {e}"));
    let mut source = signal_hook::iterator::Signals::new(signals).map_err(failed)?;
    let (tell, unmasked) = (tell.clone(), signals.to_vec());
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            if sys::mask_signals(false, &unmasked).is_err() {
                return;
            }
            for signal in source.forever() {
                if tell.send(Event::Signal(signal)).is_err() {
                    return;
                }
            }
        })
        .map_err(failed)?;
    Ok(())
}

fn start_worker(
    index: usize,
    listener: std::net::TcpListener,
    (image, sink, counters): (Arc<Image>, Sink, Arc<Counters>),
    options: &Options,
    tell: &mpsc::Sender<Event>,
) -> Result<UnixStream, Failure> {
    let failed = |e: std::io::Error| Failure::Operator(format!("worker {index}: {e}"));
    let (ours, control) = UnixStream::pair().map_err(failed)?;
    ours.set_nonblocking(true).map_err(failed)?;
    let (driver, body_bytes_max, tell) = (options.driver, options.body_bytes_max, tell.clone());
    let (constant_deny, tracing) = (options.constant_deny, options.tracing.clone());
    thread::Builder::new()
        .name(format!("worker-{index}"))
        .stack_size(limits::STACK_BYTES)
        .spawn(move || {
            // Dropped however the thread ends, also by a panic.
            let _ended = Ended(index, tell.clone());
            let desk = Desk::new(image, sink, Arc::clone(&counters), constant_deny).traced(tracing);
            let setup = Setup {
                listener,
                control,
                driver,
                desk,
                counters,
                body_bytes_max,
            };
            worker::run(setup, |outcome| {
                let _ = tell.send(Event::Started(index, outcome.map(Some)));
            });
        })
        .map_err(failed)?;
    Ok(ours)
}

struct Ended(usize, mpsc::Sender<Event>);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.1.send(Event::Ended(self.0));
    }
}

struct Control {
    workers: Vec<UnixStream>,
    crew: Option<Crew>,
    events: mpsc::Receiver<Event>,
    running: usize,
    drain: Duration,
}

impl Control {
    /// Waits for all threads and says on what they run.
    fn start(&mut self, address: Option<SocketAddr>, threads: usize) -> Result<(), Failure> {
        let mut reported: Option<DriverReport> = None;
        let mut waiting = self.running;
        while waiting > 0 {
            match self.events.recv() {
                Ok(Event::Started(_, Ok(report))) => {
                    waiting -= 1;
                    if let Some(report) = report
                        && reported.as_ref() != Some(&report)
                    {
                        log::line(
                            Level::Info,
                            format_args!("I/O driver {} ({})", report.driver, report.reason),
                        );
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
                Ok(Event::Signal(signal)) => std::process::exit(128 + signal),
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
        Ok(())
    }

    /// Ticks until a signal, then drains.
    fn serve(&mut self) -> Result<(), Failure> {
        loop {
            match self.events.recv_timeout(Duration::from_secs(1)) {
                Ok(Event::Signal(signal)) => {
                    log::line(Level::Info, format_args!("shutting down on signal {signal}"));
                    return self.drain();
                }
                Ok(Event::AuditDied) => return Err(Event::audit_died()),
                Ok(Event::Ended(index)) => {
                    // Its connections hang; only a restart helps them.
                    return Err(Failure::Fault(format!("thread {index} died")));
                }
                Ok(Event::Started(..)) => {}
                Err(mpsc::RecvTimeoutError::Timeout) => self.tell(TICK),
                Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(()),
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
        let mut next_tick = Instant::now() + Duration::from_secs(1);
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
                next_tick = now + Duration::from_secs(1);
            }
            match self
                .events
                .recv_timeout(end.min(next_tick).saturating_duration_since(now))
            {
                Ok(Event::Ended(_)) => self.running -= 1,
                Ok(Event::Signal(signal)) => std::process::exit(128 + signal),
                Ok(Event::AuditDied) => return Err(Event::audit_died()),
                Ok(Event::Started(..)) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Lets all threads go without waiting for their connections.
    fn let_go(&mut self) {
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
                Ok(Event::Signal(signal)) => std::process::exit(128 + signal),
                Ok(Event::AuditDied) => return Err(Event::audit_died()),
                Ok(Event::Started(..)) => {}
                Err(_) => break,
            }
        }
        Ok(())
    }

    /// What came after the last worker ended.
    fn audit_outcome(&self) -> Result<(), Failure> {
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

fn report(counters: &[Arc<Counters>], audit: Audit) {
    let finished = audit.finish();
    let sum = |get: fn(&Counters) -> u64| counters.iter().map(|c| get(c)).sum::<u64>();
    if !finished.complete {
        log::line(Level::Error, format_args!("not all access records were written"));
    }
    log::line(
        Level::Info,
        format_args!(
            "served {} connections ({} expired), {} grants, {} denials ({} after a panic), {} malformed and {} refused \
             requests; {} access records written, {} lost",
            sum(|c| c.connections.get()),
            sum(|c| c.expired.get()),
            sum(Counters::grants),
            sum(Counters::denies),
            sum(|c| c.panics.get()),
            sum(Counters::malformed),
            sum(|c| c.refused.get()),
            finished.written,
            sum(|c| c.records_lost.get()),
        ),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

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
