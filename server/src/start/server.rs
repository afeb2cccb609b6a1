//! The start of a serving process: load, bind, start the audit thread and the workers.
//!
//! The thread that calls [`run`] becomes the control thread (`control.rs`). It alone hears signals, from a thread of their
//! own.

use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use clap::ValueEnum as _;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::admin::{self, Facts, Keeping, Overview, Recent, Service};
use crate::audit::{self, Audit, FullPolicy, Monitor, Output, Render, Sink};
use crate::envoy::{self, Place, Word};
use crate::error::Failure;
use crate::io::{Bound, DriverChoice};
use crate::limits;
use crate::log::{self, Level};
use crate::metrics::Counters;
use crate::opa;
use crate::publish::{Archive, Fresh, Post, Publisher, Recorder};
use crate::reload::{self, Ask, Cause, Loading, Reloader, Wish};
use crate::serve::bounds::Bounds;
use crate::serve::deal::Dealer;
use crate::serve::desk::Desk;
use crate::serve::worker::{self, Setup};
use crate::source;
use crate::start::control::{Control, Event};
use crate::start::doors::{Doors, LocalSocket};
use crate::sys;
use crate::tls::{self, Certificates, Renewal};
use crate::why::{Retrace, Why};

/// How to serve.
pub struct Options {
    /// Address; none for all interfaces.
    pub host: Option<IpAddr>,
    /// Port of the decision API; 0 for any. `None`: it is not served.
    pub port: Option<u16>,
    /// Unix socket of the decision API, if it has one.
    pub socket: Option<LocalSocket>,
    /// Certificates for the port of the decision API, if it speaks TLS.
    pub tls: Option<tls::Files>,
    /// What is served to Envoy.
    pub envoy: Option<envoy::Options>,
    /// Cores to use, for each of the two.
    pub threads: usize,
    /// Kernel interface.
    pub driver: DriverChoice,
    /// What a full audit ring means.
    pub audit_full: FullPolicy,
    /// What clients may take of each core.
    pub bounds: Bounds,
    /// The address that clients know the service by.
    pub public_url: Option<Arc<str>>,
    /// OPA's data API is served, with this default decision.
    pub opa: Option<opa::Decision>,
    /// Time for requests in flight once the process is told to end.
    pub drain: Duration,
    /// Time before that in which the process says that it is not ready and serves on.
    pub drain_delay: Duration,
    /// Why there is no configuration file, if there is none.
    pub without_file: Option<String>,
    /// Reload when the files of the policies change.
    pub watch: bool,
    /// The source that is polled, and how often.
    pub poll: Option<(String, Duration)>,
    /// Where the admin port is, if there is one.
    pub admin: Option<admin::Options>,
    /// Where the admin port has the policies from that tell what happens in them.
    pub retrace: Option<Retrace>,
    /// Deny every request after the first without deciding; for benchmarks.
    pub constant_deny: bool,
}

