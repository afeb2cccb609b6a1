//! What the access record of a decision costs: the thread that decides, which makes a frame and puts it into a ring, and all
//! threads together, with the line that the audit thread makes of it on another processor.
//!
//! A round hands over half a ring of frames at most and the next one begins with an empty ring, so that no record meets a
//! full one: what is measured is a record, never the lack of room for one. A figure during which a record was lost is void.

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::{Arc, mpsc};

use gavel_benches::corpus::{self, Example};
use gavel_benches::measure::median;
use gavel_benches::process::{Cores, on_core};
use gavel_runtime::decision::{Decider, Decision, RecordOptions, Stamp, write_json};
use gavel_runtime::image::Image;
use gavel_server::audit::{self, FullPolicy, Monitor, Output, Render, Sink};
use gavel_server::limits::AUDIT_RING_BYTES_MIN;
use gavel_server::metrics::Counters;

use crate::effort::Effort;
use crate::outcome::Report;

/// How many rounds, which are as short as half a ring makes them, stand for one of the other measurements' rounds.
const RING_ROUNDS_PER_ROUND: usize = 4;

/// Of one request.
#[derive(Clone, Copy, Debug)]
struct Cost {
    /// A decision, ns.
    decision_ns: f64,
    /// What its record adds to it, as a share.
    share: f64,
    /// What the record adds to the time of all threads, as a share of the decision.
    whole_share: f64,
}

/// Shares over all requests, and for each domain.
///
/// # Errors
/// A domain that does not compile, or no audit thread.
pub(crate) fn in_process(examples: &[Example], effort: &Effort, report: &mut Report) -> Result<(), String> {
    let cores = Cores::find();
    let (mut all, mut lost) = (Vec::new(), 0);
    let mut table = String::from(
        "| domain | decision, ns | its record, median | worst | with its line, median | worst |\n|---|---|---|---|---|---|\n",
    );
    for example in examples {
        let (costs, missing) = on_core(cores.load, || domain(example, effort, cores.server))??;
        lost += missing;
        if missing > 0 {
            report.note(format!(
                "void: {missing} records of {} did not fit the ring",
                example.name
            ));
            continue;
        }
        let [share, whole_share] = [
            middle_and_worst(&costs, |c| c.share),
            middle_and_worst(&costs, |c| c.whole_share),
        ];
        let mut decisions_ns: Vec<f64> = costs.iter().map(|cost| cost.decision_ns).collect();
        let shares: String = [share.0, share.1, whole_share.0, whole_share.1]
            .map(|share| format!(" {:.1} % |", share * 100.0))
            .concat();
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| {} | {:.0} |{shares}",
            example.name,
            median(&mut decisions_ns)
        );
        all.extend(costs);
    }
    report.table("What a record adds to a decision", table);
    if lost == 0 {
        let (middle, worst) = middle_and_worst(&all, |cost| cost.share);
        report.figure("record.share_of_decision.median", middle);
        report.figure("record.share_of_decision.worst", worst);
        let (middle, worst) = middle_and_worst(&all, |cost| cost.whole_share);
        report.figure("record.share_of_decision.with_line.median", middle);
        report.figure("record.share_of_decision.with_line.worst", worst);
    }
    Ok(())
}

fn middle_and_worst(costs: &[Cost], of: impl Fn(&Cost) -> f64) -> (f64, f64) {
    let mut shares: Vec<f64> = costs.iter().map(of).collect();
    let worst = shares.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (median(&mut shares), worst)
}

/// The cost of each request of a domain, and how many records were lost. `drain`: the processor of the audit thread.
fn domain(example: &Example, effort: &Effort, drain: Option<usize>) -> Result<(Vec<Cost>, u64), String> {
    let image = Arc::new(corpus::image(example)?);
    let counters = Arc::<Counters>::default();
    let (tell, told) = mpsc::channel();
    let start = || {
        let image = Arc::clone(&image);
        audit::start(
            &[Arc::clone(&counters)],
            |_| AUDIT_RING_BYTES_MIN,
            FullPolicy::Drop,
            Output::stream(Box::new(std::io::sink()), "nowhere"),
            move || -> Box<dyn Render> {
                // Whoever does not hear it has ended.
                let _ = tell.send(std::fs::read_link("/proc/thread-self"));
                let scratch = corpus::decider(&image);
                Box::new(Lines { image, scratch })
            },
            || {},
        )
    };
    let (audit, mut sinks) = on_core(drain, start)?.map_err(|error| error.to_string())?;
    let thread = told.recv().map_err(|error| error.to_string())?;
    let thread = thread.map_err(|error| error.to_string())?;
    let mut rig = Rig {
        image: &image,
        decider: corpus::decider(&image),
        sink: sinks.first_mut().ok_or("no sink")?,
        monitor: audit.monitor(),
        drain: format!("/proc/{}/schedstat", thread.display()),
    };
    let mut costs = Vec::new();
    for (name, body) in &example.requests {
        let cost = rig.cost(body, effort)?;
        println!(
            "{}/{name}: decision {:.0} ns, its record {:.1}% more, with its line {:.1}%",
            example.name,
            cost.decision_ns,
            cost.share * 100.0,
            cost.whole_share * 100.0
        );
        costs.push(cost);
    }
    drop(sinks);
    if !audit.finish().complete {
        return Err("the audit thread lost records".to_owned());
    }
    Ok((costs, counters.records_lost.get()))
}

