//! The start of a serving process: load, bind, start the audit thread and the workers.
//!
//! The thread that calls [`run`] becomes the control thread (`control.rs`). It alone hears signals, from a thread of their
//! own.

use std::io::Write;
use std::net::IpAddr;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::audit::{self, Audit, FullPolicy, Render, Sink};
use crate::control::{Control, Event};
use crate::deal::Dealer;
use crate::desk::Desk;
use crate::envoy::{self, Place, Word};
use crate::error::Failure;
use crate::io::DriverChoice;
use crate::limits;
use crate::listen;
use crate::log::{self, Level};
use crate::metrics::Counters;
use crate::publish::{Archive, Fresh, Post, Publisher, Recorder};
use crate::reload::{self, Ask, Cause, Loading, Reloader, Wish};
use crate::sys;
use crate::worker::{self, Setup};

/// How to serve.
pub struct Options {
    /// Address; none for all interfaces.
    pub host: Option<IpAddr>,
    /// Port of the decision API; 0 for any. `None`: it is not served.
    pub port: Option<u16>,
    /// What is served to Envoy.
    pub envoy: Option<envoy::Options>,
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
    /// Reload when the files of the policies change.
    pub watch: bool,
    /// Deny every request after the first without deciding; for benchmarks.
    pub constant_deny: bool,
}

/// Serves until a signal ends the process. `first` is what the first load shall be like; `output` takes the access records.
///
/// # Errors
/// Policies that do not load, what keeps the server from starting, or a worker that died.
pub fn run(
    options: &Options,
    loading: Loading,
    first: Wish,
    output: Box<dyn Write + Send>,
) -> Result<(), Failure> {
    let signals = [SIGTERM, SIGINT, SIGHUP];
    std::panic::set_hook(Box::new(|panic| log::line(Level::Error, format_args!("{panic}"))));
    // Before any thread exists, so that all of them inherit it.
    sys::mask_signals(true, &signals).map_err(|e| Failure::Operator(format!("signal mask: {e}")))?;
    let (tell, events) = mpsc::channel();
    start_signals(&tell, &signals)?;
    let (reloader, publishes) = start_reloader(loading, first, &tell)?;
    let fresh = first_load(&events)?;
    let listeners = match options.port {
        Some(port) => listen::bind(options.host, port, options.threads)?,
        None => Vec::new(),
    };
    let bound = match &options.envoy {
        Some(envoy) => Some(envoy.bind(options.host)?),
        None => None,
    };
    let address = listeners.first().and_then(|l| l.local_addr().ok());
    let count = listeners.len() + bound.as_ref().map_or(0, |_| options.threads);
    let counters: Vec<Arc<Counters>> = (0..count).map(|_| Arc::default()).collect();
    let publisher = Arc::new(Publisher::new(fresh, count));
    let (audit, sinks) = start_audit(options, publisher.archive(), &counters, output, &tell)?;
    let mut places = places(&publisher, sinks, &counters);
    let envoy_places = places.split_off(listeners.len());
    let mut control = Control {
        workers: Vec::new(),
        crew: None,
        events,
        running: count,
        drain: options.drain,
        hang_up: hang_up(reloader.clone()),
        tidy: tidy(Arc::clone(&publisher)),
    };
    let mut dealers = deal(listeners.len())?.into_iter();
    for (index, (listener, place)) in listeners.into_iter().zip(places).enumerate() {
        let worker = start_worker(index, (listener, dealers.next()), place, options, &tell)?;
        control.workers.push(worker);
    }
    if let (Some(bound), Some(envoy)) = (bound, &options.envoy) {
        let first = control.workers.len();
        control.crew = Some(envoy::start(envoy, bound, envoy_places, told(first, tell))?);
    }
    let outcome = control.start(address, options.threads).and_then(|()| {
        if options.watch {
            reload::watch(reloader).map_err(|e| Failure::Operator(format!("watch thread: {e}")))?;
        }
        // Reloads are taken from now on; those that were asked for wait.
        let _ = publishes.send(publisher);
        control.serve()
    });
    control.let_go();
    report(&counters, audit);
    outcome.and_then(|()| control.audit_outcome())
}

