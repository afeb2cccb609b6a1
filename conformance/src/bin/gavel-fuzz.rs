//! `gavel-fuzz TARGET SECONDS [SEED]`: drives one fuzz target; `gavel-fuzz emit SEED COUNT` prints generated programs as cases
//! without answers, for OPA to answer.
//!
//! Exit status: 0 when nothing was found, 1 otherwise, 2 for wrong usage.
#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool whose product is its output"
)]

use gavel_conformance::case;
use gavel_conformance::fuzz::Target;
use gavel_conformance::fuzz::choices::Random;
use gavel_conformance::fuzz::driver::{Drive, drive, guarded};
use gavel_conformance::fuzz::generate::program;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "usage: gavel-fuzz TARGET SECONDS [SEED [FOLDER [TEXT…]]]
       gavel-fuzz replay TARGET FILE…
       gavel-fuzz emit SEED COUNT

  TARGET   front_end, programs, bytecode, porc or domain
  SEED     of the first input (default 1)
  FOLDER   where findings go (default fuzz-findings)
  TEXT     files that inputs are made from as well
  replay   runs inputs that were written
  emit     prints generated programs, one case a line, without answers";

/// Bytes that one emitted program is made from.
const PROGRAM_BYTES: usize = 1200;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["emit", seed, count] => match (seed.parse(), count.parse()) {
            (Ok(seed), Ok(count)) => {
                emit(seed, count);
                Ok(true)
            }
            _ => Err(USAGE.to_owned()),
        },
        ["replay", target, files @ ..] => replay(target, files),
        [target, seconds, rest @ ..] => fuzz(target, seconds, rest),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(2)
        }
    }
}

fn fuzz(target: &str, seconds: &str, rest: &[&str]) -> Result<bool, String> {
    let (Some(target), Ok(seconds)) = (Target::of_name(target), seconds.parse()) else {
        return Err(USAGE.to_owned());
    };
    let seed = match rest.first() {
        Some(seed) => seed.parse().map_err(|_| USAGE.to_owned())?,
        None => 1,
    };
    let corpus = rest.get(2..).unwrap_or_default().iter();
    let corpus = corpus.map(|path| std::fs::read(path).map_err(|error| format!("{path}: {error}")));
    let driven = drive(&Drive {
        target,
        time: Duration::from_secs(seconds),
        seed,
        folder: PathBuf::from(rest.get(1).copied().unwrap_or("fuzz-findings")),
        corpus: corpus.collect::<Result<_, _>>()?,
    })?;
    println!(
        "{}: {} inputs from seed {seed}, {} findings",
        target.name(),
        driven.inputs,
        driven.findings
    );
    Ok(driven.findings == 0)
}

fn replay(target: &str, files: &[&str]) -> Result<bool, String> {
    let Some(target) = Target::of_name(target) else {
        return Err(USAGE.to_owned());
    };
    let mut is_clean = true;
    for path in files {
        let bytes = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
        if let Err(finding) = guarded(target, &bytes) {
            is_clean = false;
            println!("{path}: {}", finding.0);
        }
    }
    Ok(is_clean)
}

fn emit(seed: u64, count: u64) {
    for at in 0..count {
        let seed = seed.wrapping_add(at);
        let mut case = program(&Random::new(seed).bytes(PROGRAM_BYTES));
        case.note = format!("generated/{seed}");
        println!("{}", case::to_line(&case));
    }
}
