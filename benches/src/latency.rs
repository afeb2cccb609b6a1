//! Latency in an open loop: at half of saturation for a long time, with outliers told apart from the machine's, and against
//! the load.

use std::time::{Duration, Instant};

use gavel_benches::load::{self, Floor, Job, Outcome, Pace, Stall, Witness};
use gavel_benches::peers::served::Served;

use crate::effort::Effort;
use crate::outcome::{Curve, Report, Series};
use crate::service::{Bench, on_peer};

/// Seconds that one server is under load before the other one's turn.
const SLICE_S: u32 = 60;

/// A server with a constant answer gets this part of the time.
const CONSTANT_PART: u32 = 10;

/// Shares of saturation at which latency is measured.
const SHARES: [f64; 8] = [0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95];

/// One server's latencies, with what stalled.
struct Watched {
    outcome: Outcome,
    /// Slow answers while neither the machine nor the generator stalled.
    unexplained: u64,
    /// Seconds in which the server's processor or the generator stalled.
    stalled_s: f64,
}

impl Watched {
    /// The share of answers above 5 ms; one more than there were, so that it is never 0.
    fn slow_share(&self) -> f64 {
        (self.outcome.slow_count + 1) as f64 / self.outcome.measured.max(1) as f64
    }
}

/// Half of saturation: p99.9 over p50, and answers above 5 ms.
///
/// # Errors
/// A wrong answer.
pub(crate) fn half_load(
    bench: &Bench,
    rate: f64,
    effort: &Effort,
    report: &mut Report,
) -> Result<(), String> {
    let slices = effort.half_load_seconds.div_ceil(SLICE_S);
    let seconds = effort.half_load_seconds / slices.max(1);
    let mut real: Option<Watched> = None;
    let mut constant: Option<Watched> = None;
    let mut bare: Option<Watched> = None;
    let mut floor = Floor::default();
    for _ in 0..slices {
        watch(bench, &bench.on_real(), rate / 2.0, seconds, &mut real)?;
        let part = (seconds / CONSTANT_PART).max(2);
        watch(bench, &bench.on_constant(), rate / 2.0, part, &mut constant)?;
        let (job, server) = bench.on_bare()?;
        watch(bench, &job, rate / 2.0, part, &mut bare)?;
        server.stop()?;
        let cores: Vec<usize> = bench.cores.server.into_iter().chain(bench.cores.load).collect();
        floor.add(&Floor::watch(&cores, Duration::from_secs(part.into()))?);
    }
    let (Some(real), Some(constant), Some(bare)) = (real, constant, bare) else {
        return Err("no time for a load at half of saturation".to_owned());
    };
    let all = [
        ("decisions", &real),
        ("a constant answer", &constant),
        ("a server that reads no request", &bare),
    ];
    for (name, watched) in all {
        let outcome = &watched.outcome;
        report.note(format!(
            "open loop, {:.0} requests/s for {:.0} s, {name}: p50 {:.0} us, p99 {:.0}, p99.9 {:.0}, p99.99 {:.0}, max {:.0}; above 5 ms {}, {} of them while nothing stalled; stalled for {:.3} s",
            outcome.rate(),
            outcome.seconds,
            outcome.latency_us(0.5),
            outcome.latency_us(0.99),
            outcome.latency_us(0.999),
            outcome.latency_us(0.9999),
            outcome.latency_us(1.0),
            outcome.slow_count,
            watched.unexplained,
            watched.stalled_s
        ));
    }
    let outcome = &real.outcome;
    report.figure("http.p50_us_half_load", outcome.latency_us(0.5));
    report.figure(
        "http.p999_over_p50_half_load",
        outcome.latency_us(0.999) / outcome.latency_us(0.5),
    );
    report.figure(
        "http.p999_over_p50_half_load.constant",
        constant.outcome.latency_us(0.999) / constant.outcome.latency_us(0.5),
    );
    report.figure("http.p999_us_half_load", outcome.latency_us(0.999));
    report.figure(
        "http.p999_over_bare",
        outcome.latency_us(0.999) / bare.outcome.latency_us(0.999),
    );
    report.figure("http.slow_share_over_bare", real.slow_share() / bare.slow_share());
    report.note(format!(
        "the machine itself: a thread that only reads the clock waits {:.0} us at p99.9 while both processors are busy",
        floor.wait_us(0.999)
    ));
    report.figure("machine.p999_wait_us", floor.wait_us(0.999));
    report.figure("machine.stolen_share", floor.stolen_share());
    report.figure("http.half_load_seconds", outcome.seconds);
    report.figure("http.outliers_above_5ms", real.unexplained as f64);
    report.figure("http.outliers_above_5ms.all", outcome.slow_count as f64);
    Ok(())
}

/// A slice, added to those before it.
fn watch(
    bench: &Bench,
    job: &Job,
    rate: f64,
    seconds: u32,
    whole: &mut Option<Watched>,
) -> Result<(), String> {
    let origin = Instant::now();
    let witness = bench.cores.server.map(|core| Witness::start(core, origin));
    let outcome = load::run(&at(job, rate, seconds), origin);
    let mut stalls = witness.map(Witness::stop).unwrap_or_default();
    let outcome = outcome?.checked()?;
    stalls.extend_from_slice(&outcome.stalls);
    let unexplained = outcome.slow.iter().filter(|slow| {
        let (from, to) = (slow.due_ns, slow.due_ns + slow.latency_ns);
        let meets = |stall: &Stall| stall.from_ns < to && from < stall.to_ns;
        !stalls.iter().any(meets)
    });
    let unexplained = unexplained.count() as u64;
    let stalled_ns: u64 = stalls.iter().map(|stall| stall.to_ns - stall.from_ns).sum();
    let stalled_s = stalled_ns as f64 / 1e9;
    match whole {
        Some(whole) => {
            let seconds = whole.outcome.seconds + outcome.seconds;
            whole.outcome.add(&outcome)?;
            whole.outcome.seconds = seconds;
            whole.unexplained += unexplained;
            whole.stalled_s += stalled_s;
        }
        None => {
            *whole = Some(Watched {
                outcome,
                unexplained,
                stalled_s,
            })
        }
    }
    Ok(())
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
