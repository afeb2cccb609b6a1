//! Latency in an open loop: at half of saturation for a long time, with outliers told apart from the machine's, and against
//! the load.

use std::time::{Duration, Instant};

use gavel_benches::load::{self, Dawdle, Floor, Job, Outcome, Pace, Seen, Slow, Witness};
use gavel_benches::peers::served::Served;

use crate::effort::Effort;
use crate::late::{Late, Slice};
use crate::outcome::{Curve, Report, Series};
use crate::service::{Bench, on_peer, saturate};

/// Seconds that one server is under load before the other one's turn.
const SLICE_S: u32 = 20;

/// Seconds at the limit before each turn, which is put on half of what was answered in them: the machine's speed changes.
const LIMIT_S: u32 = 2;

/// The other servers get a tenth of the time each.
const OTHERS_DIVISOR: u32 = 10;

/// A server whose thread keeps the processor: of answers that were due meanwhile, what `late` explains it explains wrongly. For
/// work in the kernel and for whoever takes the caches from others this is no control.
const DAWDLE: Dawdle = Dawdle {
    every: Duration::from_millis(500),
    busy: Duration::from_millis(8),
};

/// Shares of saturation at which latency is measured.
const SHARES: [f64; 8] = [0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95];

/// One server's latencies, with what was seen beside.
struct Watched {
    outcome: Outcome,
    slices: Vec<Slice>,
}

impl Watched {
    /// For people.
    fn text(&self, name: &str, late: Late) -> String {
        let outcome = &self.outcome;
        format!(
            "open loop, {:.0} requests/s for {:.0} s, {name}: p50 {:.0} us, p99 {:.0}, p99.9 {:.0}, p99.99 {:.0}, max {:.0}; above 5 ms {}: {} for stalls, of {:.3} s together, and the queues behind them; {} for {:.3} s in which the machine was sluggish; {} else",
            outcome.rate(),
            outcome.seconds,
            outcome.latency_us(0.5),
            outcome.latency_us(0.99),
            outcome.latency_us(0.999),
            outcome.latency_us(0.9999),
            outcome.latency_us(1.0),
            late.all(),
            late.stalled,
            late.stalled_ns as f64 / 1e9,
            late.sluggish,
            late.sluggish_ns as f64 / 1e9,
            late.other
        )
    }

    /// The share of answers above 5 ms; one more than there were, so that it is never 0.
    fn late_share(&self) -> f64 {
        (self.outcome.slow_count + 1) as f64 / self.outcome.measured.max(1) as f64
    }
}

/// What half of saturation is put on, in turns.
#[derive(Default)]
struct Turns {
    real: Option<Watched>,
    constant: Option<Watched>,
    bare: Option<Watched>,
    /// Of its late answers those alone that were due while it dawdled.
    dawdling: Option<Watched>,
    /// What the witness saw without any server.
    alone: Vec<Slice>,
    floor: Floor,
}

impl Turns {
    /// One turn of each at half of what decisions reach now: `seconds` with decisions, and a part of that with each of the
    /// others.
    fn take(&mut self, bench: &Bench, seconds: u32) -> Result<(), String> {
        let limit = saturate(&bench.on_real(), &bench.real.process, LIMIT_S)?;
        let rate = limit.rate / 2.0;
        watch(bench, &bench.on_real(), rate, seconds, &mut self.real)?;
        let part = (seconds / OTHERS_DIVISOR).max(2);
        watch(bench, &bench.on_constant(), rate, part, &mut self.constant)?;
        let (job, server) = bench.on_bare(None)?;
        let watched = watch(bench, &job, rate, part, &mut self.bare);
        server.stop()?;
        watched?;
        self.dawdle(bench, rate, part)?;
        let cores: Vec<usize> = bench.cores.server.into_iter().chain(bench.cores.load).collect();
        let (watched, seen) = witnessed(bench, Instant::now(), || {
            Floor::watch(&cores, Duration::from_secs(part.into()))
        })?;
        self.floor.add(&watched);
        self.alone.push(Slice {
            seen,
            ..Slice::default()
        });
        Ok(())
    }

