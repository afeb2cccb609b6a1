//! Latency in an open loop: at half of saturation for a long time, with outliers told apart from the machine's, and against
//! the load.

use std::time::{Duration, Instant};

use gavel_benches::load::{self, Floor, Job, Outcome, Pace, Seen, Slow, Span, Witness};
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

/// One server's latencies, with what the machine did.
struct Watched {
    outcome: Outcome,
    /// Answers above 5 ms by what was the matter with the machine.
    late: Late,
    /// Seconds in which the server's processor or the generator stalled.
    stalled_s: f64,
    /// Seconds in which the server's processor was slow.
    slow_s: f64,
}

/// How many answers came late, by why.
#[derive(Clone, Copy, Default)]
struct Late {
    /// During a stall, or in the queue behind it.
    stalled: u64,
    /// Others, while the machine was slow, or in the queue behind that.
    slow: u64,
    /// All others.
    unexplained: u64,
}

impl Late {
    /// Sorts answers. What came during a time without service is served in as long again, since at half of saturation as
    /// much comes meanwhile as half of what is served: so far the queue behind it explains a late answer, and no further.
    fn sort(late: &[Slow], stalls: &[Span], slow: &[Span]) -> Late {
        let with_queues = |spans: &[Span]| -> Vec<Span> {
            let behind = |span: &Span| Span {
                to_ns: span.to_ns + span.length_ns(),
                ..*span
            };
            spans.iter().map(behind).collect()
        };
        let (stalls, slow) = (with_queues(stalls), with_queues(slow));
        let mut sorted = Late::default();
        for answer in late {
            let waited = Span {
                from_ns: answer.due_ns,
                to_ns: answer.due_ns + answer.latency_ns,
            };
            if stalls.iter().any(|span| span.meets(waited)) {
                sorted.stalled += 1;
            } else if slow.iter().any(|span| span.meets(waited)) {
                sorted.slow += 1;
            } else {
                sorted.unexplained += 1;
            }
        }
        sorted
    }
}

impl Watched {
    /// For people.
    fn text(&self, name: &str) -> String {
        let (outcome, late) = (&self.outcome, &self.late);
        format!(
            "open loop, {:.0} requests/s for {:.0} s, {name}: p50 {:.0} us, p99 {:.0}, p99.9 {:.0}, p99.99 {:.0}, max {:.0}; above 5 ms {}: {} in stalls of {:.3} s together and the queues behind them, {} more while the machine was slow, for {:.3} s together, or in the queues behind that, {} else",
            outcome.rate(),
            outcome.seconds,
            outcome.latency_us(0.5),
            outcome.latency_us(0.99),
            outcome.latency_us(0.999),
            outcome.latency_us(0.9999),
            outcome.latency_us(1.0),
            outcome.slow_count,
            late.stalled,
            self.stalled_s,
            late.slow,
            self.slow_s,
            late.unexplained
        )
    }

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
    let (mut alone_s, mut alone_slow_s) = (0.0, 0.0);
    for _ in 0..slices {
        watch(bench, &bench.on_real(), rate / 2.0, seconds, &mut real)?;
        let part = (seconds / CONSTANT_PART).max(2);
        watch(bench, &bench.on_constant(), rate / 2.0, part, &mut constant)?;
        let (job, server) = bench.on_bare()?;
        watch(bench, &job, rate / 2.0, part, &mut bare)?;
        server.stop()?;
        let cores: Vec<usize> = bench.cores.server.into_iter().chain(bench.cores.load).collect();
        let witness = bench
            .cores
            .server
            .map(|core| Witness::start(core, Instant::now()));
        floor.add(&Floor::watch(&cores, Duration::from_secs(part.into()))?);
        alone_s += f64::from(part);
        alone_slow_s += seconds_of(&witness.map(Witness::stop).unwrap_or_default().slow());
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
        report.note(watched.text(name));
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
    report.note(format!(
        "the machine itself: without any server its system calls were slow for {alone_slow_s:.3} of {alone_s:.0} s"
    ));
    report.figure("machine.p999_wait_us", floor.wait_us(0.999));
    report.figure("machine.stolen_share", floor.stolen_share());
    report.figure("http.half_load_seconds", outcome.seconds);
    report.figure("http.outliers_above_5ms", real.late.unexplained as f64);
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
    let seen: Seen = witness.map(Witness::stop).unwrap_or_default();
    let outcome = outcome?.checked()?;
    let slow = seen.slow();
    let mut stalls = seen.stalls;
    stalls.extend_from_slice(&outcome.stalls);
    let mut late = Late::sort(&outcome.slow, &stalls, &slow);
    // Those that were counted only are nobody's but ours.
    late.unexplained += outcome.slow_count - outcome.slow.len() as u64;
    let (stalled_s, slow_s) = (seconds_of(&stalls), seconds_of(&slow));
    match whole {
        Some(whole) => {
            let seconds = whole.outcome.seconds + outcome.seconds;
            whole.outcome.add(&outcome)?;
            whole.outcome.seconds = seconds;
            whole.late.stalled += late.stalled;
            whole.late.slow += late.slow;
            whole.late.unexplained += late.unexplained;
            whole.stalled_s += stalled_s;
            whole.slow_s += slow_s;
        }
        None => {
            *whole = Some(Watched {
                outcome,
                late,
                stalled_s,
                slow_s,
            })
        }
    }
    Ok(())
}

fn seconds_of(spans: &[Span]) -> f64 {
    spans.iter().map(|span| span.length_ns()).sum::<u64>() as f64 / 1e9
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

#[cfg(test)]
mod tests {
    use super::{Late, Slow, Span};

    /// A stall from 10 to 14 ms, whose queue lasts until 18; a slow time from 30 to 50, whose queue lasts until 70.
    #[test]
    fn a_late_answer_is_explained_as_long_as_a_queue_can_last() {
        let ms = |from: u64, to: u64| Span {
            from_ns: from * 1_000_000,
            to_ns: to * 1_000_000,
        };
        let sorted = |due_ms: u64, latency_ms: u64| {
            let late = Slow {
                due_ns: due_ms * 1_000_000,
                latency_ns: latency_ms * 1_000_000,
            };
            let Late {
                stalled,
                slow,
                unexplained,
            } = Late::sort(&[late], &[ms(10, 14)], &[ms(30, 50)]);
            (stalled, slow, unexplained)
        };
        assert_eq!(sorted(4, 6), (0, 0, 1));
        assert_eq!(sorted(4, 7), (1, 0, 0));
        assert_eq!(sorted(17, 6), (1, 0, 0));
        assert_eq!(sorted(18, 6), (0, 0, 1));
        // What both explain is a stall's.
        assert_eq!(sorted(17, 20), (1, 0, 0));
        assert_eq!(sorted(25, 6), (0, 1, 0));
        assert_eq!(sorted(69, 6), (0, 1, 0));
        assert_eq!(sorted(70, 6), (0, 0, 1));
    }
}
