//! `report [--quick]`: measures gavel and its peer on the examples in one run; closes with lines `figure NAME VALUE`.
//! `report --repeat EXAMPLE/REQUEST COUNT` decides one request over and over, for profilers.
#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool whose product is its output"
)]

mod commands;
mod in_process;
mod records;

use gavel_benches::corpus::{self, Example};
use gavel_benches::growth;
use gavel_benches::measure::{median, pair};
use gavel_benches::peers::regorus::{self as peer, Peer};
use gavel_benches::server::{Server, binary, on_path};
use gavel_benches::synthetic;
use gavel_runtime::image::{self, LoadOptions};
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long each part takes.
struct Effort {
    rounds: usize,
    round_ns: u64,
    load_rounds: usize,
    load_seconds: u32,
}

const QUICK: Effort = Effort {
    rounds: 9,
    round_ns: 30_000_000,
    load_rounds: 3,
    load_seconds: 2,
};
const FULL: Effort = Effort {
    rounds: 31,
    round_ns: 100_000_000,
    load_rounds: 7,
    load_seconds: 5,
};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    if let [_, flag, wanted, count] = words.as_slice()
        && flag == "--repeat"
    {
        let done = corpus::examples()
            .map_err(|error| error.to_string())
            .and_then(|examples| repeat(&examples, wanted, count.parse().unwrap_or(1)));
        return match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(problem) => {
                eprintln!("{problem}");
                ExitCode::FAILURE
            }
        };
    }
    let effort = if std::env::args().any(|word| word == "--quick") {
        QUICK
    } else {
        FULL
    };
    match run(&effort) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(effort: &Effort) -> Result<(), String> {
    let examples = corpus::examples().map_err(|error| error.to_string())?;
    let mut figures = Vec::new();
    figures.push(("decision.allocations", allocations()?));
    decisions(&examples, effort, &mut figures)?;
    figures.extend(in_process::figures(&examples, effort.rounds, effort.round_ns)?);
    recording(&examples, effort, &mut figures)?;
    replaying(&examples, effort, &mut figures)?;
    compilation(effort, &mut figures)?;
    figures.extend(growth::figures(effort.rounds, effort.round_ns)?);
    if let Some(example) = examples.first() {
        service(example, effort, &mut figures)?;
    }
    println!();
    for (name, value) in figures {
        println!("figure {name} {value:.3}");
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
fn repeat(examples: &[Example], wanted: &str, count: u64) -> Result<(), String> {
    for example in examples {
        for (name, body) in &example.requests {
            if format!("{}/{name}", example.name) == wanted {
                let image = corpus::image(example)?;
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

/// Policies of the large domain.
const POLICIES: usize = 1_000;

/// A domain of a thousand policies: compiled in process, then served.
fn compilation(effort: &Effort, figures: &mut Vec<(&'static str, f64)>) -> Result<(), String> {
    let text = synthetic::domain(POLICIES, 1);
    let mut times = Vec::new();
    for _ in 0..effort.load_rounds {
        let start = Instant::now();
        black_box(corpus::image_of("large.yml", black_box(&text))?);
        times.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    figures.push(("compile.ms_per_1000_policies", median(&mut times)));
    loading(&text, effort, figures)?;
    let domain = std::env::temp_dir().join(format!("gavel-report-{}.yml", std::process::id()));
    std::fs::write(&domain, &text).map_err(|error| error.to_string())?;
    let served = served_large(&domain, figures).and_then(|()| linting(&domain, effort, figures));
    std::fs::remove_file(&domain).map_err(|error| error.to_string())?;
    served
}

/// The same domain from an image file in memory.
fn loading(text: &str, effort: &Effort, figures: &mut Vec<(&'static str, f64)>) -> Result<(), String> {
    let parts = corpus::parts_of("large.yml", text)?;
    let bytes = image::save(&parts).map_err(|error| error.to_string())?;
    let mut times = Vec::new();
    for _ in 0..effort.load_rounds {
        let start = Instant::now();
        let loaded = image::load(black_box(&bytes), &LoadOptions::default());
        black_box(loaded.map_err(|error| error.to_string())?);
        times.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    figures.push(("image.load_ms_per_1000_policies", median(&mut times)));
    figures.push(("image.file_mib", bytes.len() as f64 / f64::from(1 << 20)));
    Ok(())
}

fn served_large(domain: &Path, figures: &mut Vec<(&'static str, f64)>) -> Result<(), String> {
    let binary = binary("gavel-server", "gavel")?;
    let server = Server::start(&binary, domain, synthetic::request(7).as_bytes(), &[])?;
    figures.push(("large.start_ms", server.start_ms));
    figures.push(("large.rss_mib", server.rss_mib()?));
    Ok(())
}

fn linting(domain: &Path, effort: &Effort, figures: &mut Vec<(&'static str, f64)>) -> Result<(), String> {
    let binary = binary("gavel-server", "gavel")?;
    let spent = commands::lint_ms(&binary, domain, effort.load_rounds)?;
    figures.push(("lint.ms_per_1000_policies", spent));
    Ok(())
}

/// Records of the examples decided again: the example of which the fewest are in a second.
fn replaying(
    examples: &[Example],
    effort: &Effort,
    figures: &mut Vec<(&'static str, f64)>,
) -> Result<(), String> {
    let binary = binary("gavel-server", "gavel")?;
    let mut worst = f64::INFINITY;
    for example in examples {
        worst = worst.min(commands::replayed_per_s(&binary, example, effort.load_rounds)?);
    }
    figures.push(("replay.records_per_s", worst));
    Ok(())
}

/// The whole decision in process, from the bytes of the body, against the peer's on the same request.
fn decisions(
    examples: &[Example],
    effort: &Effort,
    figures: &mut Vec<(&'static str, f64)>,
) -> Result<(), String> {
    let mut worst_ratio = f64::INFINITY;
    let mut worst_request = f64::INFINITY;
    let mut worst_ns: f64 = 0.0;
    for example in examples {
        let image = corpus::image(example)?;
        let mut decider = corpus::decider(&image);
        let mut rival = Peer::new(example)?;
        let (mut ours_ns, mut theirs_ns) = (0.0, 0.0);
        for (name, body) in &example.requests {
            let decision = corpus::decide(&mut decider, &image, body)?;
            let granted = decision.granted;
            let asked = peer::asked(decision.references);
            let request = peer::request(&mut decider, &image, body, &asked)?;
            if rival.decide(&request)? != granted {
                return Err(format!(
                    "{}/{name}: gavel and its peer decide differently",
                    example.name
                ));
            }
            let times = pair(
                effort.rounds,
                effort.round_ns,
                || {
                    black_box(corpus::decide(&mut decider, &image, black_box(body)).map(|d| d.granted)).ok();
                },
                || {
                    black_box(rival.decide(black_box(&request))).ok();
                },
            );
            println!(
                "{}/{name}: gavel {:.0} ns, regorus RVM {:.0} ns, ratio {:.1}",
                example.name, times.first_ns, times.second_ns, times.ratio
            );
            worst_request = worst_request.min(times.ratio);
            worst_ns = worst_ns.max(times.first_ns);
            ours_ns += times.first_ns;
            theirs_ns += times.second_ns;
        }
        println!(
            "{}: ratio over all its requests {:.1}",
            example.name,
            theirs_ns / ours_ns
        );
        worst_ratio = worst_ratio.min(theirs_ns / ours_ns);
    }
    figures.push(("decision.regorus_rvm_over_gavel.worst", worst_ratio));
    figures.push(("decision.regorus_rvm_over_gavel.worst_request", worst_request));
    figures.push(("decision.ns.worst", worst_ns));
    Ok(())
}

/// What the access record costs the thread that decides, as a share of a decision's time.
fn recording(
    examples: &[Example],
    effort: &Effort,
    figures: &mut Vec<(&'static str, f64)>,
) -> Result<(), String> {
    let mut worst: f64 = 0.0;
    for example in examples {
        worst = worst.max(records::in_process(example, effort.rounds, effort.round_ns)?);
    }
    figures.push(("record.share_of_decision.worst", worst));
    let binary = binary("gavel-server", "gavel")?;
    let named = |(name, _): &&(String, Vec<u8>)| name == "nurse-reads";
    if let Some((example, (_, body))) = examples
        .iter()
        .find_map(|example| Some((example, example.requests.iter().find(named)?)))
    {
        let share = records::served(&binary, &example.domain, body, effort.rounds)?;
        figures.push(("record.share_of_http_request", share));
    }
    Ok(())
}

/// A served example: start, memory, and the share of the throughput that is left when decisions are real.
fn service(example: &Example, effort: &Effort, figures: &mut Vec<(&'static str, f64)>) -> Result<(), String> {
    let binary = binary("gavel-server", "gavel")?;
    let Some((_, body)) = example.requests.iter().find(|(name, _)| name == "nurse-reads") else {
        return Err("the example has no request".to_owned());
    };
    let mut starts = Vec::new();
    for _ in 0..effort.load_rounds {
        starts.push(Server::start(&binary, &example.domain, body, &[])?.start_ms);
    }
    figures.push(("start_ms", median(&mut starts)));
    let idle = Server::start(&binary, &example.domain, body, &[])?;
    figures.push(("rss_idle_mib", idle.rss_mib()?));
    drop(idle);
    if !on_path("wrk") {
        println!("skipped: http.share_of_constant (wrk is not installed)");
        return Ok(());
    }
    let script = std::env::temp_dir().join(format!("gavel-report-{}.lua", std::process::id()));
    std::fs::write(&script, wrk_script(body)).map_err(|error| error.to_string())?;
    let shares = shares(&binary, &example.domain, body, &script, effort);
    std::fs::remove_file(&script).map_err(|error| error.to_string())?;
    figures.push(("http.share_of_constant", median(&mut shares?)));
    Ok(())
}

fn shares(
    binary: &Path,
    domain: &Path,
    body: &[u8],
    script: &Path,
    effort: &Effort,
) -> Result<Vec<f64>, String> {
    let real = Server::start(binary, domain, body, &[])?;
    let constant = Server::start(binary, domain, body, &["--constant-deny"])?;
    let mut shares = Vec::new();
    for _ in 0..effort.load_rounds {
        let of_constant = constant.load(script, effort.load_seconds)?;
        let of_real = real.load(script, effort.load_seconds)?;
        println!("wrk: {of_real:.0} requests/s, with a constant decision {of_constant:.0}");
        shares.push(of_real / of_constant);
    }
    Ok(shares)
}

fn wrk_script(body: &[u8]) -> String {
    let body = String::from_utf8_lossy(body);
    format!(
        "wrk.method = \"POST\"\nwrk.headers[\"Content-Type\"] = \"application/json\"\nwrk.body = [==[{}]==]\n",
        body.trim_end()
    )
}