/// Serves until a signal ends the process. `first` is what the first load shall be like; `output` takes the access records.
///
/// # Errors
/// Policies that do not load, what keeps the server from starting, or a worker that died.
pub fn run(options: &Options, loading: Loading, first: Wish, output: Output) -> Result<(), Failure> {
    let signals = [SIGTERM, SIGINT, SIGHUP];
    std::panic::set_hook(Box::new(|panic| log::line(Level::Error, format_args!("{panic}"))));
    // Before any thread exists, so that all of them inherit it.
    sys::mask_signals(true, &signals).map_err(Failure::refused("signal mask"))?;
    let (tell, events) = mpsc::channel();
    start_signals(&tell, &signals)?;
    let overview = Arc::new(Overview::new(options.facts()));
    let (admin, admin_certificates) = start_admin(options, &overview)?.unzip();
    let (reloader, publishes) = start_reloader(loading, first, &tell)?;
    let _ = overview.reloader.set(reloader.clone());
    let fresh = first_load(&events, &reloader)?;
    let mut doors = Doors::open(options)?;
    let count = doors.workers.len() + doors.envoy.as_ref().map_or(0, |_| options.threads);
    let counters: Vec<Arc<Counters>> = (0..count).map(|_| Arc::default()).collect();
    let publisher = Arc::new(Publisher::new(fresh, count));
    ready_page(options, &overview, &publisher);
    let recorder = recorder(publisher.archive(), overview.recent.get());
    let (audit, sinks) = start_audit(options, recorder, &counters, output, &tell)?;
    let reach: Vec<String> = doors.reach().chain(admin).collect();
    let of_admin = admin_certificates.flatten().map(|own| ("admin", own));
    let certificates: Vec<_> = doors.certificates().chain(of_admin).collect();
    let _ = overview.service.set(Service {
        publisher: Arc::clone(&publisher),
        counters: counters.clone(),
        audit: audit.monitor(),
        doors: reach.clone(),
        certificates: certificates.clone(),
    });
    let places = places(&publisher, sinks, &counters);
    let mut control = Control {
        workers: Vec::new(),
        crew: None,
        events,
        running: count,
        drain: options.drain,
        drain_delay: options.drain_delay,
        overview,
        hang_up: hang_up(reloader.clone(), audit.monitor()),
        tidy: tidy(Arc::clone(&publisher), certificates),
        next_tick: Instant::now(),
    };
    let address = doors.address;
    let _file = doors.file.take();
    start_threads(&mut control, doors, places, options, tell)?;
    let outcome = control.start(address, options.threads).and_then(|()| {
        if let Some(why) = &options.without_file {
            log::line(Level::Info, format_args!("no configuration file is read: {why}"));
        }
        log::line(Level::Info, format_args!("reachable: {}", reach.join("; ")));
        if options.watch {
            reload::watch(reloader.clone()).map_err(Failure::refused("watch thread"))?;
        }
        if let Some((_, every)) = &options.poll {
            source::poll(reloader, *every).map_err(Failure::refused("poll thread"))?;
        }
        // Reloads are taken from now on; those that were asked for wait.
        let _ = publishes.send(publisher);
        control.serve()
    });
    control.let_go();
    report(&counters, audit);
    outcome.and_then(|()| control.audit_outcome())
}

impl Options {
    /// Threads for the decision API.
    fn workers(&self) -> usize {
        if self.port.is_some() || self.socket.is_some() {
            self.threads
        } else {
            0
        }
    }

    fn facts(&self) -> Facts {
        let number = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
        let audit_full = self.audit_full.to_possible_value();
        let envoys = self.envoy.as_ref();
        let envoy_connections = envoys.map_or(limits::ENVOY_CONNECTIONS_MAX_DEFAULT, |envoys| {
            envoys.connections_max
        });
        Facts {
            workers: self.workers(),
            envoy_threads: self.envoy.as_ref().map_or(0, |_| self.threads),
            audit_full: audit_full.map_or_else(String::new, |word| word.get_name().to_owned()),
            watch: self.watch,
            source: self.poll.as_ref().map(|(url, _)| url.clone()),
            limits: vec![
                ("bodyBytes", number(self.bounds.body_bytes)),
                ("bodySeconds", limits::body_seconds(self.bounds.body_bytes)),
                (
                    "auditRingBytes",
                    number(limits::audit_ring_bytes(self.bounds.body_bytes)),
                ),
                (
                    "inputBytesPerThread",
                    number(limits::input_bytes(self.bounds.body_bytes)),
                ),
                ("connectionsPerThread", number(self.bounds.connections)),
                ("envoyConnections", number(envoy_connections)),
                ("inFlightPerThread", number(self.bounds.in_flight)),
                (
                    "requestsPerConnection",
                    self.bounds.requests_per_connection.unwrap_or(0),
                ),
                ("drainSeconds", self.drain.as_secs()),
                ("drainDelaySeconds", self.drain_delay.as_secs()),
            ],
        }
    }
}

/// Who can reach the admin port, and its certificates.
type AdminDoor = (String, Option<Arc<Certificates>>);

