//! Runs a job: threads, each with an `epoll` of its own, its share of the connections and of the schedule.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::thread::CpuSet;

use super::connection::{Connection, Gone, Sent};
use super::job::{Job, Pace};
use super::result::Outcome;
use super::span::Span;

/// Events that are taken from the kernel at once.
const EVENTS_MAX: usize = 256;

/// How often overdue answers and closed connections are looked for.
const SWEEP_NS: u64 = 10_000_000;

/// Waking so much later than asked is a stall, and so is a round of answers and requests that takes so long: with the 32
/// connections of the report it has some 0.3 ms of work at most.
const STALL_NS: u64 = 1_000_000;

/// Binds the calling thread to one processor.
///
/// # Errors
/// There is no such processor, or it may not be used.
pub fn pin(core: usize) -> Result<(), String> {
    let mut set = CpuSet::new();
    if core >= CpuSet::MAX_CPU {
        return Err(format!("processor {core}: no such one"));
    }
    set.set(core);
    rustix::thread::sched_setaffinity(None, &set).map_err(|error| format!("processor {core}: {error}"))
}

/// Puts a load on a server; times in the outcome are in ns after `origin`.
///
/// # Errors
/// What keeps the generator itself from running. What the server does wrong is counted in the outcome.
pub fn run(job: &Job, origin: Instant) -> Result<Outcome, String> {
    if job.asks.is_empty() || job.connections == 0 || job.depth == 0 || job.threads == 0 {
        return Err("a load needs a request, a connection and a thread".to_owned());
    }
    if let Pace::Open { rate } = job.pace
        && !(rate.is_finite() && rate > 0.0)
    {
        return Err("the rate has to be above 0".to_owned());
    }
    let start = Instant::now();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..job.threads)
            .map(|part| scope.spawn(move || Worker::new(job, part, origin, start)?.run()))
            .collect();
        let mut outcome = Outcome::new(job.time.as_secs_f64())?;
        for thread in threads {
            let part = thread
                .join()
                .map_err(|_| "a thread of the generator panicked".to_owned())??;
            outcome.add(&part)?;
        }
        Ok(outcome)
    })
}

/// One thread's part of a job. All times are in ns after `origin`.
struct Worker<'j> {
    job: &'j Job,
    origin: Instant,
    start_ns: u64,
    measure_ns: u64,
    end_ns: u64,
    /// ns between two requests of this thread; 0 in a closed loop.
    period_ns: f64,
    /// When the first is due, after `start_ns`.
    offset_ns: f64,
    epoll: OwnedFd,
    connections: Vec<Connection>,
    /// Connections with room, the one that has waited longest first.
    ready: VecDeque<usize>,
    /// Requests that the server refused to read on a connection that it closed.
    again: VecDeque<Sent>,
    /// How many requests of the schedule have been sent.
    next: u64,
    scratch: Vec<u8>,
    outcome: Outcome,
}