/// What each core decides with.
fn places(publisher: &Publisher, sinks: Vec<Sink>, counters: &[Arc<Counters>]) -> Vec<Place> {
    let posts = publisher.posts().iter();
    let place = |((post, sink), counters): ((&Arc<Post>, Sink), &Arc<Counters>)| Place {
        policies: (publisher.current(), Arc::clone(post)),
        sink,
        counters: Arc::clone(counters),
    };
    posts.zip(sinks).zip(counters).map(place).collect()
}

/// Starts to load. Whoever has the publisher sends it there.
fn start_reloader(
    loading: Loading,
    first: Wish,
    tell: &mpsc::Sender<Event>,
) -> Result<(Reloader, mpsc::Sender<Arc<Publisher>>), Failure> {
    let (publishes, publisher) = mpsc::channel();
    let tell = tell.clone();
    let loaded = move |outcome| {
        let _ = tell.send(Event::Loaded(outcome));
    };
    let reloader = reload::start(loading, first, loaded, publisher)
        .map_err(|e| Failure::Operator(format!("reload thread: {e}")))?;
    Ok((reloader, publishes))
}

/// Waits for the first policies, or for a signal.
fn first_load(events: &mpsc::Receiver<Event>) -> Result<Fresh, Failure> {
    loop {
        match events.recv() {
            Ok(Event::Loaded(outcome)) => return outcome,
            // What is being loaded is as new as can be.
            Ok(Event::Signal(SIGHUP)) => {}
            Ok(Event::Signal(signal)) => std::process::exit(128 + signal),
            Ok(Event::Started(..) | Event::Ended(_) | Event::AuditDied) => {}
            Err(_) => return Err(Failure::Fault("the thread that loads policies died".to_owned())),
        }
    }
}

fn hang_up(reloader: Reloader) -> Box<dyn Fn()> {
    Box::new(move || {
        let ask = Ask {
            cause: Cause::Signal,
            wish: Wish::default(),
            answer: None,
        };
        if !reloader.ask(ask) {
            log::line(
                Level::Error,
                format_args!("the thread that loads policies died: nothing is reloaded any more"),
            );
        }
    })
}

fn tidy(publisher: Arc<Publisher>) -> Box<dyn Fn()> {
    Box::new(move || publisher.tidy())
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
    archive: &Arc<Archive>,
    counters: &[Arc<Counters>],
    output: Box<dyn Write + Send>,
    tell: &mpsc::Sender<Event>,
) -> Result<(Audit, Vec<Sink>), Failure> {
    let workers = options.port.map_or(0, |_| options.threads);
    let ring = limits::AUDIT_RING_BYTES_MIN.max(options.body_bytes_max.saturating_mul(2));
    let envoy_ring = match &options.envoy {
        Some(envoy) => limits::envoy_ring_bytes(envoy.body_bytes_max),
        None => 0,
    };
    let ring_bytes = move |index| if index < workers { ring } else { envoy_ring };
    let archive = Arc::clone(archive);
    let render = move || -> Box<dyn Render> { Box::new(Recorder::new(archive)) };
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

/// Seats among which connections are dealt, if there are several workers.
fn deal(workers: usize) -> Result<Vec<Dealer>, Failure> {
    if workers < 2 {
        return Ok(Vec::new());
    }
    Dealer::seats(workers).map_err(|e| Failure::Operator(format!("bells of the workers: {e}")))
}

fn start_worker(
    index: usize,
    (listener, dealer): (std::net::TcpListener, Option<Dealer>),
    place: Place,
    options: &Options,
    tell: &mpsc::Sender<Event>,
) -> Result<UnixStream, Failure> {
    let failed = |e: std::io::Error| Failure::Operator(format!("worker {index}: {e}"));
    let (ours, control) = UnixStream::pair().map_err(failed)?;
    ours.set_nonblocking(true).map_err(failed)?;
    let (driver, body_bytes_max, tell) = (options.driver, options.body_bytes_max, tell.clone());
    let constant_deny = options.constant_deny;
    thread::Builder::new()
        .name(format!("worker-{index}"))
        .stack_size(limits::STACK_BYTES)
        .spawn(move || {
            // Dropped however the thread ends, also by a panic.
            let _ended = Ended(index, tell.clone());
            let counters = Arc::clone(&place.counters);
            let desk = Desk::new(place.policies, place.sink, place.counters, constant_deny);
            let setup = Setup {
                listener,
                control,
                driver,
                desk,
                counters,
                body_bytes_max,
                dealer,
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
