//! `gavel-repeat compile DOMAIN IMAGE [WITHOUT]`, `gavel-repeat decide IMAGE REQUEST COUNT`, `gavel-repeat line IMAGE REQUEST COUNT`:
//! decides one request over and over, or makes the line of its access record over and over and prints it, for
//! `benches/instructions.sh` and profilers.
//!
//! Two steps, because the compiler's tables lie in memory as chance has it, and what a process that has compiled decides
//! afterwards is not counted alike twice.
#![forbid(unsafe_code)]

use gavel_compiler::opt::Passes;
use gavel_compiler::source::SourceMap;
use gavel_compiler::{Options, compile_parts, render};
use gavel_runtime::decision::{Decider, RecordOptions, Stamp, write_json};
use gavel_runtime::image::{Image, LoadOptions, load, save};
use gavel_runtime::input::Trailing;
use gavel_runtime::limits::Limits;
use gavel_runtime::vm::RequestEnv;
use std::hint::black_box;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

/// No clock, which is the machine's and not ours, and nothing by chance.
const ENV: RequestEnv = RequestEnv::timeless(1_700_000_000_000_000_000, 1);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["compile", domain, image] => write_image(domain, image, Passes::ALL),
        ["compile", domain, image, without] => Passes::ALL
            .without(without)
            .ok_or(format!("no pass has the name {without}"))
            .and_then(|passes| write_image(domain, image, passes)),
        ["decide", image, request, count] => repeat(image, request, count),
        ["line", image, request, count] => repeat_line(image, request, count),
        _ => {
            eprintln!(
                "usage: gavel-repeat compile DOMAIN IMAGE [WITHOUT]\n       gavel-repeat decide IMAGE REQUEST COUNT\n       \
                 gavel-repeat line IMAGE REQUEST COUNT"
            );
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{path}: {error}"))
}

fn write_image(domain: &str, image: &str, passes: Passes) -> Result<(), String> {
    let text = String::from_utf8(read(domain)?).map_err(|error| error.to_string())?;
    let mut sources = SourceMap::default();
    let file = sources.add_file(domain, &text);
    let options = Options {
        optimise: passes,
        ..Options::default()
    };
    let linked = compile_parts(&mut sources, &[file], &options)
        .map_err(|problems| render::text(&sources, &problems))?;
    let bytes = save(&linked.parts).map_err(|error| error.to_string())?;
    std::fs::write(image, bytes).map_err(|error| format!("{image}: {error}"))
}

fn repeat(image: &str, request: &str, count: &str) -> Result<(), String> {
    let count: u64 = count.parse().map_err(|_| format!("{count} is no number"))?;
    let body = read(request)?;
    let image = load(&read(image)?, &LoadOptions::default()).map_err(|error| error.to_string())?;
    let mut decider = Decider::new(&image, &Limits::DEFAULT);
    for _ in 0..count {
        black_box(decided(&mut decider, &image, black_box(&body)))?;
    }
    Ok(())
}

fn repeat_line(image: &str, request: &str, count: &str) -> Result<(), String> {
    let count: u64 = count.parse().map_err(|_| format!("{count} is no number"))?;
    let body = read(request)?;
    let image = load(&read(image)?, &LoadOptions::default()).map_err(|error| error.to_string())?;
    let mut decider = Decider::new(&image, &Limits::DEFAULT);
    let mut frame = Vec::new();
    let env = RequestEnv {
        monotonic_ns: ticking,
        ..ENV
    };
    decider
        .decide(&image, &body, Trailing::Ignore, &env)
        .map_err(|refusal| refusal.to_string())?
        .encode(&body, STAMP, &mut frame);
    let (mut line, options) = (Vec::new(), RecordOptions::default());
    for _ in 0..count {
        line.clear();
        if !rendered(&mut decider, &image, black_box(&frame), &options, &mut line) {
            return Err("the frame is none".to_owned());
        }
    }
    std::io::stdout()
        .write_all(&line)
        .map_err(|error| error.to_string())
}

const STAMP: Stamp = Stamp {
    wall_ns: 1_700_000_000_123_456_789,
    random: [0x5a; 16],
};

/// A clock by which every step takes the same time, so that a record has times.
fn ticking() -> u64 {
    static NOW_NS: AtomicU64 = AtomicU64::new(0);
    NOW_NS.fetch_add(317, Ordering::Relaxed)
}

/// One line of an access record, counted as [`decided`] is.
#[inline(never)]
fn rendered(
    decider: &mut Decider,
    image: &Image,
    frame: &[u8],
    options: &RecordOptions,
    line: &mut Vec<u8>,
) -> bool {
    write_json(image, frame, options, decider, line)
}

/// One decision. A function of its own, with this name, because callgrind is told to count in here alone.
#[inline(never)]
fn decided(decider: &mut Decider, image: &Image, body: &[u8]) -> Result<bool, String> {
    let decision = decider.decide(image, body, Trailing::Ignore, &ENV);
    decision
        .map(|decision| decision.granted)
        .map_err(|refusal| refusal.to_string())
}