    fn dawdle(&mut self, bench: &Bench, rate: f64, seconds: u32) -> Result<(), String> {
        let (job, server) = bench.on_bare(Some(DAWDLE))?;
        let watched = watch(bench, &job, rate, seconds, &mut self.dawdling);
        let dawdled = server.stop()?;
        let origin = watched?;
        let slice = self.dawdling.as_mut().and_then(|load| load.slices.last_mut());
        if let Some(slice) = slice {
            let was_meanwhile = |answer: &Slow| {
                let due = origin + Duration::from_nanos(answer.due_ns);
                dawdled
                    .iter()
                    .any(|began| due >= *began && due < *began + DAWDLE.busy)
            };
            slice.kept.retain(was_meanwhile);
            slice.more = 0;
        }
        Ok(())
    }
}

/// Half of saturation: p99.9 over p50, and answers above 5 ms.
///
/// # Errors
/// A wrong answer.
pub(crate) fn half_load(bench: &Bench, effort: &Effort, report: &mut Report) -> Result<(), String> {
    let count = effort.half_load_seconds.div_ceil(SLICE_S);
    let seconds = effort.half_load_seconds / count.max(1);
    let mut turns = Turns::default();
    for _ in 0..count {
        turns.take(bench, seconds)?;
    }
    let (Some(real), Some(constant), Some(bare), Some(dawdling)) =
        (turns.real, turns.constant, turns.bare, turns.dawdling)
    else {
        return Err("no time for a load at half of saturation".to_owned());
    };
    let slices = [&real, &constant, &bare, &dawdling].map(|load| &load.slices);
    let all = slices.into_iter().chain([&turns.alone]).flatten();
    let usual_ns = Seen::usual_ns(all.map(|slice| &slice.seen));
    let [late, late_constant, late_bare, late_dawdling] = slices.map(|slices| Late::count(slices, usual_ns));
    report.note(real.text("decisions", late));
    report.note(constant.text("a constant answer", late_constant));
    report.note(bare.text("a server that reads no request", late_bare));
    // With one processor there is no witness, and so nothing that it saw.
    if bench.cores.server.is_some() {
        let alone = Late::count(&turns.alone, usual_ns);
        tell_sluggish([late, late_constant, late_bare, alone], report);
        tell_control(late_dawdling, report);
    }
    tell_latencies(&real, &constant, &bare, report);
    tell_floor(&turns.floor, report);
    report.figure("http.half_load_seconds", real.outcome.seconds);
    report.figure("http.half_load_per_s", real.outcome.rate());
    report.figure("http.outliers_above_5ms", late.other as f64);
    report.figure("http.outliers_above_5ms.all", late.all() as f64);
    Ok(())
}

/// What became of answers that were late because their server dawdled.
fn tell_control(late: Late, report: &mut Report) {
    report.note(format!(
        "a server that reads no request and takes the processor for itself for {} ms every {} ms: of answers above 5 ms that were due meanwhile {} are explained by stalls, {} by sluggish times, {} are its own",
        DAWDLE.busy.as_millis(),
        DAWDLE.every.as_millis(),
        late.stalled,
        late.sluggish,
        late.other
    ));
    if late.all() > 0 {
        let share = late.other as f64 / late.all() as f64;
        report.figure("http.outliers_above_5ms.control_share", share);
    }
}

/// Latencies with decisions, and what they are over those of the others.
fn tell_latencies(real: &Watched, constant: &Watched, bare: &Watched, report: &mut Report) {
    let over_p50 = |outcome: &Outcome| outcome.latency_us(0.999) / outcome.latency_us(0.5);
    let outcome = &real.outcome;
    report.figure("http.p50_us_half_load", outcome.latency_us(0.5));
    report.figure("http.p999_over_p50_half_load", over_p50(outcome));
    report.figure(
        "http.p999_over_p50_half_load.constant",
        over_p50(&constant.outcome),
    );
    report.figure("http.p999_us_half_load", outcome.latency_us(0.999));
    report.figure(
        "http.p999_over_bare",
        outcome.latency_us(0.999) / bare.outcome.latency_us(0.999),
    );
    report.figure("http.slow_share_over_bare", real.late_share() / bare.late_share());
}

