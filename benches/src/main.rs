//! `report [--quick]`: measures gavel and its peers in one run; closes with lines `figure NAME VALUE`. The whole report
//! also writes a page and plots into `benches/record`, or into the folder that `--into` names.
//! `report --repeat EXAMPLE/REQUEST COUNT` decides one request over and over, for profilers.
#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool whose product is its output"
)]

mod batch;
mod commands;
mod curves;
mod domains;
mod effort;
mod in_process;
mod late;
mod latency;
mod outcome;
mod plot;
mod record;
mod record_file;
mod records;
mod rivals;
mod served_records;
mod service;
mod verdict;

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::{Parser, ValueEnum};
use gavel_benches::corpus::{self, Example};
use gavel_benches::growth;
use gavel_benches::peers::clinic;
use gavel_benches::server::binary;

use crate::effort::{Effort, QUICK, WHOLE};
use crate::outcome::Report;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures gavel and its peers, and prints `figure NAME VALUE`.
#[derive(Debug, Parser)]
#[command(name = "report")]
struct Flags {
    /// Some minutes instead of half an hour; no plots and no record
    #[arg(long)]
    quick: bool,
    /// One part alone
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// Where the whole report writes its page and plots [default: benches/record of the checkout]
    #[arg(long, value_name = "FOLDER", conflicts_with = "quick")]
    into: Option<PathBuf>,
    /// Decide one request so often, for profilers, and measure nothing
    #[arg(long, num_args = 2, value_names = ["EXAMPLE/REQUEST", "COUNT"])]
    repeat: Vec<String>,
}

/// A part of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Whole decisions in process, against rivals, as requests grow
    Decisions,
    /// Access records and their replay
    Records,
    /// Large domains
    Domains,
    /// The served example, against peers that are servers
    Serving,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    let done = match flags.repeat.as_slice() {
        [wanted, count] => repeat(wanted, count),
        _ => run(&flags),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(flags: &Flags) -> Result<(), String> {
    let effort = if flags.quick { &QUICK } else { &WHOLE };
    let mut report = Report::default();
    let examples = corpus::examples().map_err(|error| error.to_string())?;
    let wants = |part: Part| flags.only.is_none_or(|only| only == part);
    if wants(Part::Decisions) {
        report.figure("decision.allocations", allocations()?);
        rivals::decisions(&examples, effort, &mut report)?;
        in_process::figures(&examples, effort, &mut report)?;
    }
    if wants(Part::Records) {
        recording(&examples, effort, &mut report)?;
        replaying(&examples, effort, &mut report)?;
    }
    if wants(Part::Domains) {
        domains::compilation(effort, &mut report.figures)?;
        report
            .figures
            .extend(growth::figures(effort.rounds, effort.round_ns)?);
    }
    if let Some(example) = examples
        .first()
        .filter(|_| effort.is_whole && wants(Part::Decisions))
    {
        curves::in_process(example, effort, &mut report)?;
    }
    if wants(Part::Serving) {
        serving(&examples, effort, &mut report)?;
    }
    let verdicts = verdict::tables(&report);
    for (title, text) in &verdicts {
        println!("\n{title}\n\n{text}");
    }
    for (name, value) in &report.figures {
        println!("figure {name} {value:.3}");
    }
    if effort.is_whole {
        let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("record");
        record::write(&report, &verdicts, flags.into.as_deref().unwrap_or(&default))?;
    }
    Ok(())
}

/// Allocator calls of the worst warm decision.
fn allocations() -> Result<f64, String> {
    let output = Command::new(binary("gavel-benches", "allocations")?)
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim()
        .parse()
        .map_err(|_| format!("allocations: {}", String::from_utf8_lossy(&output.stderr)))
}

/// One request over and over: what `valgrind --tool=callgrind` looks at.
fn repeat(wanted: &str, count: &str) -> Result<(), String> {
    let count: u64 = count.parse().map_err(|_| format!("{count} is no number"))?;
    for example in corpus::examples().map_err(|error| error.to_string())? {
        for (name, body) in &example.requests {
            if format!("{}/{name}", example.name) == wanted {
                let image = corpus::image(&example)?;
                let mut decider = corpus::decider(&image);
                for _ in 0..count {
                    black_box(corpus::decide(&mut decider, &image, black_box(body))?.granted);
                }
                return Ok(());
            }
        }
    }
    Err(format!("no request {wanted}"))
}

/// Records of the examples decided again: the example of which the fewest are in a second of processor time.
fn replaying(examples: &[Example], effort: &Effort, report: &mut Report) -> Result<(), String> {
    let binary = binary("gavel-server", "gavel")?;
    let mut worst = f64::INFINITY;
    for example in examples {
        worst = worst.min(commands::replayed_per_s(&binary, example, effort.load_rounds)?);
    }
    report.figure("replay.records_per_s", worst);
    Ok(())
}

/// What access records cost, in process and served.
fn recording(examples: &[Example], effort: &Effort, report: &mut Report) -> Result<(), String> {
    records::in_process(examples, effort, report)?;
    let binary = binary("gavel-server", "gavel")?;
    let named = |(name, _): &&(String, Vec<u8>)| name == service::REQUEST;
    if let Some((example, (_, body))) = examples
        .iter()
        .find_map(|example| Some((example, example.requests.iter().find(named)?)))
    {
        served_records::figures(&binary, &example.domain, body, effort, report)?;
    }
    Ok(())
}

/// The served clinic, alone and beside peers that are servers.
fn serving(examples: &[Example], effort: &Effort, report: &mut Report) -> Result<(), String> {
    let Some(example) = examples.iter().find(|example| example.name == clinic::EXAMPLE) else {
        return Err(format!("no example {}", clinic::EXAMPLE));
    };
    let binary = binary("gavel-server", "gavel")?;
    service::resting(&binary, example, effort, report)?;
    let bench = service::Bench::start(&binary, example)?;
    let rate = service::throughput(&bench, effort, report)?;
    batch::figures(&binary, example, &bench, effort, report)?;
    latency::half_load(&bench, effort, report)?;
    let peers = service::peers(example, bench.cores, report);
    let rates = service::over_peers(&bench, &peers, effort, report)?;
    if effort.is_whole {
        latency::curve(&bench, rate, &peers, &rates, effort, report)?;
    }
    Ok(())
}
