//! `gavel-load`: puts a load on an HTTP server and says how it answers.
#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool whose product is its output"
)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use gavel_benches::load::{self, Ask, Content, Expected, Job, Pace, Step, Target, Trust};
use rustls::StreamOwned;

/// Sends HTTP/1.1 requests over connections that stay open, checks every answer, and says how long they took.
///
/// With --open, requests leave on a fixed schedule and latency counts from the moment a request was due, whatever the
/// server was doing. With --closed, the next request leaves when an answer has come: it finds the largest rate.
/// Ends with 1 when any request had no right answer, with 2 when it could not run.
#[derive(Debug, Parser)]
#[command(name = "gavel-load", version)]
struct Flags {
    /// Where to, as http://HOST:PORT/PATH or https://HOST:PORT/PATH
    #[arg(long)]
    url: String,
    /// Certificates in PEM, of which one has to vouch for the host of an https:// URL
    #[arg(long)]
    authority: Option<PathBuf>,
    /// A fixed schedule of --rate requests a second (what happens without --closed)
    #[arg(long, conflicts_with = "closed", requires = "rate")]
    open: bool,
    /// As many requests as the server answers
    #[arg(long, required_unless_present = "rate", conflicts_with = "rate")]
    closed: bool,
    /// Requests a second, of all connections together
    #[arg(long)]
    rate: Option<f64>,
    /// How long
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Seconds before that whose latencies are left out
    #[arg(long, default_value_t = 0.0)]
    warmup: f64,
    /// Connections that are kept open
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Requests that may be unanswered on one connection: more than 1 is pipelining
    #[arg(long, default_value_t = 1)]
    pipeline: usize,
    /// A file with the body of a POST; several take turns. None: GET
    #[arg(long)]
    body: Vec<PathBuf>,
    /// A header field, as 'Name: value'
    #[arg(long)]
    header: Vec<String>,
    /// The body that the answer to the body of the same place must have. None: that of a first request, which is sent alone
    #[arg(long, conflicts_with = "any_body")]
    expect: Vec<String>,
    /// Check the status of answers only, for services whose answers change
    #[arg(long)]
    any_body: bool,
    /// The status that answers must have
    #[arg(long, default_value_t = 200)]
    status: u16,
    /// Threads, each with its share of connections and requests
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// The processor that the first thread stays on, the next one for the second, and so on
    #[arg(long)]
    core: Option<usize>,
    /// An answer that takes longer is a failure
    #[arg(long, default_value_t = 5000)]
    timeout_ms: u64,
    /// How long before a request is due the thread stops sleeping and polls; 0 saves processor time and is some 60 us late
    #[arg(long, default_value_t = 100)]
    spin_us: u64,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    let outcome = job(&flags).and_then(|job| load::run(&job, Instant::now()));
    match outcome {
        Ok(outcome) => {
            match flags.json {
                true => println!("{}", outcome.json()),
                false => print!("{}", outcome.text()),
            }
            match outcome.checked() {
                Ok(_) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            }
        }
        Err(problem) => {
            eprintln!("gavel-load: {problem}");
            ExitCode::from(2)
        }
    }
}

fn job(flags: &Flags) -> Result<Job, String> {
    let target = Target::parse(&flags.url)?;
    let trust = match (&flags.authority, target.is_secure) {
        (Some(file), true) => Some(Trust::new(file, target.host_name())?),
        (None, false) => None,
        (None, true) => return Err(format!("{}: --authority says whom to trust", flags.url)),
        (Some(_), false) => return Err(format!("{}: --authority is for https://", flags.url)),
    };
    let bodies: Vec<Vec<u8>> = flags.body.iter().map(read).collect::<Result<_, _>>()?;
    let bodies: Vec<Option<&[u8]>> = match bodies.is_empty() {
        true => vec![None],
        false => bodies.iter().map(|body| Some(body.as_slice())).collect(),
    };
    if flags.expect.len() > bodies.len() {
        return Err("more of --expect than of --body".to_owned());
    }
    let mut asks = Vec::new();
    for (at, body) in bodies.into_iter().enumerate() {
        let mut expected = Expected {
            status: flags.status,
            body: match flags.expect.get(at) {
                Some(text) => Content::Is(text.as_bytes().to_vec()),
                None => Content::Any,
            },
        };
        if expected.body == Content::Any && !flags.any_body {
            let first = Ask::new(&target, &flags.header, body, expected.clone());
            expected.body = Content::Is(first_answer(&target, trust.as_ref(), &first)?);
        }
        asks.push(Ask::new(&target, &flags.header, body, expected));
    }
    Ok(Job {
        pace: flags.rate.map_or(Pace::Closed, |rate| Pace::Open { rate }),
        time: seconds(flags.seconds)?,
        warmup: seconds(flags.warmup)?,
        connections: flags.connections,
        depth: flags.pipeline,
        threads: flags.threads,
        core: flags.core,
        timeout: Duration::from_millis(flags.timeout_ms),
        spin: Duration::from_micros(flags.spin_us),
        trust,
        ..Job::new(target, asks)
    })
}

fn read(path: &PathBuf) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn seconds(number: f64) -> Result<Duration, String> {
    Duration::try_from_secs_f64(number).map_err(|error| format!("{number} seconds: {error}"))
}

/// The body of the answer to one request over a connection of its own.
fn first_answer(target: &Target, trust: Option<&Trust>, ask: &Ask) -> Result<Vec<u8>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", target.address);
    let stream = TcpStream::connect(target.address).map_err(failed)?;
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .map_err(failed)?;
    match trust {
        None => ask_first(stream, ask, failed),
        Some(trust) => ask_first(StreamOwned::new(trust.session()?, stream), ask, failed),
    }
}

fn ask_first(
    mut stream: impl Read + Write,
    ask: &Ask,
    failed: impl Fn(std::io::Error) -> String,
) -> Result<Vec<u8>, String> {
    stream.write_all(&ask.message).map_err(&failed)?;
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let answer = match load::read_answer(&bytes) {
            Step::Broken(problem) => return Err(problem.to_owned()),
            Step::Whole(answer) => answer,
            Step::Partial => {
                let read = stream.read(&mut part).map_err(&failed)?;
                if read == 0 {
                    return Err("the server closed the connection before its first answer".to_owned());
                }
                bytes.extend_from_slice(part.get(..read).unwrap_or_default());
                continue;
            }
        };
        let body = bytes.get(answer.body).unwrap_or_default();
        if answer.status != ask.expected.status {
            let body = String::from_utf8_lossy(body);
            return Err(format!(
                "the first answer is {} {}",
                answer.status,
                body.trim_end()
            ));
        }
        return Ok(body.to_vec());
    }
}