/// What the machine does without any server.
fn tell_floor(floor: &Floor, report: &mut Report) {
    report.note(format!(
        "the machine itself: a thread that only reads the clock waits {:.0} us at p99.9 while both processors are busy",
        floor.wait_us(0.999)
    ));
    report.figure("machine.p999_wait_us", floor.wait_us(0.999));
    report.figure("machine.stolen_share", floor.stolen_share());
}

/// For how much of the time the machine was sluggish with decisions, constant answers, a server that reads no request, and
/// without any server.
fn tell_sluggish(late: [Late; 4], report: &mut Report) {
    let [real, constant, bare, alone] = late.map(Late::sluggish_share);
    report.note(format!(
        "a witness on the servers' processor saw it sluggish for {real:.4} of the time with decisions, {constant:.4} with constant answers, {bare:.4} with a server that reads no request, {alone:.4} without any server"
    ));
    report.figure("http.sluggish_share", real);
    report.figure("machine.sluggish_share", alone);
}

/// A slice, added to those before it; the origin of its times.
fn watch(
    bench: &Bench,
    job: &Job,
    rate: f64,
    seconds: u32,
    whole: &mut Option<Watched>,
) -> Result<Instant, String> {
    let origin = Instant::now();
    let (outcome, seen) = witnessed(bench, origin, || load::run(&at(job, rate, seconds), origin))?;
    let mut outcome = outcome.checked()?;
    let kept = std::mem::take(&mut outcome.slow);
    let slice = Slice {
        more: outcome.slow_count - kept.len() as u64,
        kept,
        stalls: std::mem::take(&mut outcome.stalls),
        seen,
    };
    match whole {
        Some(whole) => {
            let seconds = whole.outcome.seconds + outcome.seconds;
            whole.outcome.add(&outcome)?;
            whole.outcome.seconds = seconds;
            whole.slices.push(slice);
        }
        None => {
            *whole = Some(Watched {
                outcome,
                slices: vec![slice],
            })
        }
    }
    Ok(origin)
}

/// Does something while a witness is on the servers' processor, and what that saw: nothing where they have none of their own.
fn witnessed<T>(
    bench: &Bench,
    origin: Instant,
    run: impl FnOnce() -> Result<T, String>,
) -> Result<(T, Seen), String> {
    let witness = bench.cores.server.map(|core| Witness::start(core, origin));
    let done = run();
    let seen = witness.map(Witness::stop).transpose()?;
    Ok((done?, seen.unwrap_or_default()))
}

fn at(job: &Job, rate: f64, seconds: u32) -> Job {
    Job {
        pace: Pace::Open { rate },
        time: Duration::from_secs(seconds.into()),
        ..job.clone()
    }
}

/// Latency against load, ours and the peers', each at shares of its own saturation.
///
/// # Errors
/// A wrong answer.
pub(crate) fn curve(
    bench: &Bench,
    rate: f64,
    peers: &[(&'static str, Served)],
    rates: &[f64],
    effort: &Effort,
    report: &mut Report,
) -> Result<(), String> {
    let mut rivals = vec![
        ("gavel", bench.on_real(), rate),
        ("gavel, constant answer", bench.on_constant(), rate),
    ];
    for ((_, peer), rate) in peers.iter().zip(rates) {
        rivals.push((peer.name, on_peer(bench, peer)?, *rate));
    }
    let mut lines = Vec::new();
    for (name, job, rate) in rivals {
        let mut middle = Vec::new();
        let mut high = Vec::new();
        for share in SHARES {
            let outcome =
                load::run(&at(&job, rate * share, effort.load_seconds), Instant::now())?.checked()?;
            println!(
                "{name}, {:.0} requests/s: p50 {:.0} us, p99.9 {:.0} us",
                outcome.rate(),
                outcome.latency_us(0.5),
                outcome.latency_us(0.999)
            );
            middle.push((outcome.rate(), outcome.latency_us(0.5)));
            high.push((outcome.rate(), outcome.latency_us(0.999)));
        }
        for (quantile, points) in [("p50", middle), ("p99.9", high)] {
            lines.push(Series {
                name: format!("{name}, {quantile}"),
                points,
            });
        }
    }
    report.curves.push(Curve {
        file: "latency",
        title: "Latency against load, one processor, open loop",
        across: "requests a second",
        upwards: "us from the moment a request was due",
        lines,
    });
    Ok(())
}