/// Makes lines of frames, as the service does.
struct Lines {
    image: Arc<Image>,
    scratch: Decider,
}

impl Render for Lines {
    fn render(&mut self, frame: &[u8], text: &mut Vec<u8>) -> bool {
        write_json(
            &self.image,
            frame,
            &RecordOptions::default(),
            &mut self.scratch,
            text,
        )
    }
}

/// What decides, and the way to the audit thread.
struct Rig<'r> {
    image: &'r Image,
    decider: Decider,
    sink: &'r mut Sink,
    monitor: Monitor,
    /// Where the kernel tells the time of the audit thread.
    drain: String,
}

impl Rig<'_> {
    fn cost(&mut self, body: &[u8], effort: &Effort) -> Result<Cost, String> {
        let mut frame = Vec::new();
        corpus::decide(&mut self.decider, self.image, body)?.encode(body, STAMP, &mut frame);
        let fitting = (AUDIT_RING_BYTES_MIN / 2 / frame.len().max(1)) as u64;
        let (mut plains_ns, mut shares) = (Vec::new(), Vec::new());
        let (mut calls, mut records, mut rendered_ns) = (fitting.min(1_000), 0, 0);
        for round in 0..=effort.rounds * RING_ROUNDS_PER_ROUND {
            let before_ns = spent_ns(&self.drain)?;
            let mut decide = |is_recorded| self.spent(calls, body, is_recorded);
            // Each follows the other in half of the rounds, and itself in the others.
            let (plain_ns, recorded_ns) = if round.is_multiple_of(2) {
                let plain_ns = decide(false)?;
                (plain_ns, decide(true)?)
            } else {
                let recorded_ns = decide(true)?;
                (decide(false)?, recorded_ns)
            };
            if round == 0 {
                // It warms up and says how many calls fill a round.
                calls = ((effort.round_ns as f64 / plain_ns.max(1.0)) as u64 + 1).min(fitting);
                continue;
            }
            plains_ns.push(plain_ns);
            shares.push(recorded_ns / plain_ns - 1.0);
            rendered_ns += spent_ns(&self.drain)? - before_ns;
            records += calls;
        }
        let (decision_ns, share) = (median(&mut plains_ns), median(&mut shares));
        Ok(Cost {
            decision_ns,
            share,
            whole_share: share + rendered_ns as f64 / records as f64 / decision_ns,
        })
    }

    /// ns of a decision, over `calls` of them, with its record or without. No record is under way when it returns.
    fn spent(&mut self, calls: u64, body: &[u8], is_recorded: bool) -> Result<f64, String> {
        let one_ns = spent_by(calls, || {
            let decision = corpus::decide(&mut self.decider, self.image, black_box(body));
            let done = decision.map(|decision| {
                if is_recorded {
                    record(&decision, body, self.sink)
                } else {
                    decision.granted
                }
            });
            black_box(done).ok();
        })?;
        // Without its own processor the audit thread needs this one.
        while self.monitor.look().depth_bytes > 0 {
            std::thread::yield_now();
        }
        Ok(one_ns)
    }
}

const STAMP: Stamp = Stamp {
    wall_ns: 1_700_000_000_000_000_000,
    random: [7; 16],
};

fn record(decision: &Decision<'_>, body: &[u8], sink: &mut Sink) -> bool {
    sink.submit_where(true, |frame| decision.encode_front(body, STAMP, frame))
}

/// ns of this thread on a processor for one call, over `calls` of them.
fn spent_by(calls: u64, mut run: impl FnMut()) -> Result<f64, String> {
    let own = "/proc/thread-self/schedstat";
    // The kernel brings the number up to date when it schedules.
    std::thread::yield_now();
    let before = spent_ns(own)?;
    for _ in 0..calls {
        run();
    }
    std::thread::yield_now();
    Ok((spent_ns(own)? - before) as f64 / calls as f64)
}

/// Time that a thread has spent on a processor.
fn spent_ns(schedstat: &str) -> Result<u64, String> {
    let times = std::fs::read_to_string(schedstat).map_err(|error| error.to_string())?;
    let spent = times.split_whitespace().next().unwrap_or_default();
    spent.parse().map_err(|_| format!("no time in {times}"))
}
