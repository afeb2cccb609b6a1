//! What a decision costs a served process in a batch, beside one that comes alone: with records to a file, and as a probe.

use std::path::Path;

use gavel_benches::corpus::Example;
use gavel_benches::load::{Job, Pace};
use gavel_benches::measure::median;
use gavel_benches::process::free_port;
use gavel_benches::server::{Server, Start};

use crate::effort::Effort;
use crate::outcome::Report;
use crate::record_file::Records;
use crate::served_records::{records_lost, spent};
use crate::service::{ALLOWED, Bench};

/// Decisions in a batch.
const BATCH: usize = 100;

/// Batches a second that leave the audit thread time for their records: at the limit it is what batches wait for.
const PACED_PER_S: f64 = 50.0;

/// One way to ask, and what it took in each round.
struct Way {
    /// The figure of the worker's time, and that of all threads.
    figures: [&'static str; 2],
    job: Job,
    /// Decisions in one request.
    decisions: f64,
    /// us for one decision: of the worker, of all threads.
    times_us: [Vec<f64>; 2],
}

/// Processor time for one decision, alone and among [`BATCH`], of the worker and of all threads.
///
/// # Errors
/// A server that does not start or answers wrong.
pub(crate) fn figures(
    binary: &Path,
    example: &Example,
    bench: &Bench,
    effort: &Effort,
    report: &mut Report,
) -> Result<(), String> {
    let records = Records::new("batch")?;
    let admin = format!("127.0.0.1:{}", free_port()?);
    let how = Start {
        core: bench.cores.server,
        records: Some(&records.path),
        flags: &["--admin", &admin],
    };
    let server = Server::start_as(&how, binary, &example.domain, &bench.body)?;
    let mut ways = ways(bench, server.port);
    for round in 0..=effort.load_rounds {
        // Nobody is always the first.
        ways.rotate_left(1);
        for way in &mut ways {
            let spent = spent(&server, &way.job)?;
            // The first round warms up.
            if round > 0 {
                for (times, ns) in way.times_us.iter_mut().zip([spent.worker_ns, spent.all_ns]) {
                    times.push(ns / way.decisions / 1000.0);
                }
            }
        }
    }
    let lost = records_lost(&admin)?;
    if lost > 0 {
        report.note(format!("void: {lost} records of decisions in batches were lost"));
        return Ok(());
    }
    ways.sort_by_key(|way| way.figures);
    for way in &mut ways {
        for (figure, times) in way.figures.into_iter().zip(&mut way.times_us) {
            report.figure(figure, median(times));
        }
    }
    Ok(())
}

fn ways(bench: &Bench, port: u16) -> Vec<Way> {
    let mut many = b"[".to_vec();
    many.extend(vec![bench.body.as_slice(); BATCH].join(&b','));
    many.push(b']');
    let all_allowed = format!("[{}]", [ALLOWED; BATCH].join(","));
    let way = |figures, path: &str, body: &[u8], answer: &str, decisions: usize| Way {
        figures,
        job: bench.asking(port, path, body, answer),
        decisions: decisions as f64,
        times_us: Default::default(),
    };
    let alone = |figures, path| way(figures, path, &bench.body, ALLOWED, 1);
    let among = |figures, path| way(figures, path, &many, &all_allowed, BATCH);
    let paced = |way: Way| Way {
        job: Job {
            pace: Pace::Open { rate: PACED_PER_S },
            ..way.job
        },
        ..way
    };
    vec![
        alone(
            ["http.us_per_decision", "http.us_per_decision.all_threads"],
            "/decision",
        ),
        alone(
            [
                "http.us_per_decision.probe",
                "http.us_per_decision.probe.all_threads",
            ],
            "/decision?probe=true",
        ),
        among(
            ["batch.us_per_decision", "batch.us_per_decision.all_threads"],
            "/decisions",
        ),
        paced(among(
            [
                "batch.us_per_decision.paced",
                "batch.us_per_decision.paced.all_threads",
            ],
            "/decisions",
        )),
        among(
            [
                "batch.us_per_decision.probe",
                "batch.us_per_decision.probe.all_threads",
            ],
            "/decisions?probe=true",
        ),
    ]
}