/// Starts the admin port, if there is one.
fn start_admin(options: &Options, overview: &Arc<Overview>) -> Result<Option<AdminDoor>, Failure> {
    let Some(admin) = &options.admin else {
        return Ok(None);
    };
    let bound = admin.bind()?;
    let door = (bound.name.clone(), bound.certificates.clone());
    admin::start(bound, Arc::clone(overview))?;
    Ok(Some(door))
}

/// Gives the status page what it needs beyond numbers.
fn ready_page(options: &Options, overview: &Overview, publisher: &Arc<Publisher>) {
    let decisions = options.admin.as_ref().map_or(0, |admin| admin.decisions);
    if decisions > 0 {
        let _ = overview.recent.set(Arc::new(Recent::new(decisions)));
    }
    if let Some(retrace) = &options.retrace {
        let why = Why::new(Arc::clone(publisher), Arc::clone(retrace));
        let _ = overview.why.set(why);
    }
}

/// Starts the threads that serve.
fn start_threads(
    control: &mut Control,
    doors: Doors,
    mut places: Vec<Place>,
    options: &Options,
    tell: mpsc::Sender<Event>,
) -> Result<(), Failure> {
    let envoy_places = places.split_off(doors.workers.len());
    let mut dealers = deal(doors.workers.len())?.into_iter();
    for (index, (sockets, place)) in doors.workers.into_iter().zip(places).enumerate() {
        let entrance = Entrance {
            sockets,
            certificates: doors.certificates.clone(),
            dealer: dealers.next(),
        };
        let worker = start_worker(index, entrance, place, options, &tell)?;
        control.workers.push(worker);
    }
    if let (Some(bound), Some(envoy)) = (doors.envoy, &options.envoy) {
        let first = control.workers.len();
        control.crew = Some(envoy::start(envoy, bound, envoy_places, told(first, tell))?);
    }
    Ok(())
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
        let _ = tell.send(Event::Loaded(Box::new(outcome)));
    };
    let reloader =
        reload::start(loading, first, loaded, publisher).map_err(Failure::refused("reload thread"))?;
    Ok((reloader, publishes))
}

/// Waits for the first policies, or for a signal.
fn first_load(events: &mpsc::Receiver<Event>, reloader: &Reloader) -> Result<Fresh, Failure> {
    loop {
        match events.recv() {
            Ok(Event::Loaded(outcome)) => return *outcome,
            Ok(Event::Signal(SIGHUP)) => load_by_signal(reloader),
            Ok(Event::Signal(signal)) => std::process::exit(128 + signal),
            Ok(Event::Started(..) | Event::Ended(_) | Event::AuditDied) => {}
            Err(_) => return Err(Failure::Fault("the thread that loads policies died".to_owned())),
        }
    }
}

fn hang_up(reloader: Reloader, records: Monitor) -> Box<dyn Fn()> {
    Box::new(move || {
        records.reopen();
        load_by_signal(&reloader);
    })
}

fn load_by_signal(reloader: &Reloader) {
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
}