/// A time in ns.
pub(super) fn ns(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl<'j> Worker<'j> {
    fn new(job: &'j Job, part: usize, origin: Instant, start: Instant) -> Result<Worker<'j>, String> {
        if let Some(core) = job.core {
            pin(core + part)?;
        }
        let start_ns = ns(start.saturating_duration_since(origin));
        let measure_ns = start_ns + ns(job.warmup);
        let (period_ns, offset_ns) = match job.pace {
            Pace::Open { rate } => (job.threads as f64 * 1e9 / rate, part as f64 * 1e9 / rate),
            Pace::Closed => (0.0, 0.0),
        };
        let epoll = epoll::create(CreateFlags::CLOEXEC).map_err(|error| format!("epoll: {error}"))?;
        let share = job.connections / job.threads + usize::from(part < job.connections % job.threads);
        let mut worker = Worker {
            job,
            origin,
            start_ns,
            measure_ns,
            end_ns: measure_ns + ns(job.time),
            period_ns,
            offset_ns,
            epoll,
            connections: (0..share.max(1)).map(|_| Connection::closed()).collect(),
            ready: VecDeque::new(),
            again: VecDeque::new(),
            next: 0,
            scratch: Vec::new(),
            outcome: Outcome::new(job.time.as_secs_f64())?,
        };
        for at in 0..worker.connections.len() {
            worker.connect(at);
        }
        Ok(worker)
    }

    fn now_ns(&self) -> u64 {
        ns(self.origin.elapsed())
    }

    /// When the next request of the schedule is due; none when it is over.
    fn due_ns(&self, now_ns: u64) -> Option<u64> {
        let due_ns = match self.job.pace {
            Pace::Open { .. } => {
                self.start_ns + (self.offset_ns + self.next as f64 * self.period_ns).round() as u64
            }
            Pace::Closed => now_ns,
        };
        (due_ns < self.end_ns).then_some(due_ns)
    }

    fn run(mut self) -> Result<Outcome, String> {
        let mut events = Vec::with_capacity(EVENTS_MAX);
        let mut swept_ns = 0;
        let mut woke_ns = self.now_ns();
        loop {
            let now_ns = self.now_ns();
            let due_ns = self.send_due(now_ns);
            if self.is_over(due_ns, now_ns) {
                break;
            }
            events.clear();
            let timeout = self.timeout(due_ns, now_ns);
            let asked_ns = self.now_ns();
            self.note_stall(woke_ns, asked_ns);
            match epoll::wait(
                &self.epoll,
                rustix::buffer::spare_capacity(&mut events),
                Some(&timeout),
            ) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(format!("epoll: {error}")),
            }
            woke_ns = self.now_ns();
            self.note_stall(asked_ns + u64::try_from(timeout.tv_nsec).unwrap_or(0), woke_ns);
            for event in &events {
                let at = usize::try_from(event.data.u64()).unwrap_or(usize::MAX);
                self.handle(at, *event);
            }
            if now_ns >= swept_ns + SWEEP_NS {
                swept_ns = now_ns;
                self.sweep(now_ns);
            }
        }
        Ok(self.finish())
    }

    /// A stall, if what is done at once took this time: a wait that was over, or a round of answers and requests.
    fn note_stall(&mut self, from_ns: u64, to_ns: u64) {
        if to_ns > from_ns.saturating_add(STALL_NS) {
            self.outcome.stalls.push(Span { from_ns, to_ns });
        }
    }

    /// Everything is sent and answered, or has had its time.
    fn is_over(&self, due_ns: Option<u64>, now_ns: u64) -> bool {
        let has_sent = due_ns.is_none() && self.again.is_empty();
        let is_answered = || {
            self.connections
                .iter()
                .all(|connection| connection.sent.is_empty())
        };
        now_ns > self.end_ns.saturating_add(ns(self.job.timeout)) || (has_sent && is_answered())
    }

    /// Sends what is due as long as connections have room; when the next one is due.
    fn send_due(&mut self, now_ns: u64) -> Option<u64> {
        loop {
            let again = self.again.front().copied();
            let due_ns = match again {
                Some(sent) => sent.due_ns,
                None => self.due_ns(now_ns)?,
            };
            if due_ns > now_ns {
                return Some(due_ns);
            }
            let Some(at) = self.ready.pop_front() else {
                return Some(due_ns);
            };
            let Some(connection) = self.connections.get_mut(at) else {
                return Some(due_ns);
            };
            connection.is_ready = false;
            // It may have been closed while it waited.
            if !connection.is_open {
                continue;
            }
            let ask = match again {
                Some(sent) => sent.ask,
                None => (self.next % self.job.asks.len() as u64) as usize,
            };
            let Some(message) = self.job.asks.get(ask).map(|ask| ask.message.as_slice()) else {
                return Some(due_ns);
            };
            match again {
                Some(_) => drop(self.again.pop_front()),
                None => {
                    self.next += 1;
                    let late_ns = now_ns - due_ns.max(connection.ready_ns).min(now_ns);
                    self.outcome.lateness.saturating_record(late_ns);
                }
            }
            let sent = Sent {
                due_ns,
                sent_ns: now_ns,
                ask,
            };
            match connection.send(message, sent) {
                Ok(()) => self.make_ready(at, now_ns),
                Err(gone) => self.lose(at, gone),
            }
        }
    }

    /// Sleeps until shortly before the next request; then not at all.
    fn timeout(&self, due_ns: Option<u64>, now_ns: u64) -> Timespec {
        let spin_ns = ns(self.job.spin);
        let wait_ns = match due_ns {
            // A request that is due waits for a connection, which an event will free.
            Some(due_ns) if due_ns <= now_ns => SWEEP_NS,
            Some(due_ns) => (due_ns - now_ns).saturating_sub(spin_ns).min(SWEEP_NS),
            None => SWEEP_NS,
        };
        Timespec {
            tv_sec: 0,
            tv_nsec: i64::try_from(wait_ns).unwrap_or(0),
        }
    }

    fn handle(&mut self, at: usize, event: Event) {
        let Some(connection) = self.connections.get_mut(at) else {
            return;
        };
        let now_ns = ns(self.origin.elapsed());
        let flags = event.flags;
        if !connection.is_open {
            let fine = flags.contains(EventFlags::OUT)
                && !flags.intersects(EventFlags::ERR | EventFlags::HUP)
                && connection.stream.is_some();
            match fine.then(|| connection.shake_hands()) {
                Some(Ok(true)) => {
                    connection.is_open = true;
                    self.make_ready(at, now_ns);
                }
                Some(Ok(false)) => {}
                Some(Err(_)) | None => {
                    self.outcome.failures.unconnected += 1;
                    connection.stream = None;
                }
            }
            return;
        }
        let (job, outcome, measure_ns) = (self.job, &mut self.outcome, self.measure_ns);
        let mut answered = |sent: Sent, status: u16, body: &[u8]| {
            let Some(ask) = job.asks.get(sent.ask) else { return };
            if !ask.expected.is_met(status, body) {
                outcome.failures.wrong += 1;
                outcome.failures.first.get_or_insert_with(|| {
                    let body = String::from_utf8_lossy(body);
                    format!("request {}: {status} {}", sent.ask, body.trim_end())
                });
                return;
            }
            outcome.right += 1;
            if sent.due_ns >= measure_ns {
                outcome.measured += 1;
                outcome.count(sent.due_ns, now_ns.saturating_sub(sent.due_ns), ns(job.slow));
            }
        };
        let mut done = Ok(());
        if flags.intersects(EventFlags::IN | EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR) {
            done = connection.receive(&mut self.scratch, &mut answered);
            // Not all of it may have been read: the rest wakes nobody.
            if done.is_ok() && flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR) {
                done = connection.receive(&mut self.scratch, &mut answered);
            }
        }
        if done.is_ok() && flags.contains(EventFlags::OUT) {
            done = connection.flush();
        }
        match done {
            Ok(()) => self.make_ready(at, now_ns),
            Err(gone) => self.lose(at, gone),
        }
    }

    /// Puts a connection that has room among those that take a request.
    fn make_ready(&mut self, at: usize, now_ns: u64) {
        if let Some(connection) = self.connections.get_mut(at)
            && connection.is_open
            && !connection.is_ready
            && connection.sent.len() < self.job.depth
        {
            connection.is_ready = true;
            connection.ready_ns = now_ns;
            self.ready.push_back(at);
        }
    }

    /// A connection has ended: counts what it leaves unanswered and opens it anew.
    fn lose(&mut self, at: usize, gone: Gone) {
        let Some(connection) = self.connections.get_mut(at) else {
            return;
        };
        let left = std::mem::take(&mut connection.sent);
        connection.stream = None;
        connection.is_open = false;
        let failures = &mut self.outcome.failures;
        let mut name = |what: &str| {
            failures.first.get_or_insert_with(|| what.to_owned());
        };
        match gone {
            // What was sent behind the last answer was not read, and may be sent again.
            Gone::Said => self.again.extend(left),
            Gone::Closed => {
                if !left.is_empty() {
                    name("the connection ended before the answer");
                }
                failures.closed += left.len() as u64;
            }
            Gone::Broken(problem) => {
                name(problem);
                failures.broken += left.len().max(1) as u64;
            }
        }
        self.outcome.reconnects += 1;
        self.connect(at);
    }

    /// Begins to open a connection; where that fails at once, the next sweep tries again.
    fn connect(&mut self, at: usize) {
        let Some(connection) = self.connections.get_mut(at) else {
            return;
        };
        let begun = connection
            .begin(self.job.target.address, self.job.trust.as_ref())
            .and_then(|stream| {
                let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
                epoll::add(&self.epoll, stream, EventData::new_u64(at as u64), flags)
                    .map_err(|error| error.to_string())
            });
        if let Err(problem) = begun {
            connection.stream = None;
            self.outcome.failures.unconnected += 1;
            self.outcome.failures.first.get_or_insert(problem);
        }
    }

    /// Gives up answers that are overdue and opens what is closed.
    fn sweep(&mut self, now_ns: u64) {
        let timeout_ns = ns(self.job.timeout);
        for at in 0..self.connections.len() {
            let Some(connection) = self.connections.get_mut(at) else {
                continue;
            };
            if connection.stream.is_none() && now_ns < self.end_ns {
                self.connect(at);
                continue;
            }
            let overdue = connection
                .sent
                .front()
                .is_some_and(|sent| now_ns.saturating_sub(sent.sent_ns) > timeout_ns);
            if overdue {
                self.outcome.failures.late += connection.sent.len() as u64;
                self.outcome
                    .failures
                    .first
                    .get_or_insert_with(|| "no answer in time".to_owned());
                connection.sent.clear();
                self.lose(at, Gone::Closed);
            }
        }
    }

    /// Counts what was due and never sent, or never answered, with the latency that it has at least.
    fn finish(mut self) -> Outcome {
        let now_ns = self.now_ns();
        let slow_ns = ns(self.job.slow);
        // Answers that came after the end were not given at the rate that was asked for.
        let measured_ns = now_ns.max(self.end_ns).saturating_sub(self.measure_ns);
        self.outcome.seconds = measured_ns as f64 / 1e9;
        let mut unanswered: Vec<u64> = Vec::new();
        for connection in &self.connections {
            unanswered.extend(connection.sent.iter().map(|sent| sent.due_ns));
        }
        self.outcome.failures.late += unanswered.len() as u64;
        unanswered.extend(self.again.iter().map(|sent| sent.due_ns));
        self.outcome.failures.unsent += self.again.len() as u64;
        if matches!(self.job.pace, Pace::Open { .. }) {
            while let Some(due_ns) = self.due_ns(now_ns) {
                unanswered.push(due_ns);
                self.outcome.failures.unsent += 1;
                self.next += 1;
            }
        }
        for due_ns in unanswered {
            if due_ns >= self.measure_ns {
                self.outcome.count(due_ns, now_ns.saturating_sub(due_ns), slow_ns);
            }
        }
        self.outcome
    }
}
