//! The driver that every toolchain can build: inputs from a seed, for a time; what is found is written to a folder.
//!
//! An input that ends the process (a stack overflow, a hang that the watch ends) is the one in `TARGET.last`.

use super::choices::Random;
use super::mutate::input;
use super::{Finding, Target};
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// Stack of the thread that runs inputs; that of a server's worker is not larger.
const STACK_BYTES: usize = 8 << 20;

/// The reference evaluator recurses for each statement.
const PROGRAMS_STACK_BYTES: usize = 64 << 20;

/// One input may take this long before it counts as a hang.
const HANG: Duration = Duration::from_secs(60);

/// How a target is driven.
#[derive(Clone, Debug)]
pub struct Drive {
    /// What.
    pub target: Target,
    /// How long.
    pub time: Duration,
    /// First seed.
    pub seed: u64,
    /// Where findings go.
    pub folder: PathBuf,
    /// Further texts to start from.
    pub corpus: Vec<Vec<u8>>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Driven {
    /// Inputs that ran.
    pub inputs: u64,
    /// Findings that were written.
    pub findings: u64,
}

/// Drives a target.
///
/// # Errors
/// The folder cannot be written, or no thread can be started.
pub fn drive(drive: &Drive) -> Result<Driven, String> {
    std::fs::create_dir_all(&drive.folder).map_err(|error| format!("{}: {error}", drive.folder.display()))?;
    let last = drive.folder.join(format!("{}.last", drive.target.name()));
    let turn = Arc::new(AtomicU64::new(0));
    let (done, is_done) = mpsc::channel();
    let stack = match drive.target {
        Target::Programs => PROGRAMS_STACK_BYTES,
        Target::FrontEnd | Target::Bytecode | Target::Porc | Target::Domain => STACK_BYTES,
    };
    let worker = {
        let (drive, last, turn) = (drive.clone(), last.clone(), Arc::clone(&turn));
        move || {
            let driven = run(&drive, &last, &turn);
            // Nobody listens after a hang, and then the process ends.
            let _ = done.send(driven);
        }
    };
    std::thread::Builder::new()
        .stack_size(stack)
        .spawn(worker)
        .map_err(|error| error.to_string())?;
    let mut seen = (0, Instant::now());
    loop {
        match is_done.recv_timeout(Duration::from_secs(1)) {
            Ok(driven) => {
                let driven = driven?;
                std::fs::remove_file(&last).map_err(|error| format!("{}: {error}", last.display()))?;
                return Ok(driven);
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => return Err("the worker ended".to_owned()),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let now = turn.load(Ordering::Relaxed);
                if now != seen.0 {
                    seen = (now, Instant::now());
                } else if seen.1.elapsed() > HANG {
                    return Err(format!("input {now} hangs: {}", last.display()));
                }
            }
        }
    }
}

fn run(drive: &Drive, last: &Path, turn: &AtomicU64) -> Result<Driven, String> {
    let write = |path: &Path, bytes: &[u8]| {
        std::fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
    };
    let mut corpus: Vec<Vec<u8>> = drive
        .target
        .seeds()
        .iter()
        .map(|seed| seed.as_bytes().to_vec())
        .collect();
    if !corpus.is_empty() {
        corpus.extend(drive.corpus.iter().cloned());
    }
    let start = Instant::now();
    let mut driven = Driven::default();
    while start.elapsed() < drive.time {
        let seed = drive.seed.wrapping_add(driven.inputs);
        let bytes = input(drive.target, &corpus, &mut Random::new(seed));
        write(last, &bytes)?;
        turn.fetch_add(1, Ordering::Relaxed);
        driven.inputs += 1;
        if let Err(Finding(what)) = guarded(drive.target, &bytes) {
            driven.findings += 1;
            let name = format!("{}-{seed}", drive.target.name());
            write(&drive.folder.join(format!("{name}.bytes")), &bytes)?;
            write(&drive.folder.join(format!("{name}.txt")), what.as_bytes())?;
        }
    }
    Ok(driven)
}

/// One input; a panic is a finding.
#[must_use = "a finding is to be reported"]
pub fn guarded(target: Target, bytes: &[u8]) -> Result<(), Finding> {
    catch_unwind(|| target.run(bytes)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(Finding(format!("panic: {}", text.unwrap_or_default())))
    })
}