/// Once a second; now and then certificates are looked at.
fn tidy(publisher: Arc<Publisher>, certificates: Vec<(&'static str, Arc<Certificates>)>) -> Box<dyn Fn()> {
    let seconds = Cell::new(0u64);
    let last_problems = vec![RefCell::new(String::new()); certificates.len()];
    Box::new(move || {
        publisher.tidy();
        seconds.set(seconds.get() + 1);
        if seconds.get().is_multiple_of(limits::CERTIFICATE_SECONDS) {
            for ((_, certificates), last_problem) in certificates.iter().zip(&last_problems) {
                renew(certificates, &mut last_problem.borrow_mut());
                certificates.tell();
            }
        }
    })
}

fn renew(certificates: &Certificates, last_problem: &mut String) {
    match certificates.renew() {
        Ok(Renewal::Same) => last_problem.clear(),
        Ok(Renewal::Taken) => {
            last_problem.clear();
            let chain = certificates.chain().display();
            log::line(
                Level::Info,
                format_args!("new certificates are shown from now on: {chain}"),
            );
        }
        // Said once: they are looked at again and again while they are written.
        Err(problem) if *last_problem == problem => {}
        Err(problem) => {
            let text = format_args!("the certificates stay, because the new ones are wrong: {problem}");
            log::line(Level::Error, text);
            *last_problem = problem;
        }
    }
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

/// What makes records, and keeps the last ones if that is asked for.
fn recorder(
    archive: &Arc<Archive>,
    recent: Option<&Arc<Recent>>,
) -> impl FnOnce() -> Box<dyn Render> + Send + use<> {
    let (archive, recent) = (Arc::clone(archive), recent.map(Arc::clone));
    move || {
        let recorder = Box::new(Recorder::new(archive));
        match recent {
            Some(recent) => Box::new(Keeping::new(recorder, recent)),
            None => recorder,
        }
    }
}

fn start_audit(
    options: &Options,
    recorder: impl FnOnce() -> Box<dyn Render> + Send + 'static,
    counters: &[Arc<Counters>],
    output: Output,
    tell: &mpsc::Sender<Event>,
) -> Result<(Audit, Vec<Sink>), Failure> {
    let workers = options.workers();
    let ring = limits::audit_ring_bytes(options.bounds.body_bytes);
    let envoy_ring = match &options.envoy {
        Some(envoy) => limits::envoy_ring_bytes(envoy.body_bytes_max),
        None => 0,
    };
    let ring_bytes = move |index| if index < workers { ring } else { envoy_ring };
    let tell = tell.clone();
    let died = move || {
        let _ = tell.send(Event::AuditDied);
    };
    audit::start(counters, ring_bytes, options.audit_full, output, recorder, died)
        .map_err(Failure::refused("audit thread"))
}

fn start_signals(tell: &mpsc::Sender<Event>, signals: &[i32]) -> Result<(), Failure> {
    let failed = Failure::refused("signal handlers");
    let mut source = signal_hook::iterator::Signals::new(signals).map_err(&failed)?;
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
    Dealer::seats(workers).map_err(Failure::refused("bells of the workers"))
}

fn start_worker(
    index: usize,
    entrance: Entrance,
    place: Place,
    options: &Options,
    tell: &mpsc::Sender<Event>,
) -> Result<UnixStream, Failure> {
    let failed = Failure::refused(format!("worker {index}"));
    let (ours, control) = UnixStream::pair().map_err(&failed)?;
    ours.set_nonblocking(true).map_err(&failed)?;
    let (driver, bounds, tell) = (options.driver, options.bounds, tell.clone());
    let (constant_deny, public_url) = (options.constant_deny, options.public_url.clone());
    let opa = options.opa.clone();
    thread::Builder::new()
        .name(format!("worker-{index}"))
        .stack_size(limits::STACK_BYTES)
        .spawn(move || {
            // Dropped however the thread ends, also by a panic.
            let _ended = Ended(index, tell.clone());
            let counters = Arc::clone(&place.counters);
            let desk = Desk::new(place.policies, place.sink, place.counters, constant_deny);
            let setup = Setup {
                doors: entrance.sockets,
                certificates: entrance.certificates,
                control,
                driver,
                desk,
                counters,
                bounds,
                public_url,
                opa,
                dealer: entrance.dealer,
            };
            worker::run(setup, |outcome| {
                let _ = tell.send(Event::Started(index, outcome.map(Some)));
            });
        })
        .map_err(failed)?;
    Ok(ours)
}

/// How connections come to one worker.
struct Entrance {
    sockets: Vec<Bound>,
    certificates: Option<Arc<Certificates>>,
    dealer: Option<Dealer>,
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
            "served {} connections ({} expired), {} grants, {} denials, {} panics, {} malformed and {} refused \
             requests; {} access records written, {} lost",
            sum(|c| c.connections.get()),
            sum(|c| c.expired.get()),
            sum(Counters::grants),
            sum(Counters::denies),
            sum(|c| c.panics.get()),
            sum(Counters::malformed),
            sum(|c| c.refused.get()),
            finished.written,
            sum(|c| c.records_lost.get()) + finished.lost,
        ),
    );
}
